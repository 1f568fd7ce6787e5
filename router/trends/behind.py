"""The cases behind a number, so that nobody has to believe it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from router.trends.catalogue import ITEMS, Indicator
from router.trends.parts import read_parts
from router.trends.sums import Areas, Ask, standing
from store.db import Database, among
from store.tables import T
from store.tables_trends import ALL

MOST = 500
"""Cases that are listed."""

MANY = 5_000
"""Items that are looked at to say why a count moved."""

PAGE = 2_000
"""Contributions that are read at a time."""


@dataclass(frozen=True, slots=True)
class Behind:
    """Cases, each once, and how much of the number each is; ``more`` when not all are listed."""

    cases: Mapping[int, int]
    more: bool

    @property
    def sum(self) -> int:
        """What the listed ones come to."""
        return sum(self.cases.values())


class Evidence:
    """Finds the cases behind numbers."""

    def __init__(self, db: Database, areas: Areas, *, clock: Callable[[], datetime]) -> None:
        self._db = db
        self.areas = areas
        self._clock = clock

    async def of(
        self, indicator: Indicator, ask: Ask, *, under: bool = False, most: int = MOST
    ) -> Behind:
        """The cases of the number itself, or of what it is divided by (``under``)."""
        if indicator.stands:
            return await self._standing(indicator, ask, most)
        if indicator.count == ITEMS:
            return await self._items(ask, most)
        measure = (
            f"{indicator.time}:"
            if indicator.time
            else (indicator.over if under else indicator.count)
        )
        return await self._measured(measure, ask, most)

    def _counted(self, ask: Ask) -> list[Any]:
        """The conditions of items that are part of a count."""
        t = T.tallied.c
        where: list[Any] = [
            t.day.between(*ask.period.numbers),
            t.labels.contains(f"|{ask.label}|", autoescape=True),
        ]
        where += [t.channel == ask.channel] if ask.channel != ALL else []
        where += self._within(t.area, ask.area)
        return where

    def _within(self, column: Any, area: str) -> list[Any]:
        if area == ALL:
            return []
        return [among(column, sorted(self.areas.get(area, (area,))), is_sqlite=self._db.is_sqlite)]

    async def _items(self, ask: Ask, most: int) -> Behind:
        t = T.tallied.c
        newest = select(t.item_id, t.case_id).where(*self._counted(ask))
        newest = newest.order_by(t.day.desc(), t.item_id.desc()).limit(PAGE)
        async with self._db.read() as conn:
            rows = (await conn.execute(newest)).all()
        cases: dict[int, int] = {}
        for row in rows:
            case = row.case_id or row.item_id
            cases[case] = cases.get(case, 0) + 1
        kept = dict(list(cases.items())[:most])
        return Behind(kept, more=len(rows) == PAGE or len(cases) > most)

    async def _standing(self, indicator: Indicator, ask: Ask, most: int) -> Behind:
        c = T.cases.c
        where = [*standing(indicator.stands, self._clock()), *self._within(c.area, ask.area)]
        where += [c.department == ask.department] if ask.department != ALL else []
        async with self._db.read() as conn:
            ids = (
                (await conn.execute(select(c.id).where(*where).order_by(c.due_at).limit(most + 1)))
                .scalars()
                .all()
            )
        return Behind(dict.fromkeys(ids[:most], 1), more=len(ids) > most)

    async def _measured(self, measure: str, ask: Ask, most: int) -> Behind:
        """Cases with a part of this measure within the period, those that ended first before the rest."""
        t, (first, last) = T.case_tallied.c, ask.period.numbers
        inside = self.areas.get(ask.area, (ask.area,))
        found: dict[int, int] = {}
        after = (first, -1)
        statement = select(t.case_id, t.last_day, t.parts).where(
            t.first_day <= last, t.parts.contains(f'"{measure}', autoescape=True)
        )
        async with self._db.read() as conn:
            while len(found) <= most:
                onward = (t.last_day > after[0]) | (
                    (t.last_day == after[0]) & (t.case_id > after[1])
                )
                page = (
                    statement.where(t.last_day >= after[0], onward)
                    .order_by(t.last_day, t.case_id)
                    .limit(PAGE)
                )
                rows = (await conn.execute(page)).all()
                for row in rows:
                    count = _part(row.parts, measure, (first, last), inside, ask)
                    if count:
                        found[row.case_id] = count
                if len(rows) < PAGE:
                    break
                after = (rows[-1].last_day, rows[-1].case_id)
        return Behind(dict(list(found.items())[:most]), more=len(found) > most)

    async def speakers(self, ask: Ask) -> list[tuple[str, str, int, str]]:
        """Channel, area, case and author of each item behind a count, at most ``MANY``."""
        t = T.tallied.c
        columns = (t.channel, t.area, t.case_id, t.author_key)
        asked = select(*columns).where(*self._counted(ask)).order_by(t.day.desc()).limit(MANY)
        async with self._db.read() as conn:
            rows = await conn.execute(asked)
            return [(row.channel, row.area, row.case_id, row.author_key) for row in rows]

    async def voices(self, ask: Ask) -> tuple[int, int]:
        """Distinct voices (a citizen on a case counts once) and distinct citizens behind a count of items."""
        t = T.tallied.c
        pairs = select(t.author_key, t.case_id).where(*self._counted(ask)).distinct().subquery()
        async with self._db.read() as conn:
            told = (
                await conn.execute(
                    select(func.count(), func.count(pairs.c.author_key.distinct())).select_from(
                        pairs
                    )
                )
            ).one()
        return int(told[0]), int(told[1])


def _part(
    parts: str, measure: str, days: tuple[int, int], inside: Collection[str], ask: Ask
) -> int:
    """How much of the number one case is."""
    exact = not measure.endswith(":")
    return sum(
        n
        for name, department, area, day, n in read_parts(parts)
        if (name == measure if exact else name.startswith(measure))
        and days[0] <= day <= days[1]
        and ask.department in (ALL, department)
        and (ask.area == ALL or area in inside)
    )
