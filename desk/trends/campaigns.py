"""The responsibility book (目标责任书): its board, one target with its reports, and an office's own targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from desk.accounts import User
from desk.pages import Pages, require
from desk.trends.bookboard import Books, Narrow
from desk.trends.reporting import DONE, Kept, read_report, refused
from desk.trends.standing import Standings
from router.trends.numbers import Numbers
from router.trends.progress import STATE_NAMES, State
from store.errors import ConflictError, RejectedError


def may_report(user: User) -> bool:
    """Whether this person reports for the owners of targets."""
    return user.may_dispatch() or user.may_supervise()


class Campaigns:
    """``/desk/campaigns`` and one target, ``/inbox/targets`` for offices, and ``/desk/api/campaigns``."""

    def __init__(self, pages: Pages, standings: Standings, books: Books, numbers: Numbers) -> None:
        self._pages = pages
        self._standings = standings
        self._book = standings.book
        self._books = books
        self._numbers = numbers

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/desk/campaigns", self._board),
            web.get("/desk/campaigns/target", self._target),
            web.post("/desk/campaigns/report", self._report),
            web.get("/desk/api/campaigns", self._api),
            web.get("/inbox/targets", self._own),
            web.post("/inbox/targets/report", self._report_own),
        ]

    def _narrow(self, query: Mapping[str, str]) -> Narrow:
        """What the address asks for; RejectedError for a strange year, state or owner."""
        state, owner = query.get("state", ""), query.get("owner", "")
        narrow = Narrow(self._year(query), state, owner)
        if state and state not in set(State):
            msg = f"desk: state: unknown; choose one of {', '.join(State)}"
            raise RejectedError(msg, reason="state")
        if owner and owner not in self._standings.offices:
            msg = "desk: owner: no such office; choose one of the list"
            raise RejectedError(msg, reason="owner")
        return narrow

    def _years(self) -> list[int]:
        """Years that may be looked at."""
        return sorted({*self._book.targets.years, self._numbers.today().year}, reverse=True)

    def _year(self, query: Mapping[str, str]) -> int:
        years = {str(year): year for year in self._years()}
        asked = query.get("year", "") or str(self._numbers.today().year)
        if asked not in years:
            msg = f"desk: year: has no book; choose one of {', '.join(years)}"
            raise RejectedError(msg, reason="year")
        return years[asked]

    async def _board(self, request: web.Request) -> web.Response:
        user = require(request, User.may_oversee)
        narrow = self._narrow(request.query)
        owners = dict.fromkeys(one.owner for one in self._book.targets.of_year(narrow.year))
        offices = self._standings.offices
        return self._pages.render(
            "campaigns.html",
            request,
            board=await self._books.board(narrow),
            narrow=narrow,
            years=self._years(),
            owners=[(one, offices.get(one, one)) for one in owners],
            states=STATE_NAMES,
            may_report=may_report(user),
        )

    async def _api(self, request: web.Request) -> web.Response:
        require(request, User.may_oversee)
        board = await self._books.board(self._narrow(request.query))
        return web.Response(body=msgspec.json.encode(board), content_type="application/json")

    async def _target(self, request: web.Request) -> web.Response:
        require(request, User.may_oversee)
        words = DONE if request.query.get("done") else ""
        kept = Kept(request.query.get("id", "")[:40], words=words)
        try:
            return await self._show(request, kept)
        except RejectedError as error:
            raise web.HTTPNotFound(text="desk: no such target; look at the list again") from error

    async def _show(self, request: web.Request, kept: Kept) -> web.Response:
        """One target with its reports."""
        target = self._book.one(kept.target)
        (line,) = await self._standings.lines([target])
        return self._pages.render(
            "target.html",
            request,
            status=kept.status,
            one=line,
            kept=kept,
            reports=await self._standings.history(target),
            may_report=may_report(require(request, User.may_oversee)),
        )

    async def _report(self, request: web.Request) -> web.StreamResponse:
        user = require(request, may_report)
        target, said = await read_report(request)
        try:
            await self._book.report(target, said, actor=user.name)
        except (RejectedError, ConflictError) as error:
            if isinstance(error, RejectedError) and error.reason == "target":
                raise
            return await self._show(request, refused(target, said, error))
        raise web.HTTPFound(f"/desk/campaigns/target?id={target}&done=1")

    async def _own(self, request: web.Request) -> web.Response:
        require(request, User.may_handle)
        return await self._show_own(request, Kept(words=DONE if request.query.get("done") else ""))

    async def _show_own(self, request: web.Request, kept: Kept) -> web.Response:
        """The targets of a person's office, as owner or helper."""
        user = require(request, User.may_handle)
        year = self._year(request.query)
        targets = [one for one in self._book.targets.of_year(year) if user.scope in one.offices]
        values: dict[str, Any] = {"year": year, "years": self._years(), "kept": kept}
        return self._pages.render(
            "inbox_targets.html",
            request,
            status=kept.status,
            lines=await self._standings.lines(targets),
            office=self._standings.offices.get(user.scope, user.scope),
            **values,
        )

    async def _report_own(self, request: web.Request) -> web.StreamResponse:
        user = require(request, User.may_handle)
        target, said = await read_report(request)
        try:
            await self._book.report(target, said, actor=user.name, office=user.scope)
        except (RejectedError, ConflictError) as error:
            return await self._show_own(request, refused(target, said, error))
        year = self._book.one(target, user.scope).year
        raise web.HTTPFound(f"/inbox/targets?year={year}&done=1")
