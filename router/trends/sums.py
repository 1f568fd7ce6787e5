"""What roll-ups add up to, in as few questions to the database as there are periods and filters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import urlencode

from sqlalchemy import Table, and_, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from router.trends.catalogue import ITEMS, Indicator
from router.trends.days import Period
from router.workflow import CaseStatus
from store.db import among
from store.tables import T
from store.tables_cases import OPEN
from store.tables_trends import ALL

Areas = Mapping[str, Collection[str]]
"""Each area with all that is inside it, itself among them."""

FILTERS = ("label", "area", "channel", "department")
DIMENSIONS = {"item_days": ("label", "area", "channel"), "case_days": ("department", "area")}
"""What the numbers of each roll-up can be told by."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question: an indicator over a period, of one series, area, channel and department; ``*`` is all of them."""

    indicator: str
    period: Period
    label: str = ALL
    area: str = ALL
    channel: str = ALL
    department: str = ALL

    def query(self) -> str:
        """The question as the query of an address."""
        said = {"indicator": self.indicator, "from": self.period.start, "to": self.period.end}
        rest = {name: getattr(self, name) for name in FILTERS}
        return urlencode(said | {name: value for name, value in rest.items() if value != ALL})

    def of(self, **filters: str) -> Ask:
        """The same of other filters."""
        return replace(self, **cast("dict[str, Any]", filters))

    def during(self, period: Period) -> Ask:
        """The same of another period."""
        return replace(self, period=period)


def table_of(indicator: Indicator) -> Table:
    """The roll-up an indicator is counted in."""
    return T.item_days if indicator.count == ITEMS else T.case_days


def dimensions_of(indicator: Indicator) -> tuple[str, ...]:
    """What it can be told by, and narrowed to."""
    return DIMENSIONS["item_days" if indicator.count == ITEMS else "case_days"]


Parts = dict[str, int]
"""Sums by measure."""


class Sums:
    """Asks the roll-ups. ``areas`` may change with the configuration."""

    def __init__(self, areas: Areas, *, is_sqlite: bool) -> None:
        self.areas = areas
        self._is_sqlite = is_sqlite

    async def read(
        self, conn: AsyncConnection, indicators: Sequence[Indicator], ask: Ask, *keys: str
    ) -> dict[tuple[str, ...], Parts]:
        """What indicators of one table are made of, by the values of ``keys`` (dimensions, and ``day``)."""
        table = table_of(indicators[0])
        told = [table.c[key] for key in keys]
        measure = [] if table is T.item_days else [table.c.measure]
        where = [*self._where(table, ask, keys), *_counted(table, indicators)]
        summed = (
            select(func.sum(table.c.n), *told, *measure).where(*where).group_by(*told, *measure)
        )
        found: defaultdict[tuple[str, ...], defaultdict[str, int]] = defaultdict(
            lambda: defaultdict(int)
        )
        for row in await conn.execute(summed):
            n, *rest = tuple(row)
            name = rest.pop() if measure else ITEMS
            found[tuple(map(self.root, keys, rest))][name] += int(n or 0)
        return {key: dict(parts) for key, parts in found.items()}

    def root(self, dimension: str, value: Any) -> Any:
        """The area on top of what is inside one; anything else itself."""
        if dimension != "area":
            return value
        return next((top for top, inside in self.areas.items() if value in inside), value)

    def within(self, column: Any, area: str) -> Any:
        """The condition that a column is in an area, or in what is inside it."""
        return among(column, sorted(self.areas.get(area, (area,))), is_sqlite=self._is_sqlite)

    def _where(self, table: Table, ask: Ask, keys: Sequence[str]) -> list[Any]:
        """The filters of a question; what it is told by is free, but is not the sum over it."""
        first, last = ask.period.numbers
        where: list[Any] = [table.c.day.between(first, last)]
        for name in DIMENSIONS[table.name]:
            column, value = table.c[name], getattr(ask, name)
            if name in keys and value == ALL:
                where.append(column != ALL)
            elif name == "area" and value != ALL:
                where.append(self.within(column, value))
            else:
                where.append(column == value)
        return where

    async def standing(
        self, conn: AsyncConnection, indicator: Indicator, ask: Ask, now: datetime
    ) -> int:
        """How many cases stand so now."""
        c = T.cases.c
        where = list(standing(indicator.stands, now))
        where += [self.within(c.area, ask.area)] if ask.area != ALL else []
        where += [c.department == ask.department] if ask.department != ALL else []
        return (
            await conn.execute(select(func.count()).select_from(T.cases).where(*where))
        ).scalar_one()


def _counted(table: Table, indicators: Sequence[Indicator]) -> list[Any]:
    """Which measures are asked for; items have none."""
    if table is T.item_days:
        return []
    m = table.c.measure
    names = sorted({name for one in indicators for name in (one.count, one.over) if name})
    times = sorted({one.time for one in indicators if one.time})
    return [
        or_(*([m.in_(names)] if names else []), *(and_(m >= f"{t}:", m < f"{t};") for t in times))
    ]


def standing(what: str, now: datetime) -> Iterable[Any]:
    """The conditions of cases that stand so now."""
    c = T.cases.c
    yield text(OPEN)
    conditions: dict[str, Any] = {
        "open": c.status != "",
        "overdue": and_(c.due_at < now, c.status != CaseStatus.SUSPENDED),
        "overdue_3d": and_(c.due_at < now - timedelta(days=3), c.status != CaseStatus.SUSPENDED),
        "suspended": c.status == CaseStatus.SUSPENDED,
        "waiting": c.status.in_((CaseStatus.RECEIVED, CaseStatus.FILED)),
    }
    yield conditions[what]
