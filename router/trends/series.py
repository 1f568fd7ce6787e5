"""More series of an item than its labels: topics and places; and counting items anew when topics have changed.

``Series`` is what the roll-up asks of each item. When somebody watches a topic or the city edits ``topics.toml``,
``Recount`` walks back through 400 days, the newest first, and marks in ``tally_due`` exactly the items whose topics
differ from those they stand under. Where it has come to is kept in ``count_notes``, so that a restart goes on there.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from router.spots import Spots
from router.trends.days import day_of, local_day, number
from router.trends.topics import SERIES, Matcher, Topics, read_phrases
from store.db import Database, Tx
from store.tables import T

WALK = "topics"
"""Mark and kind of the note that says down to which day items are counted anew; day 0: all are."""

BACK_DAYS = 400
"""Days of their own that items are counted anew for: a year and what it is compared with."""

PAGE = 4_000
"""Items of one step, rounded up to whole days."""

FULL = 1_000
"""Marks waiting for the roll-up above which the walk waits: what is new comes first."""

REST_S, WAIT_S, NEXT_S = 3.0, 0.5, 0.05
"""Seconds until the next look when nothing is to do, when the roll-up is busy, and between steps."""

SPOT = "spot:"
"""How the series of a place begins."""


def spot_labels(
    spots: Spots, text: str, address: str = "", not_places: Collection[str] = ()
) -> tuple[str, ...]:
    """The series of the listed places a message is about: compounds, landmarks, villages; streets for want of them."""
    return tuple(f"{SPOT}{name}" for name in spot_names(spots, text, address, not_places))


def spot_names(
    spots: Spots, text: str, address: str = "", not_places: Collection[str] = ()
) -> list[str]:
    """The listed places a message is about."""
    read = spots.read(text, address)
    known = spots.listed.difference(not_places)
    return sorted(name for name in read.spots & known or read.lines & known if "|" not in name)


class Series:
    """The topics and places of an item; ``refresh`` before each batch."""

    def __init__(self, topics: Topics, spots: Spots) -> None:
        self.topics = topics
        self.spots = spots
        self.matcher = Matcher(topics)
        self._watched: tuple[tuple[int, str], ...] = ()

    def adopt(self, topics: Topics, spots: Spots) -> None:
        """Tell these topics and places from the next item on."""
        self.topics, self.spots = topics, spots
        self._build()

    async def refresh(self, conn: AsyncConnection) -> None:
        """Know the topics watched now. To be asked after what is due is read, so that none is counted by old words."""
        t = T.topics.c
        asked = select(t.id, t.phrases).where(t.state == "watched").order_by(t.id)
        rows = tuple((row.id, row.phrases) for row in await conn.execute(asked))
        if rows != self._watched:
            self._watched = rows
            self._build()

    def _build(self) -> None:
        self.matcher = Matcher(
            self.topics, {key: read_phrases(kept) for key, kept in self._watched}
        )

    def __call__(
        self, text: str, address: str, area: str, labels: Sequence[str]
    ) -> tuple[str, ...]:
        """More series of an item that was taken up as a case."""
        del area
        spots = spot_labels(self.spots, text, address, self.topics.not_places)
        return (*self.matcher.labels(text, labels), *spots)


async def start_over(tx: Tx, now: datetime, zone: ZoneInfo, digest: str | None = None) -> None:
    """Walk from today again; in the transaction that changes a topic."""
    n = T.count_notes.c
    values: dict[str, Any] = {"day": local_day(now, zone), "at": now}
    values |= {} if digest is None else {"text": digest}
    done = await tx.run(update(T.count_notes).where(n.mark == WALK).values(values))
    if not done.rowcount:
        row = {"mark": WALK, "kind": WALK, "text": digest or ""} | values
        await tx.run(insert(T.count_notes).values(row))


class Recount:
    """Walks back and marks what stands under other topics than it should."""

    def __init__(
        self, db: Database, series: Series, *, zone: ZoneInfo, clock: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._series = series
        self._zone = zone
        self._clock = clock

    async def remember(self) -> None:
        """Begin anew when ``topics.toml`` says something else than when this was last called."""
        topics = self._series.topics
        said = msgspec.json.encode([one.model_dump() for one in topics.topic])
        digest = hashlib.blake2b(said, digest_size=16).hexdigest()
        n = T.count_notes.c

        async def work(tx: Tx) -> None:
            known = (await tx.run(select(n.text).where(n.mark == WALK))).scalar()
            if known != digest:
                await start_over(tx, self._clock(), self._zone, digest)

        await self._db.write(work)

    async def run(self) -> float:
        """One step; the seconds until the next."""
        n, d = T.count_notes.c, T.tally_due.c
        async with self._db.read() as conn:
            cursor = (await conn.execute(select(n.day).where(n.mark == WALK))).scalar() or 0
            if not cursor:
                return REST_S
            if (await conn.execute(select(d.id).order_by(d.id).offset(FULL).limit(1))).first():
                return WAIT_S
            await self._series.refresh(conn)
            low, rows = await self._page(conn, cursor)
        wrong = await asyncio.to_thread(_differing, self._series.matcher, rows)
        await self._db.write(lambda tx: self._mark(tx, cursor, low, wrong))
        return NEXT_S

    async def _page(self, conn: AsyncConnection, cursor: int) -> tuple[int, Sequence[Any]]:
        """Items of ``cursor`` and of days before it, whole days; and the last of these, 0 when there are no more."""
        t, i = T.tallied.c, T.items.c
        oldest = number(self._clock().astimezone(self._zone).date() - timedelta(days=BACK_DAYS))
        within = (t.day >= oldest, t.day <= cursor)
        ends = select(t.day).where(*within).order_by(t.day.desc(), t.item_id.desc())
        low = (await conn.execute(ends.offset(PAGE).limit(1))).scalar() or 0
        asked = (
            select(t.item_id, t.labels, i.title, i.text)
            .join(T.items, i.id == t.item_id)
            .where(t.day >= (low or oldest), t.day <= cursor, i.key.is_not(None))
        )
        return low, (await conn.execute(asked)).all()

    async def _mark(self, tx: Tx, cursor: int, low: int, wrong: Sequence[int]) -> None:
        await tx.insert(T.tally_due, [{"item_id": one, "case_id": None} for one in wrong])
        n = T.count_notes.c
        following = number(day_of(low) - timedelta(days=1)) if low else 0
        here = update(T.count_notes).where(n.mark == WALK, n.day == cursor)
        await tx.run(here.values(day=following))


def said_of(title: str, text: str) -> str:
    """Title and text as one, as the roll-up reads them."""
    return f"{title}\n{text}" if title else text


def _differing(matcher: Matcher, rows: Sequence[Any]) -> list[int]:
    """Items that stand under other topics than their words and labels tell."""
    found = []
    for row in rows:
        labels = row.labels.strip("|").split("|")
        stands = sorted(one for one in labels if one.startswith(SERIES))
        own = [one for one in labels if not one.startswith((SERIES, SPOT))]
        should = list(matcher.labels(said_of(row.title, row.text), own)) if "*" in own else []
        if stands != should:
            found.append(row.item_id)
    return found
