"""The responsibility book with what is known of it: reports of owners (进展上报) and figures, target by target.

Reports are only ever added; the newest counts. A target with an indicator is told by its numbers alone: a report on it
is a note with evidence. Evidence (佐证案件) are numbers of cases of the office that reports.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from router.departments import Directory
from router.trends.days import Period
from router.trends.numbers import Ask, Figure, Numbers
from router.trends.progress import Progress, Seen, base_spans, progress, span
from router.trends.targets import Measure, Target, Targets
from router.workflow import OPEN_ORDER, OrderStatus
from store.audit import audited
from store.db import Database, Tx, among
from store.errors import ConflictError, RejectedError
from store.numbers import parse_case_no
from store.tables import T

MOST_CASES = 50
"""Cases one report may name."""

LONGEST_NOTE = 1_000
LARGEST = 1e9
HISTORY = 50
"""Reports of one target that are listed."""

HELD = (*OPEN_ORDER, OrderStatus.HANDLED)
"""Work orders that are an office's own: not those it gave back or that were taken away."""

_apart = re.compile(r"[\s,，、;；]+")
_number = re.compile(r"([A-Z]{0,8})(\d{9,18})")
_ids = msgspec.json.Decoder(list[int])


class CaseRefusedError(RejectedError):
    """A case number that can be no evidence; ``number`` is it as written."""

    def __init__(self, number: str, why: str) -> None:
        super().__init__(f"router: cases: {number} {why}", reason="cases")
        self.number = number


@dataclass(frozen=True, slots=True)
class Said:
    """What a person reports: the value as text, empty for a target with an indicator; case numbers as typed.

    ``seen`` is the number of the newest report they knew, 0 for none.
    """

    value: str = ""
    note: str = ""
    cases: str = ""
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """One report; ``cases`` are numbers of cases by their id, ``actor`` a login."""

    id: int
    value: float
    note: str
    cases: Mapping[int, str]
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """A target and how it stands; ``query`` and ``base_query`` ask for its figures and the cases behind them."""

    target: Target
    progress: Progress
    report: Report | None = None
    query: str = ""
    base_query: str = ""


