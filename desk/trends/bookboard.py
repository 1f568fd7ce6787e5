"""A year's responsibility book by campaign and topic, with what citizens said of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import msgspec

from desk.trends.board import Cell, Change, cell, change
from desk.trends.standing import Standings, TargetLine
from desk.trends.telling import spark
from router.trends.catalogue import ITEMS
from router.trends.days import WEEK, Period
from router.trends.numbers import Ask, Compared, Numbers
from router.trends.progress import State
from router.trends.topics import SERIES, Topics
from store.config import Taxonomy

WEEKS = 13
"""Weeks of a topic's small line."""

Held = Mapping[str, Sequence[TargetLine]]
"""Targets by the campaign or topic series they are of."""


class CampaignCard(msgspec.Struct, frozen=True):
    """A campaign: items of the year (同比) and of its month (环比, 同比), and its targets."""

    id: str
    name: str
    year: Cell
    year_ago: Change
    month: Cell
    month_before: Change
    month_ago: Change
    targets: tuple[TargetLine, ...]


class TopicCard(msgspec.Struct, frozen=True):
    """A topic of the file: items of the month so far, of the whole month before, of the same days a year ago."""

    id: str
    name: str
    month: Cell
    last_month: Cell
    year_ago: Cell
    spark: str
    targets: tuple[TargetLine, ...]


class Group(msgspec.Struct, frozen=True):
    """Topics that belong together."""

    id: str
    name: str
    topics: tuple[TopicCard, ...]


class BookBoard(msgspec.Struct, frozen=True):
    """The whole page; ``counts`` are targets by state."""

    year: int
    until: date
    as_of: datetime
    counts: dict[State, int]
    campaigns: tuple[CampaignCard, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Narrow:
    """What of a year's book is shown: all but for ``state`` and ``owner`` where they are given."""

    year: int
    state: str = ""
    owner: str = ""

    @property
    def is_narrow(self) -> bool:
        """Whether something is left out."""
        return bool(self.state or self.owner)

    def keeps(self, one: TargetLine) -> bool:
        """Whether a target is shown."""
        return self.state in ("", one.state) and self.owner in ("", one.owner_id)


@dataclass(frozen=True, slots=True)
class Spans:
    """Days that are counted: the year so far, its month so far, and the weeks of small lines."""

    year: Period
    month: Period

    @property
    def last_month(self) -> Period:
        """The whole month before."""
        end = self.month.start - timedelta(days=1)
        return Period(end.replace(day=1), end)

    @property
    def weeks(self) -> Period:
        """The last ``WEEKS`` weeks."""
        end = self.year.end
        return Period(end - timedelta(days=WEEK * WEEKS - 1), end)


def spans_of(year: int, today: date) -> Spans:
    """Of a year; of one that has not begun, the present year's."""
    end = today if year >= today.year else date(year, 12, 31)
    return Spans(Period(date(end.year, 1, 1), end), Period(end.replace(day=1), end))


class Books:
    """Puts the page together."""

    def __init__(
        self, standings: Standings, numbers: Numbers, taxonomy: Taxonomy, topics: Topics
    ) -> None:
        self._standings = standings
        self._numbers = numbers
        self._taxonomy = taxonomy
        self._topics = topics

    async def board(self, narrow: Narrow) -> BookBoard:
        """A year's book by campaign and topic."""
        targets = self._standings.book.targets.of_year(narrow.year)
        lines = [one for one in await self._standings.lines(targets) if narrow.keeps(one)]
        placed = {one.id: one.campaign or SERIES + one.topic for one in targets}
        held: dict[str, list[TargetLine]] = {}
        for one in lines:
            held.setdefault(placed[one.id], []).append(one)
        spans = spans_of(narrow.year, self._numbers.today())
        counted = Counter(one.state for one in lines)
        kept = set(held) if narrow.is_narrow else None
        return BookBoard(
            year=narrow.year,
            until=spans.year.end,
            as_of=self._numbers.clock(),
            counts={state: counted[state] for state in State},
            campaigns=await self._campaigns(spans, held, kept),
            groups=await self._groups(spans, held, kept),
        )

    async def _campaigns(
        self, spans: Spans, held: Held, kept: set[str] | None
    ) -> tuple[CampaignCard, ...]:
        shown = [one for one in self._taxonomy.campaigns if kept is None or one in kept]
        year = await self._numbers.compare([Ask(ITEMS, spans.year, label=one) for one in shown])
        month = await self._numbers.compare([Ask(ITEMS, spans.month, label=one) for one in shown])
        return tuple(
            self._campaign(one, whole, part, held.get(one, ()))
            for one, whole, part in zip(shown, year, month, strict=True)
        )

    def _campaign(
        self, one: str, year: Compared, month: Compared, targets: Sequence[TargetLine]
    ) -> CampaignCard:
        items = self._numbers.indicator(ITEMS)
        return CampaignCard(
            id=one,
            name=self._taxonomy.names[one],
            year=cell(year.now),
            year_ago=change(year.now, year.year_ago, items),
            month=cell(month.now),
            month_before=change(month.now, month.before, items),
            month_ago=change(month.now, month.year_ago, items),
            targets=tuple(targets),
        )

    async def _groups(self, spans: Spans, held: Held, kept: set[str] | None) -> tuple[Group, ...]:
        """Topics by their groups, those of no group last."""
        shown = [one for one in self._topics.topic if kept is None or SERIES + one.id in kept]
        cards = await self._topic_cards(spans, held, {one.id: one.name for one in shown})
        names = {group.id: group.name for group in self._topics.group} | self._topics.groups
        grouped = {key: tuple(cards[one.id] for one in shown if one.group == key) for key in names}
        return tuple(Group(key, names[key], told) for key, told in grouped.items() if told)

    async def _topic_cards(
        self, spans: Spans, held: Held, shown: Mapping[str, str]
    ) -> dict[str, TopicCard]:
        series = {SERIES + one: one for one in shown}
        periods = (spans.month, spans.last_month, spans.month.year_ago())
        columns = [
            await self._numbers.figures([Ask(ITEMS, period, label=key) for key in series])
            for period in periods
        ]
        every = Ask(ITEMS, spans.weeks)
        days = await self._numbers.daily(every, "label", series) if series else {}
        return {
            one: TopicCard(
                id=one,
                name=shown[one],
                month=cell(now),
                last_month=cell(before),
                year_ago=cell(year_ago),
                spark=spark(weekly(days[key])),
                targets=tuple(held.get(key, ())),
            )
            for (key, one), now, before, year_ago in zip(series.items(), *columns, strict=True)
        }


def weekly(days: Sequence[int]) -> list[int]:
    """Sums of each seven days."""
    return [sum(days[n : n + WEEK]) for n in range(0, len(days), WEEK)]
