"""Bulletins and alerts of a hub: drafted, sent and told by one city's configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from desk.reports.drafting import Drafting
from desk.reports.keeping import Bulletins
from desk.reports.making import Naming
from desk.reports.schedule import Schedule
from desk.reports.sending import Sending
from hub.city import City
from hub.settings import Settings
from router.notify.endpoints import build_senders, official_endpoints
from router.notify.senders import Endpoint
from router.notify.words import Speech
from router.trends.alerting import LOOK_S, Alerting, Bursts
from router.trends.numbers import Numbers
from store.db import Database
from store.ports import Http


class Reporting:
    """What the hub runs and lends to the desk. ``names`` are those of labels and offices, and may change."""

    def __init__(
        self,
        *,
        db: Database,
        http: Http,
        numbers: Numbers,
        settings: Settings,
        city: City,
        names: Mapping[str, str],
        speech: Speech,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._names = names
        zone: ZoneInfo = settings.city.zone
        url = settings.public_url
        self.sending = Sending(db, city.alerts, zone=zone, clock=clock, base_url=url)
        self._drafting = Drafting(db, numbers, self._naming(city), city.fine_places())
        self.bulletins = Bulletins(
            db,
            self._drafting,
            city.bulletins,
            zone=zone,
            clock=clock,
            announce=self.sending.announce,
        )
        self._schedule = Schedule(self.bulletins, zone=zone, clock=clock)
        self._bursts = Bursts(db, city.alerts, names, zone=zone, clock=clock, base_url=url)
        self._alerting = Alerting(
            db,
            http,
            endpoints={},
            senders=build_senders(speech=speech, clock=clock, mail=settings.mail),
            clock=clock,
            files=self.sending.files,
            base_url=url,
        )
        self._city = city

    def _naming(self, city: City) -> Naming:
        directory = city.directory
        return Naming(
            taxonomy=city.taxonomy,
            offices=self._names,
            channels=self._settings.channels,
            areas=[area.id for area in directory.area],
            departments=[one.id for one in directory.department],
        )

    def endpoints(self, city: City | None = None) -> dict[str, Endpoint]:
        """The way to each official; ConfigError names the official and the setting that is missing."""
        official = (city or self._city).alerts.official
        return official_endpoints(official, robots=self._settings.robots, mail=self._settings.mail)

    def open(self) -> None:
        """Know the way to each official; ConfigError as ``endpoints``."""
        self._alerting.endpoints = self.endpoints()

    def adopting(self, city: City) -> Callable[[], None]:
        """What puts ``city`` into force; ConfigError now, never later."""
        endpoints, naming, places = self.endpoints(city), self._naming(city), city.fine_places()

        def adopt() -> None:
            self._city = city
            self._drafting.naming, self._drafting.places = naming, places
            self.bulletins.settings = city.bulletins
            self.sending.alerts = self._bursts.alerts = city.alerts
            self._alerting.endpoints = endpoints

        return adopt

    async def drafts(self) -> float:
        """Make the drafts that are due; seconds to wait."""
        return await self._schedule.run()

    async def alerts(self) -> float:
        """Tell of bursts and send what is due; seconds to wait."""
        await self._bursts.tell()
        await self._alerting.run_once()
        return LOOK_S
