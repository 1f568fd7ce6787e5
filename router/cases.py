"""The desk's commands on cases: dispatch, undo, decline, refer, verify, close, reopen, suspend, instruct, follow up.

Each command checks the version the person saw (ConflictError when it moved), asks the lifecycle
table, and writes case, work orders, history, label decision and notices in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update

from router.clocking import FARTHEST, clock_of, until
from router.deadlines import Clock, Pause, Reason
from router.deciding import Labels, decide, matter_of
from router.ledger import Act, Ledger, Row, Step, moves, needed
from router.lifecycle import Lifecycle
from router.planning import Plan, Planner
from router.returns import accept_returns, judge_returns
from router.tasks import TaskKind, TaskRole, raise_task
from router.undoing import remember, spread
from router.workflow import OPEN_ORDER, CaseStatus, OrderStatus, Verb, next_order_status
from store.db import Tx
from store.errors import RejectedError
from store.tables import T

SOLVED = ("solved", "partly", "unsolved")
SATISFIED = ("satisfied", "fair", "dissatisfied", "none")


class Cases:
    """The desk's commands."""

    def __init__(self, ledger: Ledger, planner: Planner, lifecycle: Lifecycle) -> None:
        self._ledger = ledger
        self.planner = planner
        self.lifecycle = lifecycle

    async def dispatch(
        self,
        case_id: int,
        *,
        version: int,
        actor: str,
        department: str,
        labels: Labels | None = None,
        support: Sequence[str] | None = None,
        joint: bool | None = None,
        note: str = "",
    ) -> int:
        """File if need be and give the case to ``department``; returns the new version.

        ``support`` and ``joint`` left out follow the rules where these name the same lead. After a return the
        same office again refuses it and is the desk's last word, another one accepts it.
        """
        self._known(department, *(support or ()))

        async def work(tx: Tx) -> int:
            case = await self._ledger.case(tx, case_id, version, actor)
            act = self._act(actor, note or department)
            verbs = [Verb.FILE] if case["status"] == CaseStatus.RECEIVED else []
            steps = moves(case, [*verbs, Verb.DISPATCH], act)
            decided = await decide(tx, case, labels, department, act)
            matter = await matter_of(
                tx, case, decided, self.planner.rules, self.planner.timekeeper.zone
            )
            plan = self.planner.chosen(
                matter, act.at, case["wanted_at"], lead=department, support=support, joint=joint
            )
            insisted = await judge_returns(tx, case, plan, act)
            final = insisted or case["returns"] >= self.lifecycle.returns.max
            orders = await self._give_out(tx, case, plan, act)
            changes = decided.columns() | self._sent(case, plan, len(orders), act, final=final)
            leaves = orders[0]["leaves_at"]
            remembered = remember(case, changes, decided=decided.before)
            steps[-1:] = spread(steps[-1], orders, undo=remembered, reason="final" if final else "")
            version_now = await self._ledger.save(tx, case, steps, act, **changes)
            await self._ledger.tell_citizens(tx, case_id, "dispatched", version_now, leaves)
            tx.touched.add("deliveries")
            return version_now

        return await self._ledger.db.write(work)

    async def _give_out(self, tx: Tx, case: Row, plan: Plan, act: Act) -> list[dict[str, Any]]:
        """The work orders of a dispatch, and the notices that leave once it can not be undone."""
        orders = self.planner.orders(
            plan,
            case["id"],
            seq=case["decision_seq"] + 1,
            at=act.at,
            hold_s=self.lifecycle.hold_s,
        )
        await tx.insert(T.work_orders, orders)
        leaves_at = orders[0]["leaves_at"].timestamp()
        await self._ledger.tell_offices(tx, case, "assigned", orders, leaves_at=leaves_at)
        return orders

    def _sent(self, case: Row, plan: Plan, orders: int, act: Act, *, final: bool) -> dict[str, Any]:
        """What a dispatch changes of the case."""
        due_at = self.planner.due_at(plan, act.at)
        return {
            "department": plan.lead,
            "decision_seq": case["decision_seq"] + orders,
            "joint": plan.joint,
            "final": final,
            "filed_at": case["filed_at"] or act.at,
            "dispatched_at": act.at,
            "due_at": due_at,
            "promise_at": self.planner.timekeeper.promise_at(act.at, due_at),
            "stage_due_at": None,
        }

    async def recall(self, case_id: int, *, version: int, actor: str, note: str) -> int:
        """Take the case back from its offices (收回改派), to dispatch it anew; they are told."""
        needed(note, "write why it is taken back")

        async def work(tx: Tx) -> int:
            case = await self._ledger.case(tx, case_id, version, actor)
            act = self._act(actor, note)
            steps = moves(case, [Verb.RECALL], act)
            orders = await self._ledger.orders(tx, case_id, *OPEN_ORDER)
            taken = await self._ledger.withdraw(tx, orders, act)
            await self._ledger.tell_offices(tx, case, "withdrawn", taken)
            await self._ledger.unsay(tx, case_id, act.at)
            changes = {"department": "", "stage_due_at": self.planner.desk_due_at(case, act.at)}
            return await self._ledger.save(tx, case, steps, act, **changes)

        return await self._ledger.db.write(work)

    async def end(self, case_id: int, *, version: int, actor: str, verb: Verb, note: str) -> int:
        """Decline (不予立案, with its reason) or refer (转12345) a case nobody works on."""
        needed(note, "write why this is not dispatched")

        async def work(tx: Tx) -> int:
            case = await self._ledger.case(tx, case_id, version, actor)
            act = self._act(actor, note)
            steps = moves(case, [verb], act)
            changes = {"closed_at": act.at, "stage_due_at": None}
            return await self._finish(tx, case, steps, act, changes, note)

        return await self._ledger.db.write(work)

    async def verify(
        self, case_id: int, *, version: int, actor: str, passed: bool, note: str
    ) -> int:
        """Check the result (核查): passed it may be closed, failed it goes back for rework (返工).

        The time the result waited for the check is not the departments'.
        """
        if not passed:
            needed(note, "write what is still wrong")

        async def work(tx: Tx) -> int:
            case = await self._ledger.case(tx, case_id, version, actor)
            act = self._act(actor, note)
            verb = Verb.VERIFY_PASS if passed else Verb.VERIFY_FAIL
            steps = moves(case, [verb], act)
            changes: dict[str, Any] = {"verified_at": act.at}
            if not passed:
                changes = {"verified_at": None, "reworks": case["reworks"] + 1}
                changes |= {"handled_at": None, "stage_due_at": None}
                orders, due = await self._rework(tx, case, act, Verb.VERIFY_FAIL)
                steps = spread(steps[0], orders)
                changes |= due
            return await self._ledger.save(tx, case, steps, act, **changes)

        return await self._ledger.db.write(work)

    async def close(self, case_id: int, *, version: int, actor: str, note: str) -> int:
        """Close the case (结案); a result not yet checked passes with it."""

        async def work(tx: Tx) -> int:
            case = await self._ledger.case(tx, case_id, version, actor)
            act = self._act(actor, note)
            checked = case["verified_at"] is not None
            steps = moves(case, [*([] if checked else [Verb.VERIFY_PASS]), Verb.CLOSE], act)
            changes = {"closed_at": act.at, "stage_due_at": None}
            changes["verified_at"] = case["verified_at"] or act.at
            return await self._finish(tx, case, steps, act, changes, note)

        return await self._ledger.db.write(work)

    async def reopen(
        self, case_id: int, *, version: int, actor: str, reason: str, note: str
    ) -> int:
        """Reopen (重开) for a coded reason: a closed case goes back to its departments with a new clock."""
        bounds = self.lifecycle.reopen
        if reason not in bounds.reasons:
            msg = f"router: reason: {reason[:40]} is unknown; choose one of {', '.join(bounds.reasons)}"
            raise RejectedError(msg, reason="reason")

        async def work(tx: Tx) -> int:
            case = await self._ledger.case(tx, case_id, version, actor)
            act = self._act(actor, note, reason)
            steps = moves(case, [Verb.REOPEN], act)
            closed_at = case["closed_at"] or act.at
            if act.at - closed_at > timedelta(days=bounds.within_days):
                msg = f"router: closed over {bounds.within_days:g} days ago; file a new case"
                raise RejectedError(msg, reason="late")
            changes = {"closed_at": None, "reopens": case["reopens"] + 1, "verified_at": None}
            if steps[0].after == CaseStatus.HANDLING:
                orders, due = await self._rework(tx, case, act, Verb.REOPEN)
                steps = spread(steps[0], orders)
                changes |= {"handled_at": None, **due}
            else:
                changes["stage_due_at"] = self.planner.desk_due_at(case, act.at)
            await self._ledger.unsay(tx, case_id, act.at)
            return await self._ledger.save(tx, case, steps, act, **changes)

        return await self._ledger.db.write(work)

    async def suspend(self, case_id: int, *, version: int, actor: str, note: str) -> int:
        """Let the case stand (挂账): what can not be solved now is kept apart, its clocks stop."""
        needed(note, "write why it can not be solved now")

        async def work(tx: Tx) -> int:
            case = await self._ledger.case(tx, case_id, version, actor)
            act = self._act(actor, note)
            return await self.suspend_in(tx, case, act)

        return await self._ledger.db.write(work)

    async def suspend_in(self, tx: Tx, case: Row, act: Act) -> int:
        """The same inside a transaction; every open request of its orders lapses."""
        steps = moves(case, [Verb.SUSPEND], act)
        orders = await self._ledger.orders(tx, case["id"], *OPEN_ORDER)
        for order in orders:
            clock = clock_of(order).paused(act.at, Reason.SUSPENSION)
            values = self.planner.timekeeper.columns(clock, act.at)
            await self._ledger.set_order(tx, order, **values | {"watch_at": None})
        await self._ledger.lapse(tx, orders, act)
        version = await self._ledger.save(tx, case, steps, act)
        await self._ledger.tell_citizens(tx, case["id"], "suspended", version, act.at, act.note)
        return version

    async def resume(self, case_id: int, *, version: int, actor: str, note: str) -> int:
        """Go on with a case that stood (恢复处置): its clocks run again."""

        async def work(tx: Tx) -> int:
            case = await self._ledger.case(tx, case_id, version, actor)
            act = self._act(actor, note)
            steps = moves(case, [Verb.RESUME], act)
            due = await self._retime(tx, case, act, lambda clock: clock.resumed(act.at))
            return await self._ledger.save(tx, case, steps, act, **due)

        return await self._ledger.db.write(work)

    async def instruct(
        self, case_id: int, *, version: int, actor: str, wanted_at: datetime, note: str
    ) -> int:
        """A leader's instruction (领导交办): the date it sets goes before all limits and all that was asked for."""
        needed(note, "write whose instruction it is and what is wanted")

        async def work(tx: Tx) -> int:
            case = await self._ledger.case(tx, case_id, version, actor)
            act = self._act(actor, note)
            if not act.at < wanted_at <= act.at + FARTHEST:
                msg = f"router: wanted_at: in the past or over {FARTHEST.days} days off; set another day"
                raise RejectedError(msg, reason="deadline")
            steps = moves(case, [Verb.INSTRUCT], act)
            limit = until(act.at, wanted_at)
            due = await self._retime(tx, case, act, lambda _: Clock(act.at, limit))
            orders = await self._ledger.orders(tx, case_id, *OPEN_ORDER)
            await self._ledger.lapse(tx, orders, act, "extension")
            return await self._ledger.save(tx, case, steps, act, wanted_at=wanted_at, **due)

        return await self._ledger.db.write(work)

    async def follow_up(
        self, item_id: int, *, actor: str, solved: str, satisfied: str, via: str, note: str = ""
    ) -> int:
        """Keep what the citizen of one item says of the result (回访); the last word holds.

        ``solved`` and ``satisfied`` are asked apart: one is not the other. Who is not content is not reopened by
        itself: a task tells the desk. ``note`` must be redacted. RejectedError for unknown words.
        """
        for field, value, known in (
            ("solved", solved, SOLVED),
            ("satisfied", satisfied, SATISFIED),
        ):
            if value not in known:
                msg = f"router: {field}: unknown; choose one of {', '.join(known)}"
                raise RejectedError(msg, reason=field)

        async def work(tx: Tx) -> int:
            ci = T.case_items.c
            found = (await tx.run(select(ci.case_id).where(ci.item_id == item_id))).first()
            case = await self._ledger.case(tx, found.case_id if found else 0)
            act = self._act(actor, note, satisfied)
            steps = moves(case, [Verb.FOLLOW_UP], act)
            row = {"item_id": item_id, "case_id": case["id"], "solved": solved, "via": via}
            row |= {"satisfied": satisfied, "note": note, "actor": actor, "at": act.at}
            r = T.ratings.c
            done = await tx.run(update(T.ratings).where(r.item_id == item_id).values(**row))
            if done.rowcount == 0:
                await tx.run(insert(T.ratings).values(**row))
            if solved == "unsolved" or satisfied == "dissatisfied":
                await raise_task(
                    tx, mark=f"dissatisfied:{item_id}:{case['reopens']}", kind=TaskKind.DISSATISFIED,
                    role=TaskRole.DISPATCHER, case_id=case["id"], at=act.at,
                )  # fmt: skip
            return await self._ledger.save(tx, case, steps, act)

        return await self._ledger.db.write(work)

    def _act(self, actor: str, note: str, reason: str = "") -> Act:
        return Act(actor, self._ledger.clock(), note, reason)

    def _known(self, *departments: str) -> None:
        for one in departments:
            if one not in self.planner.rules.directory.names:
                msg = f"router: department {one[:40]} is unknown; choose one of the directory"
                raise RejectedError(msg, reason="department")

    async def _finish(
        self,
        tx: Tx,
        case: Row,
        steps: list[Step],
        act: Act,
        changes: dict[str, Any],
        text: str,
    ) -> int:
        """Save an end that may be undone; citizens hear of it once it may not."""
        last = steps[-1]
        steps[-1] = replace(last, undo=remember(case, changes))
        await accept_returns(tx, case, act)
        version = await self._ledger.save(tx, case, steps, act, **changes)
        at = act.at + timedelta(seconds=self.lifecycle.hold_s)
        stage = str(CaseStatus(last.after))
        await self._ledger.tell_citizens(tx, case["id"], stage, version, at, text)
        return version

    async def _rework(
        self, tx: Tx, case: Row, act: Act, verb: Verb
    ) -> tuple[list[Row], dict[str, Any]]:
        """Send the last dispatch's results back to who gave them; the orders, and what changes for the case."""
        timekeeper = self.planner.timekeeper
        handled = await self._ledger.orders(tx, case["id"], OrderStatus.HANDLED)
        orders = [one for one in handled if one["dispatched_at"] == case["dispatched_at"]]
        due: dict[str, Any] = {}
        for order in orders:
            clock = clock_of(order)
            if verb is Verb.REOPEN:
                clock = Clock(act.at, clock.limit)
            else:
                waited = Pause(order["handled_at"] or act.at, act.at, Reason.CHECK)
                clock = Clock(clock.start, clock.limit, (*clock.pauses, waited), clock.extra)
            values = timekeeper.columns(clock, act.at)
            values |= {"status": next_order_status(OrderStatus.HANDLED, verb)}
            values |= {"handled_at": None, "ended_at": None, "reworks": order["reworks"] + 1}
            await self._ledger.set_order(tx, order, **values)
            if order["lead"]:
                due = self.due(case, values)
        await self._ledger.tell_offices(tx, case, "reworked", orders)
        return orders, due

    async def _retime(self, tx: Tx, case: Row, act: Act, change: Any) -> dict[str, Any]:
        """Change the clocks of all open orders; what follows for the case."""
        due: dict[str, Any] = {}
        for order in await self._ledger.orders(tx, case["id"], *OPEN_ORDER):
            values = self.planner.timekeeper.columns(change(clock_of(order)), act.at)
            await self._ledger.set_order(tx, order, **values)
            if order["lead"]:
                due = self.due(case, values)
        return due

    def due(self, case: Row, values: dict[str, Any]) -> dict[str, Any]:
        """The case's own due time and promise by its lead's."""
        if "due_at" not in values:
            return {}
        start = case["dispatched_at"] or values["due_at"]
        promise_at = self.planner.timekeeper.promise_at(start, values["due_at"])
        return {"due_at": values["due_at"], "promise_at": promise_at}
