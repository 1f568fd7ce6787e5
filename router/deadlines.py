"""When a department must be done (时限): the limits of the city and the clocks that run them down.

Pure: no clock. Times in and out are aware; work happens in the city's zone. A limit is an amount of
``urgent_hours`` (continuous), ``work_hours`` (only inside the city's hours on working days) or
``work_days`` (as many hours as one day has). CJJ/T 106 and CJ/T 315-2009 name the units, and
延期 (more time, once approved) and 挂账 (the clock stands).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from router.calendar import Calendar, Timetable, from_us, to_us
from store.config import Strict

__all__ = [
    "Calendar",
    "Clock",
    "Clocks",
    "Deadlines",
    "Limit",
    "Pause",
    "Reason",
    "Shares",
    "Stage",
    "State",
    "Unit",
]


class Unit(StrEnum):
    """What an amount counts."""

    URGENT_HOURS = "urgent_hours"
    WORK_HOURS = "work_hours"
    WORK_DAYS = "work_days"


class Stage(StrEnum):
    """The steps beside handling that may have a limit of their own."""

    DISPATCH = "dispatch"  # 派遣, from the receipt or a return
    SIGN = "sign"  # 签收, from the dispatch
    CHECK = "check"  # 核查结案, from the result


class Limit(Strict):
    """An amount of working time."""

    amount: float = Field(gt=0, le=10_000)
    unit: Unit


class Shares(Strict):
    """The shares of a limit from which a clock shows yellow and red."""

    yellow: float = Field(default=0.5, gt=0, lt=1)
    red: float = Field(default=0.8, gt=0, lt=1)

    @model_validator(mode="after")
    def _in_order(self) -> Shares:
        if self.yellow >= self.red:
            msg = f"yellow ({self.yellow}) must be less than red ({self.red})"
            raise ValueError(msg)
        return self


class Deadlines(Timetable):
    """``configs/deadlines.toml``: the smallest limit that matches holds."""

    default: Limit
    urgency: dict[str, Limit] = {}
    problem: dict[str, Limit] = {}
    kind: dict[str, Limit] = {}
    stage: dict[Stage, Limit] = {}
    promise: Limit | None = None
    shares: Shares = Shares()

    @cached_property
    def day_s(self) -> float:
        """Seconds of work in one ordinary working day."""
        return sum(_of_day(b) - _of_day(a) for a, b in self.hours)

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
        """The moment ``limit`` has run since ``start``, in ``start``'s zone."""
        urgent, us = self.pace(limit)
        return self.run(start, us, zone, urgent=urgent)

    def stage_due_at(self, stage: Stage, start: datetime, zone: ZoneInfo) -> datetime | None:
        """When the stage that began at ``start`` must be over; None when it has no limit."""
        limit = self.stage.get(stage)
        return None if limit is None else self.due_at(start, limit, zone)

    def promise_at(self, start: datetime, limit: Limit, zone: ZoneInfo) -> datetime:
        """What the citizen is told: the later of handling limit and ``promise``, to the end of that working day."""
        due = self.due_at(start, limit, zone)
        if self.promise is not None:
            due = max(due, self.due_at(start, self.promise, zone), key=to_us)
        return self.closing(due, zone)

    def notices(self, first: date, last: date) -> tuple[str, ...]:
        """What an operator should mend before ``last``: a line for each year whose holidays are not known, and
        for each day before ``first`` that still has hours of its own.
        """
        past = tuple(
            f"deadlines.toml: special: {day} is past and changes no clock that starts now; remove it"
            " once no work order of that time is open"
            for day in sorted(special.date for special in self.special)
            if day < first
        )
        return past + tuple(
            f"deadlines.toml: calendar: the public holidays of {year} are not known, its clocks count"
            " Monday to Friday; upgrade chinesecalendar, or list them in calendar.holidays and"
            f" calendar.workdays and add {year} to calendar.years"
            for year in self.calendar.gaps(first, last)
        )

    def pace(self, limit: Limit) -> tuple[bool, int]:
        """Whether the limit runs day and night, and its microseconds (at least one)."""
        return limit.unit is Unit.URGENT_HOURS, max(1, round(self.seconds(limit) * 1e6))

    def run(self, start: datetime, us: int, zone: ZoneInfo, *, urgent: bool) -> datetime:
        """The first moment at which ``us`` have run since ``start``, in ``start``'s zone."""
        if urgent:
            return from_us(to_us(start) + us).astimezone(start.tzinfo)
        return self.after_work(start, us, zone)

    def ran_us(self, start: datetime, end: datetime, zone: ZoneInfo, *, urgent: bool) -> int:
        """Microseconds that run from ``start`` to ``end``; 0 when ``end`` is not later."""
        if urgent:
            return max(0, to_us(end) - to_us(start))
        return self.worked_us(start, end, zone)


class Reason(StrEnum):
    """Why a clock stands."""

    EXTENSION = "extension"  # more time was asked for and nobody has answered yet
    SUSPENSION = "suspension"  # 挂账
    CHECK = "check"  # the result waited for the desk, which then sent it back (返工)


