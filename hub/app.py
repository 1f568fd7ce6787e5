"""Wiring: from settings to a hub whose rooms know each other only through topics and tables."""

from __future__ import annotations

import asyncio
import logging
import secrets
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from classify.worker import ClassifyWorker
from hub.channels import Channels
from hub.city import City
from hub.http import GuardedHttp
from hub.models import Models
from hub.reload import Marks, Reloader, State
from hub.reporting import Reporting
from hub.routing import Routing
from hub.runner import Runner
from hub.scheduler import keep_all
from hub.settings import Settings
from hub.telemetry import Telemetry
from hub.trends import Trends
from ingest.admit import Admission
from ingest.answering import Answering
from ingest.photos import Photos
from ingest.poller import Poller
from ingest.protocol import Polled
from ingest.sealing import Sealer
from router.notify.stranded import stranded
from store.answers import Answers
from store.consumer import Consumer, Handler
from store.db import Database
from store.dead import DeadLetters
from store.errors import ConfigError
from store.journal import Journal
from store.journal.kafka import KafkaJournal
from store.journal.sqlite import SqliteJournal
from store.leases import hold, release
from store.lock import FileLock
from store.migrate import migrate
from store.outbox import Outbox, relay
from store.search import Indexer
from store.vault import Vault, load_master

log = logging.getLogger(__name__)

ROOMS = ("ingest", "classify", "router", "desk")
SINGLETONS = (
    "relay", "deliver", "supervise", "assess", "tally", "trends", "reports", "poll", "photos", "answers", "search",
)  # fmt: skip
"""Loops only one of several hubs runs, by their leases."""

RENEW_S = 5.0
WATCH_S = 2.0
SWITCH_S = 0.0005
"""How long the classifier's thread may hold the interpreter while the loop and the writer wait."""


def now_utc() -> datetime:
    """The clock of a live hub."""
    return datetime.now(UTC)