class TargetBook:
    """Reads and adds to the book. ``targets`` and ``directory`` may change with the configuration."""

    def __init__(
        self,
        db: Database,
        numbers: Numbers,
        targets: Targets,
        directory: Directory,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._numbers = numbers
        self._clock = clock
        self.targets = targets
        self.directory = directory

    def adopt(self, targets: Targets, directory: Directory) -> None:
        """Go by this book from now on."""
        self.targets, self.directory = targets, directory

    def one(self, target: str, office: str = "") -> Target:
        """A target by id, of an office where one is given; RejectedError when there is none."""
        found = next((one for one in self.targets.target if one.id == target), None)
        if found is None or (office and office not in found.offices):
            msg = "router: target: no such target of this office; choose one of the list"
            raise RejectedError(msg, reason="target")
        return found

    async def standings(self, targets: Sequence[Target]) -> list[Standing]:
        """How these stand today, in their order."""
        today, first = self._numbers.today(), await self._numbers.first_day()
        asks = {one.id: _asks(one, today, first) for one in targets if one.indicator}
        listed = list(dict.fromkeys(ask for pair in asks.values() for ask in pair))
        figures = dict(zip(listed, await self._numbers.figures(listed), strict=True))
        reports = await self._newest([one.id for one in targets])
        return [
            self._standing(one, reports.get(one.id), [figures[ask] for ask in asks.get(one.id, ())])
            for one in targets
        ]

    def _standing(self, one: Target, report: Report | None, told: Sequence[Figure]) -> Standing:
        today, slack = self._numbers.today(), self.targets.slack
        if not one.indicator:
            on = report.at.astimezone(self._numbers.zone).date() if report else None
            seen = Seen(report.value if report else None, reported_on=on)
            return Standing(one, progress(one, seen, today, slack), report)
        unit = self._numbers.indicator(one.indicator).unit
        values, since = [figure.value for figure in told], None
        if told and told[0].ask.period.start > one.start:
            since = told[0].ask.period.start
        value, base = (*values, None, None)[:2]
        seen = Seen(value, base, unit, since)
        queries = [figure.ask.query() for figure in told]
        return Standing(one, progress(one, seen, today, slack), report, *queries)

    async def history(self, target: str) -> list[Report]:
        """The reports of one target, the newest first."""
        r = T.target_reports.c
        asked = select(T.target_reports).where(r.target == target).order_by(r.id.desc())
        async with self._db.read() as conn:
            rows = (await conn.execute(asked.limit(HISTORY))).all()
            return await self._told(conn, rows)

    async def _newest(self, targets: Sequence[str]) -> dict[str, Report]:
        r = T.target_reports.c
        meant = among(r.target, targets, is_sqlite=self._db.is_sqlite)
        newest = select(func.max(r.id)).where(meant).group_by(r.target)
        async with self._db.read() as conn:
            rows = (await conn.execute(select(T.target_reports).where(r.id.in_(newest)))).all()
            told = await self._told(conn, rows)
        return {row.target: report for row, report in zip(rows, told, strict=True)}

    async def _told(self, conn: AsyncConnection, rows: Sequence[Any]) -> list[Report]:
        c, named = T.cases.c, [_ids.decode(row.cases) for row in rows]
        ids = sorted({one for listed in named for one in listed})
        asked = select(c.id, c.case_no).where(among(c.id, ids, is_sqlite=self._db.is_sqlite))
        numbers = {row.id: row.case_no for row in await conn.execute(asked)}
        return [
            Report(
                row.id,
                row.value,
                row.note,
                {one: numbers[one] for one in listed if one in numbers},
                row.actor,
                row.at,
            )
            for row, listed in zip(rows, named, strict=True)
        ]

    async def report(self, target: str, said: Said, *, actor: str, office: str = "") -> int:
        """Add a report; its number. ``office`` is whose person reports, none for those who oversee all.

        Raises:
            RejectedError: no such target of the office, or a value, note or case that can not be.
            ConflictError: somebody reported on it since ``said.seen``.
        """
        one, at = self.one(target, office), self._clock()
        value, note = _value(one, said.value), _note(one, said.note)
        numbers = _cases(said.cases)
        offices = (office,) if office else one.offices

        async def work(tx: Tx) -> int:
            before = await self._latest(tx, target, said.seen)
            ids = await self._own(tx, numbers, offices, at)
            row = {"target": target, "value": value, "note": note, "actor": actor, "at": at}
            row["cases"] = msgspec.json.encode(ids).decode()
            r = T.target_reports
            made = (await tx.run(r.insert().values(row).returning(r.c.id))).scalar_one()
            told = f"{before:g} → {value:g}；佐证 {len(ids)} 件"
            await audited(
                tx, actor=actor, act="target.report", target=f"target:{target}", note=told, at=at
            )
            return int(made)

        return await self._db.write(work)

    async def _latest(self, tx: Tx, target: str, seen: int) -> float:
        """The value reported last; ConflictError when that is not the report somebody saw."""
        r = T.target_reports.c
        newest = select(r.id, r.value).where(r.target == target).order_by(r.id.desc()).limit(1)
        await tx.run(select(r.id).where(r.id == seen, r.target == target).with_for_update())
        row = (await tx.run(newest)).first()
        if (row.id if row else 0) != seen:
            msg = "router: target: somebody reported on it meanwhile; look again"
            raise ConflictError(msg)
        return float(row.value) if row else 0.0

    async def _own(
        self, tx: Tx, numbers: Mapping[int, str], offices: Collection[str], now: datetime
    ) -> list[int]:
        """The ids of these cases; RejectedError when one is not there or none of these offices'."""
        c, o = T.cases.c, T.work_orders.c
        places = {place for one in offices for place in self.directory.places.get(one, ())}
        held = (o.status.in_(HELD), or_(o.leaves_at.is_(None), o.leaves_at <= now))
        ordered = select(o.case_id).where(o.case_id == c.id, o.department.in_(offices), *held)
        mine = or_(ordered.exists(), c.area.in_(sorted(places)))
        meant = among(c.id, list(numbers), is_sqlite=self._db.is_sqlite)
        rows = await tx.run(select(c.id, c.case_no).where(meant, mine))
        found = {row.id for row in rows if row.case_no == numbers[row.id]}
        missing = [text for one, text in numbers.items() if one not in found]
        if missing:
            raise CaseRefusedError(missing[0], "is no case of this office; correct or remove it")
        return list(numbers)


def _asks(one: Target, today: date, first: date | None) -> tuple[Ask, ...]:
    """The questions of a target's figures: of the year, and of its base year where it has one with numbers."""
    if today < one.start:
        return ()
    period: Period = span(one, today)
    both = base_spans(one, period, first) if one.reduce_by else None
    return tuple(map(one.ask, both or (period,)))


def _refused(field: str, what: str) -> RejectedError:
    return RejectedError(f"router: {field}: {what}", reason=field)


def _value(one: Target, text: str) -> float:
    """What is reported; 0 for a target that its numbers tell."""
    if one.measure is Measure.INDICATOR:
        return 0.0
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= LARGEST:
        raise _refused("value", "not a number from 0 on; write what is reached so far")
    steps = len(one.milestones)
    if steps and (value > steps or value != int(value)):
        raise _refused("value", f"not a number of steps; choose 0 to {steps}")
    return value


def _note(one: Target, text: str) -> str:
    note = text.strip()
    if len(note) > LONGEST_NOTE or (one.measure is Measure.INDICATOR and not note):
        raise _refused("note", f"missing, or longer than {LONGEST_NOTE}; write a shorter one")
    return note


def _cases(text: str) -> dict[int, str]:
    """Case numbers as written, by the ids they must be of."""
    words: Iterable[str] = (word for word in _apart.split(text.upper()) if word)
    found: dict[int, str] = {}
    for word in words:
        read = _number.fullmatch(word)
        if read is None:
            raise CaseRefusedError(word[:24], "is no case number; correct it")
        try:
            found[parse_case_no("", read[2])] = word
        except RejectedError as error:
            raise CaseRefusedError(word, "is mistyped; check its digits") from error
    if len(found) > MOST_CASES:
        raise _refused("cases", f"more than {MOST_CASES}; name the most telling ones")
    return found
