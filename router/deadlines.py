"""When a department must be done (时限): working-time arithmetic and the limits of the city.

Pure: no clock. Times in and out are aware; work happens in the city's zone. A limit is an amount of
``urgent_hours`` (continuous), ``work_hours`` (only inside the city's hours on working days) or
``work_days`` (as many hours as one day has). CJJ/T 106 and CJ/T 315-2009 name the units.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from store.config import Strict

_DAY = timedelta(days=1)


class Unit(StrEnum):
    """What an amount counts."""

    URGENT_HOURS = "urgent_hours"
    WORK_HOURS = "work_hours"
    WORK_DAYS = "work_days"


class Limit(Strict):
    """An amount of working time."""

    amount: float = Field(gt=0, le=1000)
    unit: Unit


class Calendar(Strict):
    """Public holidays, and weekend days that are worked (调休)."""

    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()

    @model_validator(mode="after")
    def _clear(self) -> Calendar:
        both = self.holidays & self.workdays
        if both:
            msg = f"{min(both)} is both a holiday and a working day; remove one"
            raise ValueError(msg)
        return self

    def is_worked(self, day: date) -> bool:
        """Whether offices are open on ``day``."""
        return day in self.workdays or (day.weekday() < 5 and day not in self.holidays)  # noqa: PLR2004


class Deadlines(Strict):
    """``configs/deadlines.toml``: the smallest limit that matches holds."""

    hours: tuple[tuple[time, time], ...]
    default: Limit
    urgency: dict[str, Limit] = {}
    problem: dict[str, Limit] = {}
    kind: dict[str, Limit] = {}
    calendar: Calendar = Calendar()

    @model_validator(mode="after")
    def _in_order(self) -> Deadlines:
        flat = [moment for span in self.hours for moment in span]
        if not flat or flat != sorted(set(flat)):
            msg = 'hours must be spans in ascending order that do not touch, like [["08:00", "12:00"]]'
            raise ValueError(msg)
        return self

    @cached_property
    def day_s(self) -> float:
        """Seconds of work in one working day."""
        return sum(_between(a, b) for a, b in self.hours)

    @cached_property
    def _spans(self) -> tuple[tuple[float, float], ...]:
        """The working hours as seconds of the day."""
        return tuple((_between(time.min, a), _between(time.min, b)) for a, b in self.hours)

    def seconds(self, limit: Limit) -> float:
        """How long the limit runs, in seconds of its own clock."""
        return limit.amount * (self.day_s if limit.unit is Unit.WORK_DAYS else 3600.0)

    def limit_of(self, *, kind: str, problems: Sequence[str], urgency: str) -> Limit:
        """The smallest limit that applies; the default when none does."""
        found = [self.problem[p] for p in problems if p in self.problem]
        found += [
            table[key]
            for table, key in ((self.urgency, urgency), (self.kind, kind))
            if key in table
        ]
        return min(found, key=self.seconds) if found else self.default

    def due_at(self, start: datetime, limit: Limit, zone: ZoneInfo) -> datetime:
        """The moment ``limit`` has run since ``start``, both aware."""
        left = self.seconds(limit)
        if limit.unit is Unit.URGENT_HOURS:
            return start + timedelta(seconds=left)
        local = start.astimezone(zone)
        day = local.date()
        since = (local - datetime.combine(day, time.min, zone)).total_seconds()
        while True:
            if self.calendar.is_worked(day):
                for opens, closes in self._spans:
                    begins = max(opens, since)
                    if begins + left <= closes:
                        at = datetime.combine(day, time.min, zone) + timedelta(
                            seconds=begins + left
                        )
                        return at.astimezone(start.tzinfo)
                    left -= max(0.0, closes - begins)
            day, since = day + _DAY, 0.0


def _between(start: time, end: time) -> float:
    whole = date(2000, 1, 1)
    return (datetime.combine(whole, end) - datetime.combine(whole, start)).total_seconds()
