"""A work order's clock as the database keeps it, and the columns that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from router.deadlines import Clock, Clocks, Deadlines, Limit, Pause, Reason, Stage, Unit


class _Limit(msgspec.Struct, frozen=True):
    amount: float
    unit: Unit


class _Pause(msgspec.Struct, frozen=True):
    since: datetime
    until: datetime | None
    reason: Reason


class _Clock(msgspec.Struct, frozen=True, omit_defaults=True):
    start: datetime
    limit: _Limit
    pauses: tuple[_Pause, ...] = ()
    extra: tuple[_Limit, ...] = ()


FARTHEST = timedelta(hours=10_000)
"""The longest limit there is, a little over a year."""

_decoder = msgspec.json.Decoder(_Clock)


def write_clock(clock: Clock) -> str:
    """The clock as JSON text for the column ``clock``."""
    kept = _Clock(
        clock.start,
        _Limit(clock.limit.amount, clock.limit.unit),
        tuple(_Pause(p.since, p.until, p.reason) for p in clock.pauses),
        tuple(_Limit(one.amount, one.unit) for one in clock.extra),
    )
    return msgspec.json.encode(kept).decode()


def read_clock(text: str) -> Clock:
    """The clock that ``write_clock`` wrote; msgspec.DecodeError when it is not one."""
    kept = _decoder.decode(text)
    return Clock(
        kept.start,
        Limit(amount=kept.limit.amount, unit=kept.limit.unit),
        tuple(Pause(p.since, p.until, p.reason) for p in kept.pauses),
        tuple(Limit(amount=one.amount, unit=one.unit) for one in kept.extra),
    )


def clock_of(order: Mapping[Any, Any]) -> Clock:
    """The clock of a work order's row; for an order from before clocks were kept, one that ends at its due time."""
    if order["clock"]:
        return read_clock(order["clock"])
    return Clock(order["dispatched_at"], until(order["dispatched_at"], order["due_at"]))


def until(start: datetime, due_at: datetime) -> Limit:
    """A limit that ends at ``due_at`` whatever the day (a leader's date); at least a second, at most ``FARTHEST``."""
    span = min(max(due_at - start, timedelta(seconds=1)), FARTHEST)
    return Limit(amount=span / timedelta(hours=1), unit=Unit.URGENT_HOURS)


class Timekeeper:
    """Starts and moves the clocks of work orders by one city's limits and hours."""

    def __init__(self, deadlines: Deadlines, zone: ZoneInfo) -> None:
        self.deadlines = deadlines
        self.zone = zone
        self.clocks = Clocks(deadlines, zone)

    def start(self, at: datetime, limit: Limit) -> dict[str, Any]:
        """The columns of a work order whose clock starts at ``at``."""
        return self.columns(Clock(at, limit), at) | {
            "sign_due_at": self.deadlines.stage_due_at(Stage.SIGN, at, self.zone)
        }

    def columns(self, clock: Clock, now: datetime) -> dict[str, Any]:
        """The columns that change with the clock; supervision looks at the order at once.

        While the clock stands without end the due time known last is kept.
        """
        due_at = self.clocks.due_at(clock)
        values: dict[str, Any] = {"clock": write_clock(clock), "watch_at": now}
        return values if due_at is None else values | {"due_at": due_at}

    def stage_due_at(self, stage: Stage, at: datetime) -> datetime | None:
        """When a step of the desk that began at ``at`` must be over; None when the city sets no limit."""
        return self.deadlines.stage_due_at(stage, at, self.zone)

    def promise_at(self, start: datetime, due_at: datetime) -> datetime:
        """What the citizen is told when a case dispatched at ``start`` is due at ``due_at``."""
        return self.deadlines.promise_at(start, until(start, due_at), self.zone)
