"""The sweep of supervision: looks at every order whose ``watch_at`` has come, and at what the desk owes.

Each order is looked at in one transaction that holds its row, so that two hubs, a crash or a second sweep
never issue a step twice. What nobody can act on by rule becomes a task.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select, update

from router.clocking import read_clock
from router.documents import Writer
from router.instructions import opened, remind
from router.issuing import Issuer, Row, Sheet
from router.ladder import RANK, Level, Step, Superiors, recipients
from router.owners import watch_owners
from router.supervision import Entry, Plan, Schedule, State, Watched, read_mark
from router.tasks import TaskKind, TaskRole, raise_task
from router.workflow import OPEN_ORDER, CaseStatus, Verb, next_status
from store.db import Database, Tx
from store.errors import ConflictError, RejectedError
from store.outbox import Outbox
from store.pulse import Pulse
from store.tables import T

BATCH = 200
"""Orders one sweep looks at."""

LOOK_S = 15.0
"""The longest pause between two sweeps."""

OWNERS_EVERY = timedelta(minutes=1)
"""How often open orders are compared with the offices there are."""


class Supervisor:
    """Runs the ladder. ``superiors`` gives the offices above one, the nearest first; ``offices`` are all there are,
    none when nobody is to be missed."""

    def __init__(
        self,
        *,
        db: Database,
        schedule: Schedule,
        issuer: Issuer,
        superiors: Superiors,
        clock: Callable[[], datetime],
        offices: Collection[str] = (),
    ) -> None:
        self._db = db
        self._clock = clock
        self._listed: date | None = None
        self.adopt(schedule, issuer, superiors, offices)

    def adopt(
        self, schedule: Schedule, issuer: Issuer, superiors: Superiors, offices: Collection[str]
    ) -> None:
        """Look by these from the next order on; what is issued stays."""
        self._schedule = schedule
        self._issuer = issuer
        self._superiors = known_above(superiors)
        self._offices = offices
        self._owners_at: datetime | None = None

    async def run(self) -> None:
        """Sweep for ever; whatever touches ``supervision`` is looked at immediately."""
        while True:
            heard = self._db.pulse.listen("supervision")
            if await self.sweep(self._clock()) < BATCH:
                await Pulse.wait(heard, LOOK_S)

    async def sweep(self, now: datetime) -> int:
        """Look at what is due at ``now``, at most ``BATCH`` orders; returns how many were looked at."""
        o = T.work_orders.c
        due = select(o.id).where(o.watch_at <= now).order_by(o.watch_at, o.id).limit(BATCH)
        async with self._db.read() as conn:
            orders = list((await conn.execute(due)).scalars())
        for order_id in orders:
            await self._db.write(partial(self._look, order_id=order_id, now=now))
        await self._close()
        await self._desk(now)
        await self._instructions(now)
        await self._owners(now)
        return len(orders)

    async def issue_now(self, order_id: int, *, level: Level, actor: str) -> str:
        """A person issues a document of the ladder without waiting for its time (现场督查); returns its number.

        What waited for an answer waits no more. RejectedError when the order is not open or the ladder has no such
        document for it; ConflictError when the case stands, it has been issued already or a higher one has.
        """

        async def work(tx: Tx) -> str:
            now = self._clock()
            row = await _order(tx, order_id, None)
            if row is None or row["status"] not in OPEN_ORDER or not _left(row, now):
                msg = "router: supervise: no open work order of this number; look again"
                raise RejectedError(msg, reason="order")
            next_status(CaseStatus(row["case_status"]), Verb.SUPERVISE)
            sheet = Sheet(row, _watched(row), now, actor)
            ladder = self._issuer.ladder.steps(instructed=row["wanted_at"] is not None)
            step = next((one for one in ladder if one.level is level and one.document), None)
            if step is None:
                msg = f"router: supervise: the ladder has no document {level} for this order; choose another"
                raise RejectedError(msg, reason="level")
            mine = [e for e in await _entries(tx, order_id) if e.round == sheet.watched.round]
            if any(RANK[e.level] >= RANK[level] and e.state is not State.SKIPPED for e in mine):
                msg = f"router: supervise: {level} or a higher step was issued already; look again"
                raise ConflictError(msg)
            waiting = [entry for entry in mine if entry.state is State.ISSUED]
            await self._issuer.settle(tx, waiting, State.SUPERSEDED)
            number = (await self._issue(tx, sheet, step)).number
            o = T.work_orders.c
            again = update(T.work_orders).where(o.id == order_id, o.watch_at.is_not(None))
            await tx.run(again.values(watch_at=now))
            return number

        return await self._db.write(work)

    async def _look(self, tx: Tx, *, order_id: int, now: datetime) -> None:
        """One order: what is due goes out, and the next look is set."""
        row = await _order(tx, order_id, now)
        if row is None:
            return
        sheet = Sheet(row, _watched(row), now)
        entries = await _entries(tx, order_id)
        plan = self._schedule.due_steps(sheet.watched, entries, now)
        entries = await self._carry_out(tx, sheet, plan, entries)
        following = self._schedule.next_look(sheet.watched, entries, now)
        o = T.work_orders.c
        await tx.run(update(T.work_orders).where(o.id == order_id).values(watch_at=following))

    async def _carry_out(
        self, tx: Tx, sheet: Sheet, plan: Plan, entries: Sequence[Entry]
    ) -> list[Entry]:
        """Do what the plan says; returns the order's entries as they are then."""
        gone = {entry.id for entry in plan.replaced}
        await self._issuer.settle(tx, plan.replaced, State.SUPERSEDED)
        fresh = await self._issuer.skip(tx, sheet, plan.skipped)
        if plan.step is not None:
            fresh.append(await self._issue(tx, sheet, plan.step))
        if plan.climbing is not None:
            gone.add(plan.climbing.id)
            fresh += await self._climb(tx, sheet, plan.climbing)
        return [*(entry for entry in entries if entry.id not in gone), *fresh]

    async def _issue(self, tx: Tx, sheet: Sheet, step: Step) -> Entry:
        department = sheet.row["department"]
        whom = recipients(step, department, self._issuer.ladder, self._superiors)
        if whom.lacks:
            kind = TaskKind.NO_SUPERIOR
            await self._task(tx, sheet, "no_superior", kind, TaskRole.ADMIN, department)
        entry = await self._issuer.issue(tx, sheet, step, whom)
        for role in step.roles:
            mark = f"{sheet.watched.round}:{step.level}:{role}"
            await self._task(tx, sheet, mark, TaskKind.DOCUMENT_ISSUED, role, entry.number)
        return entry

    async def _climb(self, tx: Tx, sheet: Sheet, late: Entry) -> list[Entry]:
        """Ask the office above the one that did not answer; at the top a person must."""
        await self._issuer.settle(tx, [late], State.CLIMBED)
        above = next(iter(self._superiors(late.addressee)), "")
        steps = {step.level: step for step in self._issuer.ladder.documents}
        if above and late.level in steps:
            title = await self._issuer.title_of(tx, late)
            return [await self._issuer.climb(tx, sheet, steps[late.level], late, title, above)]
        mark, kind = f"{late.round}:{late.level}:unanswered", TaskKind.DOCUMENT_UNANSWERED
        await self._task(tx, sheet, mark, kind, TaskRole.SUPERVISOR, late.number)
        return []

    async def _task(
        self, tx: Tx, sheet: Sheet, mark: str, kind: TaskKind, role: TaskRole, note: str
    ) -> None:
        row = sheet.row
        await raise_task(
            tx,
            mark=f"{row['id']}:{mark}",
            kind=kind,
            role=role,
            at=sheet.at,
            case_id=row["case_id"],
            order_id=row["id"],
            note=note,
        )

    async def _close(self) -> None:
        """Documents on orders that have ended wait for no answer."""
        s, o = T.supervisions.c, T.work_orders.c
        waits = (
            select(s.id)
            .join(T.work_orders, o.id == s.order_id)
            .where(s.state == State.ISSUED, o.status.not_in(OPEN_ORDER))
        )
        async with self._db.read() as conn:
            ids = list((await conn.execute(waits.limit(BATCH))).scalars())
        if not ids:
            return

        async def work(tx: Tx) -> None:
            where = (s.id.in_(ids), s.state == State.ISSUED)
            await tx.run(update(T.supervisions).where(*where).values(state=State.ENDED))

        await self._db.write(work)

    async def _desk(self, now: datetime) -> None:
        """Cases whose step at the desk is late: each a task, once."""
        c = T.cases.c
        late = select(c.id).where(c.stage_due_at <= now).order_by(c.stage_due_at).limit(BATCH)
        async with self._db.read() as conn:
            ids = list((await conn.execute(late)).scalars())
        for case_id in ids:
            await self._db.write(partial(_desk_late, case_id=case_id, now=now))

    async def _instructions(self, now: datetime) -> None:
        """The daily list of what leaders ordered; all cases are asked once a day, then those of today."""
        day = now.astimezone(self._schedule.zone).date()
        await remind(self._db, self._schedule, now, whole=self._listed != day)
        if opened(self._schedule, now):
            self._listed = day

    async def _owners(self, now: datetime) -> None:
        """Orders of offices that are gone, at once when the offices changed and then every minute."""
        if self._offices and (self._owners_at is None or now >= self._owners_at):
            self._owners_at = now + OWNERS_EVERY
            await watch_owners(self._db, self._offices, now, self._schedule.zone)


