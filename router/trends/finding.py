"""Looks for rising topics among what is said, and keeps the table ``topics``.

A topic found again is known by its phrases or its cases, whatever became of it: hidden it stays hidden, merged it
counts for the one it was merged into, watched or named it keeps its name. What is told of a listed topic is taken anew
at each look from the messages that hold its phrases, its sentence too: what was erased is told no more. One that rises
no longer is gone after 28 days unless somebody named or watched it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import case, delete, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from router.trends.days import number
from router.trends.emerging import (
    FEWEST_CITIZENS,
    FEWEST_VOICES,
    FLOOR,
    LEAST_RATIO,
    Found,
    days_apart,
    emerging,
)
from router.trends.series import Series, said_of, spot_names
from router.trends.telling import MONTH, WEEK, Said, Told, sentence_of, tell
from router.trends.topics import SERIES, Matcher, Phrases, Topics, read_phrases
from store.db import Database, Tx
from store.model import Kind
from store.tables import T

HUB = "hub"
"""Who found a topic that nobody has named."""

EVERY_S = 600.0
"""Seconds between looks."""

MOST_NOW, MOST_BEFORE = 25_000, 75_000
"""Messages compared; the newest, where there are more."""

KEPT_DAYS = 28
"""Days a topic that rises no more and that nobody named is kept."""

SAME = 0.5
"""Share of phrases, or of cases, from which two topics are one."""

LISTED = ("found", "watched")
LOCK = 0x4D53_0009
"""PostgreSQL's advisory lock: two hubs never add the same topic."""

_kinds = frozenset(map(str, Kind))
_told = msgspec.json.Decoder(Told)


@dataclass(frozen=True)
class Known:
    """A row of ``topics`` as it is compared."""

    id: int
    state: str
    phrases: Phrases
    told: Told

    @property
    def words(self) -> set[str]:
        return {word for way in self.phrases for word in way}


def read_told(kept: str) -> Told:
    """What a row of ``topics`` says of itself."""
    return _told.decode(kept)


def is_same(known: Known, found: Found) -> bool:
    """Whether most phrases of the smaller are in the other, or most of its cases are."""
    ours, theirs = known.words, set(found.phrases)
    near = {one for one in theirs if any(one in word or word in one for word in ours)}
    cases = set(known.told.cases) & set(found.told.cases)
    fewest = min(len(known.told.cases), len(found.told.cases))
    return (len(near) >= SAME * min(len(ours), len(theirs)) and bool(near)) or (
        fewest > 1 and len(cases) >= SAME * fewest
    )


Tells = Callable[[Sequence[Said], Sequence[Said]], Told]


@dataclass(frozen=True)
class Changes:
    """What a look comes to: what is told of listed topics and their sentence, by id, and topics nobody knew."""

    told: Mapping[int, tuple[Told, str]]
    fresh: Sequence[Found]


def compare(
    found: Iterable[Found],
    known: Sequence[Known],
    now: Sequence[Said],
    before: Sequence[Said],
    tells: Tells,
) -> Changes:
    """Which of these nobody knew, and what is told now of those that are listed; pure."""
    fresh = [one for one in found if not any(is_same(row, one) for row in known)]
    listed = {one.id: one.phrases for one in known if one.state in LISTED}
    ours, theirs = _holding(listed, now), _holding(listed, before)
    told = {
        key: (
            tells(ours[key], theirs[key]),
            sentence_of(ours[key], [word for way in phrases for word in way]),
        )
        for key, phrases in listed.items()
    }
    return Changes(told, fresh)


def _holding(listed: Mapping[int, Phrases], said: Sequence[Said]) -> dict[int, list[Said]]:
    """The messages of each topic."""
    matcher = Matcher(Topics(), listed)
    held: dict[int, list[Said]] = {key: [] for key in listed}
    for one in said:
        for series in matcher.labels(one.text, ()):
            held[int(series.removeprefix(SERIES))].append(one)
    return held


def score_of(told: Told) -> float:
    """The excess of a topic that rises; 0 of one that does not."""
    is_rising = (
        told.voices >= FEWEST_VOICES
        and told.citizens >= FEWEST_CITIZENS
        and told.ratio >= LEAST_RATIO
    )
    return told.count - told.expected if is_rising else 0.0


