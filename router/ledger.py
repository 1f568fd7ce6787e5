"""The books of cases: reads a case with its version, writes what a command changed, in one transaction.

Only this file and the router's own filing write case state, history and the notices and answers
that follow from it. Commands are in ``cases`` (the desk), ``orders`` (departments) and ``joining`` (并案).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from router.tasks import settle_tasks
from router.workflow import AWAITED, OPEN_ORDER, CaseStatus, OrderStatus, Verb, next_status
from store.answers import Answers
from store.db import Database, Tx
from store.errors import ConflictError, RejectedError
from store.model import NoticeRef, Record
from store.outbox import Outbox, record
from store.tables import T

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of history: a command and where it led; ``undo`` is what undoing puts back, as JSON."""

    verb: Verb
    before: str
    after: str
    order_id: int | None = None
    reason: str = ""
    note: str = ""
    undo: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something, when and why; ``proposed`` is the office that a return names instead."""

    actor: str
    at: datetime
    note: str = ""
    reason: str = ""
    proposed: str = ""


class Ledger:
    """Reads and writes cases for the commands."""

    def __init__(
        self, *, db: Database, outbox: Outbox, answers: Answers, clock: Callable[[], datetime]
    ) -> None:
        self.db = db
        self._outbox = outbox
        self.answers = answers
        self.clock = clock

    async def case(self, tx: Tx, case_id: int, version: int | None = None, actor: str = "") -> Row:
        """The case, held until the transaction ends: what is read after it can not move any more.

        RejectedError when there is none, ConflictError when its version is another, or somebody else than
        ``actor`` has claimed it (认领) and the lease has not lapsed.
        """
        held = select(T.cases).where(T.cases.c.id == case_id).with_for_update()
        found = (await tx.run(held)).mappings().first()
        if found is None:
            msg = "router: no such case; look at its number again"
            raise RejectedError(msg, reason="case")
        if version is not None and found["version"] != version:
            raise ConflictError(
                f"router: case {found['case_no']} was changed by somebody else (version"
                f" {found['version']}, you saw {version}); look again"
            )
        if actor:
            await not_claimed(tx, found, actor, self.clock())
        return dict(found)

    async def own(
        self, tx: Tx, order_id: int, scope: str, version: int | None = None
    ) -> tuple[Row, Row]:
        """The department's order and its case; RejectedError when it is not theirs or has not left yet.

        ConflictError when the case's version is another than ``version``.
        """
        o = T.work_orders.c
        where = (o.id == order_id, o.department == scope)
        left = o.leaves_at.is_(None) | (o.leaves_at <= self.clock())
        found = (await tx.run(select(o.case_id).where(*where, left))).first()
        if found is None:
            msg = "router: no such work order of this department; load the inbox again"
            raise RejectedError(msg, reason="order")
        case = await self.case(tx, found.case_id, version)
        return dict((await tx.run(select(T.work_orders).where(*where))).mappings().one()), case

    async def unused(self, tx: Tx, case_id: int, actor: str) -> None:
        """ConflictError when ``actor`` (a link, a signed call) is in the case's history."""
        e = T.events.c
        if (await tx.run(select(e.id).where(e.case_id == case_id, e.actor == actor))).first():
            msg = "router: this link or call was used already; use the newest message or the inbox"
            raise ConflictError(msg)

    async def orders(
        self, tx: Tx, case_id: int, *statuses: OrderStatus, lead: bool = False
    ) -> list[Row]:
        """The case's work orders of these statuses (all without any), in the order of their dispatch."""
        o = T.work_orders.c
        where = [o.case_id == case_id, *([o.status.in_(statuses)] if statuses else [])]
        where += [o.lead.is_(True)] if lead else []
        rows = await tx.run(select(T.work_orders).where(*where).order_by(o.id))
        return [dict(row) for row in rows.mappings()]

    async def set_order(self, tx: Tx, order: Row, **values: Any) -> None:
        """Change an order; ConflictError when its status moved meanwhile."""
        o = T.work_orders.c
        where = (o.id == order["id"], o.status == order["status"])
        done = await tx.run(update(T.work_orders).where(*where).values(**values))
        if done.rowcount != 1:
            msg = "router: this work order was changed by somebody else; look again"
            raise ConflictError(msg)

    async def save(self, tx: Tx, case: Row, steps: Sequence[Step], act: Act, **changes: Any) -> int:
        """Append the steps, move the case to the last one's status; returns the new version.

        A case that slept (暂缓) is awake again unless ``changes`` say otherwise; what the desk has done with is
        claimed by that person no longer.
        ConflictError when somebody else changed the case meanwhile.
        """
        version = int(case["version"]) + len(steps)
        c = T.cases.c
        awake = {"snoozed_until": None}
        done = await tx.run(
            update(T.cases)
            .where(c.id == case["id"], c.version == case["version"])
            .values(**awake | changes, status=steps[-1].after, version=version)
        )
        if done.rowcount != 1:
            raise ConflictError(
                f"router: case {case['case_no']} was changed by somebody else; look again"
            )
        rows = [
            event_row(case["id"], step, act, version=case["version"] + n)
            for n, step in enumerate(steps, 1)
        ]
        await tx.run(insert(T.events), rows)
        if steps[-1].after not in AWAITED:
            k = T.claims.c
            done_with = (k.case_id == case["id"], k.user == act.actor)
            await tx.run(delete(T.claims).where(*done_with))
        tx.touched |= {"desk", "supervision"}
        return version

    async def tell_offices(
        self, tx: Tx, case: Row, change: str, orders: Sequence[Row], *, leaves_at: float = 0.0
    ) -> None:
        """Put a notice for each order's department into the outbox, numbered after all the case has had."""
        if not orders:
            return
        first = await take_notices(tx, case["id"], len(orders))
        notices = [notice(order, change, first + n, leaves_at) for n, order in enumerate(orders)]
        await self._outbox.put(tx, "notices", notices)

    async def publish(self, tx: Tx, topic: str, records: Sequence[Record]) -> None:
        """Hand records of another topic to the journal with this commit."""
        await self._outbox.put(tx, topic, records)

    async def tell_citizens(
        self, tx: Tx, case_id: int, stage: str, version: int, at: datetime, text: str = ""
    ) -> None:
        """Tell every citizen of the case, once for this version."""
        mark = f"{stage}:{version}"
        await self.answers.tell(tx, [case_id], stage=stage, mark=mark, text=text, at=at)

    async def unsay(self, tx: Tx, case_id: int, at: datetime) -> None:
        """What is still held back from the case's citizens is never told: it has stopped being true."""
        a, ci = T.answers.c, T.case_items.c
        items = select(ci.item_id).where(ci.case_id == case_id)
        held = (a.item_id.in_(items), a.state == "pending", a.attempts == 0, a.due_at > at)
        await tx.run(delete(T.answers).where(*held))

    async def withdraw(self, tx: Tx, orders: Iterable[Row], act: Act) -> list[Row]:
        """End those of ``orders`` that are open; what their departments asked for lapses. Returns them."""
        taken = [order for order in orders if order["status"] in OPEN_ORDER]
        for order in taken:
            await self.set_order(
                tx, order, status=OrderStatus.WITHDRAWN, ended_at=act.at, watch_at=None
            )
        await self.lapse(tx, taken, act)
        return taken

    async def lapse(self, tx: Tx, orders: Sequence[Row], act: Act, *asked: str) -> None:
        """What was asked for (only ``asked``, if any) is answered by nobody any more, and nobody's task."""
        q = T.requests.c
        where = [q.order_id.in_([order["id"] for order in orders]), q.state == "open"]
        where += [q.what.in_(asked)] if asked else []
        change = update(T.requests).where(*where).values(state="lapsed", answered_at=act.at)
        gone = (await tx.run(change.returning(q.id))).scalars().all()
        marks = [f"request:{number}" for number in gone]
        await settle_tasks(tx, actor=act.actor, at=act.at, marks=marks)


