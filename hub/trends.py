"""Numbers, topics, places and bursts of one hub: made together, followed together, run together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.city import City
from hub.scheduler import keep_all
from router.trends.behind import Evidence
from router.trends.book import TargetBook
from router.trends.finding import TopicFinder
from router.trends.lagging import TargetWatch
from router.trends.numbers import Numbers
from router.trends.places import PlaceLedger
from router.trends.series import Recount, Series
from router.trends.tally import Tally
from router.trends.watching import BurstWatch
from store.db import Database


class Trends:
    """``channels`` are what channels are called."""

    def __init__(
        self,
        db: Database,
        city: City,
        zone: ZoneInfo,
        *,
        channels: Mapping[str, str],
        clock: Callable[[], datetime],
    ) -> None:
        places = city.directory.places
        self.channels = dict(channels)
        self.series = Series(city.topics, city.spots())
        self.tally = Tally(db, zone, clock=clock, more=self.series)
        self.numbers = Numbers(db, city.catalogue, places, zone=zone, clock=clock)
        self.evidence = Evidence(db, places, clock=clock)
        areas = {area.id: area.name for area in city.directory.area}
        self.finder = TopicFinder(db, self.series, areas=areas, zone=zone, clock=clock)
        self.recount = Recount(db, self.series, zone=zone, clock=clock)
        self.places = PlaceLedger(
            db,
            charges=city.charges,
            repeat_days=city.assessment.repeat_days,
            zone=zone,
            clock=clock,
        )
        self.bursts = BurstWatch(
            db,
            self.numbers,
            self.evidence,
            settings=city.trends.bursts,
            labels=(*city.taxonomy.problems, *city.taxonomy.campaigns),
            areas=areas,
            names=areas | self.channels,
            zone=zone,
            clock=clock,
        )
        self.book = TargetBook(db, self.numbers, city.targets, city.directory, clock=clock)
        self.lagging = TargetWatch(db, self.book, self.numbers, clock=clock)
        self._version = city.taxonomy.version

    def adopt(self, city: City) -> None:
        """Count and look by this configuration from now on."""
        areas = {area.id: area.name for area in city.directory.area}
        self.series.adopt(city.topics, city.spots())
        self.numbers.adopt(city.catalogue, city.directory.places)
        self.evidence.areas = city.directory.places
        self.finder.areas = areas
        self.places.charges = city.charges
        self.places.repeat_days = city.assessment.repeat_days
        self.bursts.areas, self.bursts.names = areas, areas | self.channels
        self.book.adopt(city.targets, city.directory)

    async def count(self) -> None:
        """Keep the roll-ups right until cancelled."""
        await self.tally.remember(self._version)
        await self.recount.remember()
        await self.tally.run()

    async def watch(self) -> None:
        """Look for topics, places that relapse, bursts and targets that lag, each at its own pace, until cancelled."""
        jobs: dict[str, Callable[[], Awaitable[float]]] = {
            "topics": self.finder.run,
            "recount": self.recount.run,
            "places": self.places.run,
            "bursts": self.bursts.run,
            "targets": self.lagging.run,
        }
        await keep_all(jobs)
