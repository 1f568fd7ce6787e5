"""``/desk/admin/audit``: who looked at or changed what, with filters (操作记录). Nothing can be changed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import select

from desk.accounts import User
from desk.admin import TABS
from desk.pages import Pages, require, storable
from store.db import Database
from store.tables import T

SHOWN = 100
"""Lines of a page."""


class AuditPage:
    """Newest first, a page at a time."""

    def __init__(self, db: Database, pages: Pages, zone: ZoneInfo) -> None:
        self._db = db
        self._pages = pages
        self._zone = zone

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/desk/admin/audit", self._page)]

    async def _page(self, request: web.Request) -> web.Response:
        require(request, User.may_administer)
        asked = {name: storable(value)[:100] for name, value in request.query.items()}
        rows = await self._rows(asked)
        return self._pages.render(
            "admin_audit.html",
            request,
            tabs=TABS,
            rows=rows[:SHOWN],
            asked=asked,
            acts=await self._acts(),
            next=rows[SHOWN - 1].id if len(rows) > SHOWN else 0,
        )

    async def _acts(self) -> Sequence[str]:
        asked = select(T.audit.c.act).distinct().order_by(T.audit.c.act)
        async with self._db.read() as conn:
            return (await conn.execute(asked)).scalars().all()

    async def _rows(self, asked: Mapping[str, str]) -> Sequence[Any]:
        a = T.audit.c
        statement = select(T.audit).order_by(a.id.desc()).limit(SHOWN + 1)
        for name in ("actor", "act"):
            if asked.get(name):
                statement = statement.where(a[name] == asked[name])
        if asked.get("target"):
            statement = statement.where(a.target.contains(asked["target"], autoescape=True))
        if since := self._day(asked.get("from", "")):
            statement = statement.where(a.at >= since)
        if until := self._day(asked.get("to", "")):
            statement = statement.where(a.at < until + timedelta(days=1))
        if asked.get("before", "").isdecimal():
            statement = statement.where(a.id < min(int(asked["before"]), 2**63 - 1))
        async with self._db.read() as conn:
            return (await conn.execute(statement)).all()

    def _day(self, text: str) -> datetime | None:
        """Midnight of a day as a form gives it; None for anything else."""
        try:
            day = datetime.fromisoformat(text).date()
        except ValueError:
            return None
        return datetime.combine(day, time(), self._zone)
