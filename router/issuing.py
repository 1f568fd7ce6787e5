"""Puts a step of supervision on record and tells everybody it concerns, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import insert, select, update

from router.documents import CLIMB, Facts, First, Writer, number_of, share, span
from router.ladder import Ladder, Level, Recipients
from router.ladder import Step as Rung
from router.ledger import Act, Step, event_row, take_notices
from router.notify.told import SUPERVISED, record_id
from router.supervision import Entry, Schedule, State, Watched, mark_of
from router.workflow import Verb
from store.db import Tx
from store.model import NoticeRef
from store.numbers import count_up
from store.outbox import Outbox, record
from store.tables import T

ACTOR = "supervision"
"""Whose name the ladder's own steps carry."""

_labels = msgspec.json.Decoder(list[str])

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One step about to go out: the order's row joined with its case, as supervision sees it, when, and by whom."""

    row: Row
    watched: Watched
    at: datetime
    actor: str = ACTOR


@dataclass(frozen=True, slots=True)
class Draft:
    """A row of ``supervisions`` in the making."""

    level: Level
    round: int
    rung: int
    state: State
    whom: Recipients
    title: str = ""
    body: str = ""
    number: str = ""
    reply_by: datetime | None = None

    def mark(self, order_id: int) -> str:
        """What makes it once."""
        return mark_of(order_id, self.round, self.level, self.rung)


