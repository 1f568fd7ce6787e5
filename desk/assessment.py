"""The month's assessment (考核) as officials read it: every number with its formula and its cases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from aiohttp import web

from desk.accounts import User
from desk.pages import Pages, require
from desk.queries import case_rows
from router.assessment import By, Part, plain
from router.indicators import Show
from router.months import Month, month_of, read_month
from router.reckoning import Reckoner
from router.reports import Report, as_dict
from router.workflow import STATUS_NAMES
from store.db import Database
from store.errors import RejectedError

BY_NAMES = {By.DEPARTMENT: "按部门", By.TERRITORY: "按属地", By.RULE: "按派遣规则"}
UNITS = {Show.PERCENT: "", Show.NUMBER: "（件）", Show.HOURS: "（小时）"}
E = TypeVar("E", bound=StrEnum)

FRESH = timedelta(seconds=20)
MOST = 500
"""Cases a list shows."""


class AssessmentPage:
    """``/desk/assessment``, its cases, and both as JSON."""

    def __init__(
        self,
        db: Database,
        pages: Pages,
        reckoner: Reckoner,
        *,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._pages = pages
        self._reckoner = reckoner
        self._zone = zone
        self._clock = clock
        self._counting = asyncio.Lock()
        self._counted: dict[tuple[Month, By], tuple[datetime, Report]] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/desk/assessment", self._page),
            web.get("/desk/assessment/cases", self._cases),
            web.get("/desk/api/assessment", self._api),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        require(request, User.may_oversee)
        month, by = self._asked(request)
        report = await self._report(month, by)
        return self._pages.render(
            "assessment.html",
            request,
            report=report,
            title=_title(month),
            by=by,
            kinds=BY_NAMES,
            units=UNITS,
            Part=Part,
            plain=plain,
        )

    async def _api(self, request: web.Request) -> web.Response:
        require(request, User.may_oversee)
        return web.json_response(as_dict(await self._report(*self._asked(request))))

    async def _report(self, month: Month, by: By) -> Report:
        """The month, counted at most once in ``FRESH``, however many people look."""
        async with self._counting:
            now = self._clock()
            at, report = self._counted.get((month, by), (now, None))
            if report is None or now - at >= FRESH:
                report = await self._reckoner.report(month, by)
                self._counted = {(month, by): (now, report)} | {
                    key: kept for key, kept in self._counted.items() if now - kept[0] < FRESH
                }
            return report

    async def _cases(self, request: web.Request) -> web.Response:
        """The cases behind one number, as they stand now."""
        require(request, User.may_oversee)
        month, by = self._asked(request)
        unit, indicator = request.query.get("unit", ""), request.query.get("indicator", "")
        part = _one_of(Part, request.query.get("part", ""), "part")
        ids = await self._reckoner.cases_of(month, by, unit, indicator, part)
        return self._pages.render(
            "assessment_cases.html",
            request,
            rows=(await case_rows(self._db, ids[:MOST]))[::-1],
            count=len(ids),
            month=month,
            title=_title(month),
            by=by,
            statuses=STATUS_NAMES,
        )

    def _asked(self, request: web.Request) -> tuple[Month, By]:
        text = request.query.get("month", "")
        month = read_month(text) if text else month_of(self._clock(), self._zone)
        return month, _one_of(By, request.query.get("by", By.DEPARTMENT), "by")


def _title(month: Month) -> str:
    """The month as a heading says it."""
    year, number = str(month).split("-")
    return f"{year}年{int(number)}月"


def _one_of(kind: type[E], text: str, field: str) -> E:
    """The member ``text`` names; RejectedError lists them."""
    try:
        return kind(text)
    except ValueError as error:
        msg = f"desk: {field}: unknown; choose one of {', '.join(map(str, kind))}"
        raise RejectedError(msg, reason=field) from error
