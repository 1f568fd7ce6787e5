"""What roll-ups add up to, in as few questions to the database as there are periods and filters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import urlencode

from sqlalchemy import Table, and_, func, select, text
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

NOWHERE = "-"
"""How an address says the empty id: no place, no office. An empty field of a form is no filter."""

NUMBER = "/desk/trends/number?"
"""The page that answers a question, up to its query; who links to a figure writes this and ``Ask.query``."""

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
        told = {name: value or NOWHERE for name, value in rest.items() if value != ALL}
        return urlencode(said | told)

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


EVERY = ("cases", "orders")
"""Measures of which every case and every order is one."""

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
        where = await self._where(conn, table, indicators, ask, keys)
        found: defaultdict[tuple[str, ...], defaultdict[str, int]] = defaultdict(
            lambda: defaultdict(int)
        )
        for span in [ask.period.numbers] if "day" in keys else ask.period.spans():
            summed = select(func.sum(table.c.n), *told, *measure).where(
                *where, table.c.day.between(*span)
            )
            for row in await conn.execute(summed.group_by(*told, *measure)):
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

    async def _where(
        self,
        conn: AsyncConnection,
        table: Table,
        indicators: Sequence[Indicator],
        ask: Ask,
        keys: Sequence[str],
    ) -> list[Any]:
        """The filters of a question, each by the values there are, so that the index is walked and not read through.

        What it is told by is free, but is not the sum over it.
        """
        where: list[Any] = []
        if table is T.case_days:
            where.append(self._in(table.c.measure, await _measures(conn, indicators)))
        for name in DIMENSIONS[table.name]:
            column, value = table.c[name], getattr(ask, name)
            if name in keys and value == ALL:
                known = await _known(conn, table, name)
                where.append(self._in(column, sorted(known - {ALL})))
            elif name == "area" and value != ALL:
                where.append(self.within(column, value))
            else:
                where.append(column == value)
        return where

    def _in(self, column: Any, values: Sequence[str]) -> Any:
        return among(column, values, is_sqlite=self._is_sqlite)

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


async def _known(conn: AsyncConnection, table: Table, name: str) -> set[str]:
    """The values of a dimension: those beside the sum over what stands before it in the table's key.

    Whatever is counted of a case or an order has its twin among ``EVERY``.
    """
    leads = [column for column in table.primary_key if column.name != "measure"]
    before = [column == ALL for column in leads[: [one.name for one in leads].index(name)]]
    if table is T.item_days:
        return set(await _values(conn, table.c[name], before))
    m = table.c.measure
    found = [await _values(conn, table.c[name], [m == one, *before]) for one in EVERY]
    return set().union(*found)


async def _measures(conn: AsyncConnection, indicators: Sequence[Indicator]) -> list[str]:
    """The measures that are asked for; of times, those there are."""
    m = T.case_days.c.measure
    names = {name for one in indicators for name in (one.count, one.over) if name}
    for time in sorted({one.time for one in indicators if one.time}):
        names |= set(await _values(conn, m, [m < f"{time};"], least=f"{time}:"))
    return sorted(names)


async def _values(
    conn: AsyncConnection, column: Any, where: Sequence[Any], least: str = ""
) -> list[str]:
    """The values, from ``least`` on, of a column that leads its index but for ``where``: a step of the index each.

    A loose scan. ``least`` is asked for once: as a second lower bound databases would begin there every time.
    """
    first = select(column.label("v")).where(*where, column >= least).order_by(column).limit(1)
    walk = select(first.subquery().c.v).cte("walk", recursive=True)
    above = select(column).where(*where, column > walk.c.v).order_by(column).limit(1)
    walk = walk.union_all(select(above.scalar_subquery()).where(walk.c.v.is_not(None)))
    rows = await conn.execute(select(walk.c.v).where(walk.c.v.is_not(None)))
    return list(rows.scalars())


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
