"""A draft in the making: questions asked with their comparisons, blocks added, figures frozen on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from desk.reports.book import Book
from desk.reports.frozen import Block, Curve, Drawing, Grid, Head, Words
from desk.reports.periods import BEFORE, NOW, Cycle, Span
from router.trends.days import Period, day_of
from router.trends.numbers import NO_DAY, Ask, Compared, Figure, Numbers, figure_of
from router.trends.sums import FILTERS
from store.config import Taxonomy
from store.still import Reader
from store.tables import T
from store.tables_trends import ALL

Told = Mapping[str, Mapping[str, Compared]]
"""Compared figures by indicator and id."""


@dataclass(frozen=True)
class Naming:
    """What is called how. ``areas`` and ``departments`` are those that are listed, in order; ``floor``: ranked from."""

    taxonomy: Taxonomy
    offices: Mapping[str, str]
    channels: Mapping[str, str]
    areas: Sequence[str]
    departments: Sequence[str]

    @property
    def filters(self) -> dict[str, Mapping[str, str]]:
        """Names by filter."""
        names = (self.taxonomy.names, self.offices, self.channels, self.offices)
        return dict(zip(FILTERS, names, strict=True))


class Making:
    """One draft. ``numbers`` see one moment; ``closing`` are the kind's own last paragraphs."""

    def __init__(
        self, numbers: Numbers, naming: Naming, span: Span, closing: Sequence[str] = ()
    ) -> None:
        self.numbers = numbers
        self.naming = naming
        self.span = span
        self.closing = closing
        self.now, self.before = NOW[span.cycle], BEFORE[span.cycle]
        period = span.period
        self.periods = {"now": period, "prev": period.previous(), "year": period.year_ago()}
        if span.cycle is Cycle.YEAR:
            del self.periods["year"]
        tags = {one: tag for tag, one in reversed(self.periods.items())}
        self.book = Book(numbers.catalogue, numbers.clock(), tags, self.before, naming.filters)
        self.blocks: list[Block] = []
        self.notes: list[str] = []
        self.first_day = NO_DAY

    async def begin(self) -> None:
        """Learn since when there are numbers, and note what can not be compared."""
        self.first_day = await first_day(self.numbers.db)
        self.notes += [f"{one}，不作比较" for one in self.lacking]

    def has(self, tag: str) -> bool:
        """Whether a period can be compared with: ``prev`` or ``year``, with numbers from its first day on."""
        return tag in self.periods and self.periods[tag].numbers[0] >= self.first_day

    @property
    def is_empty(self) -> bool:
        """Whether the period is before the first message."""
        return self.span.period.numbers[1] < self.first_day

    def known(self, names: Sequence[str]) -> list[str]:
        """Those indicators this city has."""
        return [one for one in names if one in self.numbers.catalogue.by_id]

    async def compare(self, names: Sequence[str], **filters: str) -> dict[str, Compared]:
        """Indicators of the period with their comparisons."""
        known = self.known(names)
        told = await self.numbers.compare(
            [Ask(one, self.span.period).of(**filters) for one in known]
        )
        return dict(zip(known, told, strict=True))

    async def by(self, names: Sequence[str], dimension: str) -> dict[str, dict[str, Compared]]:
        """Indicators of one table by each value of a dimension that occurs in any of the periods."""
        known = self.known(names)
        periods = (self.span.period, self.span.period.previous(), self.span.period.year_ago())
        told = [await self.numbers.by_many(known, Ask("", period), dimension) for period in periods]
        keys = dict.fromkeys(key for one in told for found in one.values() for key in found)

        def of(name: str, key: str, n: int) -> Figure:
            ask = Ask(name, periods[n]).of(**{dimension: key})
            return told[n][name].get(key) or self.absent(ask)

        return {
            name: {
                key: Compared(of(name, key, 0), of(name, key, 1), of(name, key, 2)) for key in keys
            }
            for name in known
        }

    def absent(self, ask: Ask) -> Figure:
        """Nothing on a day with numbers is 0; before there were any it is unknown."""
        if ask.period.numbers[1] < self.first_day:
            return Figure(ask, 0.0, 0.0, None, "—")
        return figure_of(self.numbers.indicator(ask.indicator), ask, {})

    def versus(self, told: Compared) -> str:
        """环比增12.3%，同比减3.2%; nothing of periods without any numbers, of which ``lacking`` tells once."""
        parts = []
        for tag, name in (("prev", "环比"), ("year", "同比")):
            if self.has(tag):
                said = self.change(told, tag)
                parts.append(f"{name}{said}" if said.startswith("{{") else said)
        return "，".join(parts)

    def aside(self, told: Compared) -> str:
        """``versus`` in brackets, if there is anything to say."""
        said = self.versus(told)
        return f"（{said}）" if said else ""

    @property
    def lacking(self) -> list[str]:
        """上月无数据, 去年同期无数据; or since which day there are some."""
        called = {"prev": self.before, "year": "去年同期"}
        return [
            f"{called[tag]}{self._lack(self.periods[tag])}"
            for tag in called
            if tag in self.periods and not self.has(tag)
        ]

    def _lack(self, period: Period) -> str:
        none = period.numbers[1] < self.first_day
        return "无数据" if none else f"数据不全（自{day_of(self.first_day)}起）"

    def change(self, told: Compared, tag: str) -> str:
        """The change since one of the periods."""
        then = told.before if tag == "prev" else told.year_ago
        return self.book.change(told.now, then, tag)

    def columns(self) -> list[str]:
        """Of changes in a table: those periods of which there are numbers."""
        return [name for tag, name in (("prev", "环比"), ("year", "同比")) if self.has(tag)]

    def changes(self, told: Compared) -> list[str]:
        """The cells below ``columns``."""
        return [self.change(told, tag) for tag in ("prev", "year") if self.has(tag)]

    def say(self, figure: Figure) -> str:
        """A figure's placeholder."""
        return self.book.say(figure)

    def head(self, text: str, level: int = 1) -> None:
        """Add a heading."""
        self.blocks.append(Head(self._id(), text, level))

    def words(self, text: str) -> None:
        """Add a paragraph."""
        self.blocks.append(Words(self._id(), text))

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], note: str = ""
    ) -> None:
        """Add a table."""
        kept = tuple(map(tuple, rows))
        self.blocks.append(Grid(self._id(), title, tuple(columns), kept, note))

    def chart(
        self,
        title: str,
        categories: Sequence[str],
        curves: Mapping[str, Sequence[Figure]],
        *,
        drawn: str = "column",
    ) -> None:
        """Add a chart of counts."""
        lines = tuple(
            Curve(name, tuple(self.book.put(one) for one in figures))
            for name, figures in curves.items()
        )
        self.blocks.append(Drawing(self._id(), title, drawn, tuple(categories), lines))  # type: ignore[arg-type]

    def _id(self) -> str:
        return f"b{len(self.blocks) + 1}"


async def first_day(db: Reader) -> int:
    """The first day of which there are numbers."""
    d = T.item_days.c
    every = (d.label == ALL, d.area == ALL, d.channel == ALL, d.day > 0)
    asked = select(func.min(d.day)).where(*every)
    async with db.read() as conn:
        return (await conn.execute(asked)).scalar() or NO_DAY


def day_said(day: date) -> str:
    """11月18日."""
    return f"{day.month}月{day.day}日"


def days_said(period: Period) -> str:
    """11月18日至22日; 11月28日至12月2日."""
    if period.start == period.end:
        return day_said(period.start)
    same = period.start.month == period.end.month
    return f"{day_said(period.start)}至{f'{period.end.day}日' if same else day_said(period.end)}"
