"""``/desk/reports``: bulletins by kind and period, edited, signed, as files; ``/report/ID``: the paper to print."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import select

from desk.accounts import User
from desk.pages import MARK, Pages, require
from desk.papers.docx import docx_of
from desk.papers.page import paper_html
from desk.papers.pdf import pdf_of
from desk.papers.xlsx import xlsx_of
from desk.reports.frozen import (
    Drawing,
    Grid,
    Head,
    Words,
    called,
    marks_of,
    read_content,
    read_figures,
    read_trail,
    readable,
    texts_of,
)
from desk.reports.keeping import (
    DRAFT,
    SIGNED,
    STATE_NAMES,
    STEP_NAMES,
    STEPS,
    Bulletins,
)
from desk.reports.paper import paper_of
from desk.reports.periods import last_of, read_span
from store.db import Database
from store.errors import ConflictError, RejectedError
from store.tables import T

Render = Callable[..., bytes]
FORMATS: Mapping[str, tuple[Render, str]] = {
    "docx": (docx_of, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "xlsx": (xlsx_of, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "pdf": (pdf_of, "application/pdf"),
}
ACTS: Mapping[str, str] = {"made": "起草", "edited": "修改", "renewed": "重新取数", **STEP_NAMES}
SAYS: Mapping[str, str] = {
    "conflict": "该通报已被他人修改，下面是最新内容；您填写的内容未保存。",
    "workflow": "该通报的状态已变化，不能再做此操作。",
    "period": "统计期尚未结束，或写法不对；周写作2026-W47，月写作2026-11，季写作2026-Q4，年写作2026。",
    "exists": "该统计期已有这份通报；请打开它修改，已签发的请用“更正”。",
    "reason": "请填写理由。",
    "stories": "请至少勾选一个案例，并通读其文字。",
}
"""What a refusal is on screen, by its reason; others are said as they are."""

NAMES: Mapping[type, str] = {Head: "标题", Words: "段落", Grid: "表", Drawing: "图"}
SYSTEM = "hub"
"""Who made the drafts that nobody asked for."""


class Reports:
    """The section. ``public_url`` is where this hub is reached, for links in files; empty: without links."""

    def __init__(
        self,
        db: Database,
        pages: Pages,
        bulletins: Bulletins,
        *,
        zone: ZoneInfo,
        public_url: str = "",
    ) -> None:
        self._db = db
        self._pages = pages
        self._bulletins = bulletins
        self._zone = zone
        self._public_url = public_url

    def routes(self) -> list[web.RouteDef]:
        one = f"/desk/reports/{MARK}"
        return [
            web.get("/desk/reports", self._list),
            web.post("/desk/reports", self._make),
            web.get(one, self._page),
            web.post(f"{one}/edit", self._edit),
            web.post(f"{one}/renew", self._renew),
            web.post(f"{one}/{{verb:submit|back|withdraw}}", self._move),
            web.post(f"{one}/sign", self._sign),
            web.post(f"{one}/correct", self._correct),
            web.get(f"{one}/file.{{format:docx|xlsx|pdf}}", self._file),
            web.get(f"/report/{MARK}", self._print),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        return await self._listed(request)

    async def _listed(
        self, request: web.Request, error: str = "", status: int = 200
    ) -> web.Response:
        require(request, User.may_oversee)
        kinds = self._bulletins.settings.by_id
        kind = request.query.get("kind", "")
        today = self._bulletins.today()
        return self._pages.render(
            "reports.html",
            request,
            status=status,
            rows=await self._bulletins.listed(kind if kind in kinds else ""),
            kinds=kinds,
            kind=kind,
            last={one.id: last_of(one.cycle, today).name for one in kinds.values()},
            states=STATE_NAMES,
            shown=self._shown,
            error=error,
        )

    def _shown(self, kind: str, period: str) -> str:
        """A period as people say it; as it is kept where its kind is no more configured."""
        known = self._bulletins.settings.by_id.get(kind)
        return read_span(known.cycle, period).shown if known is not None else period

    async def _make(self, request: web.Request) -> web.StreamResponse:
        user = require(request, User.may_report)
        form = await request.post()
        try:
            kind = self._bulletins.kind(str(form.get("kind", "")))
            made = await self._bulletins.make(kind, str(form.get("period", ""))[:20], user.name)
        except (RejectedError, ConflictError) as error:
            return await self._listed(request, _said(error), _status(error))
        raise web.HTTPFound(f"/desk/reports/{made}")

    async def _page(self, request: web.Request) -> web.Response:
        return await self._shown_page(request)

    async def _shown_page(
        self, request: web.Request, error: str = "", status: int = 200
    ) -> web.Response:
        """The paper as it stands, and below it what this person may do with it."""
        user = require(request, User.may_oversee)
        row = await self._bulletins.find(_id(request))
        content, figures = read_content(row.content), read_figures(row.figures)
        trail, names = read_trail(row.trail), called(figures)
        return self._pages.render(
            "report.html",
            request,
            status=status,
            row=row,
            paper=paper_html(self._paper(row)),
            content=content,
            figures=figures,
            chips=lambda block: dict.fromkeys(m for t in texts_of(block) for m in marks_of(t)),
            sort=lambda block: NAMES[type(block)],
            names=names,
            words=lambda block: readable(block.text, names),
            trail=trail,
            people=await self._people({one.actor for one in trail} | {row.signed_by}),
            acts=ACTS,
            states=STATE_NAMES,
            edits=row.state == DRAFT and user.may_report(),
            moves=_moves(row.state, user),
            corrects=row.state == SIGNED and user.may_report(),
            at=datetime.fromisoformat,
            error=error,
        )

    async def _people(self, names: set[str]) -> dict[str, str]:
        """What people are called, by their login; the hub itself too."""
        u = T.users.c
        asked = select(u.name, u.display).where(u.name.in_(sorted(names)))
        async with self._db.read() as conn:
            return {row[0]: row[1] for row in await conn.execute(asked)} | {SYSTEM: "系统"}

    def _paper(self, row: Any) -> Any:
        return paper_of(row, zone=self._zone, today=self._bulletins.today())

    async def _edit(self, request: web.Request) -> web.StreamResponse:
        user = require(request, User.may_report)
        form = {
            name: value for name, value in (await request.post()).items() if isinstance(value, str)
        }
        act = form.get("act", "save")

        async def work() -> None:
            await self._bulletins.edit(_id(request), _version(form), form, user.name)

        place = "#" + (act.partition(".")[2] or "edit")
        return await self._done(request, work, place)

    async def _renew(self, request: web.Request) -> web.StreamResponse:
        user = require(request, User.may_report)
        form = await request.post()

        async def work() -> None:
            await self._bulletins.renew(_id(request), _version(form), user.name)

        return await self._done(request, work)

    async def _move(self, request: web.Request) -> web.StreamResponse:
        return await self._moved(request, request.match_info["verb"])

    async def _sign(self, request: web.Request) -> web.StreamResponse:
        return await self._moved(request, "sign")

    async def _moved(self, request: web.Request, verb: str) -> web.StreamResponse:
        """A signed bulletin is taken back by those who may sign only."""
        row_needs = verb == "withdraw" and (await self._state(request)) == SIGNED
        user = require(request, User.may_sign if verb in SIGNING or row_needs else User.may_report)
        form = await request.post()

        async def work() -> None:
            await self._bulletins.move(
                _id(request), _version(form), verb, actor=user.name, display=user.display,
                reason=str(form.get("reason", "")),
            )  # fmt: skip

        return await self._done(request, work)

    async def _state(self, request: web.Request) -> str:
        require(request, User.may_oversee)
        b = T.bulletins.c
        async with self._db.read() as conn:
            asked = select(b.state).where(b.id == _id(request))
            return str((await conn.execute(asked)).scalar() or "")

    async def _correct(self, request: web.Request) -> web.StreamResponse:
        user = require(request, User.may_report)
        try:
            made = await self._bulletins.correct(_id(request), user.name)
        except (RejectedError, ConflictError) as error:
            return await self._failed(request, error)
        raise web.HTTPFound(f"/desk/reports/{made}")

    async def _done(
        self, request: web.Request, work: Callable[[], Any], place: str = ""
    ) -> web.StreamResponse:
        """Do it and show the page anew, or say there why not."""
        try:
            await work()
        except (RejectedError, ConflictError) as error:
            return await self._failed(request, error)
        raise web.HTTPFound(f"/desk/reports/{request.match_info['id']}{place}")

    async def _failed(
        self, request: web.Request, error: RejectedError | ConflictError
    ) -> web.Response:
        if error.reason == "bulletin":
            raise error
        return await self._shown_page(request, _said(error), _status(error))

    async def _file(self, request: web.Request) -> web.Response:
        """The paper as a file; made in a thread, for it is a second's work."""
        require(request, User.may_oversee)
        row = await self._bulletins.find(_id(request))
        suffix = request.match_info["format"]
        render, kind = FORMATS[suffix]
        body = await asyncio.to_thread(render, self._paper(row), base_url=self._public_url)
        name = quote(f"{row.title}.{suffix}")
        plain = f'attachment; filename="bulletin-{row.id}.{suffix}"'
        headers = {"Content-Disposition": f"{plain}; filename*=UTF-8''{name}"}
        return web.Response(body=body, content_type=kind, headers=headers)

    async def _print(self, request: web.Request) -> web.Response:
        require(request, User.may_oversee)
        row = await self._bulletins.find(_id(request))
        return self._pages.render(
            "report_print.html", request, row=row, paper=paper_html(self._paper(row))
        )


SIGNING = frozenset({"sign", "back"})
"""What only those do who may sign."""


def _moves(state: str, user: User) -> list[tuple[str, str, bool]]:
    """Verb, name and whether a reason is asked for, of what this person may do now."""
    return [
        (verb, STEP_NAMES[verb], step.reason)
        for verb, step in STEPS.items()
        if state in step.before and _may(verb, state, user)
    ]


def _may(verb: str, state: str, user: User) -> bool:
    is_signing = verb in SIGNING or (verb == "withdraw" and state == SIGNED)
    return user.may_sign() if is_signing else user.may_report()


def _id(request: web.Request) -> int:
    return int(request.match_info["id"])


def _version(form: Mapping[str, Any]) -> int:
    """RejectedError when a form has none."""
    text = str(form.get("version", ""))
    if not text.isdecimal() or len(text) > 9:  # noqa: PLR2004 - what a column keeps
        msg = "desk: version: missing; send the form as the page has it"
        raise RejectedError(msg, reason="version")
    return int(text)


def _said(error: RejectedError | ConflictError) -> str:
    return SAYS.get(error.reason, str(error))


def _status(error: RejectedError | ConflictError) -> int:
    return 409 if isinstance(error, ConflictError) else 422
