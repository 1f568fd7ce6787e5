"""Who is told of bursts and bulletins, by which channel, and when not (``configs/alerts.toml``). Posts, no persons."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, time, timedelta
from functools import cached_property
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from router.departments import ADDRESS
from store.config import Strict
from store.tables_trends import ALL

WAYS = ("email", "wecom", "dingtalk", "feishu")


class Official(Strict):
    """提醒对象: a post with one way to reach it. ``labels`` and ``areas`` are what it wants to know of; none: all.

    From ``quiet_from`` until ``quiet_until`` nothing is sent; what came meanwhile is told in one message at
    ``digest``. Equal times: no quiet hours. ``least`` is how many items above the expected a burst must have.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    name: str = Field(min_length=1, max_length=40)
    email: tuple[Annotated[str, Field(pattern=ADDRESS)], ...] = ()
    wecom: str = ""
    dingtalk: str = ""
    feishu: str = ""
    bursts: bool = True
    labels: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    least: float = Field(default=0.0, ge=0)
    quiet_from: time = time(22)
    quiet_until: time = time(7)
    digest: time = time(7, 30)

    @model_validator(mode="after")
    def _reachable(self) -> Official:
        ways = [way for way in WAYS if getattr(self, way)]
        if len(ways) != 1:
            msg = f"{self.id}: give exactly one of {', '.join(WAYS)}"
            raise ValueError(msg)
        if any(one.tzinfo for one in (self.quiet_from, self.quiet_until, self.digest)):
            msg = f"{self.id}: times are of the city's clock; write them like 22:00:00"
            raise ValueError(msg)
        if self.is_quiet(self.digest):
            msg = f"{self.id}: digest: {self.digest:%H:%M} is within the quiet hours; choose a time after them"
            raise ValueError(msg)
        return self

    def is_quiet(self, at: time) -> bool:
        """Whether nothing is sent at this time of day; the first moment is quiet, the last is not."""
        start, end = self.quiet_from, self.quiet_until
        return start <= at < end if start <= end else at >= start or at < end

    def due(self, now: datetime, zone: ZoneInfo) -> datetime:
        """When something of ``now`` may be sent: at once, or with the first digest after the quiet hours."""
        local = now.astimezone(zone)
        if not self.is_quiet(local.time()):
            return now
        day = local.date()
        while True:
            told = datetime.combine(day, self.digest, zone)
            if told > now:
                return told
            day += timedelta(days=1)

    def wants(self, label: str, area: str, excess: float) -> bool:
        """Whether this post is told of a burst; one of all series or areas concerns those who want all."""
        return (
            self.bursts
            and excess >= self.least
            and _within(label, self.labels)
            and _within(area, self.areas)
        )


def _within(value: str, wanted: Collection[str]) -> bool:
    return not wanted or (value != ALL and value in wanted)


class Alerts(Strict):
    """``configs/alerts.toml``."""

    official: tuple[Official, ...] = ()

    @model_validator(mode="after")
    def _apart(self) -> Alerts:
        ids = [one.id for one in self.official]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            msg = f"official {twice[0]} is there twice; remove one"
            raise ValueError(msg)
        return self

    @cached_property
    def by_id(self) -> dict[str, Official]:
        """Officials by id."""
        return {one.id: one for one in self.official}

    def strangers(
        self, labels: Collection[str], areas: Collection[str]
    ) -> list[tuple[str, str, str]]:
        """Official, key and value for each label and area that nobody knows."""
        return [
            (one.id, key, value)
            for one in self.official
            for key, listed, known in (("labels", one.labels, labels), ("areas", one.areas, areas))
            for value in listed
            if value not in known
        ]
