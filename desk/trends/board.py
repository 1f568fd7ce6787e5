"""All the numbers of the trends page, as data: pages and API are made from the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from desk.trends.filters import Filters
from desk.trends.league import League, league
from desk.trends.rising import bursts_of, why
from router.departments import Directory
from router.trends.bursts import BurstSettings, judge
from router.trends.catalogue import Indicator, Unit
from router.trends.days import Period, day_of
from router.trends.expecting import Floats
from router.trends.numbers import Ask, Compared, Figure, Numbers
from router.trends.sums import NUMBER
from store.config import Taxonomy
from store.tables_trends import ALL

UNPLACED = "地点不明"
SHADES = 6
PAST_DAYS = 90
"""Days before the period that its expectations are made from."""


@dataclass(frozen=True, slots=True)
class Change:
    """How a value differs from an earlier one. ``tone``: good, bad or none; ``shown`` says 增 or 减 too."""

    shown: str
    tone: str
    link: str


@dataclass(frozen=True, slots=True)
class Card:
    """One number on top of the page."""

    id: str
    name: str
    shown: str
    unit: str
    link: str
    formula: str
    meaning: str
    before: Change | None
    year_ago: Change | None
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A count with its cases; ``heat`` is 0 to ``SHADES``, its share of the greatest beside it."""

    n: int
    link: str
    heat: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A label's days. ``expected``, ``lower`` and ``upper`` are None where the past is too short to say."""

    id: str
    name: str
    group: str
    total: Cell
    days: list[int]
    expected: list[float | None]
    lower: list[float | None]
    upper: list[float | None]


@dataclass(frozen=True, slots=True)
class Row:
    """A named count: an area, a channel."""

    id: str
    name: str
    total: Cell
    share: float


@dataclass(frozen=True, slots=True)
class Rise:
    """突增: what rose, since when, how far above the expected."""

    label: str
    area: str
    name: str
    start: str
    end: str
    observed: int
    expected: str
    times: str
    why: str
    link: str


@dataclass(frozen=True, slots=True)
class Board:
    """Everything the page shows. ``heat`` is areas by problems, in the order of ``areas`` and ``problems``."""

    as_of: datetime
    cards: list[Card]
    days: list[str]
    lines: list[Line]
    bursts: list[Rise]
    areas: list[Row]
    channels: list[Row]
    problems: list[str]
    heat: list[list[Cell]]
    leagues: list[League]


def tone(change: float, indicator: Indicator) -> str:
    """Whether a change is for the better; more complaints are for the worse."""
    good = indicator.good or ("down" if indicator.id == "items" else "")
    if not change or not good:
        return ""
    return "good" if (change > 0) == (good == "up") else "bad"


def change(now: Figure, then: Figure, indicator: Indicator) -> Change:
    """A count's change in percent, a rate's in points, times in hours; or that there is nothing to compare with."""
    link = NUMBER + then.ask.query()
    if now.value is None or then.value is None:
        return Change("无可比数据", "", link)
    if indicator.unit is Unit.PIECES:
        if not then.value:
            return Change("基期为 0", "", link)
        share = (now.value - then.value) / then.value
        return Change(_signed(share * 100, "%"), tone(share, indicator), link)
    points = now.value - then.value
    if indicator.unit is Unit.PERCENT:
        return Change(_signed(points * 100, " 个百分点"), tone(points, indicator), link)
    return Change(_signed(points, " 小时"), tone(points, indicator), link)


def _signed(value: float, unit: str) -> str:
    if abs(value) < 0.05:  # noqa: PLR2004 - what is printed as nought
        return "持平"
    return f"{'增' if value > 0 else '减'} {abs(value):,.1f}{unit}"


def card(told: Compared, indicator: Indicator) -> Card:
    """A number with its comparisons; how things stand now has none."""
    stands = bool(indicator.stands)
    return Card(
        id=indicator.id,
        name=indicator.name,
        shown=told.now.shown,
        unit="" if indicator.unit is Unit.PERCENT else str(indicator.unit),
        link=NUMBER + told.now.ask.query(),
        formula=indicator.formula,
        meaning=indicator.meaning,
        before=None if stands else change(told.now, told.before, indicator),
        year_ago=None if stands else change(told.now, told.year_ago, indicator),
        ignored=told.now.ignored,
    )


def cell(figure: Figure) -> Cell:
    """A count with the address of its cases."""
    return Cell(int(figure.numerator), NUMBER + figure.ask.query())


def _shown(values: Floats) -> list[float | None]:
    """The days after the past ones, to a tenth; None where the past was too short."""
    return [None if np.isnan(one) else round(float(one), 1) for one in values[PAST_DAYS:]]


