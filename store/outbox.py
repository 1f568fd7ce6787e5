"""What leaves a transaction for the journal, with that transaction or not at all.

With the embedded journal in the same database, ``put`` writes the journal itself. Otherwise it
writes an outbox row, and ``relay`` appends it to the journal and deletes it once acknowledged
(transactional outbox, Debezium's columns). Rows are found by presence, never by a cursor: a cursor
loses what commits out of sequence order.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from sqlalchemy import delete, select

from store.db import Database, Tx
from store.faults import crash_point
from store.journal import Journal
from store.journal.sqlite import insert_log
from store.model import Record
from store.pulse import Pulse
from store.tables import T

log = logging.getLogger(__name__)

RELAY_BATCH = 1000


class Outbox:
    """``embedded``: the journal lives in the same database."""

    def __init__(self, *, embedded: bool) -> None:
        self.embedded = embedded

    async def put(self, tx: Tx, topic: str, records: Sequence[Record]) -> None:
        """Hand records to the journal with the caller's commit."""
        if not records:
            return
        if self.embedded:
            await insert_log(tx, topic, records)
            return
        now = datetime.now(UTC)
        rows = [
            {"topic": topic, "record_id": r.id, "key": r.key, "payload": r.payload, "at": now}
            for r in records
        ]
        await tx.insert(T.outbox, rows)
        tx.touched.add("outbox")


def record(record_id: str, key: str, payload: msgspec.Struct) -> Record:
    """A record with a JSON payload."""
    return Record(record_id, key, msgspec.json.encode(payload))


async def relay_once(db: Database, journal: Journal) -> int:
    """Append what waits in the outbox, then delete it; returns how many records moved."""
    c = T.outbox.c
    statement = (
        select(c.id, c.topic, c.record_id, c.key, c.payload).order_by(c.id).limit(RELAY_BATCH)
    )
    async with db.read() as conn:
        rows = (await conn.execute(statement)).all()
    if not rows:
        return 0
    topics: dict[str, list[Record]] = {}
    for row in rows:
        topics.setdefault(row[1], []).append(Record(row[2], row[3], row[4]))
    crash_point("relay.before_append")
    for topic, records in topics.items():
        await journal.append(topic, records)
    crash_point("relay.after_append")
    gone = [row[0] for row in rows]

    async def forget(tx: Tx) -> None:
        await tx.run(delete(T.outbox).where(c.id.in_(gone)))

    await db.write(forget)
    return len(rows)


async def relay(db: Database, journal: Journal, *, timeout_s: float = 0.2) -> None:
    """Relay for ever; runs only where the journal is outside the database, one at a time."""
    while True:
        heard = db.pulse.listen("outbox")
        if not await relay_once(db, journal):
            await Pulse.wait(heard, timeout_s)
