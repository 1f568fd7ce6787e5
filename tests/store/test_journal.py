"""One contract for every journal engine, and what is particular to each."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from store.db import Database
from store.errors import ConfigError
from store.journal import Follower, Journal
from store.journal.kafka import KafkaJournal
from store.journal.kafka_follower import JournalLostError
from store.journal.sqlite import SqliteJournal
from store.migrate import migrate
from store.model import Record, Sequenced


@dataclass
class Engine:
    journal: Journal
    positions: dict[tuple[str, int], int]

    async def position(self, topic: str, part: int) -> int | None:
        return self.positions.get((topic, part))

    def follow(self, group: str = "g") -> Follower:
        return self.journal.follow("items", group, self.position)


@pytest.fixture(params=["sqlite", "postgres", pytest.param("kafka", marks=pytest.mark.kafka)])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    if request.param == "kafka":
        kafka = KafkaJournal(request.getfixturevalue("kafka_url"), partitions=3)
        await kafka.open()
        yield Engine(kafka, {})
        await kafka.close()
        return
    db = Database(request.getfixturevalue(f"{request.param}_url"))
    await db.open()
    await migrate(db)
    yield Engine(SqliteJournal(db), {})
    await db.close()


def records(first: int, last: int, keys: int = 5) -> list[Record]:
    return [Record(f"r{n}", f"k{n % keys}", f"payload {n}".encode()) for n in range(first, last)]


async def collect(follower: Follower, wanted: int) -> list[tuple[int, Sequenced]]:
    found: list[tuple[int, Sequenced]] = []
    for _ in range(200):
        for batch in await follower.fetch(100, 0.2):
            found += [(batch.part, seq) for seq in batch.records]
        if wanted <= len(found):
            break
    return found


async def test_what_was_appended_is_read_from_the_beginning(engine: Engine) -> None:
    await engine.journal.append("items", records(0, 250))
    follower = engine.follow()
    await follower.start()
    found = await collect(follower, 250)
    await follower.stop()
    assert sorted(seq.record.id for _, seq in found) == sorted(r.id for r in records(0, 250))
    assert found[0][1].record.payload.startswith(b"payload")


async def test_records_of_one_key_keep_their_order(engine: Engine) -> None:
    for start in range(0, 100, 20):
        await engine.journal.append("items", records(start, start + 20))
    follower = engine.follow()
    await follower.start()
    found = await collect(follower, 100)
    await follower.stop()
    for key in {seq.record.key for _, seq in found}:
        numbers = [int(seq.record.id[1:]) for _, seq in found if seq.record.key == key]
        assert numbers == sorted(numbers)
        assert len({part for part, seq in found if seq.record.key == key}) == 1


async def test_offsets_grow_within_a_partition(engine: Engine) -> None:
    await engine.journal.append("items", records(0, 60))
    follower = engine.follow()
    await follower.start()
    found = await collect(follower, 60)
    await follower.stop()
    for part in {part for part, _ in found}:
        offsets = [seq.offset for p, seq in found if p == part]
        assert offsets == sorted(set(offsets))


async def test_stored_position_decides_where_reading_begins(engine: Engine) -> None:
    await engine.journal.append("items", records(0, 30, keys=1))
    first = engine.follow()
    await first.start()
    found = await collect(first, 30)
    await first.stop()
    part, tenth = found[10]
    engine.positions["items", part] = tenth.offset
    again = engine.follow("other")
    await again.start()
    assert [seq.record.id for _, seq in await collect(again, 20)] == [
        f"r{n}" for n in range(10, 30)
    ]
    await again.stop()


async def test_seek_reads_again(engine: Engine) -> None:
    await engine.journal.append("items", records(0, 10, keys=1))
    follower = engine.follow()
    await follower.start()
    found = await collect(follower, 10)
    part, first = found[0]
    await follower.seek(part, first.offset)
    assert [seq.record.id for _, seq in await collect(follower, 10)] == [f"r{n}" for n in range(10)]
    await follower.stop()


async def test_lag_counts_what_was_not_read(engine: Engine) -> None:
    await engine.journal.append("items", records(0, 10))
    follower = engine.follow()
    await follower.start()
    await collect(follower, 10)
    await engine.journal.append("items", records(10, 17))
    assert await follower.lag() == 7
    await follower.stop()


async def test_waiting_reader_gets_new_records_soon(engine: Engine) -> None:
    follower = engine.follow()
    await follower.start()
    await follower.fetch(10, 0.2)
    waiting = asyncio.create_task(collect(follower, 1))
    await asyncio.sleep(0.1)
    await engine.journal.append("items", records(0, 1))
    found = await asyncio.wait_for(waiting, 20)
    await follower.stop()
    assert [seq.record.id for _, seq in found] == ["r0"]


async def test_commit_hint_is_harmless(engine: Engine) -> None:
    await engine.journal.append("items", records(0, 5, keys=1))
    follower = engine.follow()
    await follower.start()
    part, last = (await collect(follower, 5))[-1]
    await follower.commit(part, last.offset + 1)
    await follower.commit(99, 5)
    await follower.stop()


async def test_embedded_append_is_idempotent_and_offsets_are_never_reused(db: Database) -> None:
    journal = SqliteJournal(db)
    await journal.append("items", records(0, 3))
    await journal.append("items", records(0, 3))
    engine = Engine(journal, {})
    follower = engine.follow()
    await follower.start()
    found = await collect(follower, 3)
    assert len(found) == 3
    last = found[-1][1].offset
    assert await journal.trim("items", last + 1) == 3
    await journal.append("items", records(3, 4))
    ((_, after),) = await collect(follower, 1)
    assert last < after.offset


@pytest.mark.kafka
async def test_wiped_topic_halts_instead_of_skipping(kafka_url: str) -> None:
    journal = KafkaJournal(kafka_url, partitions=1)
    await journal.open()
    await journal.append("items", records(0, 3))
    follower = Engine(journal, {("items", 0): 1000}).follow()
    await follower.start()
    with pytest.raises(JournalLostError, match="wiped"):
        await collect(follower, 1)
    await follower.stop()
    await journal.close()


async def test_unreachable_broker_is_one_clear_line() -> None:
    journal = KafkaJournal("kafka://127.0.0.1:1", connect_s=2)
    with pytest.raises(
        ConfigError, match=r"journal_url: no Kafka broker answers at 127\.0\.0\.1:1"
    ):
        await journal.open()


@pytest.mark.parametrize("url", ["kafka:/x", "http://h", "kafka://"])
def test_wrong_journal_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="journal_url"):
        KafkaJournal(url)
