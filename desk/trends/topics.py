"""Rising topics (上升话题), watched ones (专题), those of the file, and chronic places (点位台账)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from desk.accounts import User
from desk.pages import Pages, require
from desk.queries import case_rows
from desk.trends.telling import MOST, Line, Stories
from router.trends.curating import STATE_NAMES, Curation, TopicState
from router.trends.places import SPANS, Place, PlaceLedger
from router.workflow import STATUS_NAMES
from store.db import Database
from store.errors import ConflictError, RejectedError

TABS: Mapping[str, tuple[str, frozenset[TopicState]]] = {
    "found": ("上升话题", frozenset({TopicState.FOUND})),
    "watched": ("专题", frozenset({TopicState.WATCHED})),
    "configured": ("长效话题", frozenset()),
    "hidden": ("已隐藏与合并", frozenset({TopicState.HIDDEN, TopicState.MERGED})),
}
"""Lists by name: what they are called and what they show."""

DAYS = (30, 90, 365)
"""Days a topic's trend may be looked at over."""

REFUSED = {
    "name": "名称为空或超过40字，未保存。",
    "phrases": "词语未保存：每行一组，每组至多4个词、至少2个字，至多24组。",
    "into": "不能并入所选话题：请另选一个，或先减少词语。",
    "topic": "没有这个话题，可能已被删除。",
}
CHANGED = "话题刚被他人修改，未执行。请查看最新状态后重试。"

KEY = r"{id:\d{1,18}|[a-z][a-z0-9_]{0,39}}"
NUMBER = r"{id:\d{1,18}}"

Act = Callable[[Curation, int, Mapping[str, str], str], Awaitable[None]]
ACTS: Mapping[str, Act] = {
    "name": lambda c, topic, form, actor: c.name(topic, form.get("name", ""), actor=actor),
    "hide": lambda c, topic, _, actor: c.hide(topic, actor=actor),
    "show": lambda c, topic, _, actor: c.show(topic, actor=actor),
    "watch": lambda c, topic, _, actor: c.watch(topic, actor=actor),
    "unwatch": lambda c, topic, _, actor: c.unwatch(topic, actor=actor),
    "merge": lambda c, topic, form, actor: c.merge(topic, _into(form), actor=actor),
    "phrases": lambda c, topic, form, actor: c.rephrase(topic, _ways(form), actor=actor),
}
"""What the buttons of a topic do."""


