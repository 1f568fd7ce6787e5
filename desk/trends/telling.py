"""Topics as pages and scripts are told of them: lists, and one with its trend, its channels, areas and cases."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from itertools import accumulate
from typing import Any

import msgspec
from sqlalchemy import select

from desk.trends.board import UNPLACED
from router.trends.curating import TopicState
from router.trends.days import Period, day_of, number
from router.trends.finding import HUB, read_told
from router.trends.numbers import Ask, Numbers
from router.trends.sums import NUMBER
from router.trends.telling import MONTH, RATE, WEEK, Told, words_of
from router.trends.topics import SERIES, Phrases, Topics, read_phrases
from store.db import Database, among
from store.tables import T

MOST = 100
"""Topics a list shows, and cases of one."""

SHORT = 80
"""Characters of a sample that are shown."""

SPARK = (300, 48)
"""Width and height of the small line."""


class Line(msgspec.Struct, frozen=True):
    """A topic in a list. ``why`` and ``samples`` are words; ``link`` opens the cases it counts."""

    id: str
    name: str
    state: str
    group: str
    phrases: tuple[str, ...]
    count: int
    expected: float
    ratio: float
    voices: int
    citizens: int
    first_day: str
    places: tuple[str, ...]
    sentence: str
    why: str
    samples: tuple[str, ...]
    is_named: bool
    link: str = ""


class Part(msgspec.Struct, frozen=True):
    """A channel's or an area's part: its first day, days after the first of all, and how many."""

    id: str
    name: str
    first_day: str
    lag: int
    n: int


class Story(msgspec.Struct, frozen=True):
    """One topic: ``days`` with their counts, ``spark`` the points of its line."""

    topic: Line
    days: tuple[tuple[str, int], ...]
    spark: str
    channels: tuple[Part, ...]
    areas: tuple[Part, ...]
    cases: tuple[str, ...]


class Stories:
    """Reads topics; ``areas`` and ``channels`` are names by id."""

    def __init__(
        self,
        db: Database,
        numbers: Numbers,
        topics: Topics,
        *,
        areas: Mapping[str, str],
        channels: Mapping[str, str],
    ) -> None:
        self._db = db
        self._numbers = numbers
        self.topics = topics
        self.areas = areas
        self._channels = channels

    async def listed(self, states: Collection[TopicState]) -> list[Line]:
        """Found, watched, hidden or merged topics, those that rise most first; one that rises no more if named."""
        t = T.topics.c
        asked = select(T.topics).where(t.state.in_(states)).order_by(t.score.desc(), t.id.desc())
        async with self._db.read() as conn:
            rows = (await conn.execute(asked.limit(MOST))).all()
        kept = [
            row
            for row in rows
            if row.state != TopicState.FOUND or row.score > 0 or row.actor != HUB
        ]
        samples = await self._samples(kept)
        return [self._line(row, samples) for row in kept]

    async def configured(self) -> list[Line]:
        """The topics of ``topics.toml``, in its order, with their numbers of 7 and of 28 days before."""
        today = self._numbers.today()
        period = Period(today - timedelta(days=WEEK + MONTH - 1), today)
        series = [SERIES + one.id for one in self.topics.topic]
        counted = await self._numbers.daily(Ask("items", period), "label", series) if series else {}
        groups = self.topics.groups
        return [
            self._configured(one, groups[one.group], counted[SERIES + one.id])
            for one in self.topics.topic
        ]

    def _configured(self, topic: Any, group: str, days: Sequence[int]) -> Line:
        count, expected = sum(days[-WEEK:]), sum(days[:-WEEK]) * RATE
        return Line(
            id=topic.id,
            name=topic.name,
            state="configured",
            group=group,
            phrases=tuple(" ".join(way) for way in topic.words),
            count=count,
            expected=round(expected, 2),
            ratio=round(count / max(expected, 1), 2),
            voices=0,
            citizens=0,
            first_day="",
            places=(),
            sentence="",
            why="",
            samples=(),
            is_named=True,
            link=self.link(SERIES + topic.id, WEEK),
        )

    def link(self, series: str, days: int) -> str:
        """Where the messages of a series of the last ``days`` stand, with their cases."""
        today = self._numbers.today()
        period = Period(today - timedelta(days=days - 1), today)
        return NUMBER + Ask("items", period, label=series).query()

    def _line(self, row: Any, samples: Mapping[int, str]) -> Line:
        told = read_told(row.told)
        is_watched = row.state == TopicState.WATCHED
        return Line(
            id=str(row.id),
            name=row.name,
            state=row.state,
            group="",
            phrases=_ways(read_phrases(row.phrases)),
            count=told.count,
            expected=told.expected,
            ratio=told.ratio,
            voices=told.voices,
            citizens=told.citizens,
            first_day=_date(row.first_day),
            places=tuple(f"{name} {n}" for name, n in self._where(told).items()),
            sentence=row.sentence,
            why=words_of(told.causes, {**self.areas, **self._channels}) if told.count else "",
            samples=tuple(samples[one] for one in told.samples if one in samples),
            is_named=row.actor != HUB,
            link=self.link(f"{SERIES}{row.id}", WEEK) if is_watched else "",
        )

    def _where(self, told: Told) -> dict[str, int]:
        """Places, or areas for want of them."""
        areas = {self.areas.get(key, key) or UNPLACED: n for key, n in told.areas.items()}
        return told.places or areas

    async def _samples(self, rows: Sequence[Any]) -> dict[int, str]:
        """Redacted beginnings of the samples, of those not erased."""
        ids = [one for row in rows for one in read_told(row.told).samples]
        i = T.items.c
        asked = select(i.id, i.text).where(
            among(i.id, ids, is_sqlite=self._db.is_sqlite), i.key.is_not(None)
        )
        async with self._db.read() as conn:
            return {row.id: _short(row.text) for row in await conn.execute(asked)}

    async def story(self, key: str, days: int) -> Story | None:
        """One topic over its last ``days``; None when there is none."""
        if not key.isdigit():
            known = {one.id: one for one in await self.configured()}
            return await self._counted(known[key], days) if key in known else None
        async with self._db.read() as conn:
            asked = select(T.topics).where(T.topics.c.id == int(key))
            row = (await conn.execute(asked)).first()
        if row is None:
            return None
        line = self._line(row, await self._samples([row]))
        if row.state == TopicState.WATCHED:
            return await self._counted(line, days)
        return self._told(line, read_told(row.told), row.updated_at)

    def _told(self, line: Line, told: Told, at: Any) -> Story:
        """Of a topic without a series of its own: its 7 days."""
        today = at.astimezone(self._numbers.zone).date()
        period = Period(today - timedelta(days=WEEK - 1), today)
        days = [told.days.get(number(day), 0) for day in period.each()]
        channels = tuple(
            Part(
                one.channel,
                self._channels.get(one.channel, one.channel),
                _date(one.first_day),
                one.lag,
                one.n,
            )
            for one in told.routes
        )
        areas = tuple(
            Part(key, self.areas.get(key, key) or UNPLACED, "", 0, n)
            for key, n in told.areas.items()
        )
        return Story(
            line, _dated(period, days), spark(days), channels, areas, tuple(map(str, told.cases))
        )

    async def _counted(self, line: Line, days: int) -> Story:
        """Of a topic with a series: as the roll-up has it."""
        today = self._numbers.today()
        period = Period(today - timedelta(days=days - 1), today)
        ask = Ask("items", period, label=SERIES + line.id)
        total = (await self._numbers.daily(ask))["*"]
        return Story(
            line,
            _dated(period, total),
            spark(total),
            _parts(period, await self._numbers.daily(ask, "channel"), self._channels),
            _parts(period, await self._numbers.daily(ask, "area"), self.areas),
            await self._cases(ask),
        )

    async def _cases(self, ask: Ask) -> tuple[str, ...]:
        """The newest cases of a series."""
        t, (first, last) = T.tallied.c, ask.period.numbers
        asked = (
            select(t.case_id)
            .where(t.day >= first, t.day <= last, t.labels.contains(f"|{ask.label}|"))
            .order_by(t.day.desc(), t.item_id.desc())
            .limit(MOST)
        )
        async with self._db.read() as conn:
            found = (await conn.execute(asked)).scalars()
            return tuple(dict.fromkeys(str(one) for one in found if one))


def _parts(
    period: Period, counted: Mapping[str, Sequence[int]], names: Mapping[str, str]
) -> tuple[Part, ...]:
    """Who took a topic up, in that order."""
    first = {
        key: next((n for n, count in enumerate(days) if count), 0) for key, days in counted.items()
    }
    begin = min(first.values(), default=0)
    order = sorted(counted, key=lambda key: (first[key], -sum(counted[key]), key))
    return tuple(
        Part(
            key,
            names.get(key, key) or UNPLACED,
            str(period.start + timedelta(days=first[key])),
            first[key] - begin,
            sum(counted[key]),
        )
        for key in order
    )


def spark(days: Sequence[int]) -> str:
    """The points of a line through ``days`` within ``SPARK``."""
    width, height = SPARK
    top, steps = max(*days, 1), max(len(days) - 1, 1)
    across = accumulate([0.0, *[width / steps] * (len(days) - 1)])
    return " ".join(
        f"{x:.1f},{height - 2 - n / top * (height - 4):.1f}"
        for x, n in zip(across, days, strict=True)
    )


def _dated(period: Period, days: Sequence[int]) -> tuple[tuple[str, int], ...]:
    return tuple(zip(map(str, period.each()), days, strict=True))


def _date(day: int) -> str:
    return str(day_of(day)) if day else ""


def _ways(phrases: Phrases) -> tuple[str, ...]:
    """Each alternative as a person writes it."""
    return tuple(" ".join(way) for way in phrases)


def _short(text: str) -> str:
    said = " ".join(text.split())
    return said if len(said) <= SHORT else said[: SHORT - 1] + "…"
