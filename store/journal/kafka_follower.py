"""Reading a Kafka topic as one member of a group whose offsets live in our database.

``member`` is a name that survives a restart (static membership, KIP-345): a hub that was killed takes
its partitions back at once instead of after the session time-out.

Every partition that becomes ours is sought to the database's offset (aiokafka's documented pattern
for offsets stored outside Kafka; ``auto_offset_reset="none"``: never a silent jump). ``getmany``, not
``async for``, which swallows RecordTooLargeError and skips the record (aiokafka issue 1173). A
watchdog replaces a consumer that is behind and gets nothing for a minute (issue 1154).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Collection

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    RecordTooLargeError,
)

from store.errors import HubError, TransientError
from store.journal import Batch, Positions
from store.model import Record, Sequenced

log = logging.getLogger(__name__)

STUCK_S = 60.0
REBUILDS = 3


class JournalLostError(HubError):
    """The broker no longer has what the stored offset points to: somebody must decide."""


class _Seeker(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, follower: KafkaFollower) -> None:
        self._follower = follower

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Whatever was fetched and not applied is fenced by the offset's compare-and-set."""

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        await self._follower.place(assigned)


class KafkaFollower:
    """One group member on one topic."""

    def __init__(
        self,
        *,
        servers: list[str],
        topic: str,
        broker_topic: str,
        group: str,
        positions: Positions,
        member: str = "",
        stuck_s: float = STUCK_S,
    ) -> None:
        self._servers = servers
        self._topic = topic
        self._broker_topic = broker_topic
        self._group = group
        self._positions = positions
        self._member = member
        self._stuck_s = stuck_s
        self._consumer: AIOKafkaConsumer | None = None
        self._moved = time.monotonic()
        self._rebuilds = 0
        self._lost = ""

    async def start(self) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._servers,
            group_id=self._group,
            group_instance_id=self._member or None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            session_timeout_ms=30_000,
            heartbeat_interval_ms=3_000,
            max_poll_interval_ms=300_000,
            request_timeout_ms=40_000,
            metadata_max_age_ms=30_000,
        )
        self._consumer = consumer
        try:
            await consumer.start()
            consumer.subscribe([self._broker_topic], listener=_Seeker(self))
        except KafkaError as error:
            await self.stop()
            msg = f"journal: no broker answers ({type(error).__name__})"
            raise TransientError(msg, retry_after_s=2) from error
        self._moved = time.monotonic()

    async def stop(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with contextlib.suppress(TimeoutError, KafkaError):
                await asyncio.wait_for(consumer.stop(), 8)

    async def place(self, assigned: Collection[TopicPartition]) -> None:
        """Go where the database says; called by the engine on each assignment."""
        consumer = self._consumer
        if consumer is None or not assigned:
            return
        ends = await consumer.end_offsets(list(assigned))
        for tp in assigned:
            offset = await self._positions(self._topic, tp.partition)
            if offset is None:
                await consumer.seek_to_beginning(tp)
            elif ends[tp] < offset:
                self._lost = (
                    f"journal: {tp.topic}/{tp.partition} ends at {ends[tp]} but {self._group} had read to "
                    f"{offset}: the topic was wiped or made anew; "
                    "see docs/operations.md, A journal that was lost"
                )
            else:
                consumer.seek(tp, offset)

    async def fetch(self, limit: int, timeout_s: float) -> list[Batch]:
        if self._consumer is None:
            await self.start()
        if self._lost:
            raise JournalLostError(self._lost)
        consumer = self._consumer
        try:
            found = await consumer.getmany(timeout_ms=int(timeout_s * 1000), max_records=limit)  # type: ignore[union-attr]
        except NoOffsetForPartitionError:
            await asyncio.sleep(0.05)  # the seek of a fresh assignment has not landed yet
            return []
        except (OffsetOutOfRangeError, RecordTooLargeError) as error:
            raise JournalLostError(
                f"journal: {self._topic}: {error}; see docs/operations.md, A journal that was lost"
            ) from error
        except KafkaError as error:
            raise TransientError(f"journal: {type(error).__name__}", retry_after_s=1) from error
        batches = [
            Batch(tp.partition, tuple(_sequenced(m) for m in messages))
            for tp, messages in found.items()
            if messages
        ]
        if batches:
            self._moved, self._rebuilds = time.monotonic(), 0
        elif self._stuck_s < time.monotonic() - self._moved:
            await self._watch()
        return batches

    async def commit(self, part: int, offset: int) -> None:
        if self._consumer is not None:
            with contextlib.suppress(CommitFailedError, IllegalStateError, KafkaError):
                await self._consumer.commit({TopicPartition(self._broker_topic, part): offset})

    async def seek(self, part: int, offset: int) -> None:
        if self._consumer is not None:
            with contextlib.suppress(IllegalStateError, AssertionError):
                self._consumer.seek(TopicPartition(self._broker_topic, part), offset)

    async def lag(self) -> int:
        consumer = self._consumer
        if consumer is None or not consumer.assignment():
            return 0
        mine = list(consumer.assignment())
        ends = await asyncio.wait_for(consumer.end_offsets(mine), 10)
        behind = 0
        for tp in mine:
            behind += max(0, ends[tp] - await consumer.position(tp))
        return behind

    async def _watch(self) -> None:
        """Behind and nothing comes: build a new consumer, and give up after three."""
        try:
            behind = await self.lag()
        except (KafkaError, TimeoutError):
            behind = 1
        self._moved = time.monotonic()
        if not behind:
            return
        self._rebuilds += 1
        log.error("consumer stuck", extra={"event": "consumer_rebuilt", "topic": self._topic})
        await self.stop()
        if self._rebuilds > REBUILDS:
            raise JournalLostError(
                f"journal: {self._topic}: stuck after {REBUILDS} new consumers; restart the hub"
            )
        await self.start()


def _sequenced(message: object) -> Sequenced:
    m: object = message
    headers = dict(m.headers)  # type: ignore[attr-defined]
    record_id = headers.get("id", b"").decode()
    key = (m.key or b"").decode()  # type: ignore[attr-defined]
    return Sequenced(m.offset, Record(record_id, key, m.value or b""))  # type: ignore[attr-defined]