async def not_claimed(tx: Tx, case: Mapping[Any, Any], actor: str, now: datetime) -> None:
    """ConflictError naming whoever else has claimed the case; a lapsed lease never blocks."""
    k, u = T.claims.c, T.users.c
    other = select(k.user, u.display).outerjoin(T.users, u.name == k.user)
    found = await tx.run(other.where(k.case_id == case["id"], k.until > now, k.user != actor))
    held = found.first()
    if held is not None:
        name = held.display or held.user
        msg = f"router: case {case['case_no']} is claimed by {name}; ask them, or choose another"
        raise ConflictError(msg, reason="claimed")


async def take_notices(tx: Tx, case_id: int, count: int) -> int:
    """Take ``count`` numbers of notices about the case, after all it has had; returns the first."""
    c = T.cases.c
    taken = update(T.cases).where(c.id == case_id).values(notices=c.notices + count)
    last = int((await tx.run(taken.returning(c.notices))).scalar_one())
    return last - count + 1


def as_row(found: Mapping[Any, Any] | None) -> Row | None:
    """A row as a plain mapping by column name."""
    return None if found is None else dict(found)


def moves(case: Row, verbs: Sequence[Verb], act: Act, **more: Any) -> list[Step]:
    """The steps of these commands by the lifecycle table; the last carries reason and note.

    Raises WorkflowError when the table has no such entry.
    """
    steps, status = [], CaseStatus(case["status"])
    for verb in verbs:
        steps.append(Step(verb, status, status := next_status(status, verb), note=act.note))
    last = steps.pop()
    steps.append(Step(last.verb, last.before, last.after, reason=act.reason, note=act.note, **more))
    return steps


def needed(note: str, cure: str) -> None:
    """RejectedError when there are no words."""
    if not note.strip():
        msg = f"router: note: a reason is needed; {cure}"
        raise RejectedError(msg, reason="note")


def event_row(case_id: int, step: Step, act: Act, *, version: int) -> dict[str, Any]:
    """One line of a case's history."""
    return {
        "case_id": case_id,
        "order_id": step.order_id,
        "version": version,
        "verb": step.verb,
        "before": step.before,
        "after": step.after,
        "actor": act.actor,
        "reason": step.reason,
        "note": step.note,
        "undo": step.undo,
        "at": act.at,
    }


def notice(order: Row, change: str, seq: int, leaves_at: float = 0.0) -> Record:
    """The notice that a work order was given to its department, sent back for rework, or taken away."""
    ref = NoticeRef(order["id"], order["department"], change, seq, leaves_at)
    return record(f"{order['id']}:{change}:{seq}", str(order["case_id"]), ref)
