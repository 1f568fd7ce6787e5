"""Every number that is shown: asked of the roll-ups by one shape of question, so that each can be asked again.

``Ask`` is the question, ``Figure`` its answer; the address of a figure holds the whole question. Filters an
indicator's table does not have (a channel of work orders) are named in ``Figure.ignored``, never applied in silence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from router.trends.catalogue import ITEMS, Catalogue, Indicator, Unit
from router.trends.days import Period, number
from router.trends.parts import quantile
from router.workflow import CaseStatus
from store.db import Database, among
from store.errors import RejectedError
from store.tables import T
from store.tables_cases import OPEN
from store.tables_trends import ALL

Areas = Mapping[str, Collection[str]]
"""Each area with all that is inside it, itself among them."""

DIMENSIONS = {"items": ("label", "area", "channel"), "cases": ("department", "area")}
"""What each kind of number can be told by."""


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
        rest = {name: getattr(self, name) for name in ("label", "area", "channel", "department")}
        return urlencode(said | {name: value for name, value in rest.items() if value != ALL})

    def of(self, **filters: str) -> Ask:
        """The same of other filters."""
        return replace(self, **cast("dict[str, Any]", filters))

    def during(self, period: Period) -> Ask:
        """The same of another period."""
        return replace(self, period=period)


@dataclass(frozen=True, slots=True)
class Figure:
    """An answer. ``value`` is a count, hours, or a share of 1; None of nothing over nothing, or before any data.

    ``denominator`` is 0 where there is none. ``ignored`` are filters the indicator does not know.
    """

    ask: Ask
    numerator: float
    denominator: float
    value: float | None
    shown: str
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure beside that of the period before (环比) and of the year before (同比)."""

    now: Figure
    before: Figure
    year_ago: Figure


def show(value: float | None, unit: Unit) -> str:
    """A value as it is printed: 1,842 · 93.7% · 5.2; — for none."""
    if value is None:
        return "—"
    if unit is Unit.PERCENT:
        return f"{value * 100:.1f}%"
    return f"{value:,.0f}" if unit is Unit.PIECES else f"{value:,.1f}"


