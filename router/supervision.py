"""督办: which step of the ladder an order has reached, which goes out now, and when to look again. Pure.

One order, one look, at most one message. Lamps: the highest that is due is told, those below it are recorded
as skipped. Documents: the lowest that is due and not yet issued goes out, the next no sooner than
``Ladder.apart`` later, so that after an outage nobody is named in a circular who was never urged, nobody
gets several letters at once, and every level ends up in the record. A document nobody answers climbs to
the office above, unless the next step of the ladder goes out at that look and takes its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from router.deadlines import Clock, Clocks, Deadlines, Limit, Pause, Unit
from router.ladder import RANK, Ladder, Level, Step


class State(StrEnum):
    """What became of a step."""

    TOLD = "told"  # a lamp
    ISSUED = "issued"  # a document that waits for its answer
    ANSWERED = "answered"
    CLIMBED = "climbed"  # not answered in time: the office above was asked
    SUPERSEDED = "superseded"  # a higher step or an extension took its place
    ENDED = "ended"  # the order ended before it was answered
    SKIPPED = "skipped"  # never sent: a higher step was due or out already


@dataclass(frozen=True, slots=True)
class Watched:
    """A work order as supervision sees it. ``round`` counts its extensions and reworks.

    ``clock`` is none for orders older than clocks: they have documents after ``due_at`` and no lamps.
    ``wanted_at`` is the day a leader set.
    """

    due_at: datetime
    clock: Clock | None
    round: int
    is_open: bool
    wanted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A step on record. ``rung`` counts the offices a document climbed."""

    id: int
    level: Level
    round: int
    rung: int
    state: State
    at: datetime
    reply_by: datetime | None = None
    addressee: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one look does: ``step`` goes out or ``climbing`` climbs, ``replaced`` need no answer any more."""

    step: Step | None = None
    skipped: tuple[Step, ...] = ()
    climbing: Entry | None = None
    replaced: tuple[Entry, ...] = ()


def mark_of(order_id: int, round_: int, level: Level, rung: int = 0) -> str:
    """What makes a step once: order, round, level and, for one that climbed, how far."""
    mark = f"{order_id}:{round_}:{level}"
    return f"{mark}:{rung}" if rung else mark


def read_mark(mark: str) -> tuple[int, int]:
    """Round and rung of a mark."""
    parts = mark.split(":")
    return int(parts[1]), int(parts[3]) if len(parts) > 3 else 0  # noqa: PLR2004


class Schedule:
    """The ladder on this city's clocks."""

    def __init__(self, ladder: Ladder, deadlines: Deadlines, zone: ZoneInfo) -> None:
        self.ladder = ladder
        self.deadlines = deadlines
        self.zone = zone
        self.clocks = Clocks(deadlines, zone)

    def clock_of(self, order: Watched) -> Clock | None:
        """The order's clock, shorter when the leader's day is before the end of its limit.

        A clock that started after that day has a limit of its own.
        """
        clock, wanted = order.clock, order.wanted_at
        if clock is None or wanted is None or wanted <= clock.start:
            return clock
        due = self.deadlines.due_at(clock.start, clock.limit, self.zone)
        return replace(clock, limit=self._between(clock, wanted)) if wanted < due else clock

    def due_at(self, order: Watched) -> datetime | None:
        """When the order must be done; none while a pause without end keeps its clock from that."""
        clock = self.clock_of(order)
        if clock is not None:
            return self.clocks.due_at(clock)
        return min(order.due_at, order.wanted_at or order.due_at)

    def moments(self, order: Watched) -> Iterator[tuple[Step, datetime]]:
        """Each step and when it comes, in order; those that a pause without end keeps off are left out."""
        latest: datetime | None = None
        for step in self.ladder.steps(instructed=order.wanted_at is not None):
            if order.clock is None and step.share is not None:
                continue
            moment = self._moment(order, step)
            if moment is None:
                return
            latest = moment if latest is None else max(latest, moment)
            yield step, latest

    def due_steps(self, order: Watched, entries: Sequence[Entry], now: datetime) -> Plan:
        """What a look at ``now`` does, given all ``entries`` of the order."""
        if not order.is_open or self._stands(order, now):
            return Plan()
        mine = _of_round(entries, order)
        had = {entry.level for entry in mine}
        due = [step for step, at in self.moments(order) if at <= now and step.level not in had]
        step = self._chosen(due, mine, now)
        skipped = tuple(
            one
            for one in due
            if one is not step and (not one.document or RANK[one.level] < _height(mine))
        )
        waiting = tuple(entry for entry in mine if entry.state is State.ISSUED)
        stale = tuple(e for e in entries if e.state is State.ISSUED and e not in mine)
        if step is not None and step.document:
            return Plan(step, skipped, replaced=(*stale, *waiting))
        late = (entry for entry in waiting if entry.reply_by is not None and entry.reply_by <= now)
        return Plan(step, skipped, next(late, None), stale)

    def next_look(self, order: Watched, entries: Sequence[Entry], now: datetime) -> datetime | None:
        """The next moment at which something can become due; none when nothing can by itself."""
        if not order.is_open:
            return None
        if self._stands(order, now):
            return _resumes_at(_pauses(order, now))
        mine = _of_round(entries, order)
        moments = [e.reply_by for e in mine if e.state is State.ISSUED and e.reply_by is not None]
        had, height, free = {e.level for e in mine}, _height(mine), self._free_at(mine)
        for step, at in self.moments(order):
            if step.level not in had and RANK[step.level] > height:
                moments.append(max(at, free) if step.document and free is not None else at)
        return min(moments, default=None)

    def _chosen(self, due: Sequence[Step], mine: Sequence[Entry], now: datetime) -> Step | None:
        """The one step that goes out: the lowest document, else the highest lamp while there is no document."""
        height = _height(mine)
        papers = [step for step in due if step.document and RANK[step.level] > height]
        if papers:
            free = self._free_at(mine)
            return papers[0] if free is None or free <= now else None
        lamps = [step for step in due if not step.document and RANK[step.level] > height]
        return lamps[-1] if lamps else None

    def _free_at(self, mine: Sequence[Entry]) -> datetime | None:
        """From when the next document may go out; none when there was no other.

        What climbs goes to other offices and holds up nothing.
        """
        sent = [entry.at for entry in mine if entry.number and not entry.rung]
        if not sent:
            return None
        return self.deadlines.due_at(max(sent), self.ladder.apart, self.zone)

    def _moment(self, order: Watched, step: Step) -> datetime | None:
        clock = self.clock_of(order)
        if step.after is None:
            assert step.share is not None  # noqa: S101
            return None if clock is None else self.clocks.due_at(self._cut(clock, step.share))
        if clock is not None:
            return self.clocks.due_at(clock.extended(step.after))
        due = min(order.due_at, order.wanted_at or order.due_at)
        return self.deadlines.due_at(due, step.after, self.zone)

    def _cut(self, clock: Clock, share: float) -> Clock:
        """The clock that runs out when ``share`` of this one's limit, extensions included, has run."""
        limits = (clock.limit, *clock.extra)
        left = share * sum(self.deadlines.seconds(limit) for limit in limits)
        kept: list[Limit] = []
        for limit in limits:
            has = self.deadlines.seconds(limit)
            part = min(1.0, left / has)
            kept.append(Limit(amount=limit.amount * part, unit=limit.unit))
            left -= has
            if left <= 0:
                break
        return replace(clock, limit=kept[0], extra=tuple(kept[1:]))

    def _between(self, clock: Clock, wanted: datetime) -> Limit:
        """The working time from the clock's start to ``wanted``; as it passes where that is none."""
        urgent, _ = self.deadlines.pace(clock.limit)
        ran = self.deadlines.ran_us(clock.start, wanted, self.zone, urgent=urgent)
        unit = Unit.URGENT_HOURS if urgent or not ran else Unit.WORK_HOURS
        if not ran:
            ran = self.deadlines.ran_us(clock.start, wanted, self.zone, urgent=True)
        return Limit(amount=min(max(ran, 1) / 3.6e9, 1000), unit=unit)

    def _stands(self, order: Watched, now: datetime) -> bool:
        return bool(_pauses(order, now))


def _pauses(order: Watched, now: datetime) -> list[Pause]:
    """The pauses in which the order's clock stands."""
    return [p for p in order.clock.pauses if p.covers(now)] if order.clock else []


def _resumes_at(pauses: Sequence[Pause]) -> datetime | None:
    """When the last of ``pauses`` ends; none when one has no end."""
    ends = [pause.until for pause in pauses]
    return max((end for end in ends if end is not None), default=None) if all(ends) else None


def _of_round(entries: Sequence[Entry], order: Watched) -> list[Entry]:
    return [entry for entry in entries if entry.round == order.round]


def _height(mine: Sequence[Entry]) -> int:
    """The highest rank that went out; below all when none did."""
    sent = (RANK[entry.level] for entry in mine if entry.state is not State.SKIPPED)
    return max(sent, default=-1)