class State(StrEnum):
    """How a clock stands, as lamps show it."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    OVERDUE = "overdue"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Pause:
    """The clock stands from ``since`` until before ``until`` (None: still). ValueError when it ends first."""

    since: datetime
    until: datetime | None
    reason: Reason

    def __post_init__(self) -> None:
        if self.until is not None and to_us(self.until) < to_us(self.since):
            msg = "router: pause: ends before it begins; correct its times"
            raise ValueError(msg)

    def covers(self, at: datetime) -> bool:
        """Whether the clock stands at ``at``."""
        ended = self.until is not None and to_us(self.until) <= to_us(at)
        return to_us(self.since) <= to_us(at) and not ended


@dataclass(frozen=True, slots=True)
class Clock:
    """One running limit: a value to keep with the work order, so that new limits meet new dispatches only.

    Pauses may touch, overlap or begin before ``start``: the clock stands while any of them lasts.
    ``extra`` are approved extensions; each runs on its own unit once the time before it is used up.
    """

    start: datetime
    limit: Limit
    pauses: tuple[Pause, ...] = ()
    extra: tuple[Limit, ...] = ()

    def paused(self, at: datetime, reason: Reason) -> Clock:
        """The clock stands from ``at``."""
        return replace(self, pauses=(*self.pauses, Pause(at, None, reason)))

    def resumed(self, at: datetime) -> Clock:
        """The clock runs again from ``at``; ValueError when it was paused later than that."""
        ended = (p if p.until is not None else replace(p, until=at) for p in self.pauses)
        return replace(self, pauses=tuple(ended))

    def extended(self, extra: Limit) -> Clock:
        """An extension was approved: ``extra`` more."""
        return replace(self, extra=(*self.extra, extra))

    def runs(self) -> Iterator[tuple[datetime, datetime | None]]:
        """The times between the pauses, in order; the last has no end unless the clock stands."""
        at = self.start
        for pause in sorted(self.pauses, key=lambda pause: to_us(pause.since)):
            if to_us(pause.since) > to_us(at):
                yield at, pause.since
            if pause.until is None:
                return
            at = max(at, pause.until, key=to_us)
        yield at, None


class Clocks:
    """Reads clocks by the limits and working hours of a city. Pure: ``now`` is given."""

    def __init__(self, deadlines: Deadlines, zone: ZoneInfo) -> None:
        self._deadlines = deadlines
        self._zone = zone

    def limit_s(self, clock: Clock) -> float:
        """Seconds the clock may run, extensions included."""
        return sum(us for _, us in self._legs(clock)) / 1e6

    def elapsed_s(self, clock: Clock, now: datetime) -> float:
        """Seconds the clock has run; beyond its limit it goes on in the unit of its last part."""
        legs, elapsed = self._legs(clock), 0
        for since, until in clock.runs():
            end = now if until is None else min(now, until, key=to_us)
            elapsed += self._spend(legs, since, end)
        return elapsed / 1e6

    def left_s(self, clock: Clock, now: datetime) -> float:
        """Seconds left of the limit; negative when it was exceeded."""
        return self.limit_s(clock) - self.elapsed_s(clock, now)

    def due_at(self, clock: Clock) -> datetime | None:
        """When the limit has run, in ``start``'s zone; None while a pause without end keeps it from that."""
        legs = self._legs(clock)
        for since, until in clock.runs():
            at = since
            while legs:
                urgent, us = legs[0]
                end = self._deadlines.run(at, us, self._zone, urgent=urgent)
                if until is not None and to_us(end) > to_us(until):
                    ran = self._deadlines.ran_us(at, until, self._zone, urgent=urgent)
                    legs[0] = (urgent, us - ran)
                    break
                at = end
                del legs[0]
            if not legs:
                return at.astimezone(clock.start.tzinfo)
        return None

    def state(self, clock: Clock, now: datetime) -> State:
        """The lamp at ``now``. Paused goes before overdue: nobody is chased for a case that stands."""
        if any(pause.covers(now) for pause in clock.pauses):
            return State.PAUSED
        due = self.due_at(clock)
        if due is not None and to_us(now) > to_us(due):
            return State.OVERDUE
        share = self.elapsed_s(clock, now) / self.limit_s(clock)
        shares = self._deadlines.shares
        if share >= shares.red:
            return State.RED
        return State.YELLOW if share >= shares.yellow else State.GREEN

    def _legs(self, clock: Clock) -> list[tuple[bool, int]]:
        """The parts of the limit as (day and night, microseconds); neighbours of one pace are one."""
        legs: list[tuple[bool, int]] = []
        for limit in (clock.limit, *clock.extra):
            urgent, us = self._deadlines.pace(limit)
            if legs and legs[-1][0] is urgent:
                us += legs.pop()[1]
            legs.append((urgent, us))
        return legs

    def _spend(self, legs: list[tuple[bool, int]], since: datetime, end: datetime) -> int:
        """Microseconds run from ``since`` to ``end``, taken off the legs; the last leg never ends."""
        spent = 0
        while True:
            urgent, us = legs[0]
            ran = self._deadlines.ran_us(since, end, self._zone, urgent=urgent)
            if len(legs) == 1 or ran < us:
                legs[0] = (urgent, us - ran)
                return spent + ran
            since = self._deadlines.run(since, us, self._zone, urgent=urgent)
            spent += us
            del legs[0]


def _of_day(moment: time) -> float:
    """Seconds since midnight."""
    since = timedelta(
        hours=moment.hour,
        minutes=moment.minute,
        seconds=moment.second,
        microseconds=moment.microsecond,
    )
    return since.total_seconds()
