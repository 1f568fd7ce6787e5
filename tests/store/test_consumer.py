"""Exactly-once effects: fencing, poison, killers, patience."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from store.consumer import BURY_AFTER, CAREFUL_AFTER, Consumer
from store.db import Database, Tx
from store.dead import DeadLetters
from store.errors import RejectedError, TransientError
from store.journal.sqlite import SqliteJournal
from store.model import Record
from store.offsets import FencedError, advance, begin, position
from store.outbox import Outbox
from store.tables import T
from store.vault import Vault


class Handler:
    """Counts each record once in ``counters``; ``trouble`` decides what fails."""

    group, topic = "test", "items"

    def __init__(self, trouble: dict[str, Exception] | None = None) -> None:
        self.trouble = trouble or {}
        self.seen: list[str] = []

    async def prepare(self, records: Sequence[Record]) -> list[str]:
        for record in records:
            if record.id in self.trouble:
                raise self.trouble[record.id]
        self.seen += [r.id for r in records]
        return [r.id for r in records]

    async def apply(self, tx: Tx, effects: list[str]) -> None:
        await tx.run(insert(T.counters), [{"day": one, "n": 1} for one in effects])


@pytest.fixture
def dead(db: Database, vault: Vault, outbox: Outbox) -> DeadLetters:
    return DeadLetters(db, vault, outbox)


async def run_once(consumer: Consumer) -> None:
    """What ``run`` does, until nothing more comes."""
    await consumer.follower.start()
    while batches := await consumer.follower.fetch(100, 0.05):
        for batch in batches:
            await consumer._take(batch)
    await consumer.follower.stop()


async def append(db: Database, *names: str) -> SqliteJournal:
    journal = SqliteJournal(db)
    await journal.append("items", [Record(name, "k", b"{}") for name in names])
    return journal


async def effects(db: Database) -> list[str]:
    async with db.read() as conn:
        return [
            r[0] for r in await conn.execute(select(T.counters.c.day).order_by(T.counters.c.day))
        ]


async def test_every_record_has_its_effect_once(db: Database, dead: DeadLetters) -> None:
    journal = await append(db, "a", "b", "c")
    await run_once(Consumer(db, journal, Handler(), dead))
    await run_once(Consumer(db, journal, Handler(), dead))
    assert await effects(db) == ["a", "b", "c"]


async def test_poison_goes_to_dead_and_neighbours_go_on(db: Database, dead: DeadLetters) -> None:
    journal = await append(db, "a", "bad", "c")
    await run_once(Consumer(db, journal, Handler({"bad": ValueError("boom")}), dead))
    assert await effects(db) == ["a", "c"]
    (one,) = await dead.list()
    assert (one.stage, one.source_key, one.reason, one.content) == ("test", "bad", "failed", b"{}")


async def test_rejected_record_is_not_tried_three_times(db: Database, dead: DeadLetters) -> None:
    handler = Handler({"bad": RejectedError("no", reason="mine")})
    await run_once(Consumer(db, await append(db, "bad"), handler, dead))
    assert [one.reason for one in await dead.list()] == ["mine"]


async def test_trouble_outside_never_buries(
    db: Database, dead: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = await append(db, "a")
    handler = Handler({"a": TransientError("gone", retry_after_s=0.001)})
    consumer = Consumer(db, journal, handler, dead)
    await consumer.follower.start()
    for _ in range(6):
        for batch in await consumer.follower.fetch(10, 0.01):
            await consumer._take(batch)
    handler.trouble.clear()
    for batch in await consumer.follower.fetch(10, 0.01):
        await consumer._take(batch)
    assert await effects(db) == ["a"]
    assert await dead.list() == []


async def test_zombie_changes_nothing(db: Database, dead: DeadLetters) -> None:
    journal = await append(db, "a", "b")
    zombie, heir = Consumer(db, journal, Handler(), dead), Consumer(db, journal, Handler(), dead)
    await zombie.follower.start()
    (stale,) = await zombie.follower.fetch(10, 0.1)
    await zombie._begin(stale)
    await run_once(heir)
    await zombie._take(stale)
    assert await effects(db) == ["a", "b"]


async def test_record_that_kills_the_process_is_buried(db: Database, dead: DeadLetters) -> None:
    class Killed(BaseException):
        """Stands for a crash: nothing in the consumer may catch it."""

    class Killer(Handler):
        async def prepare(self, records: Sequence[Record]) -> list[str]:
            if any(r.id == "killer" for r in records):
                raise Killed
            return [r.id for r in records]

    journal = await append(db, "a", "killer", "z")
    starts = 0
    for _ in range(30):
        starts += 1
        try:
            await run_once(Consumer(db, journal, Killer(), dead))
            break
        except Killed:
            continue
    assert await effects(db) == ["a", "z"]
    assert [one.source_key for one in await dead.list()] == ["killer"]
    assert CAREFUL_AFTER < starts <= BURY_AFTER + 3


async def test_offset_moves_only_from_where_it_is(db: Database) -> None:
    await begin(db, "g", "items", 0, 5)

    async def move(tx: Tx, expected: int) -> None:
        await advance(tx, "g", "items", 0, expected=expected, offset=9)

    await db.write(lambda tx: move(tx, 5))
    with pytest.raises(FencedError):
        await db.write(lambda tx: move(tx, 5))
    assert await position(db, "g", "items", 0) == 9


async def test_same_reject_twice_is_one_row_with_two_attempts(
    db: Database, dead: DeadLetters
) -> None:
    async def put(tx: Tx) -> None:
        await dead.put(tx, stage="s", source_key="k", reason="r", error="e", content=b"raw")

    await db.write(put)
    await db.write(put)
    (one,) = await dead.list()
    assert one.attempts == 2
    async with db.read() as conn:
        logged: Any = await conn.execute(select(func.count()).where(T.log.c.topic == "dead"))
        assert logged.scalar_one() == 2
