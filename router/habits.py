"""What the desk has lately chosen for such cases (近 90 天同类), counted now and then and kept in memory."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from store.db import Database
from store.numbers import PER_DAY
from store.tables import T

DAYS = 90
KEPT = timedelta(minutes=10)
"""How old a count may be."""

LEAST = 5
"""Cases below which a share says nothing."""


class Habit(NamedTuple):
    """How many such cases were dispatched, and to whom, most first."""

    total: int
    offices: tuple[tuple[str, int], ...]


class Habits:
    """Counts dispatched cases by labels and area."""

    def __init__(self, db: Database, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock
        self._counts: dict[tuple[str, str], Counter[str]] = {}
        self._counted_at: datetime | None = None
        self._counting = asyncio.Lock()

    async def of(self, problems: str, area: str, zone: ZoneInfo) -> Habit | None:
        """For these problems (JSON, as a case keeps them) in this area, else anywhere; None when too few are known."""
        async with self._counting:
            now = self._clock()
            if self._counted_at is None or now - self._counted_at >= KEPT:
                self._counts = await self._count((now - timedelta(days=DAYS)).astimezone(zone))
                self._counted_at = now
        for where in dict.fromkeys((area, "")):
            found = self._counts.get((problems, where), Counter())
            if found.total() >= LEAST and problems != "[]":
                return Habit(found.total(), tuple(found.most_common()))
        return None

    async def _count(self, since: datetime) -> dict[tuple[str, str], Counter[str]]:
        """By problems and area, and by problems alone; a case's number begins with its day."""
        c = T.cases.c
        statement = (
            select(c.problems, c.area, c.department, func.count())
            .where(c.id >= int(since.strftime("%Y%m%d")) * PER_DAY, c.department != "")
            .group_by(c.problems, c.area, c.department)
            .order_by(c.department)
        )
        counts: dict[tuple[str, str], Counter[str]] = {}
        async with self._db.read() as conn:
            for problems, area, department, count in await conn.execute(statement):
                for where in {area, ""}:
                    counts.setdefault((problems, where), Counter())[department] += count
        return counts
