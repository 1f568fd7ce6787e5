"""The router's part of a hub: rules, clocks, commands, followers and senders, wired for one city."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.city import City
from hub.settings import Settings
from router.clocking import Timekeeper
from router.commands import build_commands
from router.duplicates import JoinWorker
from router.filing import Filer
from router.grouping import Finder
from router.keeping import KeyWorker
from router.ledger import Ledger
from router.notify.callbacks import Callbacks
from router.notify.endpoints import build_endpoints, build_senders
from router.notify.links import Links
from router.notify.senders import Endpoint
from router.notify.words import Speech
from router.notify.worker import Deliverer, NoticeWorker
from router.planning import Planner
from router.replies import Replies
from router.similarity import Matcher
from router.supervision import Schedule
from router.supervisor import Supervisor, build_supervisor
from router.worker import RouterWorker
from store.answers import Answers
from store.consumer import Handler
from store.db import Database
from store.dead import DeadLetters
from store.outbox import Outbox
from store.ports import Http
from store.tables import T
from store.vault import Vault


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
        self._answers = answers
        self._dead = dead
        self._http = http
        self._settings = settings
        self._city = city
        self._clock = clock
        self._observe = observe
        self._zone: ZoneInfo = settings.city.zone
        self._planner = Planner(city.router, Timekeeper(city.deadlines, self._zone))
        self.filer = Filer(
            planner=self._planner,
            prefix=settings.city.prefix,
            clock=clock,
            hold_s=city.lifecycle.hold_s,
        )
        ledger = Ledger(db=db, outbox=outbox, answers=answers, clock=clock)
        self.commands = build_commands(ledger, self._planner, city.lifecycle)
        matcher = Matcher(city.grouping, city.spots(), city.taxonomy.names)
        self.finder = Finder(db, matcher, T.case_keys)
        self.replies = Replies(db, clock)
        self.links = Links(vault, base_url=settings.public_url, clock=clock)
        self.webhooks: dict[str, str] = dict(city.directory.webhooks)
        self.secrets: dict[str, str] = {
            name: secret.get_secret_value() for name, secret in settings.webhook_secrets.items()
        }

    @property
    def names(self) -> dict[str, str]:
        """What labels and offices are called on screen."""
        return self._city.taxonomy.names | self._city.directory.names

    @property
    def speech(self) -> Speech:
        """How messages to offices name things and times."""
        return Speech(self.names, self._zone)

    def handlers(self) -> list[Handler]:
        """What follows the journal's topics."""
        return [
            RouterWorker(
                db=self._db,
                outbox=self._outbox,
                answers=self._answers,
                filer=self.filer,
                clock=self._clock,
                observe=self._observe,
            ),
            self._grouping(),
            NoticeWorker(db=self._db, endpoints=self.endpoints(), clock=self._clock),
        ]

    def _grouping(self) -> KeyWorker:
        """Keeps keys; joins what is certainly one matter where the city wants that."""
        if not self._city.grouping.automatic:
            return KeyWorker(self.finder)
        joining = self.commands.joining
        return JoinWorker(db=self._db, finder=self.finder, cases=joining, clock=self._clock)

    def supervisor(self) -> Supervisor:
        """The sweep over what is late."""
        return build_supervisor(
            db=self._db,
            outbox=self._outbox,
            schedule=Schedule(self._city.ladder, self._city.deadlines, self._zone),
            names=self.names,
            superiors=self._city.directory.chain,
            clock=self._clock,
        )

    def deliverer(self) -> Deliverer:
        """The sender over this hub's endpoints."""
        return Deliverer(
            db=self._db,
            http=self._http,
            dead=self._dead,
            endpoints=self.endpoints(),
            senders=build_senders(speech=self.speech, clock=self._clock, mail=self._settings.mail),
            clock=self._clock,
            observe=self._observe,
            link=self.links.url,
        )

    def endpoints(self) -> dict[str, Endpoint]:
        """Every way to every office; ConfigError names what is missing."""
        return build_endpoints(
            self._city.directory,
            webhooks=self.webhooks,
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
