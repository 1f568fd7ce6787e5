"""Every number that is shown: asked of the roll-ups by one shape of question, so that each can be asked again.

``Ask`` is the question, ``Figure`` its answer; the address of a figure holds the whole question. Filters an
indicator's table does not have (a channel of work orders) are named in ``Figure.ignored``, never applied in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from router.trends.catalogue import Catalogue, Indicator, Unit
from router.trends.days import day_of, number
from router.trends.parts import quantile
from router.trends.sums import DIMENSIONS, FILTERS, Areas, Ask, Parts, Sums, dimensions_of
from store.errors import RejectedError
from store.still import Reader
from store.tables import T
from store.tables_trends import ALL

NO_DAY = 99_999_999
"""A day that never comes."""


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


def figure_of(indicator: Indicator, ask: Ask, parts: Mapping[str, int]) -> Figure:
    """The figure of what was summed."""
    top, under = float(parts.get(indicator.count or indicator.stands, 0)), 0.0
    value: float | None = top
    if indicator.over:
        under = float(parts.get(indicator.over, 0))
        value = top / under if under else None
    if indicator.time:
        times = {name: n for name, n in parts.items() if name.startswith(f"{indicator.time}:")}
        top, value = float(sum(times.values())), quantile(times.items(), indicator.q)
    known = dimensions_of(indicator)
    ignored = tuple(name for name in FILTERS if getattr(ask, name) != ALL and name not in known)
    return Figure(ask, top, under, value, show(value, indicator.unit), ignored)


class Numbers:
    """Answers questions. ``areas`` may change with the configuration, ``catalogue`` too."""

    def __init__(
        self,
        db: Reader,
        catalogue: Catalogue,
        areas: Areas,
        *,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
    ) -> None:
        self.db = db
        self.catalogue = catalogue
        self.zone = zone
        self.clock = clock
        self._sums = Sums(areas, is_sqlite=db.is_sqlite)

    def today(self) -> date:
        """The city's present day."""
        return self.clock().astimezone(self.zone).date()

    def over(self, db: Reader) -> Numbers:
        """The same over another reader."""
        areas = self._sums.areas
        return Numbers(db, self.catalogue, areas, zone=self.zone, clock=self.clock)

    def adopt(self, catalogue: Catalogue, areas: Areas) -> None:
        """Answer by these from now on."""
        self.catalogue, self._sums.areas = catalogue, areas

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
        """Answers to many questions, all of one moment; what differs by its indicator only is read at once."""
        return (await self._told(asks))[0]

    async def _told(self, asks: Sequence[Ask]) -> tuple[list[Figure], int]:
        """The answers, and the first day of which there are numbers."""
        alike: dict[tuple[bool, Ask], list[Indicator]] = {}
        for ask in asks:
            indicator = self.indicator(ask.indicator)
            if not indicator.stands:
                alike.setdefault(_shape(indicator, ask), []).append(indicator)
        async with self.db.read() as conn:
            first = await self._first_day(conn)
            read = {}
            for shape, indicators in alike.items():
                read[shape] = (await self._sums.read(conn, indicators, shape[1])).get((), {})
            return [await self._answer(conn, ask, read, first) for ask in asks], first

    async def _answer(
        self,
        conn: AsyncConnection,
        ask: Ask,
        read: Mapping[tuple[bool, Ask], Parts],
        first_day: int,
    ) -> Figure:
        indicator = self.indicator(ask.indicator)
        if indicator.stands:
            count = await self._sums.standing(conn, indicator, ask, self.clock())
            return figure_of(indicator, ask, {indicator.stands: count})
        figure = figure_of(indicator, ask, read[_shape(indicator, ask)])
        empty = ask.period.numbers[1] < first_day
        return replace(figure, value=None, shown="—") if empty else figure

    async def compare(self, asks: Sequence[Ask]) -> list[Compared]:
        """Each beside the period before and the year before; what has no numbers from its first day on is no base."""
        every = [
            one
            for ask in asks
            for one in (ask, ask.during(ask.period.previous()), ask.during(ask.period.year_ago()))
        ]
        told, first = await self._told(every)
        bases = [
            replace(one, value=None, shown="—") if one.ask.period.numbers[0] < first else one
            for one in told
        ]
        return [Compared(told[n], *bases[n + 1 : n + 3]) for n in range(0, len(told), 3)]

    async def first_day(self) -> date | None:
        """The first day of which there are numbers; None before any."""
        async with self.db.read() as conn:
            first = await self._first_day(conn)
        return None if first == NO_DAY else day_of(first)

    async def _first_day(self, conn: AsyncConnection) -> int:
        """The first day of which there are numbers."""
        d = T.item_days.c
        all_items = (d.label == ALL, d.area == ALL, d.channel == ALL, d.day > 0)
        return (await conn.execute(select(func.min(d.day)).where(*all_items))).scalar() or NO_DAY

    async def by(self, ask: Ask, dimension: str) -> dict[str, Figure]:
        """The same question of each label, area, channel or department that has an answer, by id."""
        return (await self.by_many([ask.indicator], ask, dimension))[ask.indicator]

    async def by_many(
        self, names: Sequence[str], ask: Ask, dimension: str
    ) -> dict[str, dict[str, Figure]]:
        """Figures of several indicators of one table, by indicator and then by id of ``dimension``."""
        indicators = [self.indicator(name) for name in names]
        for indicator in indicators:
            self._check(indicator, dimension)
        async with self.db.read() as conn:
            counted = await self._sums.read(conn, indicators, ask, dimension)
        return {
            one.id: {
                key: figure_of(one, replace(ask, indicator=one.id).of(**{dimension: key}), parts)
                for (key,), parts in counted.items()
            }
            for one in indicators
        }

    async def daily(
        self, ask: Ask, dimension: str = "", only: Collection[str] = ()
    ) -> dict[str, list[int]]:
        """Counts of each day of the period by id of ``dimension`` (all, or just ``only`` these), else under ``*``.

        RejectedError for an indicator that is no plain count.
        """
        indicator = self.indicator(ask.indicator)
        if indicator.unit is not Unit.PIECES or indicator.stands:
            msg = f"router: indicator: {indicator.id} is no count of a day; choose another"
            raise RejectedError(msg, reason="indicator")
        if dimension:
            self._check(indicator, dimension)
        place = {number(day): n for n, day in enumerate(ask.period.each())}
        found = {one: [0] * len(place) for one in (only if dimension else (ALL,))}
        keys = ("day", dimension) if dimension else ("day",)
        async with self.db.read() as conn:
            counted = await self._sums.read(conn, [indicator], ask, *keys)
        for (day, *name), parts in counted.items():
            one = name[0] if name else ALL
            if not only or one in found:
                found.setdefault(one, [0] * len(place))[place[int(day)]] += parts[indicator.count]
        return found

    async def cross(self, ask: Ask, rows: str, columns: str) -> dict[tuple[str, str], Figure]:
        """A count by two dimensions at once: the heat table."""
        indicator = self.indicator(ask.indicator)
        self._check(indicator, rows)
        self._check(indicator, columns)
        async with self.db.read() as conn:
            counted = await self._sums.read(conn, [indicator], ask, rows, columns)
        return {
            (a, b): figure_of(indicator, ask.of(**{rows: a, columns: b}), parts)
            for (a, b), parts in counted.items()
        }

    def _check(self, indicator: Indicator, dimension: str) -> None:
        known = () if indicator.stands else dimensions_of(indicator)
        if dimension not in known:
            listed = ", ".join(known) or "nothing"
            msg = f"router: {dimension[:40]}: {indicator.id} is not told by it; one of {listed}"
            raise RejectedError(msg, reason="dimension")


def _shape(indicator: Indicator, ask: Ask) -> tuple[bool, Ask]:
    """What two questions have in common that can be read at once."""
    known = dimensions_of(indicator)
    free = {name: ALL for name in FILTERS if name not in known}
    return known == DIMENSIONS["item_days"], replace(ask, indicator="").of(**free)


__all__ = ["Areas", "Ask", "Compared", "Figure", "Numbers", "figure_of", "show"]