class Hub:
    """One process's hub. ``open`` connects, ``start`` runs rooms, ``close`` ends within 10 s."""

    def __init__(
        self,
        settings: Settings,
        city: City,
        data: Path,
        *,
        clock: Callable[[], datetime] = now_utc,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.settings = settings
        self.city = city
        self.data = data
        self.clock = clock
        self.progress = progress
        self.zone: ZoneInfo = settings.city.zone
        self.telemetry = Telemetry()
        self.runner = Runner()
        self.http = GuardedHttp(settings.net.allow)
        self.db = Database(settings.database_url or f"sqlite:///{data / 'minsheng.db'}")
        self._node = FileLock(data / "node.lock")
        self.embedded = not settings.journal_url
        self.journal: Journal = (
            SqliteJournal(self.db)
            if self.embedded
            else KafkaJournal(settings.journal_url, member=self._member())
        )
        self.outbox = Outbox(embedded=self.embedded)
        self.vault = Vault(
            load_master(settings.master_key.get_secret_value(), data / "keys" / "master.key")
        )
        self.dead = DeadLetters(self.db, self.vault, self.outbox)
        self.admission = Admission(
            db=self.db,
            vault=self.vault,
            outbox=self.outbox,
            dead=self.dead,
            zone=self.zone,
            clock=clock,
            observe=self.telemetry.observe,
        )
        self.channels = Channels(settings, self.http, clock)
        self.answers = Answers(tuple(self.channels.speakers), is_sqlite=self.db.is_sqlite)
        self.poller = Poller(
            db=self.db, admission=self.admission, clock=clock, gauge=self.telemetry.gauge
        )
        self.routing = Routing(
            db=self.db,
            outbox=self.outbox,
            answers=self.answers,
            vault=self.vault,
            dead=self.dead,
            http=self.http,
            settings=settings,
            city=city,
            clock=clock,
            observe=self.telemetry.observe,
        )
        self.commands = self.routing.commands
        self.trends = Trends(self.db, city, self.zone, channels=settings.channels, clock=clock)
        self.reporting = Reporting(
            db=self.db,
            http=self.http,
            numbers=self.trends.numbers,
            settings=settings,
            city=city,
            names=self.routing.names,
            speech=self.routing.speech,
            clock=clock,
        )
        self.consumers: dict[str, Consumer] = {}
        self.classifier: ClassifyWorker | None = None
        self.adopters: list[Callable[[City], None]] = []
        self.reloader: Reloader | None = None
        self.models = Models(
            home=data / "models", taxonomy=city.taxonomy, language=city.language, progress=progress
        )
        self.ready = False
        self.backlog = 0

    def _member(self) -> str:
        """This data folder's lasting name among hubs; none while another process here uses it."""
        self.data.mkdir(parents=True, exist_ok=True)
        try:
            self._node.acquire()
        except ConfigError:
            return ""
        path = self.data / "node"
        if not path.exists():
            path.write_text(secrets.token_hex(8), encoding="ascii")
        return path.read_text(encoding="ascii").strip()

    async def open(self) -> None:
        """Connect to database and journal and bring the schema up to date."""
        sys.setswitchinterval(SWITCH_S)
        self.routing.endpoints()
        self.reporting.open()
        await self.db.open()
        try:
            before, after = await migrate(self.db)
            if before != after:
                self.progress(f"schema {before or 'empty'} → {after}")
            await self.journal.open()
        except BaseException:
            await self.db.close()
            raise

    async def start(self, rooms: tuple[str, ...] = ROOMS) -> None:
        """Start the loops of the named rooms."""
        if not self.embedded:
            self._singleton("relay", partial(relay, self.db, self.journal))
        if "ingest" in rooms:
            self._start_ingest()
        if "classify" in rooms:
            await self._start_classify()
        if "router" in rooms:
            self._start_router()
        self.runner.start("watch", self._watch)
        self.telemetry.gauge("config_ok", "hub", 1)
        if self.reloader is not None:
            self.runner.start("configs", self.reloader.run)
        self.telemetry.gauge("up", "hub", self.clock().timestamp())
        self.ready = True

    def watch_configs(
        self, configs: Path, read: Callable[[], City], marks: Marks, digests: Marks
    ) -> Reloader:
        """Follow the folder, whose files were as ``marks`` and ``digests`` say when ``city`` was read."""
        self.reloader = Reloader(
            configs=configs,
            read=read,
            adopt=self.adopt,
            count=self.stranded,
            tell=self._tell_configs,
            city=self.city,
            marks=marks,
            digests=digests,
        )
        return self.reloader

    async def adopt(self, city: City) -> None:
        """Put ``city`` into force between two decisions, all of it or, on ConfigError, nothing."""
        put, report = self.routing.adopting(city), self.reporting.adopting(city)
        async with self.db.turns.alone():
            self.city = city
            put()
            report()
            self.trends.adopt(city)
            if self.classifier is not None:
                self.classifier.adopt(city.gazetteer)
            for follow in self.adopters:
                follow(city)
        self.db.pulse.wake({"desk", "supervision", "deliveries"})

    async def stranded(self) -> dict[str, int]:
        """Messages that wait for an endpoint the configuration has no more, by its key."""
        return await stranded(self.db, self.routing.endpoints())

    def notices(self) -> list[str]:
        """What people at the desk must know of the configuration."""
        reloader = self.reloader
        return reloader.state.sentences(self.routing.offices) if reloader is not None else []

    def _tell_configs(self, state: State) -> None:
        self.telemetry.gauge("config_ok", "hub", 0 if state.refused else 1)
        self.db.pulse.wake({"desk"})

    async def _watch(self) -> None:
        """Know how far each group is behind, for the metrics and for who asks to come in."""
        while True:
            for group, consumer in self.consumers.items():
                behind = await consumer.follower.lag()
                self.telemetry.gauge("lag", group, behind)
                if group == "classify":
                    self.backlog = behind
            await asyncio.sleep(WATCH_S)

    async def _start_classify(self) -> None:
        engines = await self.models.open()
        worker = ClassifyWorker(
            db=self.db,
            outbox=self.outbox,
            engines=engines,
            gazetteer=self.city.gazetteer,
            clock=self.clock,
            observe=self.telemetry.observe,
        )
        self.classifier = worker
        self._follow(worker, after=engines.in_use.ready)
        follow = partial(self.models.follow, self.db, self.telemetry, self.clock)
        self.runner.start("models", follow)

    def _start_router(self) -> None:
        for handler in self.routing.handlers():
            self._follow(handler)
        self._singleton("deliver", self.routing.deliverer().run)
        self._singleton("supervise", self.routing.supervisor().run)
        self._singleton("assess", partial(keep_all, {"assess": self.routing.reckoner.monthly}))
        self._singleton("tally", self.trends.count)
        self._singleton("trends", self.trends.watch)
        jobs = {"drafts": self.reporting.drafts, "alerts": self.reporting.alerts}
        self._singleton("reports", partial(keep_all, jobs))

    def _start_ingest(self) -> None:
        self._singleton("poll", self._poll_all)
        self._singleton("photos", self.photos().run)
        self._singleton("answers", self.answering().run)
        self._singleton("search", Indexer(self.db).run)

    async def _poll_all(self) -> None:
        """Ask every polled source at its own pace until the lease is lost."""
        polls = {source.channel: partial(self._poll, source) for source in self.channels.polled}
        await keep_all(polls)

    async def _poll(self, source: Polled) -> float:
        return (await self.poller.poll(source)).wait_s

    def author_key(self, channel: str) -> Callable[[str], str]:
        """What turns a channel's user ids into the pseudonyms kept with items."""
        return partial(Sealer(self.vault).author_key, channel)

    def photos(self) -> Photos:
        """The fetcher of what messages refer to."""
        return Photos(
            db=self.db,
            vault=self.vault,
            dead=self.dead,
            http=self.http,
            doors=self.channels.doors,
            sources=self.channels.media,
            clock=self.clock,
            observe=self.telemetry.observe,
        )

    def answering(self) -> Answering:
        """The sender to citizens."""
        return Answering(
            db=self.db,
            vault=self.vault,
            speakers=self.channels.speakers,
            offices=self.routing.offices,
            zone=self.zone,
            clock=self.clock,
            observe=self.telemetry.observe,
        )

    async def close(self) -> None:
        """Stop loops, give leases back, disconnect."""
        self.ready = False
        await self.runner.stop()
        self.models.close()
        with suppress(Exception):
            for name in SINGLETONS:
                await release(self.db, name)
        await self.http.close()
        await self.journal.close()
        await self.db.close()
        self._node.release()

    def _follow(
        self, handler: Handler, *, after: Callable[[], Coroutine[Any, Any, None]] | None = None
    ) -> None:
        """Run the handler; a slow start (``after``) must not count as work on the first record."""
        consumer = Consumer(
            self.db, self.journal, handler, self.dead, batch=self.settings.classify_batch
        )
        self.consumers[handler.group] = consumer

        async def loop() -> None:
            if after is not None:
                await after()
            await consumer.run()

        self.runner.start(handler.group, loop)

    def _singleton(self, name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.runner.start(name, partial(self.with_lease, name, loop))

    async def with_lease(self, name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run ``loop`` only while this hub holds the lease ``name``."""
        while not await hold(self.db, name, self.clock()):  # noqa: ASYNC110 - asks the database
            await asyncio.sleep(RENEW_S)
        running = asyncio.create_task(loop())
        try:
            while not running.done():
                await asyncio.wait([running], timeout=RENEW_S)
                if not running.done() and not await hold(self.db, name, self.clock()):
                    log.warning("lease lost", extra={"event": "lease_lost", "lease": name})
                    return
            await running
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
