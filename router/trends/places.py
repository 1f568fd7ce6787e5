"""Chronic places (点位台账): where matters come back, who is in charge there, and an alarm when one does.

A place is a name of the city's gazetteer that a message speaks of (its series ``spot:<name>``). A case relapses at its
place when a person or the hub linked it as a relapse, or when a case of the same place and problem was closed at most
``repeat_days`` of ``assessment.toml`` before it came.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from router.charges import Charge, Charges
from router.tasks import TaskKind, TaskRole, raise_task
from router.trends.days import number
from router.trends.series import SPOT
from router.workflow import CaseStatus
from store.db import Database, Tx
from store.tables import T
from store.understood import labels_of

SPANS = (30, 90, 365)
"""Days that cases are counted over, on their own day."""

FEWEST = 3
"""Cases in the longest span that put a place into the ledger; a relapse does too."""

MOST, MOST_CASES = 200, 100
"""Places listed, and cases of one."""

ALARM = timedelta(days=3)
"""A relapse older than this raises no alarm: the ledger of a city that begins has years of them."""

EVERY_S = 600.0
"""Seconds between looks."""

PAGE_DAYS = 7
"""Days of messages that are read at a time."""


class Visit(NamedTuple):
    """One message of one case about a place."""

    place: str
    item_id: int
    case_id: int
    day: int
    author_key: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a case the ledger knows; ``relapse_of`` the case it was linked to, if any."""

    case_no: str
    is_open: bool
    problems: tuple[str, ...]
    received_at: datetime
    closed_at: datetime | None
    relapse_of: int | None
    area: str = ""
    point: str = ""