class TopicFinder:
    """``run`` is a job of the hub; ``areas`` are the names of areas by id."""

    def __init__(
        self,
        db: Database,
        series: Series,
        *,
        areas: Mapping[str, str],
        zone: ZoneInfo,
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._series = series
        self.areas = areas
        self._zone = zone
        self._clock = clock

    async def run(self) -> float:
        """Look once; the seconds until the next look."""
        today = self._clock().astimezone(self._zone).date()
        since, until = today - timedelta(days=WEEK + MONTH - 1), today - timedelta(days=WEEK)
        async with self._db.read() as conn:
            known = await _known(conn)
            now = await _said(conn, number(until + timedelta(days=1)), number(today), MOST_NOW)
            before = await _said(conn, number(since), number(until), MOST_BEFORE)
        changes = await asyncio.to_thread(self._look, known, now, before)
        newest = max((one.id for one in known), default=0)
        await self._db.write(lambda tx: self._keep(tx, changes, newest))
        return EVERY_S

    def _look(self, known: Sequence[Known], now: Sequence[Said], before: Sequence[Said]) -> Changes:
        topics, spots = self._series.topics, self._series.spots

        def places(text: str, address: str) -> list[str]:
            return spot_names(spots, text, address, topics.not_places)

        def tells(ours: Sequence[Said], theirs: Sequence[Said]) -> Told:
            return tell(ours, theirs, floor=FLOOR, days_apart=days_apart, places=places)

        found = emerging(now, before, places=places, areas=self.areas, generic=topics.generic)
        return compare(found, known, now, before, tells)

    async def _keep(self, tx: Tx, changes: Changes, newest: int) -> None:
        """Write what was told; what is new only if nobody added a topic since."""
        t, at = T.topics.c, self._clock()
        if not self._db.is_sqlite:
            await tx.run(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        for key, (told, sentence) in changes.told.items():
            values = _values(told, sentence, at)
            if told.first_day:
                is_earlier = or_(t.first_day == 0, t.first_day > told.first_day)
                values["first_day"] = case((is_earlier, told.first_day), else_=t.first_day)
            await tx.run(update(T.topics).where(t.id == key, t.state.in_(LISTED)).values(values))
        faded = delete(T.topics).where(t.state == "found", t.actor == HUB, t.score <= 0)
        await tx.run(faded.where(t.at < at - timedelta(days=KEPT_DAYS)))
        if ((await tx.run(select(func.max(t.id)))).scalar() or 0) <= newest:
            await tx.insert(T.topics, [_row(one, at) for one in changes.fresh])


def _values(told: Told, sentence: str, at: datetime) -> dict[str, Any]:
    """What a look changes of a row."""
    score = score_of(told)
    return {
        "told": msgspec.json.encode(told).decode(),
        "score": score,
        "sentence": sentence,
        "updated_at": at,
    }


def _row(found: Found, at: datetime) -> dict[str, Any]:
    """A new row."""
    phrases = [[one] for one in found.phrases]
    return {
        "name": found.name,
        "phrases": msgspec.json.encode(phrases).decode(),
        "state": "found",
        "merged_into": None,
        "first_day": found.told.first_day,
        "actor": HUB,
        "at": at,
        **_values(found.told, found.sentence, at),
    }


async def _known(conn: AsyncConnection) -> list[Known]:
    t = T.topics.c
    asked = select(t.id, t.state, t.phrases, t.told).order_by(t.id.desc())
    return [
        Known(row.id, row.state, read_phrases(row.phrases), read_told(row.told))
        for row in await conn.execute(asked)
    ]


async def _said(conn: AsyncConnection, first: int, last: int, most: int) -> list[Said]:
    """Messages taken up as cases, of these days, the newest ``most``."""
    t, i = T.tallied.c, T.items.c
    asked = (
        select(
            t.item_id, t.day, t.area, t.channel, t.author_key, t.case_id, t.labels,
            i.thread, i.title, i.text, i.address,
        )
        .join(T.items, i.id == t.item_id)
        .where(t.day >= first, t.day <= last, t.labels.like("|*|%"), i.key.is_not(None))
        .order_by(t.day.desc(), t.item_id.desc())
        .limit(most)
    )  # fmt: skip
    return [
        Said(
            id=row.item_id,
            day=row.day,
            area=row.area,
            channel=row.channel,
            author_key=row.author_key,
            case_id=row.case_id,
            thread=row.thread,
            text=said_of(row.title, row.text),
            address=row.address,
            label=_label(row.labels),
        )
        for row in await conn.execute(asked)
    ]


def _label(labels: str) -> str:
    """What a message is mainly about: its first problem or campaign, else its kind."""
    listed = [one for one in labels.strip("|").split("|") if one != "*" and ":" not in one]
    own = [one for one in listed if one not in _kinds]
    return next(iter(own or listed), "")