def known_above(superiors: Superiors) -> Superiors:
    """``superiors``, where an office it does not know (KeyError) has none: orders outlive the configuration."""

    def above(office: str) -> Sequence[str]:
        try:
            return superiors(office)
        except KeyError:
            return ()

    return above


def build_issuer(outbox: Outbox, schedule: Schedule, names: Mapping[str, str]) -> Issuer:
    """What writes the city's documents; ``names`` shows offices and labels by id."""
    return Issuer(outbox, schedule, Writer(names, schedule.zone, schedule.ladder.issuer))


def build_supervisor(
    *,
    db: Database,
    outbox: Outbox,
    schedule: Schedule,
    names: Mapping[str, str],
    superiors: Superiors,
    clock: Callable[[], datetime],
    offices: Collection[str] = (),
) -> Supervisor:
    """The sweep over this city's ladder; ``names`` shows offices and labels by id."""
    return Supervisor(
        db=db,
        schedule=schedule,
        issuer=build_issuer(outbox, schedule, names),
        superiors=superiors,
        clock=clock,
        offices=offices,
    )


async def _desk_late(tx: Tx, *, case_id: int, now: datetime) -> None:
    c = T.cases.c
    change = update(T.cases).where(c.id == case_id, c.stage_due_at <= now).values(stage_due_at=None)
    found = (await tx.run(change.returning(c.version, c.case_no, c.status))).first()
    if found is not None:
        await raise_task(
            tx,
            mark=f"{case_id}:desk_late:{found.version}",
            kind=TaskKind.DESK_LATE,
            role=TaskRole.SUPERVISOR,
            at=now,
            case_id=case_id,
            note=found.status,
        )


