"""The embedded journal: a table of the hub's own database, one partition a topic.

One partition gives the strongest order there is; a second hub is what Kafka is for. A record's id is
unique in its topic, so repeating an append is harmless. Offsets are the table's AUTOINCREMENT keys:
they grow, have gaps, and are never used twice, also after old records were trimmed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, func, select

from store.db import Database, Tx
from store.journal import Batch, Positions
from store.model import Record, Sequenced
from store.pulse import Pulse
from store.tables import T

PART = 0


async def insert_log(tx: Tx, topic: str, records: Sequence[Record]) -> None:
    """Append inside the caller's transaction: the record is there exactly when the effect is."""
    now = datetime.now(UTC)
    rows = [
        {"topic": topic, "record_id": r.id, "key": r.key, "payload": r.payload, "at": now}
        for r in records
    ]
    await tx.insert(T.log, rows, again="ignore")
    tx.touched.add(topic)


class SqliteJournal:
    """Journal over the ``log`` table of ``db``."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def open(self) -> None:
        """Nothing to do: the database is open and migrated."""

    async def close(self) -> None:
        """Nothing to do: the database is closed by its owner."""

    async def append(self, topic: str, records: Sequence[Record]) -> None:
        if not records:
            return

        async def work(tx: Tx) -> None:
            await insert_log(tx, topic, records)

        await self._db.write(work)

    def follow(self, topic: str, group: str, positions: Positions) -> SqliteFollower:  # noqa: ARG002
        return SqliteFollower(self._db, topic, positions)

    async def trim(self, topic: str, before: int) -> int:
        """Drop records below offset ``before``; the caller checked that every group is past it."""

        async def work(tx: Tx) -> int:
            done = await tx.run(delete(T.log).where(T.log.c.topic == topic, T.log.c.id < before))
            return int(done.rowcount)

        return await self._db.write(work)


class SqliteFollower:
    """Reads a topic of the ``log`` table; wakes on the commit that appends to it."""

    def __init__(self, db: Database, topic: str, positions: Positions) -> None:
        self._db = db
        self._topic = topic
        self._positions = positions
        self._next = 0

    async def start(self) -> None:
        self._next = await self._positions(self._topic, PART) or 0

    async def stop(self) -> None:
        """Nothing is held."""

    async def fetch(self, limit: int, timeout_s: float) -> list[Batch]:
        heard = self._db.pulse.listen(self._topic)
        records = await self._read(limit)
        if not records and await Pulse.wait(heard, timeout_s):
            records = await self._read(limit)
        if not records:
            return []
        self._next = records[-1].offset + 1
        return [Batch(PART, tuple(records))]

    async def _read(self, limit: int) -> list[Sequenced]:
        """The next records, by the table's own key; other topics' records are stepped over once."""
        c = T.log.c
        statement = (
            select(c.id, c.record_id, c.key, c.payload)
            .where(c.id >= self._next, c.topic == self._topic)
            .order_by(c.id)
            .limit(limit)
        )
        async with self._db.read() as conn:
            rows = (await conn.execute(statement)).all()
            if not rows:
                last = (await conn.execute(select(func.max(c.id)))).scalar()
                self._next = max(self._next, (last or 0) + 1)
        return [Sequenced(row[0], Record(row[1], row[2], row[3])) for row in rows]

    async def commit(self, part: int, offset: int) -> None:
        """The stored offset is the truth; there is no second one to tell."""

    async def seek(self, part: int, offset: int) -> None:  # noqa: ARG002
        self._next = offset

    async def lag(self) -> int:
        statement = select(func.count()).where(
            T.log.c.topic == self._topic, T.log.c.id >= self._next
        )
        async with self._db.read() as conn:
            return int((await conn.execute(statement)).scalar_one())
