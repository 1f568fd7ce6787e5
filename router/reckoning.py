"""The months of a city's assessment (考核): counted, read, and frozen once.

A month is frozen after its cut-off and its rows never change again. What happens to its orders later counts
in the month in which it happens; ``drift`` shows what a recount would give today.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from router.assessment import By, Part, Row, Tally, Units
from router.deadlines import Clocks
from router.facts import Counting, OrderFacts, facts_of
from router.histories import histories
from router.indicators import Assessment
from router.months import Month, cut_off, month_of
from router.reports import SETTINGS, Change, Kept, Report, changes, keep, make_report
from store.columns import Utc
from store.db import Database, Tx
from store.errors import RejectedError
from store.tables import T

LOOK_S = 3600.0
"""Longest wait before the schedule looks again whether a month can be frozen."""

SOON_S = 60.0


class Reckoner:
    """Counts and freezes months. ``clock`` gives the present, aware."""

    def __init__(
        self,
        *,
        db: Database,
        assessment: Assessment,
        units: Units,
        clocks: Clocks,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
    ) -> None:
        self.assessment = assessment
        self.units = units
        self._db = db
        self._clocks = clocks
        self._zone = zone
        self._clock = clock

    def beside(self, db: Database) -> Reckoner:
        """The same over another connection to the database."""
        return Reckoner(
            db=db,
            assessment=self.assessment,
            units=self.units,
            clocks=self._clocks,
            zone=self._zone,
            clock=self._clock,
        )

    def adopt(self, assessment: Assessment, units: Units, clocks: Clocks) -> None:
        """Count by these from now on; what is frozen keeps its own."""
        self.assessment = assessment
        self.units = units
        self._clocks = clocks

    async def facts(self, month: Month, by: Assessment) -> AsyncIterator[list[OrderFacts]]:
        """The facts of every order that matters to the month, a page of cases at a time."""
        how = Counting(
            span=month.span(self._zone),
            now=self._clock(),
            window=timedelta(days=by.repeat_days),
            clocks=self._clocks,
        )
        pages = histories(
            self._db, how.span, documents=by.documents, recordings=by.count_recordings
        )
        async for page in pages:
            yield [one for case in page for one in facts_of(case, how)]

    async def count(self, month: Month, assessment: Assessment) -> dict[By, list[Row]]:
        """The month as it stands now, by every kind of unit."""
        tally = Tally(assessment.indicator, self.units)
        async for page in self.facts(month, assessment):
            tally.add(page)
        return {by: tally.rows(by) for by in By}

    async def report(self, month: Month, by: By) -> Report:
        """The month as it was frozen, or else as it stands now."""
        kept = await self._kept(month)
        if kept is not None:
            rows, at, assessment = await self._rows(month, by), kept.at, kept.assessment
        else:
            at, assessment = self._clock(), self.assessment
            rows = (await self.count(month, assessment))[by]
        frozen = kept is not None
        return make_report(month, by, rows, assessment, self.units, at=at, is_frozen=frozen)

    async def cases_of(
        self, month: Month, by: By, unit: str, indicator: str, part: Part
    ) -> list[int]:
        """The cases behind a number, as they stand now: of a frozen month they may have drifted.

        RejectedError (reason ``indicator``) when there is no such indicator.
        """
        kept = await self._kept(month)
        assessment = self.assessment if kept is None else kept.assessment
        one = assessment.indicators.get(indicator)
        if one is None:
            msg = "router: indicator is unknown; choose one of the month's"
            raise RejectedError(msg, reason="indicator")
        count = one.numerator if part is Part.NUMERATOR else one.denominator
        found: set[int] = set()
        async for page in self.facts(month, assessment):
            found |= {f.case_id for f in page if count(f) and unit in self.units.of(by, f)}
        return sorted(found)

    async def freeze(self, month: Month) -> tuple[datetime, bool]:
        """Fix the month; returns when it was frozen, and whether that was now.

        RejectedError (reason ``month``) before the cut-off, which is after the month's end.
        """
        kept = await self._kept(month)
        if kept is not None:
            return kept.at, False
        now, after = self._clock(), self._cut_off(month)
        if now < after:
            local = after.astimezone(self._zone)
            msg = f"router: month {month} can not be frozen before {local:%Y-%m-%d %H:%M}; wait until then"
            raise RejectedError(msg, reason="month")
        counted = await self.count(month, self.assessment)
        rows = keep(month, counted, self.assessment, now)

        async def work(tx: Tx) -> tuple[datetime, bool]:
            return await _write(tx, month, rows, now, is_sqlite=self._db.is_sqlite)

        return await self._db.write(work)

    async def drift(self, month: Month) -> list[Change]:
        """Where a recount of a frozen month by its own definitions differs; RejectedError when it is not frozen."""
        kept = await self._kept(month)
        if kept is None:
            msg = f"router: month {month} is not frozen; freeze it first"
            raise RejectedError(msg, reason="month")
        counted = await self.count(month, kept.assessment)
        frozen = [row for by in By for row in await self._rows(month, by)]
        return changes(frozen, [row for by in By for row in counted[by]])

    async def monthly(self) -> float:
        """Freeze every month that can be, the oldest first; returns seconds until to look again.

        For ``hub.scheduler``: months missed while the hub was down are caught up.
        """
        month, frozen = await self._begun()
        while (left := (self._cut_off(month) - self._clock()).total_seconds()) <= 0:
            if str(month) not in frozen:
                await self.freeze(month)
            month = month.following
        return min(max(left, SOON_S), LOOK_S)

    def _cut_off(self, month: Month) -> datetime:
        freeze = self.assessment.freeze
        return cut_off(month, day=freeze.day, hour=freeze.hour, zone=self._zone)

    async def _begun(self) -> tuple[Month, frozenset[str]]:
        """The month of the first dispatch (the present one before any), and the months that are frozen."""
        a, first = T.assessments.c, func.min(T.work_orders.c.dispatched_at, type_=Utc())
        async with self._db.read() as conn:
            at = (await conn.execute(select(first))).scalar() or self._clock()
            frozen = (await conn.execute(select(a.month).where(a.by == SETTINGS))).scalars()
            return month_of(at, self._zone), frozenset(frozen)

    async def _kept(self, month: Month) -> Kept | None:
        """When and with what definitions the month was frozen; None when it was not."""
        c = T.assessments.c
        statement = select(c.formula, c.frozen_at).where(c.month == str(month), c.by == SETTINGS)
        async with self._db.read() as conn:
            found = (await conn.execute(statement)).first()
        if found is None:
            return None
        return Kept(found.frozen_at, Assessment.model_validate_json(found.formula))

    async def _rows(self, month: Month, by: By) -> list[Row]:
        c = T.assessments.c
        statement = select(c.by, c.unit, c.indicator, c.numerator, c.denominator).where(
            c.month == str(month), c.by == by
        )
        async with self._db.read() as conn:
            return [Row(*one) for one in await conn.execute(statement)]


async def _write(
    tx: Tx, month: Month, rows: Sequence[dict[str, Any]], now: datetime, *, is_sqlite: bool
) -> tuple[datetime, bool]:
    """Insert the rows unless another hub was first: whoever writes the first row writes them all."""
    insert = sqlite_insert if is_sqlite else pg_insert
    first, *rest = rows
    done = await tx.run(insert(T.assessments).values(first).on_conflict_do_nothing())
    if done.rowcount != 1:
        at = select(T.assessments.c.frozen_at).where(T.assessments.c.month == str(month)).limit(1)
        return (await tx.run(at)).scalar_one(), False
    await tx.insert(T.assessments, rest)
    return now, True
