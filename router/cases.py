"""Commands of people on cases: the only writer of case state besides the router's own filing.

Each command checks the version the person saw (ConflictError when it moved), asks the lifecycle
table, and writes case, work orders, history, label decision and notices in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from router.filing import Filer, assigned, event_row, order_rows
from router.workflow import CaseStatus, Verb, next_status
from store.answers import Answers
from store.db import Database, Tx
from store.errors import ConflictError, RejectedError, WorkflowError
from store.outbox import Outbox
from store.tables import T
from store.understood import verdict_of

OPEN_ORDER = ("assigned", "signed")

TOLD = {
    Verb.DISPATCH: "dispatched",
    Verb.CLOSE: "closed",
    Verb.DECLINE: "declined",
    Verb.REFER: "referred",
}
"""Commands the citizen hears of → the stage they are told."""


@dataclass(frozen=True)
class Labels:
    """What a person decided the message means."""

    kind: str
    problems: tuple[str, ...]
    campaigns: tuple[str, ...]
    urgency: str


class Cases:
    """The commands."""

    def __init__(
        self,
        *,
        db: Database,
        outbox: Outbox,
        answers: Answers,
        filer: Filer,
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._outbox = outbox
        self._answers = answers
        self._filer = filer
        self._clock = clock

    async def dispatch(
        self,
        case_id: int,
        *,
        version: int,
        actor: str,
        department: str,
        labels: Labels | None = None,
    ) -> int:
        """File if need be and give the case to ``department``; returns the new version."""
        if department not in self._filer.router.directory.names:
            msg = f"router: department {department} is unknown; choose one of the directory"
            raise RejectedError(msg, reason="department")

        async def work(tx: Tx) -> int:
            case = await self._load(tx, case_id, version)
            steps, status = [], CaseStatus(case.status)
            for verb in (
                (Verb.FILE, Verb.DISPATCH) if status is CaseStatus.RECEIVED else (Verb.DISPATCH,)
            ):
                steps.append((verb, status, status := next_status(status, verb)))
            now = self._clock()
            due_at = await self._decide(tx, case, labels, department, actor, now)
            orders = order_rows(
                case_id, department, (), seq=case.decision_seq + 1, due_at=due_at, at=now
            )
            await tx.run(insert(T.work_orders), orders)
            await self._outbox.put(tx, "notices", [assigned(order) for order in orders])
            changes = {"department": department, "decision_seq": case.decision_seq + len(orders)}
            changes |= {"filed_at": case.filed_at or now, "dispatched_at": now, "due_at": due_at}
            return await self._save(tx, case, steps, changes, actor=actor, note=department, at=now)

        return await self._db.write(work)

    async def end(self, case_id: int, *, version: int, actor: str, verb: Verb, note: str) -> int:
        """Decline (不予立案, with its reason) or refer (转12345) a case nobody works on."""
        if not note.strip():
            msg = "router: a reason is needed; write why this is not dispatched"
            raise RejectedError(msg, reason="note")

        async def work(tx: Tx) -> int:
            case = await self._load(tx, case_id, version)
            status = CaseStatus(case.status)
            step = (verb, status, next_status(status, verb))
            now = self._clock()
            return await self._save(
                tx, case, [step], {"closed_at": now}, actor=actor, note=note, at=now
            )

        return await self._db.write(work)

    async def progress(
        self, order_id: int, *, actor: str, scope: str, verb: Verb, note: str, once: bool = False
    ) -> int:
        """Sign, handle or return a work order of department ``scope``; returns the case's version.

        With ``once`` the actor (a link, a signed call) may act on this case a single time:
        ConflictError when it has. An order that has ended moves its case no more: WorkflowError.
        """

        async def work(tx: Tx) -> int:
            order = (
                await tx.run(select(T.work_orders).where(T.work_orders.c.id == order_id))
            ).first()
            if order is None or order.department != scope:
                msg = "router: no such work order of this department"
                raise RejectedError(msg, reason="order")
            if once:
                await _unused(tx, order.case_id, actor)
            if order.status not in OPEN_ORDER:
                raise WorkflowError(verb, order.status)
            case = await self._load(tx, order.case_id, None)
            status, now = CaseStatus(case.status), self._clock()
            step = (verb, status, next_status(status, verb))
            values: dict[str, Any] = {
                Verb.SIGN: {"status": "signed", "signed_at": now},
                Verb.HANDLE: {"status": "handled", "ended_at": now},
                Verb.RETURN_ORDER: {"status": "returned", "ended_at": now},
            }[verb]
            c = T.work_orders.c
            if order.lead:
                await tx.run(update(T.work_orders).where(c.id == order_id).values(**values))
            changes: dict[str, Any] = {}
            if verb is Verb.RETURN_ORDER:
                changes = {"department": ""}
                await self._withdraw(tx, case.id, order_id, now)
            return await self._save(tx, case, [step], changes, actor=actor, note=note, at=now)

        return await self._db.write(work)

    async def close(self, case_id: int, *, version: int, actor: str, note: str) -> int:
        """Accept the department's result and close the case (结案)."""

        async def work(tx: Tx) -> int:
            case = await self._load(tx, case_id, version)
            status, now = CaseStatus(case.status), self._clock()
            steps = []
            for verb in (Verb.VERIFY_PASS, Verb.CLOSE):
                steps.append((verb, status, status := next_status(status, verb)))
            return await self._save(
                tx, case, steps, {"closed_at": now}, actor=actor, note=note, at=now
            )

        return await self._db.write(work)

    async def _load(self, tx: Tx, case_id: int, version: int | None) -> Any:
        case = (await tx.run(select(T.cases).where(T.cases.c.id == case_id))).first()
        if case is None:
            msg = "router: no such case"
            raise RejectedError(msg, reason="case")
        if version is not None and case.version != version:
            raise ConflictError(
                f"router: case {case.case_no} was changed by somebody else (version {case.version}, "
                f"you saw {version}); look again"
            )
        return case

    async def _save(
        self,
        tx: Tx,
        case: Any,
        steps: Sequence[tuple[Verb, CaseStatus, CaseStatus]],
        changes: dict[str, Any],
        *,
        actor: str,
        note: str,
        at: datetime,
    ) -> int:
        after, version = steps[-1][2], case.version + len(steps)
        c = T.cases.c
        done = await tx.run(
            update(T.cases)
            .where(c.id == case.id, c.version == case.version)
            .values(**changes, status=after, version=version)
        )
        if done.rowcount != 1:
            raise ConflictError(
                f"router: case {case.case_no} was changed by somebody else; look again"
            )
        rows = [
            event_row(case.id, verb, before, to, actor=actor, note=note, at=at)
            for verb, before, to in steps
        ]
        await tx.run(insert(T.events), rows)
        stage = TOLD.get(steps[-1][0])
        if stage is not None:
            text = "" if stage == "dispatched" else note
            mark = f"{stage}:{version}"
            await self._answers.tell(tx, [case.id], stage=stage, mark=mark, text=text, at=at)
        tx.touched.add("desk")
        return int(version)

    async def _withdraw(self, tx: Tx, case_id: int, but: int, now: datetime) -> None:
        """Take the case back from every other department that still has it."""
        c = T.work_orders.c
        where = (c.case_id == case_id, c.id != but, c.status.in_(OPEN_ORDER))
        orders = [
            dict(row) for row in (await tx.run(select(T.work_orders).where(*where))).mappings()
        ]
        if orders:
            await tx.run(
                update(T.work_orders).where(*where).values(status="withdrawn", ended_at=now)
            )
            await self._outbox.put(
                tx, "notices", [assigned(order, "withdrawn") for order in orders]
            )

    async def _decide(
        self, tx: Tx, case: Any, labels: Labels | None, department: str, actor: str, now: datetime
    ) -> datetime:
        """Keep the person's labels apart from the model's; returns when the case is due."""
        found = (await tx.run(select(T.verdicts).where(T.verdicts.c.item_id == case.id))).first()
        if found is None:
            msg = "router: this case has no verdict yet; try again in a moment"
            raise ConflictError(msg)
        verdict = verdict_of(found)
        said = Labels(verdict.kind, verdict.problems, verdict.campaigns, verdict.urgency)
        chosen = labels or said
        encode = msgspec.json.encode
        marks: dict[str, Any] = {
            "kind": chosen.kind,
            "problems": encode(chosen.problems).decode(),
            "campaigns": encode(chosen.campaigns).decode(),
            "urgency": chosen.urgency,
        }
        confirmed = chosen == said and department == case.suggested
        row = {"item_id": case.id, **marks, "confirmed": confirmed, "department": department}
        row |= {"actor": actor, "model": verdict.model, "at": now}
        row["predicted"] = encode(said).decode()
        upsert = sqlite_insert if self._db.is_sqlite else pg_insert
        await tx.run(
            upsert(T.corrections)
            .values(row)
            .on_conflict_do_update(index_elements=["item_id"], set_=row)
        )
        await tx.run(update(T.cases).where(T.cases.c.id == case.id).values(**marks))
        limits = self._filer.deadlines
        limit = limits.limit_of(kind=chosen.kind, problems=chosen.problems, urgency=chosen.urgency)
        return limits.due_at(now, limit, self._filer.zone)


async def _unused(tx: Tx, case_id: int, actor: str) -> None:
    """ConflictError when ``actor`` is in the case's history."""
    e = T.events.c
    if (await tx.run(select(e.id).where(e.case_id == case_id, e.actor == actor))).first():
        msg = "router: this link or call was used already; use the newest message or the inbox"
        raise ConflictError(msg)
