"""What one item and one case add to the numbers: pure, so that a recount gives the same.

An item counts once on its own day in each of its series: ``*`` when it was taken up as a case (受理), its kind, and,
when the city can act on it, the problems and campaigns of its case as people left them. Without a case the
verdict's count. A case counts on the days on which things happened to it; a joined one with that it was joined to.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from router.trends.days import local_day, month
from router.workflow import CaseStatus, OrderStatus
from store.model import Kind
from store.tables_trends import ALL

ACTIONABLE = frozenset({str(Kind.COMPLAINT), str(Kind.REQUEST)})

ACCURACY = 0.02
"""Relative error of medians and percentiles."""

GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
SHORTEST_H = 1 / 60
"""Hours below which times are told apart no more."""

TURN, WORK = "turn", "work"
"""全程用时 from receipt to closing, 处置用时 from dispatch to the result; in hours."""


def series(
    *, kind: str, problems: Sequence[str], campaigns: Sequence[str], is_case: bool
) -> tuple[str, ...]:
    """The series an item counts in, topics and places apart."""
    labels = (*problems, *campaigns) if kind in ACTIONABLE else ()
    return (*((ALL,) if is_case else ()), kind, *labels)


class ItemPart(NamedTuple):
    """Where an item counts. ``labels`` are written ``|a|b|``, so that one can be looked for."""

    day: int
    channel: str
    area: str
    labels: str

    def add(self, to: Counter[tuple[str, str, str, int]], n: int) -> None:
        """Add ``n`` to each sum it is part of: its label, alone and with all areas and channels, by day and month."""
        for label in self.labels.strip("|").split("|"):
            of = product((self.area, ALL), (self.channel, ALL), (self.day, month(self.day)))
            for area, channel, day in of:
                to[label, area, channel, day] += n


def join(labels: Iterable[str]) -> str:
    """Series as a column keeps them."""
    return f"|{'|'.join(sorted(set(labels)))}|"


CasePart = tuple[str, str, str, int, int]
"""Measure, department, area, day, n."""


_decode = msgspec.json.Decoder(list[CasePart])


def read_parts(text: str) -> list[CasePart]:
    """A case's parts as ``case_tallied`` keeps them."""
    return _decode.decode(text)


def add_case(parts: Iterable[CasePart], to: Counter[tuple[str, str, str, int]], sign: int) -> None:
    """Add a case's parts to each sum they are part of, by day and month."""
    for measure, department, area, day, n in parts:
        for d, a, when in product((department, ALL), (area, ALL), (day, month(day))):
            to[measure, d, a, when] += sign * n


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What of a work order is counted."""

    department: str
    status: str
    extensions: int
    reworks: int
    due_at: datetime
    sign_due_at: datetime | None
    dispatched_at: datetime
    signed_at: datetime | None
    handled_at: datetime | None
    ended_at: datetime | None

    @property
    def done_at(self) -> datetime | None:
        """When its last result came, unless it was sent back to work since."""
        return (self.handled_at or self.ended_at) if self.status == OrderStatus.HANDLED else None


@dataclass(frozen=True, slots=True)
class RatingFacts:
    """What a citizen said of the result, and when."""

    solved: str
    satisfied: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What of a case is counted."""

    status: str
    department: str
    area: str
    is_relapse: bool
    received_at: datetime
    filed_at: datetime | None
    closed_at: datetime | None
    orders: Sequence[OrderFacts] = ()
    ratings: Sequence[RatingFacts] = ()


def case_parts(case: CaseFacts, zone: ZoneInfo) -> list[CasePart]:
    """Everything a case adds, in a fixed order; nothing when it was joined to another."""
    if case.status == CaseStatus.MERGED:
        return []
    suspended = case.status == CaseStatus.SUSPENDED
    happened = [(case.department, *one) for one in _case(case)]
    for order in case.orders:
        happened += [(order.department, *one) for one in _order(order, is_suspended=suspended)]
    counted = Counter(
        (measure, department, local_day(at, zone))
        for department, at, measures in happened
        if at is not None
        for measure in measures
    )
    return [(m, d, case.area, day, n) for (m, d, day), n in sorted(counted.items())]


Happening = tuple[datetime | None, tuple[str, ...]]
"""When, and what it counts as."""


def _case(case: CaseFacts) -> Iterator[Happening]:
    """What a case and its citizens' ratings add, each with its time."""
    yield case.received_at, ("cases", *(("relapsed",) if case.is_relapse else ()))
    yield case.filed_at, ("filed",)
    if case.status == CaseStatus.CLOSED and case.closed_at is not None:
        yield case.closed_at, ("closed", bucket(TURN, case.received_at, case.closed_at))
    if case.status in {CaseStatus.DECLINED, CaseStatus.REFERRED}:
        yield case.received_at, (case.status,)
    for rating in case.ratings:
        yield rating.at, ("rated", *_ANSWERS[rating.solved], *_ANSWERS[rating.satisfied])


_ANSWERS: dict[str, tuple[str, ...]] = {
    "": (),
    "none": (),
    "solved": ("answered", "solved"),
    "partly": ("answered",),
    "unsolved": ("answered",),
    "satisfied": ("marked", "satisfied"),
    "fair": ("marked", "satisfied"),
    "dissatisfied": ("marked",),
}
"""What an answer of a citizen (回访) counts as; 基本满意 is content."""


def _order(order: OrderFacts, *, is_suspended: bool) -> list[Happening]:
    """What one work order adds, each with its time."""
    if order.status == OrderStatus.WITHDRAWN:
        return []
    found: list[Happening] = [(order.dispatched_at, ("orders",))]
    if order.status == OrderStatus.RETURNED:
        return [*found, (order.ended_at, ("returned",))]
    found.append((order.dispatched_at, ("reworked",) if order.reworks else ()))
    done = order.done_at
    if not is_suspended:
        timely = done is not None and done <= order.due_at
        extended = ("extended",) if order.extensions else ()
        found.append((order.due_at, ("due", *(("on_time",) if timely else ()), *extended)))
    if done is not None:
        found.append((done, (bucket(WORK, order.dispatched_at, done),)))
    signed = order.signed_at or done
    if order.sign_due_at is not None:
        timely = signed is not None and signed <= order.sign_due_at
        found.append((order.sign_due_at, ("sign_due", *(("signed",) if timely else ()))))
    return found


def bucket(measure: str, start: datetime, end: datetime) -> str:
    """The measure that counts times as long, within ``ACCURACY`` (DDSketch: Masson, Rim, Lee, VLDB 2019)."""
    hours = max((end - start).total_seconds() / 3600, SHORTEST_H)
    return f"{measure}:{math.ceil(math.log(hours, GAMMA)):+05d}"


def hours_of(measure: str) -> float:
    """The hours a bucket stands for."""
    return float(2 * GAMMA ** int(measure.rpartition(":")[2]) / (GAMMA + 1))


def quantile(buckets: Iterable[tuple[str, int]], q: float) -> float | None:
    """Hours below which the share ``q`` of the counted times lies, within ``ACCURACY``; None of none."""
    counted = sorted((hours_of(name), n) for name, n in buckets if n > 0)
    rank = q * (sum(n for _, n in counted) - 1)
    passed = 0
    for hours, n in counted:
        passed += n
        if passed > rank:
            return hours
    return None