class TopicsPage:
    """``/desk/topics``, ``/desk/topics/{id}``, ``/desk/places``, and their twins under ``/desk/api``."""

    def __init__(
        self,
        db: Database,
        pages: Pages,
        stories: Stories,
        curation: Curation,
        ledger: PlaceLedger,
        *,
        names: Mapping[str, str],
    ) -> None:
        self._db = db
        self._pages = pages
        self._stories = stories
        self._curation = curation
        self._ledger = ledger
        self._names = names

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/desk/topics", self._list),
            web.post("/desk/topics/add", self._add),
            web.get(f"/desk/topics/{KEY}", self._one),
            web.post(f"/desk/topics/{NUMBER}/{{act:{'|'.join(ACTS)}}}", self._act),
            web.get("/desk/places", self._places),
            web.get("/desk/api/topics", self._api_list),
            web.get(f"/desk/api/topics/{KEY}", self._api_one),
            web.get("/desk/api/places", self._api_places),
        ]

    async def _lines(self, tab: str) -> list[Line]:
        if tab not in TABS:
            msg = f"desk: tab: unknown; choose one of {', '.join(TABS)}"
            raise RejectedError(msg, reason="tab")
        if tab == "configured":
            return await self._stories.configured()
        return await self._stories.listed(TABS[tab][1])

    async def _list(self, request: web.Request) -> web.Response:
        return await self._show(request, request.query.get("tab", "found"))

    async def _show(
        self, request: web.Request, tab: str, said: str = "", status: int = 200
    ) -> web.Response:
        user = require(request, User.may_oversee)
        lines = await self._lines(tab)
        return self._pages.render(
            "topics.html",
            request,
            status=status,
            said=said,
            tab=tab,
            tabs={key: name for key, (name, _) in TABS.items()},
            lines=lines,
            states=STATE_NAMES,
            may_curate=user.may_curate(),
        )

    async def _one(self, request: web.Request) -> web.Response:
        return await self._detail(request)

    async def _detail(
        self, request: web.Request, said: str = "", status: int = 200
    ) -> web.Response:
        user = require(request, User.may_oversee)
        days = _days(request)
        story = await self._stories.story(request.match_info["id"], days)
        if story is None:
            raise web.HTTPNotFound(text="desk: no such topic; look at the list again")
        others = await self._stories.listed(TABS["found"][1] | TABS["watched"][1])
        return self._pages.render(
            "topic.html",
            request,
            status=status,
            said=said,
            story=story,
            topic=story.topic,
            days=days,
            choices=DAYS,
            rows=(await case_rows(self._db, [int(one) for one in story.cases]))[:MOST],
            others=[one for one in others if one.id != story.topic.id],
            states=STATE_NAMES,
            statuses=STATUS_NAMES,
            most=MOST,
            may_curate=user.may_curate() and story.topic.state != "configured",
        )

    async def _act(self, request: web.Request) -> web.StreamResponse:
        user = require(request, User.may_curate)
        topic = request.match_info["id"]
        form = await _form(request)
        try:
            await ACTS[request.match_info["act"]](self._curation, int(topic), form, user.name)
        except (RejectedError, ConflictError) as error:
            return await self._refused(request, error)
        raise web.HTTPFound(f"/desk/topics/{topic}")

    async def _refused(
        self, request: web.Request, error: RejectedError | ConflictError
    ) -> web.Response:
        """The topic as it is, with a word on why nothing was done."""
        if isinstance(error, ConflictError):
            return await self._detail(request, CHANGED, 409)
        said = REFUSED.get(error.reason, REFUSED["topic"])
        if error.reason == "topic":
            return await self._show(request, "found", said, 422)
        return await self._detail(request, said, 422)

    async def _add(self, request: web.Request) -> web.StreamResponse:
        user = require(request, User.may_curate)
        form = await _form(request)
        try:
            made = await self._curation.add(form.get("name", ""), _ways(form), actor=user.name)
        except RejectedError as error:
            return await self._show(request, "watched", REFUSED[error.reason], 422)
        raise web.HTTPFound(f"/desk/topics/{made}")

    async def _api_list(self, request: web.Request) -> web.Response:
        require(request, User.may_oversee)
        tab = request.query.get("tab", "found")
        return _json({"tab": tab, "topics": await self._lines(tab)})

    async def _api_one(self, request: web.Request) -> web.Response:
        require(request, User.may_oversee)
        story = await self._stories.story(request.match_info["id"], _days(request))
        if story is None:
            raise web.HTTPNotFound(text="desk: no such topic; look at the list again")
        return _json(story)

    async def _places(self, request: web.Request) -> web.Response:
        require(request, User.may_oversee)
        at, places = await self._ledger.current()
        return self._pages.render(
            "places.html",
            request,
            at=at,
            places=places,
            spans=SPANS,
            names=self._names,
            areas=self._stories.areas,
            link=self._stories.link,
        )

    async def _api_places(self, request: web.Request) -> web.Response:
        require(request, User.may_oversee)
        at, places = await self._ledger.current()
        listed = [_place(one) for one in places]
        return _json({"as_of": at, "spans": SPANS, "places": listed})


def _place(place: Place) -> dict[str, Any]:
    """A place as scripts are told of it; numbers of cases as text."""
    return {
        "name": place.name,
        "series": f"spot:{place.name}",
        "area": place.area,
        "point": place.point,
        "counts": place.counts,
        "voices": place.voices,
        "open": place.open,
        "problems": place.problems,
        "last_closed_at": place.last_closed_at,
        "owners": [{"level": str(one.level), "holder": one.holder} for one in place.owners],
        "relapses": [
            {"case_id": str(one.case_id), "earlier": str(one.earlier)} for one in place.relapses
        ],
        "cases": [str(one) for one in place.cases],
    }


def _json(value: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")


def _days(request: web.Request) -> int:
    """The days asked for; RejectedError when they are not offered."""
    asked = request.query.get("days", str(DAYS[1]))
    if asked not in map(str, DAYS):
        msg = f"desk: days: not offered; choose one of {', '.join(map(str, DAYS))}"
        raise RejectedError(msg, reason="days")
    return int(asked)


async def _form(request: web.Request) -> dict[str, str]:
    return {name: str(value).replace("\0", "") for name, value in (await request.post()).items()}


def _into(form: Mapping[str, str]) -> int:
    """The topic to merge into; 0, which is none, when no number was sent."""
    given = form.get("into", "")
    return int(given) if given.isdecimal() and len(given) <= 18 else 0  # noqa: PLR2004 - digits a database keeps


def _ways(form: Mapping[str, str]) -> list[list[str]]:
    """Phrases as they are written: one alternative a line, its words apart."""
    return [line.split() for line in form.get("phrases", "").splitlines()]