class Numbers:
    """Answers questions. ``areas`` may change with the configuration, ``catalogue`` too."""

    def __init__(
        self,
        db: Database,
        catalogue: Catalogue,
        areas: Areas,
        *,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
    ) -> None:
        self.db = db
        self.catalogue = catalogue
        self._areas = areas
        self.zone = zone
        self.clock = clock

    def today(self) -> date:
        """The city's present day."""
        return self.clock().astimezone(self.zone).date()

    def adopt(self, catalogue: Catalogue, areas: Areas) -> None:
        """Answer by these from now on."""
        self.catalogue, self._areas = catalogue, areas

    def indicator(self, name: str) -> Indicator:
        """RejectedError (reason ``indicator``) when there is none of that id."""
        found = self.catalogue.by_id.get(name)
        if found is None:
            msg = f"router: indicator: {name[:40]} is unknown; one of {', '.join(self.catalogue.by_id)}"
            raise RejectedError(msg, reason="indicator")
        return found

    async def figure(self, ask: Ask) -> Figure:
        """The answer to one question."""
        return (await self.figures([ask]))[0]

    async def figures(self, asks: Sequence[Ask]) -> list[Figure]:
        """Answers to many questions, all of one moment."""
        async with self.db.read() as conn:
            first = await self.first_day(conn)
            return [await self._answer(conn, ask, first) for ask in asks]

    async def compare(self, asks: Sequence[Ask]) -> list[Compared]:
        """Each beside the period before and the year before."""
        every = [
            one
            for ask in asks
            for one in (ask, ask.during(ask.period.previous()), ask.during(ask.period.year_ago()))
        ]
        told = await self.figures(every)
        return [Compared(*told[n : n + 3]) for n in range(0, len(told), 3)]

    async def first_day(self, conn: AsyncConnection) -> int:
        """The first day of which there are numbers; none: a day that is still to come."""
        d = T.item_days.c
        found = await conn.execute(
            select(func.min(d.day)).where(d.label == ALL, d.area == ALL, d.channel == ALL)
        )
        return found.scalar() or 99_999_999

    async def by(self, ask: Ask, dimension: str) -> dict[str, Figure]:
        """The same question of each label, area, channel or department that has an answer, by id."""
        indicator = self.indicator(ask.indicator)
        self._check(indicator, dimension)
        async with self.db.read() as conn:
            counted = await self._sums(conn, indicator, ask, dimension)
        asks = {one: ask.of(**{dimension: one}) for one in counted}
        return {one: self._made(indicator, asks[one], parts) for one, parts in counted.items()}

    async def daily(
        self, ask: Ask, dimension: str = "", only: Collection[str] = ()
    ) -> dict[str, list[int]]:
        """Counts of each day of the period: by id of ``dimension``, all of them or ``only`` these, else under ``*``.

        RejectedError for an indicator that is no plain count.
        """
        indicator = self.indicator(ask.indicator)
        if indicator.unit is not Unit.PIECES or indicator.stands:
            msg = f"router: indicator: {indicator.id} is no count of a day; choose another"
            raise RejectedError(msg, reason="indicator")
        if dimension:
            self._check(indicator, dimension)
        table = _table(indicator)
        key = table.c[dimension] if dimension else None
        where = [
            *self._where(indicator, ask, dimension),
            *self._counts(indicator, (indicator.count,)),
        ]
        if only and key is not None:
            where.append(among(key, sorted(only), is_sqlite=self.db.is_sqlite))
        columns = [table.c.day, func.sum(table.c.n)] + ([key] if key is not None else [])
        place = {number(day): n for n, day in enumerate(ask.period.each())}
        found: dict[str, list[int]] = {
            one: [0] * len(place) for one in (only or ([] if dimension else [ALL]))
        }
        async with self.db.read() as conn:
            grouped = select(*columns).where(*where).group_by(*columns[:1], *columns[2:])
            for row in await conn.execute(grouped):
                day, n, *name = tuple(row)
                days = found.setdefault(
                    self._root(dimension, name[0]) if name else ALL, [0] * len(place)
                )
                days[place[day]] += int(n)
        return found

    async def cross(self, ask: Ask, rows: str, columns: str) -> dict[tuple[str, str], Figure]:
        """A count by two dimensions at once: the heat table."""
        indicator = self.indicator(ask.indicator)
        self._check(indicator, rows)
        self._check(indicator, columns)
        table = _table(indicator)
        where = [
            *self._where(indicator, ask, rows, columns),
            *self._counts(indicator, (indicator.count,)),
        ]
        keys = [table.c[rows], table.c[columns]]
        found: defaultdict[tuple[str, str], int] = defaultdict(int)
        async with self.db.read() as conn:
            summed = select(*keys, func.sum(table.c.n)).where(*where).group_by(*keys)
            for row in await conn.execute(summed):
                found[self._root(rows, row[0]), self._root(columns, row[1])] += int(row[2])
        return {
            (a, b): self._made(indicator, ask.of(**{rows: a, columns: b}), {indicator.count: n})
            for (a, b), n in found.items()
        }

    def _root(self, dimension: str, value: str) -> str:
        """The area on top of what is inside one; anything else itself."""
        if dimension != "area":
            return value
        return next((top for top, inside in self._areas.items() if value in inside), value)

    def _check(self, indicator: Indicator, dimension: str) -> None:
        known = (
            () if indicator.stands else DIMENSIONS["items" if indicator.count == ITEMS else "cases"]
        )
        if dimension not in known:
            msg = f"router: {dimension[:40]}: {indicator.id} is not told by it; one of {', '.join(known) or 'nothing'}"
            raise RejectedError(msg, reason="dimension")

    async def _answer(self, conn: AsyncConnection, ask: Ask, first_day: int) -> Figure:
        indicator = self.indicator(ask.indicator)
        if indicator.stands:
            count = await self._standing(conn, indicator, ask)
            return self._made(indicator, ask, {indicator.stands: count})
        parts = (await self._sums(conn, indicator, ask, "")).get(ALL, {})
        made = self._made(indicator, ask, parts)
        empty = ask.period.numbers[1] < first_day
        return replace(made, value=None, shown="—") if empty else made

    def _made(self, indicator: Indicator, ask: Ask, parts: Mapping[str, int]) -> Figure:
        """The figure of what was summed."""
        top, under = float(parts.get(indicator.count or indicator.stands, 0)), 0.0
        value: float | None = top
        if indicator.over:
            under = float(parts.get(indicator.over, 0))
            value = top / under if under else None
        if indicator.time:
            top = float(sum(parts.values()))
            value = quantile(parts.items(), indicator.q)
        known = DIMENSIONS["items" if indicator.count == ITEMS else "cases"]
        ignored = tuple(
            name
            for name in ("label", "area", "channel", "department")
            if getattr(ask, name) != ALL and name not in known
        )
        return Figure(ask, top, under, value, show(value, indicator.unit), ignored)

    async def _sums(
        self, conn: AsyncConnection, indicator: Indicator, ask: Ask, dimension: str
    ) -> dict[str, dict[str, int]]:
        """What an indicator is made of, summed over the period: by id of ``dimension``, or under ``*``."""
        table = _table(indicator)
        is_items = indicator.count == ITEMS
        names = (indicator.count, indicator.over) if indicator.over else (indicator.count,)
        where = [*self._where(indicator, ask, dimension), *self._counts(indicator, names)]
        columns = [table.c[dimension]] if dimension else []
        columns += [] if is_items else [table.c.measure]
        summed = select(func.sum(table.c.n), *columns).where(*where).group_by(*columns)
        found: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        for row in await conn.execute(summed):
            n, *keys = tuple(row)
            one = self._root(dimension, keys[0]) if dimension else ALL
            found[one][ITEMS if is_items else keys[-1]] += int(n or 0)
        return {one: dict(parts) for one, parts in found.items()}

    def _counts(self, indicator: Indicator, names: Sequence[str]) -> list[Any]:
        """Which measures are asked for."""
        if indicator.count == ITEMS:
            return []
        m = T.case_days.c.measure
        if indicator.time:
            return [m >= f"{indicator.time}:", m < f"{indicator.time};"]
        return [m.in_([name for name in names if name])]

    def _where(self, indicator: Indicator, ask: Ask, *free: str) -> list[Any]:
        """The filters of a question; what it is told by is free, but not the sum over it."""
        table = _table(indicator)
        first, last = ask.period.numbers
        where: list[Any] = [table.c.day.between(first, last)]
        for name in DIMENSIONS["items" if indicator.count == ITEMS else "cases"]:
            column, value = table.c[name], getattr(ask, name)
            if name in free and value == ALL:
                where.append(column != ALL)
            elif name == "area" and value != ALL:
                where.append(
                    among(column, sorted(self._inside(value)), is_sqlite=self.db.is_sqlite)
                )
            else:
                where.append(column == value)
        return where

    def _inside(self, area: str) -> Collection[str]:
        return self._areas.get(area, (area,))

    async def _standing(self, conn: AsyncConnection, indicator: Indicator, ask: Ask) -> int:
        """How many cases stand so now."""
        c = T.cases.c
        where = list(standing(indicator.stands, self.clock()))
        if ask.area != ALL:
            where.append(among(c.area, sorted(self._inside(ask.area)), is_sqlite=self.db.is_sqlite))
        if ask.department != ALL:
            where.append(c.department == ask.department)
        return (
            await conn.execute(select(func.count()).select_from(T.cases).where(*where))
        ).scalar_one()


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


def _table(indicator: Indicator) -> Any:
    return T.item_days if indicator.count == ITEMS else T.case_days