class Relapse(NamedTuple):
    """A case that brought a matter back to a place, and the one before it."""

    place: str
    case_id: int
    earlier: int


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the ledger. ``counts`` are cases in each of ``SPANS``; ``cases`` the newest first.

    ``area`` and ``point`` are those of most of its cases; ``owners`` who has charge there (包保).
    """

    name: str
    area: str
    point: str
    counts: tuple[int, ...]
    voices: int
    open: int
    problems: dict[str, int]
    last_closed_at: datetime | None
    relapses: tuple[Relapse, ...]
    cases: tuple[int, ...]
    owners: tuple[Charge, ...] = ()


@dataclass
class Gathered:
    """Everything read for the ledger."""

    visits: list[Visit] = field(default_factory=list)
    cases: dict[int, Standing] = field(default_factory=dict)


def ledger(
    gathered: Gathered, *, since: Sequence[int], window: timedelta, charges: Charges
) -> list[Place]:
    """The places where matters come back, the worst first; pure. ``since`` are the first days of ``SPANS``."""
    by_place: defaultdict[str, list[Visit]] = defaultdict(list)
    for visit in gathered.visits:
        by_place[visit.place].append(visit)
    places = [
        _place(name, visits, gathered.cases, since, window) for name, visits in by_place.items()
    ]
    chronic = [one for one in places if one.counts[-1] >= FEWEST or one.relapses]
    chronic.sort(key=lambda one: (-len(one.relapses), *(-n for n in one.counts), one.name))
    return [
        replace(one, owners=charges.of(one.area, one.point, [one.name])) for one in chronic[:MOST]
    ]


def _place(
    name: str,
    visits: Sequence[Visit],
    cases: dict[int, Standing],
    since: Sequence[int],
    window: timedelta,
) -> Place:
    first = {}
    for visit in sorted(visits, key=lambda one: (one.day, one.item_id), reverse=True):
        first[visit.case_id] = visit.day
    known = {case_id: cases[case_id] for case_id in first}
    closed = [one.closed_at for one in known.values() if one.closed_at is not None]
    newest = sorted(known, key=lambda one: (known[one].received_at, one), reverse=True)
    problems = Counter(problem for one in known.values() for problem in one.problems)
    where = Counter((one.area, one.point) for one in known.values() if one.area)
    area, point = where.most_common(1)[0][0] if where else ("", "")
    return Place(
        name=name,
        area=area,
        point=point,
        counts=tuple(sum(day >= start for day in first.values()) for start in since),
        voices=len({(one.author_key, one.case_id) for one in visits}),
        open=sum(one.is_open for one in known.values()),
        problems=dict(problems.most_common()),
        last_closed_at=max(closed, default=None),
        relapses=tuple(relapses(name, known, window)),
        cases=tuple(newest[:MOST_CASES]),
    )


def relapses(place: str, cases: dict[int, Standing], window: timedelta) -> Iterator[Relapse]:
    """The cases of a place that brought something back, each once."""
    ordered = sorted(cases, key=lambda one: (cases[one].received_at, one))
    for n, case_id in enumerate(ordered):
        own = cases[case_id]
        before = next(
            (other for other in reversed(ordered[:n]) if _came_back(cases[other], own, window)),
            own.relapse_of,
        )
        if before is not None:
            yield Relapse(place, case_id, before)


def _came_back(earlier: Standing, own: Standing, window: timedelta) -> bool:
    closed = earlier.closed_at
    return (
        closed is not None
        and closed <= own.received_at <= closed + window
        and not set(earlier.problems).isdisjoint(own.problems)
    )


class PlaceLedger:
    """Keeps the ledger; ``run`` is a job of the hub, ``current`` what pages show, at most ``EVERY_S`` old."""

    def __init__(
        self,
        db: Database,
        *,
        repeat_days: float,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
        charges: Charges,
    ) -> None:
        self._db = db
        self._zone = zone
        self._clock = clock
        self.repeat_days = repeat_days
        self.charges = charges
        self._looking = asyncio.Lock()
        self._kept: tuple[datetime, list[Place]] | None = None

    async def run(self) -> float:
        """Look, and raise an alarm for each relapse that is new; the seconds until the next look."""
        async with self._looking:
            places, gathered = await self._look()
        fresh = [
            one
            for place in places
            for one in place.relapses
            if gathered.cases[one.case_id].received_at >= self._clock() - ALARM
        ]
        if fresh:
            await self._db.write(lambda tx: self._alarm(tx, fresh, gathered))
        return EVERY_S

    async def current(self) -> tuple[datetime, list[Place]]:
        """When it was last looked, and what was found."""
        async with self._looking:
            if self._kept is None or self._clock() - self._kept[0] >= timedelta(seconds=EVERY_S):
                await self._look()
            assert self._kept is not None  # noqa: S101 - for the type checker
            return self._kept

    async def _look(self) -> tuple[list[Place], Gathered]:
        now = self._clock()
        today = now.astimezone(self._zone).date()
        gathered = Gathered()
        async with self._db.read() as conn:
            for back in range(0, SPANS[-1], PAGE_DAYS):
                last = today - timedelta(days=back)
                start = today - timedelta(days=min(back + PAGE_DAYS, SPANS[-1]) - 1)
                await _gather(conn, number(start), number(last), gathered)
        since = [number(today - timedelta(days=days - 1)) for days in SPANS]
        window = timedelta(days=self.repeat_days)
        places = await asyncio.to_thread(
            lambda: ledger(gathered, since=since, window=window, charges=self.charges)
        )
        self._kept = (now, places)
        return places, gathered

    async def _alarm(self, tx: Tx, fresh: Sequence[Relapse], gathered: Gathered) -> None:
        """One task for each relapse, whatever places its message names."""
        for one in fresh:
            earlier = gathered.cases.get(one.earlier)
            told = f"，上次案件 {earlier.case_no}" if earlier else ""
            await raise_task(
                tx,
                mark=f"place:{one.case_id}",
                kind=TaskKind.PLACE_RELAPSED,
                role=TaskRole.SUPERVISOR,
                at=self._clock(),
                case_id=one.case_id,
                note=f"{one.place}{told}",
            )


_ENDED = frozenset({CaseStatus.CLOSED, CaseStatus.DECLINED, CaseStatus.REFERRED, CaseStatus.MERGED})


async def _gather(conn: AsyncConnection, first: int, last: int, into: Gathered) -> None:
    """Messages about places of these days, and their cases."""
    t, c = T.tallied.c, T.cases.c
    asked = (
        select(
            t.item_id, t.case_id, t.day, t.author_key, t.labels,
            c.case_no, c.status, c.problems, c.received_at, c.closed_at, c.relapse_of,
            c.area, c.point,
        )
        .join(T.cases, c.id == t.case_id)
        .where(t.day >= first, t.day <= last, t.labels.like(f"%|{SPOT}%"))
    )  # fmt: skip
    for row in await conn.execute(asked):
        into.cases[row.case_id] = Standing(
            case_no=row.case_no,
            is_open=row.status not in _ENDED,
            problems=tuple(labels_of(row.problems)),
            received_at=row.received_at,
            closed_at=row.closed_at if row.status == CaseStatus.CLOSED else None,
            relapse_of=row.relapse_of,
            area=row.area,
            point=row.point,
        )
        for label in row.labels.strip("|").split("|"):
            if label.startswith(SPOT):
                place = label.removeprefix(SPOT)
                into.visits.append(Visit(place, row.item_id, row.case_id, row.day, row.author_key))