class Issuer:
    """Writes rows, numbers, history and notices of steps."""

    def __init__(self, outbox: Outbox, schedule: Schedule, writer: Writer) -> None:
        self._outbox = outbox
        self._schedule = schedule
        self._writer = writer

    @property
    def ladder(self) -> Ladder:
        """The city's ladder."""
        return self._schedule.ladder

    async def issue(self, tx: Tx, sheet: Sheet, step: Rung, whom: Recipients) -> Entry:
        """A lamp or a document of the ladder goes out."""
        state = State.ISSUED if step.document else State.TOLD
        draft = Draft(step.level, sheet.watched.round, 0, state, whom)
        return await self._send(tx, sheet, step, draft, step.level, None)

    async def climb(
        self, tx: Tx, sheet: Sheet, step: Rung, late: Entry, title: str, to: str
    ) -> Entry:
        """The document ``late``, called ``title``, was not answered: ask the office above, ``to``."""
        assert late.reply_by is not None  # noqa: S101
        first = First(title, late.number, late.addressee, late.reply_by)
        whom = Recipients(to, (late.addressee,), lacks=False)
        draft = Draft(late.level, late.round, late.rung + 1, State.ISSUED, whom)
        return await self._send(tx, sheet, step, draft, CLIMB, first)

    async def skip(self, tx: Tx, sheet: Sheet, steps: Sequence[Rung]) -> list[Entry]:
        """Steps that are never sent, because a higher one is due or out."""
        nobody = Recipients(sheet.row["department"], (), lacks=False)
        drafts = [
            Draft(step.level, sheet.watched.round, 0, State.SKIPPED, nobody, self._writer.title(step.level))
            for step in steps
        ]  # fmt: skip
        return [await self._insert(tx, sheet, draft) for draft in drafts]

    async def settle(self, tx: Tx, entries: Sequence[Entry], state: State) -> None:
        """Documents that wait for no answer any more."""
        s = T.supervisions.c
        ids = [entry.id for entry in entries]
        if ids:
            where = (s.id.in_(ids), s.state == State.ISSUED)
            await tx.run(update(T.supervisions).where(*where).values(state=state))

    async def title_of(self, tx: Tx, entry: Entry) -> str:
        """What a document on record is called."""
        s = T.supervisions.c
        return str((await tx.run(select(s.title).where(s.id == entry.id))).scalar_one())

    async def _send(
        self, tx: Tx, sheet: Sheet, step: Rung, draft: Draft, form: str, first: First | None
    ) -> Entry:
        """Number, text, row, history and notices."""
        number = await self._number(tx, step, sheet.at) if step.document else ""
        reply_by = self._reply_by(step, sheet.at)
        facts = self._facts(sheet, number, draft.whom, reply_by, first)
        draft = replace(
            draft,
            title=self._writer.title(form),
            body=self._writer.body(form, facts),
            number=number,
            reply_by=reply_by,
        )
        entry = await self._insert(tx, sheet, draft)
        await tx.run(insert(T.events).values(_event(sheet, draft.level, number)))
        await self._tell(tx, sheet, draft)
        tx.touched.add("desk")
        return entry

    async def _insert(self, tx: Tx, sheet: Sheet, draft: Draft) -> Entry:
        row = {
            "mark": draft.mark(sheet.row["id"]),
            "number": draft.number,
            "level": draft.level,
            "case_id": sheet.row["case_id"],
            "order_id": sheet.row["id"],
            "department": sheet.row["department"],
            "addressee": draft.whom.to,
            "copied_to": msgspec.json.encode(draft.whom.copies).decode(),
            "title": draft.title,
            "body": draft.body,
            "state": draft.state,
            "actor": sheet.actor,
            "at": sheet.at,
            "reply_by": draft.reply_by,
        }
        made = await tx.run(insert(T.supervisions).values(row).returning(T.supervisions.c.id))
        return Entry(
            id=made.scalar_one(),
            level=draft.level,
            round=draft.round,
            rung=draft.rung,
            state=draft.state,
            at=sheet.at,
            reply_by=draft.reply_by,
            addressee=draft.whom.to,
            number=draft.number,
        )

    async def _tell(self, tx: Tx, sheet: Sheet, draft: Draft) -> None:
        """One notice for each office, numbered after all the case has had."""
        mark, offices = draft.mark(sheet.row["id"]), (draft.whom.to, *draft.whom.copies)
        first = await take_notices(tx, sheet.row["case_id"], len(offices))
        records = [
            record(
                record_id(mark, office),
                str(sheet.row["case_id"]),
                NoticeRef(sheet.row["id"], office, SUPERVISED, n),
            )
            for n, office in enumerate(offices, first)
        ]
        await self._outbox.put(tx, "notices", records)

    async def _number(self, tx: Tx, step: Rung, at: datetime) -> str:
        """The next number of this kind and year; given back when the transaction fails."""
        year = at.astimezone(self._schedule.zone).year
        is_sqlite = tx.conn.dialect.name == "sqlite"
        n = await count_up(tx, f"supervision:{year}:{step.level}", is_sqlite=is_sqlite)
        return number_of(self.ladder.prefix, step.word, year, n)

    def _reply_by(self, step: Rung, at: datetime) -> datetime | None:
        if step.reply_within is None:
            return None
        return self._schedule.deadlines.due_at(at, step.reply_within, self._schedule.zone)

    def _facts(
        self,
        sheet: Sheet,
        number: str,
        whom: Recipients,
        reply_by: datetime | None,
        first: First | None,
    ) -> Facts:
        row = sheet.row
        used, over, due_at = self._times(sheet)
        return Facts(
            number=number,
            addressee=whom.to,
            copies=whom.copies,
            department=row["department"],
            case_no=row["case_no"],
            labels=_labels.decode(row["problems"]) or [row["kind"]],
            area=row["area"],
            summary=row["summary"],
            dispatched_at=row["dispatched_at"],
            due_at=due_at,
            used=used,
            over=over,
            at=sheet.at,
            reply_by=reply_by,
            first=first,
        )

    def _times(self, sheet: Sheet) -> tuple[str, str, datetime]:
        """Share of the limit used and time over it, in words; when it ends."""
        schedule, clock = self._schedule, self._schedule.clock_of(sheet.watched)
        due_at = schedule.due_at(sheet.watched) or sheet.watched.due_at
        day_s = schedule.deadlines.day_s
        if clock is None:
            over_us = schedule.deadlines.ran_us(due_at, sheet.at, schedule.zone, urgent=False)
            return "", _over(over_us / 1e6, day_s, urgent=False), due_at
        limit_s = schedule.clocks.limit_s(clock)
        ran_s = schedule.clocks.elapsed_s(clock, sheet.at)
        urgent, _ = schedule.deadlines.pace((clock.limit, *clock.extra)[-1])
        return share(ran_s / limit_s), _over(ran_s - limit_s, day_s, urgent=urgent), due_at


def _over(seconds: float, day_s: float, *, urgent: bool) -> str:
    """Time over the limit in words; empty when there is none."""
    return span(seconds, day_s, urgent=urgent) if seconds > 0 else ""


def _event(sheet: Sheet, level: Level, number: str) -> dict[str, Any]:
    """One line of the case's history; its status and version stay."""
    row, status = sheet.row, sheet.row["case_status"]
    step = Step(Verb.SUPERVISE, status, status, row["id"], level, number)
    return event_row(row["case_id"], step, Act(sheet.actor, sheet.at), version=row["version"])
