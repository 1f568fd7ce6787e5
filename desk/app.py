"""The desk's pages and their API: login, the dispatch queue, the departments' inbox, a receipt query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from desk.accounts import Accounts, User
from desk.admin import Backstage
from desk.admin.section import Admin
from desk.asking import Asking
from desk.assessment import AssessmentPage
from desk.bulk import Bulk
from desk.canned import CannedTexts, Standing
from desk.claims import Claims
from desk.deciding import Deciding
from desk.doing import Doing
from desk.events import Events
from desk.exposure import exposure_form
from desk.failing import Failing
from desk.imports import Imports
from desk.inbox import Inbox
from desk.initials import initials
from desk.instruction import instruction_form
from desk.looking import Looking
from desk.order_photos import OrderPhotos
from desk.pages import HOME, MARK, Pages, Section, body_of, require
from desk.photos import Photos
from desk.queue import VIEWS
from desk.reports.keeping import Bulletins
from desk.reports.section import Reports
from desk.revealing import NoteBody, Reveals
from desk.security import SESSION, dress
from desk.settings import AccountsConfig
from desk.similar import Similar
from desk.sources import Sources
from desk.staff import Staff
from desk.tasks import TaskPage
from desk.trends.board import Boards
from desk.trends.bookboard import Books
from desk.trends.campaigns import Campaigns
from desk.trends.section import TrendsPage
from desk.trends.standing import Standings
from desk.trends.telling import Stories
from desk.trends.topics import TopicsPage
from desk.views import SavedViews
from ingest.admit import Admission
from ingest.connectors.lists import Lists
from router.charges import Charges
from router.commands import Commands
from router.departments import Directory
from router.grouping import Finder
from router.ladder import LEVEL_NAMES, Level
from router.reckoning import Reckoner
from router.replies import Replies
from router.supervisor import Supervisor
from router.trends.behind import Evidence
from router.trends.book import TargetBook
from router.trends.curating import Curation
from router.trends.numbers import Numbers
from router.trends.places import PlaceLedger
from router.trends.settings import TrendSettings
from router.trends.targets import Targets
from router.trends.topics import Topics
from router.workflow import ORDER_STATUS_NAMES, STATUS_NAMES
from store.config import Taxonomy
from store.db import Database
from store.ports import Http
from store.receipts import Receipts
from store.vault import Vault


class Desk:
    """Everything people see. ``mount`` adds it to the hub's server; ``offices`` are names that may change."""

    def __init__(
        self,
        *,
        db: Database,
        vault: Vault,
        commands: Commands,
        city: str,
        taxonomy: Taxonomy,
        directory: Directory,
        charges: Charges,
        replies: Replies,
        reckoner: Reckoner,
        numbers: Numbers,
        trends: TrendSettings,
        bulletins: Bulletins,
        supervisor: Supervisor,
        admission: Admission,
        sources: Sequence[tuple[str, str]],
        lists: Mapping[str, Lists],
        finder: Finder,
        zone: ZoneInfo,
        channels: Mapping[str, str],
        rules: Mapping[str, str],
        clock: Callable[[], datetime],
        secure: bool = False,
        demo: bool = False,
        offices: Mapping[str, str] | None = None,
        notices: Callable[[], Sequence[str]] = tuple,
        canned: Sequence[Standing] = (),
        people: AccountsConfig | None = None,
        http: Http | None = None,
        public_url: str = "",
        backstage: Backstage | None = None,
        topics: Topics | None = None,
        geojson: Mapping[str, Any] | None = None,
        book: TargetBook | None = None,
    ) -> None:
        self._db = db
        self._commands = commands
        self._taxonomy = taxonomy
        self._directory = directory
        self._zone = zone
        self._channels = dict(channels)
        self._rules = dict(rules)
        self._clock = clock
        self._reveals = Reveals(db, vault, clock=clock)
        self.accounts = Accounts(db, clock=clock)
        self.events = Events(db)
        self._pages = Pages(city=city, zone=zone, demo=demo, clock=clock, notices=notices)
        staff = Staff(
            db,
            vault,
            self.accounts,
            self._pages,
            config=people,
            http=http,
            public_url=public_url,
            hub_name=city,
            secure=secure,
            clock=clock,
        )
        self._guard = staff.guard
        shown = self._offices = directory.names if offices is None else offices
        self._looking = Looking(
            db,
            commands,
            taxonomy,
            directory,
            charges,
            rules=rules,
            offices=shown,
            clock=clock,
        )
        claims = Claims(db, self._looking.scope, clock=clock)
        doing = Doing(db, commands, taxonomy, claims, clock=clock)
        self._stories = Stories(
            db, numbers, topics or Topics(), areas=_areas(directory), channels=channels
        )
        self._trends = TrendsPage(
            db,
            self._pages,
            numbers,
            Evidence(db, directory.places, clock=clock),
            Boards(
                numbers,
                taxonomy,
                directory,
                channels=channels,
                offices=shown,
                settings=trends.bursts,
            ),
            self._stories,
            settings=trends,
            public_url=public_url,
            geojson=geojson,
        )
        self._ledger = PlaceLedger(
            db,
            charges=charges,
            repeat_days=reckoner.assessment.repeat_days,
            zone=zone,
            clock=clock,
        )
        self._more: list[Section] = [
            *staff.sections,
            Admin(
                db,
                self._pages,
                lambda: self._directory,
                backstage,
                offices=shown,
                zone=zone,
                clock=clock,
            ),
            self._looking,
            SavedViews(db, clock=clock),
            Sources(db, self._pages, channels=sources, names=channels, clock=clock),
            exposure_form(self._pages, admission, zone),
            Imports(db, self._pages, admission, lists, names=channels, clock=clock),
            Photos(db, vault, clock=clock),
            Similar(db, finder, self._looking.scope, clock=clock),
            Asking(self._pages, Receipts(db, vault), commands, shown),
            claims,
            CannedTexts(db, canned, clock=clock),
            Deciding(db, commands, taxonomy, supervisor, doing),
            Bulk(doing),
            AssessmentPage(db, self._pages, reckoner, zone=zone, clock=clock),
            self._trends,
            TopicsPage(
                db,
                self._pages,
                self._stories,
                Curation(db, zone=zone, clock=clock),
                self._ledger,
                names=taxonomy.names,
            ),
            Reports(db, self._pages, bulletins, zone=zone, public_url=public_url),
            self._campaigns(
                book or TargetBook(db, numbers, Targets(), directory, clock=clock), numbers, topics
            ),
            TaskPage(db, self._pages, commands, shown),
            instruction_form(self._pages, admission, zone, clock),
            OrderPhotos(db, vault, clock=clock),
            Inbox(
                db,
                self._pages,
                commands,
                replies,
                self._reveals,
                self.events,
                taxonomy=taxonomy,
                offices=shown,
                zone=zone,
                clock=clock,
            ),
        ]

    def _campaigns(self, book: TargetBook, numbers: Numbers, topics: Topics | None) -> Campaigns:
        """The responsibility book."""
        standings = Standings(self._db, book, self._offices)
        books = Books(standings, numbers, self._taxonomy, topics or Topics())
        return Campaigns(self._pages, standings, books, numbers)

    def adopt(self, directory: Directory, charges: Charges, rules: Mapping[str, str]) -> None:
        """Show these offices, duties and reasons from the next page on."""
        self._directory = directory
        self._rules = dict(rules)
        self._looking.adopt(directory, charges, rules)
        self._trends.adopt(directory)
        self._ledger.charges = charges
        self._stories.areas = _areas(directory)

    def mount(self, application: web.Application) -> None:
        """Add routes and the guard."""
        application.on_response_prepare.append(dress)
        application.middlewares.append(self._guard.middleware)
        application.middlewares.append(Failing(self._pages).middleware)
        application.add_routes(
            [
                web.get("/desk", self._desk_page),
                web.get("/desk/events", self._stream),
                web.post(f"/desk/api/cases/{MARK}/reveal", self._reveal),
                web.static("/static", HOME / "static", append_version=False),
                *(route for more in self._more for route in more.routes()),
            ]
        )

    async def close(self) -> None:
        """End every open stream."""
        self.events.close()

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        user = require(request, User.may_watch)
        return await self.events.stream(request, self._looking.scope(user))

    async def _desk_page(self, request: web.Request) -> web.Response:
        require(request, User.may_watch)
        user = request[SESSION].user
        boot = {
            "user": user.name,
            "display": user.display,
            "may_dispatch": user.may_dispatch(),
            "may_supervise": user.may_supervise(),
            "keys": user.keys,
            **self._names(),
        }
        return self._pages.render("desk.html", request, boot=msgspec.json.encode(boot).decode())

    def _names(self) -> dict[str, Any]:
        """What codes are called on screen, and the bounds the page keeps to."""
        departments = {d.id: d.name for d in self._directory.department}
        areas = {a.id: a.name for a in (*self._directory.area, *self._directory.inner)}
        return {
            "labels": self._taxonomy.names,
            "problems": self._taxonomy.problems,
            "campaigns": self._taxonomy.campaigns,
            "kinds": list(self._taxonomy.kinds),
            "urgencies": list(self._taxonomy.urgencies),
            "departments": departments,
            "outside": self._directory.out_of_scope,
            "areas": areas,
            "initials": initials(departments | areas),
            "statuses": dict(STATUS_NAMES),
            "orders": dict(ORDER_STATUS_NAMES),
            "views": {name: view.name for name, view in VIEWS.items()},
            "holds": {name: list(view.statuses) for name, view in VIEWS.items()},
            "channels": self._channels,
            "rules": self._rules,
            "zone": str(self._zone),
            "reopens": dict(self._commands.cases.lifecycle.reopen.reasons),
            "undo_s": self._commands.undoing.lifecycle.undo_s,
            "levels": dict(LEVEL_NAMES),
            "documents": [level for level in LEVEL_NAMES if level not in {Level.YELLOW, Level.RED}],
        }

    async def _reveal(self, request: web.Request) -> web.Response:
        """The sealed original and contact, for a reason that is written down first."""
        user = require(request, User.may_dispatch)
        body = await body_of(request, NoteBody)
        case_id = request.match_info["id"]
        original = await self._reveals.open(
            int(case_id), actor=user.name, target=case_id, note=body.note
        )
        return web.json_response(original)


def _areas(directory: Directory) -> dict[str, str]:
    """What areas are called."""
    return {one.id: one.name for one in (*directory.area, *directory.inner)}
