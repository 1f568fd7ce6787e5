"""Many voices, one case (并案): join a case to another, take that back, or link it as a relapse (复发).

Every citizen is kept: the items of the joined case move to the other, which answers them from then on.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, insert, select, update

from router.ledger import Act, Ledger, Row, Step, event_row, moves
from router.planning import Planner
from router.workflow import FINAL, OPEN_ORDER, CaseStatus, OrderStatus, Verb
from store.db import Tx, among
from store.errors import ConflictError, RejectedError
from store.tables import T


class Joining:
    """The commands that say which cases are one matter."""

    def __init__(self, ledger: Ledger, planner: Planner) -> None:
        self._ledger = ledger
        self._planner = planner

    async def merge(
        self, case_id: int, *, into: int, version: int | None, actor: str, note: str
    ) -> int:
        """Join the case to ``into``, or to what that was joined to; returns the case's new version.

        Orders nobody has signed are withdrawn. RejectedError for a case that was closed (that is a relapse)
        or is the same; WorkflowError when a department works on the case already.
        """

        async def work(tx: Tx) -> int:
            case = await self._ledger.case(tx, case_id, version, actor)
            target = await self._root(tx, into)
            act = Act(actor, self._ledger.clock(), note)
            if target["id"] == case_id:
                msg = "router: into: a case can not be joined to itself; choose another"
                raise RejectedError(msg, reason="into")
            if target["status"] in FINAL:
                msg = "router: into: that case has ended; link this one as a relapse instead"
                raise RejectedError(msg, reason="into")
            steps = moves(case, [Verb.MERGE], act)
            orders = await self._ledger.orders(tx, case_id, *OPEN_ORDER)
            if any(order["status"] == OrderStatus.SIGNED for order in orders):
                msg = "router: a department has signed this case; let it return the order first"
                raise RejectedError(msg, reason="signed")
            taken = await self._ledger.withdraw(tx, orders, act)
            await self._ledger.tell_offices(tx, case, "withdrawn", taken)
            await self._ledger.unsay(tx, case_id, act.at)
            items = await self._items(tx, case_id)
            await self._move(tx, items, target["id"])
            kept = {"case_id": case_id, "into_id": target["id"], "before": case["status"]}
            kept |= {"actor": actor, "undone_by": ""}
            await tx.run(insert(T.merges).values(**kept, at=act.at))
            await self._absorb(tx, target, case, act)
            version_now = await self._ledger.save(
                tx, case, steps, act, merged_into=target["id"], items=0,
                department="", stage_due_at=None,
            )  # fmt: skip
            stage = f"merged:{target['id']}"
            a = self._ledger.answers
            await a.tell_items(tx, items, stage="merged", mark=stage, at=act.at)
            return version_now

        return await self._ledger.db.write(work)

    async def unmerge(self, case_id: int, *, version: int, actor: str, note: str) -> int:
        """Take the joining back: the case waits at the desk again with the items it had brought along."""

        async def work(tx: Tx) -> int:
            case = await self._ledger.case(tx, case_id, version, actor)
            act = Act(actor, self._ledger.clock(), note)
            steps = moves(case, [Verb.UNMERGE], act)
            m = T.merges.c
            where = (m.case_id == case_id, m.undone_at.is_(None))
            merge = (await tx.run(select(T.merges).where(*where).order_by(m.id.desc()))).first()
            if merge is None:
                msg = "router: nothing tells what this case was joined to; file a new case"
                raise ConflictError(msg)
            done = {"undone_at": act.at, "undone_by": actor}
            await tx.run(update(T.merges).where(m.id == merge.id).values(**done))
            root = await self._root(tx, merge.into_id)
            await self._move(tx, await self._brought(tx, case_id), case_id)
            await self._ledger.unsay(tx, case_id, act.at)
            await self._count(tx, root)
            await self._count(tx, case)
            changes: dict[str, Any] = {"merged_into": None, "department": ""}
            changes["stage_due_at"] = self._planner.desk_due_at(case, act.at)
            return await self._ledger.save(tx, case, steps, act, **changes)

        return await self._ledger.db.write(work)

    async def relapse(
        self, case_id: int, *, of: int, actor: str, note: str, version: int | None = None
    ) -> int:
        """Link the case to a closed one whose matter has come back; both stay cases of their own."""

        async def work(tx: Tx) -> int:
            case = await self._ledger.case(tx, case_id, version, actor)
            earlier = await self._root(tx, of)
            act = Act(actor, self._ledger.clock(), note)
            if earlier["status"] != CaseStatus.CLOSED or earlier["id"] == case_id:
                msg = "router: of: only a closed case relapses; join an open one instead"
                raise RejectedError(msg, reason="of")
            if earlier["closed_at"] > case["received_at"]:
                msg = "router: of: that case was closed after this one came; choose an earlier one"
                raise RejectedError(msg, reason="of")
            steps = moves(case, [Verb.RELAPSE], act)
            return await self._ledger.save(tx, case, steps, act, relapse_of=earlier["id"])

        return await self._ledger.db.write(work)

    async def _root(self, tx: Tx, case_id: int) -> Row:
        """The case itself, or the one it was joined to in the end."""
        case = await self._ledger.case(tx, case_id)
        while case["merged_into"] is not None:
            case = await self._ledger.case(tx, case["merged_into"])
        return case

    async def _brought(self, tx: Tx, case_id: int) -> list[int]:
        """The case and those joined to it, directly or by others: each is numbered as the item it began with."""
        m = T.merges.c
        brought, found = [case_id], [case_id]
        while found:
            where = (m.into_id.in_(found), m.undone_at.is_(None))
            found = list((await tx.run(select(m.case_id).where(*where))).scalars())
            brought += found
        return brought

    async def _items(self, tx: Tx, case_id: int) -> list[int]:
        ci = T.case_items.c
        found = await tx.run(select(ci.item_id).where(ci.case_id == case_id).order_by(ci.item_id))
        return list(found.scalars())

    async def _move(self, tx: Tx, items: list[int], case_id: int) -> None:
        ci = T.case_items.c
        which = among(ci.item_id, items, is_sqlite=self._ledger.db.is_sqlite)
        await tx.run(update(T.case_items).where(which).values(case_id=case_id))

    async def _absorb(self, tx: Tx, target: Row, case: Row, act: Act) -> None:
        """The other case's history names the one it took in."""
        await self._count(tx, target)
        step = Step(
            Verb.MERGE, target["status"], target["status"], reason="absorbed", note=case["case_no"]
        )
        row = event_row(target["id"], step, act, version=target["version"])
        await tx.run(insert(T.events).values(**row))

    async def _count(self, tx: Tx, case: Row) -> None:
        """Write down of how many messages a case is, parts with their original being one; ConflictError when it
        moved meanwhile."""
        ci, c, i = T.case_items.c, T.cases.c, T.items.c
        voice = func.count(func.coalesce(i.part_of, i.id).distinct())
        of_case = select(voice).join(T.case_items, ci.item_id == i.id)
        many = of_case.where(ci.case_id == case["id"]).scalar_subquery()
        where = (c.id == case["id"], c.version == case["version"])
        alone = update(T.cases).where(*where).values(items=many, alike=False)
        if (await tx.run(alone)).rowcount != 1:
            msg = f"router: case {case['case_no']} was changed by somebody else; look again"
            raise ConflictError(msg)
