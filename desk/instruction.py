"""Register what a leader ordered (领导交办): whose post, what is wanted, where, and by when.

It comes in as a message of the channel ``instruction`` with its own day, and is never left without a case. The
same words with the same day again are the same message, so a doubled click is harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import ValidationError

from desk.accounts import User
from desk.pages import Pages, require
from ingest.admit import Admission
from ingest.normalize import clean
from router.clocking import FARTHEST
from store.errors import RejectedError
from store.model import Item, Place
from store.vault import sha256_hex

CHANNEL = "instruction"
FIELDS = ("post", "text", "address", "wanted")


def may_instruct(user: User) -> bool:
    """Whether this person may register an instruction."""
    return user.may_dispatch() or user.role == "supervisor"


class Instruction:
    """``/desk/instruction``."""

    def __init__(
        self,
        pages: Pages,
        admission: Admission,
        *,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
    ) -> None:
        self._pages = pages
        self._admission = admission
        self._zone = zone
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/desk/instruction", self._form),
            web.post("/desk/instruction", self._register),
        ]

    async def _form(self, request: web.Request) -> web.Response:
        require(request, may_instruct)
        return self._show(request, dict.fromkeys(FIELDS, ""))

    async def _register(self, request: web.Request) -> web.Response:
        require(request, may_instruct)
        posted = await request.post()
        form = {name: str(posted.get(name, "")).strip() for name in FIELDS}
        try:
            item = instructed(form, self._zone, self._clock())
            heard = (await self._admission.admit([item]))[0]
        except RejectedError as error:
            said = str(error) if error.reason == "form" else "内容无法登记，请检查后重试"
            return self._show(request, form, error=said, status=422)
        receipt = self._admission.receipt(heard.item_id, item)
        return self._show(request, dict.fromkeys(FIELDS, ""), done=receipt)

    def _show(
        self,
        request: web.Request,
        form: Mapping[str, str],
        *,
        error: str = "",
        done: str = "",
        status: int = 200,
    ) -> web.Response:
        return self._pages.render(
            "instruction.html", request, status=status, form=form, error=error, done=done
        )


def instructed(form: Mapping[str, str], zone: ZoneInfo, now: datetime) -> Item:
    """The item a form describes; RejectedError says in Chinese which field to correct."""
    if not clean(form["post"]) or not clean(form["text"]):
        raise RejectedError("请填写交办人职务和交办内容", reason="form")
    try:
        wanted = datetime.fromisoformat(form["wanted"])
    except ValueError as error:
        raise RejectedError("办理期限无法识别，请重新选择", reason="form") from error
    wanted = wanted if wanted.tzinfo else wanted.replace(tzinfo=zone)
    if wanted <= now:
        raise RejectedError("办理期限已过，请选择以后的时间", reason="form")
    if wanted > now + FARTHEST:
        raise RejectedError(f"办理期限超过{FARTHEST.days}天，请选择较近的时间", reason="form")
    key = sha256_hex("|".join((form["post"], wanted.isoformat(), form["text"])).encode())
    try:
        return Item(
            channel=CHANNEL,
            channel_id=f"instruction:{key[:32]}",
            title=f"{form['post']}交办"[:500],
            text=form["text"],
            author=form["post"][:200],
            posted_at=now,
            place=Place(address=form["address"]),
            wanted_at=wanted,
        )
    except ValidationError as error:
        raise RejectedError("内容过长或含有无法保存的字符，请改正", reason="form") from error
