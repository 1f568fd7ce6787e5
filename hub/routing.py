"""The router's part of a hub: rules, clocks, commands, followers and senders, wired for one city."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from hub.city import City
from hub.names import Names
from hub.settings import Settings
from router.assessment import Units
from router.clocking import Timekeeper
from router.commands import build_commands
from router.deadlines import Clocks
from router.duplicates import JoinWorker
from router.filing import Filer
from router.grouping import Finder
from router.keeping import KeyWorker
from router.ledger import Ledger
from router.notify.callbacks import Callbacks
from router.notify.contacts import Contacts
from router.notify.endpoints import build_endpoints, build_senders
from router.notify.links import Links
from router.notify.senders import Endpoint
from router.notify.words import Speech
from router.notify.worker import Deliverer, NoticeWorker
from router.planning import Planner
from router.reckoning import Reckoner
from router.replies import Replies
from router.similarity import Matcher
from router.supervision import Schedule
from router.supervisor import Supervisor, build_issuer, build_supervisor
from router.worker import RouterWorker
from store.answers import Answers
from store.consumer import Handler
from store.db import Database
from store.dead import DeadLetters
from store.model import Record
from store.outbox import Outbox
from store.ports import Http
from store.tables import T
from store.vault import Vault


@dataclass(frozen=True)
class _Following:
    """The followers and loops that were started, for what changes under them."""

    notices: list[NoticeWorker]
    supervisors: list[Supervisor]
    deliverers: list[Deliverer]


class _Grouping(JoinWorker):
    """Keeps keys; joins what is certainly one matter while the city wants that."""

    async def prepare(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        if self._finder.automatic:
            return await super().prepare(records)
        return await KeyWorker.prepare(self, records)


class Routing:
    """Everything the room ``router`` runs and offers."""

    def __init__(
        self,
        *,
        db: Database,
        outbox: Outbox,
        answers: Answers,
        vault: Vault,
        dead: DeadLetters,
        http: Http,
        settings: Settings,
        city: City,
        clock: Callable[[], datetime],
        observe: Callable[[str, str, int], None],
    ) -> None:
        self._db = db
        self._outbox = outbox
        self._vault = vault
        self._answers = answers
        self._dead = dead
        self._http = http
        self._settings = settings
        self._city = city
        self._clock = clock
        self._observe = observe
        self._zone: ZoneInfo = settings.city.zone
        self._following = _Following([], [], [])
        self.names = Names(city.taxonomy.names | city.directory.names)
        self.offices = Names(city.directory.names)
        self.speech = Speech(self.names, self._zone)
        self._planner = Planner(city.router, Timekeeper(city.deadlines, self._zone))
        self.filer = Filer(
            planner=self._planner,
            prefix=settings.city.prefix,
            clock=clock,
            hold_s=city.lifecycle.hold_s,
        )
        ledger = Ledger(db=db, outbox=outbox, answers=answers, clock=clock)
        self.commands = build_commands(ledger, self._planner, city.lifecycle, vault)
        self.finder = Finder(db, _matcher(city), T.case_keys)
        self.replies = Replies(db, clock)
        self.links = Links(vault, base_url=settings.public_url, clock=clock)
        self.reckoner = Reckoner(
            db=db,
            assessment=city.assessment,
            units=Units(city.directory),
            clocks=Clocks(city.deadlines, self._zone),
            zone=self._zone,
            clock=clock,
        )
        self.webhooks: dict[str, str] = {}
        self.secrets: dict[str, str] = {
            name: secret.get_secret_value() for name, secret in settings.webhook_secrets.items()
        }

    def adopting(self, city: City) -> Callable[[], None]:
        """What puts ``city`` into force: it does all that can fail now and nothing that can fail later.

        Raises ConfigError when an office's endpoint lacks a setting. Labels are those of the hub's start:
        the taxonomy must not have changed.
        """
        endpoints = self.endpoints(city)
        timekeeper = Timekeeper(city.deadlines, self._zone)
        matcher = _matcher(city)
        schedule = self._schedule(city)
        issuer = build_issuer(self._outbox, schedule, self.names)
        names = city.taxonomy.names | city.directory.names
        units, clocks = Units(city.directory), Clocks(city.deadlines, self._zone)

        def adopt() -> None:
            self._city = city
            self._planner.adopt(city.router, timekeeper)
            self.filer.hold_s = city.lifecycle.hold_s
            self.commands.adopt(city.lifecycle)
            self.finder.adopt(matcher)
            self.reckoner.adopt(city.assessment, units, clocks)
            self.names.adopt(names)
            self.offices.adopt(city.directory.names)
            for follower in self._following.notices:
                follower.adopt(endpoints)
            for deliverer in self._following.deliverers:
                deliverer.adopt(endpoints)
            for one in self._following.supervisors:
                one.adopt(schedule, issuer, city.directory.chain, city.directory.names)

        return adopt

    def handlers(self) -> list[Handler]:
        """What follows the journal's topics."""
        notices = NoticeWorker(db=self._db, endpoints=self.endpoints(), clock=self._clock)
        self._following.notices.append(notices)
        return [
            RouterWorker(
                db=self._db,
                outbox=self._outbox,
                answers=self._answers,
                filer=self.filer,
                clock=self._clock,
                observe=self._observe,
            ),
            _Grouping(
                db=self._db,
                finder=self.finder,
                cases=self.commands.joining,
                clock=self._clock,
            ),
            notices,
        ]

    def supervisor(self) -> Supervisor:
        """The sweep over what is late."""
        made = build_supervisor(
            db=self._db,
            outbox=self._outbox,
            schedule=self._schedule(self._city),
            names=self.names,
            superiors=self._city.directory.chain,
            clock=self._clock,
            offices=self._city.directory.names,
        )
        self._following.supervisors.append(made)
        return made

    def _schedule(self, city: City) -> Schedule:
        return Schedule(city.ladder, city.deadlines, self._zone)

    def deliverer(self) -> Deliverer:
        """The sender over this hub's endpoints."""
        made = Deliverer(
            db=self._db,
            http=self._http,
            dead=self._dead,
            endpoints=self.endpoints(),
            senders=build_senders(speech=self.speech, clock=self._clock, mail=self._settings.mail),
            clock=self._clock,
            observe=self._observe,
            link=self.links.url,
            contacts=Contacts(self._db, self._vault, self._clock),
        )
        self._following.deliverers.append(made)
        return made

    def endpoints(self, city: City | None = None) -> dict[str, Endpoint]:
        """Every way to every office of ``city``, else of the city in force; ConfigError names what is missing.

        ``webhooks`` goes before the directory's.
        """
        directory = (city or self._city).directory
        return build_endpoints(
            directory,
            webhooks=directory.webhooks | self.webhooks,
            secrets=self.secrets,
            robots=self._settings.robots,
            mail=self._settings.mail,
        )

    def callbacks(self) -> Callbacks:
        """The routes on which offices answer."""
        return Callbacks(
            db=self._db,
            commands=self.commands,
            links=self.links,
            secrets=self.secrets,
            speech=self.speech,
            clock=self._clock,
        )


def _matcher(city: City) -> Matcher:
    return Matcher(city.grouping, city.spots(), city.taxonomy.names)