class Boards:
    """Makes boards. ``names`` are what labels, areas and channels are called."""

    def __init__(
        self,
        numbers: Numbers,
        taxonomy: Taxonomy,
        directory: Directory,
        *,
        channels: Mapping[str, str],
        offices: Mapping[str, str],
        settings: BurstSettings,
    ) -> None:
        self.numbers = numbers
        self.settings = settings
        self.taxonomy = taxonomy
        self.directory = directory
        self.channels = channels
        self.offices = offices

    async def board(self, filters: Filters) -> Board:
        """All of the page."""
        numbers, catalogue = self.numbers, self.numbers.catalogue
        told = await numbers.compare([filters.ask(one) for one in catalogue.board])
        cards = [card(one, catalogue.by_id[one.now.ask.indicator]) for one in told]
        areas = self.rows(await numbers.by(filters.ask("items", area=ALL), "area"), self.area_names)
        channels = self.rows(
            await numbers.by(filters.ask("items", channel=ALL), "channel"), self.channels
        )
        return Board(
            as_of=numbers.clock(),
            cards=cards,
            days=[day.isoformat() for day in filters.period.each()],
            lines=await self.lines(filters),
            bursts=await self.rises(filters),
            areas=areas,
            channels=channels,
            problems=[self.taxonomy.names[one] for one in self.taxonomy.problems],
            heat=await self.heat(filters, [row.id for row in areas]),
            leagues=await self.leagues(filters),
        )

    @property
    def area_names(self) -> dict[str, str]:
        """What areas are called; no area: 地点不明."""
        return {office.id: office.name for office in self.directory.area} | {"": UNPLACED}

    def rows(self, told: Mapping[str, Figure], names: Mapping[str, str]) -> list[Row]:
        """Named counts, the most first."""
        total = sum(figure.numerator for figure in told.values()) or 1
        ordered = sorted(told.items(), key=lambda pair: (-pair[1].numerator, pair[0]))
        return [
            Row(one, names.get(one, one or UNPLACED), cell(figure), figure.numerator / total)
            for one, figure in ordered
        ]

    async def lines(self, filters: Filters) -> list[Line]:
        """A line for each problem and campaign."""
        groups = dict.fromkeys(self.taxonomy.problems, "problem")
        groups |= dict.fromkeys(self.taxonomy.campaigns, "campaign")
        ask, period = filters.ask("items", label=ALL), filters.period
        longer = Period(period.start - timedelta(days=PAST_DAYS), period.end)
        told = await self.numbers.daily(ask.during(longer), "label", tuple(groups))
        counts = np.array([told[one] for one in groups], dtype=float)
        weekdays = [day.weekday() for day in longer.each()]
        unheard = longer.before(await self.numbers.first_day())
        judged = judge(counts, weekdays, self.settings, since=unheard)
        return [
            Line(
                id=one,
                name=self.taxonomy.names[one],
                group=group,
                total=self._total(ask.of(label=one), told[one][PAST_DAYS:]),
                days=told[one][PAST_DAYS:],
                expected=_shown(judged.expected[n]),
                lower=_shown(judged.lower[n]),
                upper=_shown(judged.upper[n]),
            )
            for n, (one, group) in enumerate(groups.items())
        ]

    @staticmethod
    def _total(ask: Ask, days: Sequence[int]) -> Cell:
        return Cell(sum(days), NUMBER + ask.query())

    async def heat(self, filters: Filters, areas: Sequence[str]) -> list[list[Cell]]:
        """Each area's counts of each problem."""
        ask = filters.ask("items", label=ALL, area=ALL)
        crossed = await self.numbers.cross(ask, "area", "label")
        counts = {key: int(figure.numerator) for key, figure in crossed.items()}
        most = max(
            (counts.get((a, p), 0) for a in areas for p in self.taxonomy.problems), default=0
        )

        def at(area: str, label: str) -> Cell:
            n = counts.get((area, label), 0)
            shade = math.ceil(SHADES * math.sqrt(n / most)) if n else 0
            return Cell(n, NUMBER + ask.of(area=area, label=label).query(), shade)

        return [[at(area, one) for one in self.taxonomy.problems] for area in areas]

    async def rises(self, filters: Filters) -> list[Rise]:
        """Bursts of the period, the greatest excess first."""
        found = await bursts_of(self.numbers, filters)
        names = self.taxonomy.names | self.area_names
        return [
            Rise(
                label=row.label,
                area=row.area,
                name=" ".join(names.get(one, one) for one in (row.area, row.label) if one != ALL)
                or "全部诉求",
                start=str(day_of(row.start_day)),
                end=str(day_of(row.last_day)),
                observed=round(row.observed),
                expected=f"{row.expected:,.1f}",
                times=f"{row.observed / max(row.expected, 0.5):,.1f}",
                why=why(row.why),
                link=NUMBER
                + Ask(
                    "items",
                    Period(day_of(row.start_day), day_of(row.last_day)),
                    row.label,
                    row.area,
                ).query(),
            )
            for row in found
        ]

    async def leagues(self, filters: Filters) -> list[League]:
        """Departments among departments, territories among theirs, with their places of the period before."""
        settings, told = self.numbers.catalogue.league, {}
        for when, period in (("now", filters.period), ("before", filters.period.previous())):
            ask = Ask("", period)
            told[when] = await self.numbers.by_many(settings.indicators, ask, "department")
        groups = {
            "部门": [one.id for one in self.directory.department],
            "街道和乡镇": [office.id for office in self.directory.area],
        }
        return [
            league(name, offices, told["now"], told["before"], self.numbers.catalogue, self.offices)
            for name, offices in groups.items()
        ]
