"""The Kafka journal: the one door to aiokafka for writing, and the topics.

``kafka://host:port[,host:port…][/prefix][?replicas=3]``. acks=all, an idempotent producer unless the
broker can not (``?idempotence=off``), every send awaited: ``append`` returns once the broker has all of it. A
time-out is an unknown outcome: the caller repeats the same records, and consumers drop the twins.
No Kafka transactions: docs/decisions/0003 says why.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from store.errors import ConfigError, TransientError
from store.journal import Positions
from store.journal.kafka_follower import KafkaFollower
from store.model import TOPICS, Record

log = logging.getLogger(__name__)

PARTITIONS = 6
IN_FLIGHT = 1000
CONNECT_S = 10.0
SEND_S = 60.0


class KafkaJournal:
    """One producer, and followers on demand."""

    def __init__(
        self,
        url: str,
        *,
        partitions: int = PARTITIONS,
        connect_s: float = CONNECT_S,
        member: str = "",
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "kafka" or not parts.netloc:
            msg = f"journal: journal_url {url!r} is not kafka://host:port; correct it"
            raise ConfigError(msg)
        self.servers = parts.netloc.split(",")
        self.prefix = parts.path.strip("/") or "minsheng"
        options = parse_qs(parts.query)
        self.idempotent = options.get("idempotence", ["on"])[0] != "off"
        self._replicas = int(options.get("replicas", ["1"])[0])
        self._partitions = partitions
        self._connect_s = connect_s
        self._member = member
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()

    def topic(self, name: str) -> str:
        """The broker's name of one of our topics."""
        return f"{self.prefix}.{name}"

    async def open(self) -> None:
        try:
            async with asyncio.timeout(self._connect_s):
                await self._create_topics()
                self._producer = await self._new_producer()
        except (KafkaError, OSError, TimeoutError) as error:
            msg = (
                f"journal: journal_url: no Kafka broker answers at {','.join(self.servers)} "
                f"({type(error).__name__}); start it or correct the address"
            )
            raise ConfigError(msg) from error

    async def close(self) -> None:
        if self._producer is not None:
            with contextlib.suppress(TimeoutError, KafkaError):
                await asyncio.wait_for(self._producer.stop(), 8)
            self._producer = None

    async def append(self, topic: str, records: Sequence[Record]) -> None:
        for start in range(0, len(records), IN_FLIGHT):
            await self._append(topic, records[start : start + IN_FLIGHT])

    async def _append(self, topic: str, records: Sequence[Record]) -> None:
        producer = await self._ready()
        name = self.topic(topic)
        try:
            async with asyncio.timeout(SEND_S):
                sent = [
                    await producer.send(
                        name, r.payload, key=r.key.encode(), headers=[("id", r.id.encode())]
                    )
                    for r in records
                ]
                await asyncio.gather(*sent)
        except (KafkaError, TimeoutError) as error:
            if not getattr(error, "retriable", False):
                await self._drop(producer)
            msg = f"journal: the broker did not take records for {topic} ({type(error).__name__})"
            raise TransientError(msg, retry_after_s=1) from error

    def follow(self, topic: str, group: str, positions: Positions) -> KafkaFollower:
        return KafkaFollower(
            servers=self.servers,
            topic=topic,
            broker_topic=self.topic(topic),
            group=f"{self.prefix}.{group}",
            member=f"{self._member}.{group}" if self._member else "",
            positions=positions,
        )

    async def _ready(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._producer is None:
                try:
                    async with asyncio.timeout(self._connect_s):
                        self._producer = await self._new_producer()
                except (KafkaError, OSError, TimeoutError) as error:
                    msg = f"journal: no broker answers ({type(error).__name__})"
                    raise TransientError(msg, retry_after_s=2) from error
            return self._producer

    async def _drop(self, producer: AIOKafkaProducer) -> None:
        """A producer that failed for good is replaced at the next append."""
        if self._producer is producer:
            self._producer = None
        with contextlib.suppress(TimeoutError, KafkaError):
            await asyncio.wait_for(producer.stop(), 5)

    async def _new_producer(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self.servers,
            acks="all",
            enable_idempotence=self.idempotent,
            linger_ms=5,
            max_batch_size=131_072,
            request_timeout_ms=15_000,
            metadata_max_age_ms=30_000,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    async def _create_topics(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.servers, request_timeout_ms=10_000)
        try:
            await admin.start()
            wanted = [
                NewTopic(self.topic(name), self._partitions, self._replicas) for name in TOPICS
            ]
            answer = await admin.create_topics(wanted)
            for topic, code, *_ in answer.topic_errors:
                failure = for_code(code)
                if code and failure is not TopicAlreadyExistsError:
                    msg = f"{topic}: {failure.__name__}"
                    raise KafkaError(msg)
        finally:
            await admin.close()
