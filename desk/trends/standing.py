"""Targets as the pages of the responsibility book and scripts are told of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import msgspec

from desk import queries
from router.trends.book import Report, Standing, TargetBook
from router.trends.progress import STATE_NAMES, State
from router.trends.sums import NUMBER
from router.trends.targets import Target
from store.db import Database


class Mark(msgspec.Struct, frozen=True):
    """A case that is evidence."""

    id: str
    case_no: str


class ReportLine(msgspec.Struct, frozen=True):
    """A report; ``by`` is what its author is called."""

    id: str
    shown: str
    note: str
    by: str
    at: datetime
    cases: tuple[Mark, ...]


class TargetLine(msgspec.Struct, frozen=True):
    """A target and how it stands. ``link`` and ``base_link`` open its figures; shares are 0 to 1."""

    id: str
    title: str
    year: int
    due: date
    owner: str
    owner_id: str
    helpers: tuple[str, ...]
    measure: str
    unit: str
    steps: tuple[tuple[str, date], ...]
    value: float | None
    goal: float | None
    share: float | None
    due_share: float | None
    state: State
    state_name: str
    shown: str
    goal_shown: str
    words: str
    link: str
    base_link: str
    report: ReportLine | None


class Standings:
    """Tells of targets. ``offices`` are names that may change."""

    def __init__(self, db: Database, book: TargetBook, offices: Mapping[str, str]) -> None:
        self._db = db
        self.book = book
        self.offices = offices

    async def lines(self, targets: Sequence[Target]) -> list[TargetLine]:
        """Targets as they stand, in their order."""
        standings = await self.book.standings(targets)
        people = await self._people([one.report for one in standings if one.report])
        return [self._line(one, people) for one in standings]

    async def history(self, target: Target) -> list[ReportLine]:
        """Reports of one target, the newest first."""
        reports = await self.book.history(target.id)
        people = await self._people(reports)
        return [_reported(target, one, people) for one in reports]

    async def _people(self, reports: Iterable[Report]) -> dict[str, str]:
        return await queries.people(self._db, {one.actor for one in reports})

    def _line(self, one: Standing, people: Mapping[str, str]) -> TargetLine:
        target, told = one.target, one.progress
        return TargetLine(
            id=target.id,
            title=target.title,
            year=target.year,
            due=target.due,
            owner=self.offices.get(target.owner, target.owner),
            owner_id=target.owner,
            helpers=tuple(self.offices.get(office, office) for office in target.helpers),
            measure=target.measure,
            unit=target.unit,
            steps=tuple((step.name, step.due) for step in target.milestones),
            value=told.value,
            goal=told.goal,
            share=told.share,
            due_share=told.due_share,
            state=told.state,
            state_name=STATE_NAMES[told.state],
            shown=told.shown,
            goal_shown=told.goal_shown,
            words=told.words,
            link=NUMBER + one.query if one.query else "",
            base_link=NUMBER + one.base_query if one.base_query else "",
            report=_reported(target, one.report, people) if one.report else None,
        )


def _reported(target: Target, one: Report, people: Mapping[str, str]) -> ReportLine:
    shown = "" if target.indicator else f"{one.value:,.10g} {target.unit or '步'}"
    marks = tuple(Mark(str(key), number) for key, number in one.cases.items())
    return ReportLine(str(one.id), shown, one.note, people.get(one.actor, one.actor), one.at, marks)
