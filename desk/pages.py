"""What every page is made with: templates, the person who asks, and what their role allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

import jinja2
import msgspec
from aiohttp import web

from desk.accounts import User
from desk.assets import assets
from desk.receiving import FORMS
from desk.security import SESSION
from store.errors import AuthError, RejectedError

HOME = Path(__file__).parent
LONGEST_FAULT = 200
"""Characters of a decoder's words that are passed on."""

B = TypeVar("B")

Note = Annotated[str, msgspec.Meta(max_length=1000)]
"""Words of a person with a command."""

MARK = r"{id:\d{1,18}}"
"""The number of a case in an address: no longer than a database keeps."""


PLACES: tuple[tuple[str, str, frozenset[str]], ...] = (
    (
        "/desk",
        "调度台",
        frozenset({"dispatcher", "subdistrict", "official", "supervisor", "admin"}),
    ),
    ("/inbox", "收件箱", frozenset({"department", "subdistrict"})),
    ("/desk/tasks", "待办", frozenset({"dispatcher", "supervisor", "admin"})),
    ("/desk/instruction", "领导交办", frozenset({"dispatcher", "supervisor", "admin"})),
    ("/desk/exposure", "媒体曝光", frozenset({"dispatcher", "admin"})),
    ("/desk/import", "导入表格", frozenset({"dispatcher", "admin"})),
    ("/desk/trends", "趋势", frozenset({"dispatcher", "official", "supervisor", "admin"})),
    ("/desk/reports", "通报", frozenset({"dispatcher", "official", "supervisor", "admin"})),
    ("/desk/campaigns", "责任书", frozenset({"dispatcher", "official", "supervisor", "admin"})),
    ("/inbox/targets", "责任书", frozenset({"department", "subdistrict"})),
    ("/desk/assessment", "考核", frozenset({"dispatcher", "official", "supervisor", "admin"})),
    ("/desk/sources", "渠道", frozenset({"dispatcher", "official", "supervisor", "admin"})),
    ("/desk/admin", "管理", frozenset({"admin"})),
    (
        "/query",
        "进度查询",
        frozenset({"dispatcher", "department", "subdistrict", "supervisor", "admin", ""}),
    ),
)
"""Where the navigation leads, most used first, and whose roles see it; no role for nobody."""


def pages_of(user: User | None) -> list[tuple[str, str]]:
    """The navigation of one person."""
    role = user.role if user else ""
    return [(where, name) for where, name, roles in PLACES if role in roles]


class Section(Protocol):
    """A part of the desk with routes of its own."""

    def routes(self) -> list[web.RouteDef]:
        """What ``Desk.mount`` adds."""
        ...


class Pages:
    """Renders templates for whoever is logged in; ``notices`` are shown to dispatchers and admins on every page."""

    def __init__(
        self,
        *,
        city: str,
        zone: ZoneInfo,
        demo: bool,
        clock: Callable[[], datetime],
        notices: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self.city = city
        self._jinja = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HOME / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )
        self._jinja.globals.update(
            city=city, demo=demo, notices=notices, pages_of=pages_of, assets=assets
        )
        self._jinja.filters["local"] = lambda at: local(at, zone, clock())
        self._jinja.filters["dated"] = lambda at: local(at, zone)

    def render(
        self, name: str, request: web.Request, *, status: int = 200, **values: Any
    ) -> web.Response:
        """The template ``name`` as an HTML answer."""
        session = request.get(SESSION)
        text = self._jinja.get_template(name).render(
            user=session.user if session else None,
            token=session.csrf if session else "",
            path=request.path,
            **values,
        )
        return web.Response(text=text, content_type="text/html", status=status)


async def body_of(request: web.Request, kind: type[B]) -> B:
    """The JSON body as ``kind``; RejectedError names the field."""
    if request.content_type in FORMS:
        raise RejectedError("desk: body: a form; send JSON", reason="malformed")
    try:
        body = msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = f"desk: body: {str(error)[:LONGEST_FAULT]}; correct it"
        raise RejectedError(msg) from error
    for text in _texts(msgspec.to_builtins(body)):
        storable(text)
    return body


def storable(text: str) -> str:
    """The text itself; RejectedError when it holds what no database keeps."""
    if "\0" in text:
        msg = "desk: a text holds the character NUL; leave it out"
        raise RejectedError(msg, reason="text")
    return text


def _texts(value: Any) -> Iterator[str]:
    """Every text in plain lists and mappings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, Sequence):
        for one in value:
            yield from _texts(one)


def local(at: str | datetime | None, zone: ZoneInfo, now: datetime | None = None) -> str:
    """A time, aware or in ISO 8601, as people of the city write it; without the year when it is that of ``now``."""
    if not at:
        return ""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    there = moment.astimezone(zone)
    year = "" if now and now.astimezone(zone).year == there.year else f"{there.year}年"
    return f"{year}{there.month}月{there.day}日 {there:%H:%M}"


def require(request: web.Request, allowed: Callable[[User], bool]) -> User:
    """Who asks, or AuthError when their role may not."""
    user = request[SESSION].user
    if not allowed(user):
        raise AuthError("desk: your role may not do this; ask an administrator", known=True)
    return user