async def _order(tx: Tx, order_id: int, now: datetime | None) -> Row | None:
    """The order and its case, held; none when somebody else has looked meanwhile (``now`` given).

    The case first, as commands do, so that nobody waits for each other.
    """
    o, c = T.work_orders.c, T.cases.c
    of_case = select(o.case_id).where(o.id == order_id).scalar_subquery()
    await tx.run(select(c.id).where(c.id == of_case).with_for_update())
    shown = (c.case_no, c.kind, c.problems, c.area, c.summary, c.version, c.wanted_at)
    statement = (
        select(T.work_orders, *shown, c.status.label("case_status"))
        .join(T.cases, c.id == o.case_id)
        .where(o.id == order_id, *([o.watch_at <= now] if now is not None else []))
        .with_for_update(of=T.work_orders)
    )
    found = (await tx.run(statement)).mappings().first()
    return None if found is None else dict(found)


def _left(row: Row, now: datetime) -> bool:
    """Whether the office has the order: its dispatch can not be undone any more."""
    return row["leaves_at"] is None or bool(row["leaves_at"] <= now)


def _watched(row: Row) -> Watched:
    return Watched(
        due_at=row["due_at"],
        clock=read_clock(row["clock"]) if row["clock"] else None,
        round=row["extensions"] + row["reworks"],
        is_open=row["status"] in OPEN_ORDER,
        wanted_at=row["wanted_at"],
    )


async def _entries(tx: Tx, order_id: int) -> list[Entry]:
    s = T.supervisions.c
    rows = await tx.run(select(T.supervisions).where(s.order_id == order_id).order_by(s.id))
    return [_entry(row) for row in rows.mappings()]


def _entry(row: Any) -> Entry:
    round_, rung = read_mark(row["mark"])
    return Entry(
        id=row["id"],
        level=Level(row["level"]),
        round=round_,
        rung=rung,
        state=State(row["state"]),
        at=row["at"],
        reply_by=row["reply_by"],
        addressee=row["addressee"],
        number=row["number"],
    )
