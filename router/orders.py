"""Departments' commands on their work orders: sign, handle, return.

A department acts on its own orders only (``scope``). What the lead does moves the case; a supporting
department's order moves by itself, until in a joint enforcement (联合执法) the last one is done.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert

from router.clocking import clock_of
from router.deadlines import Stage
from router.ledger import Act, Ledger, Row, Step, moves, needed
from router.lifecycle import Lifecycle
from router.planning import Planner
from router.tasks import TaskKind, TaskRole, raise_task
from router.workflow import (
    OPEN_ORDER,
    CaseStatus,
    OrderStatus,
    Verb,
    next_order_status,
    next_status,
)
from store.db import Tx
from store.errors import RejectedError, WorkflowError
from store.tables import T


class Orders:
    """The departments' commands."""

    def __init__(self, ledger: Ledger, planner: Planner, lifecycle: Lifecycle) -> None:
        self._ledger = ledger
        self.planner = planner
        self.lifecycle = lifecycle

    async def progress(
        self,
        order_id: int,
        *,
        actor: str,
        scope: str,
        verb: Verb,
        note: str,
        reason: str = "",
        proposed: str = "",
        version: int | None = None,
        once: bool = False,
    ) -> int:
        """Sign, handle or return a work order of department ``scope``; returns the case's version.

        With ``once`` the actor (a link, a signed call) may act on this case a single time:
        ConflictError when it has. An order that has ended moves no more: WorkflowError. A return needs one
        of the city's ``reason`` codes, comes in time and within the case's limit: RejectedError. It may name the
        office that should have the case, ``proposed``, for the desk to accept (转办). With ``version`` the case
        must be as the actor saw it: ConflictError.
        """
        act_of = {
            Verb.SIGN: self._sign,
            Verb.HANDLE: self._handle,
            Verb.RETURN_ORDER: self._return,
        }[verb]

        async def work(tx: Tx) -> int:
            order, case = await self._ledger.own(tx, order_id, scope, version)
            told = (reason, proposed) if verb is Verb.RETURN_ORDER else ("", "")
            act = Act(actor, self._ledger.clock(), note, *told)
            if once:
                await self._ledger.unused(tx, order["case_id"], actor)
            if case["status"] == CaseStatus.SUSPENDED:
                raise WorkflowError(verb, case["status"])
            status = next_order_status(OrderStatus(order["status"]), verb)
            return await act_of(tx, case, order, status, act)

        return await self._ledger.db.write(work)

    async def _sign(self, tx: Tx, case: Row, order: Row, status: OrderStatus, act: Act) -> int:
        await self._ledger.set_order(tx, order, status=status, signed_at=act.at)
        if order["lead"]:
            steps = moves(case, [Verb.SIGN], act, order_id=order["id"])
            changes = {"signed_at": act.at}
            return await self._ledger.save(tx, case, steps, act, **changes)
        return await self._beside(tx, case, Verb.SIGN, order, act)

    async def _handle(self, tx: Tx, case: Row, order: Row, status: OrderStatus, act: Act) -> int:
        """The order is done; the case with it when nobody else's work is awaited.

        A clock that still stands for a request runs on, so that its due time is known.
        """
        ended = self.planner.timekeeper.columns(clock_of(order).resumed(act.at), act.at)
        ended |= {"handled_at": act.at, "ended_at": act.at, "watch_at": None}
        await self._ledger.set_order(tx, order, status=status, **ended)
        await self._ledger.lapse(tx, [order], act)
        others = await self._ledger.orders(tx, case["id"], *OPEN_ORDER)
        changes: dict[str, Any] = {"due_at": ended["due_at"]} if order["lead"] else {}
        if order["lead"] and not case["joint"]:
            taken = await self._ledger.withdraw(tx, others, act)
            await self._ledger.tell_offices(tx, case, "withdrawn", taken)
            others = []
        return await self._settle(tx, case, Verb.HANDLE, order, act, others, changes)

    async def _settle(
        self,
        tx: Tx,
        case: Row,
        verb: Verb,
        order: Row,
        act: Act,
        others: list[Row],
        changes: dict[str, Any],
    ) -> int:
        """Save; the case is handled when the lead has handled and nothing else is open."""
        leads = await self._ledger.orders(tx, case["id"], OrderStatus.HANDLED, lead=True)
        lead_done = order["lead"] or any(
            one["dispatched_at"] == case["dispatched_at"] for one in leads
        )
        if others or not lead_done or case["status"] != CaseStatus.HANDLING:
            return await self._beside(tx, case, verb, order, act, **changes)
        changes["handled_at"] = act.at
        changes["stage_due_at"] = self.planner.timekeeper.stage_due_at(Stage.CHECK, act.at)
        after = next_status(CaseStatus(case["status"]), Verb.HANDLE)
        step = Step(verb, case["status"], after, order["id"], act.reason, act.note)
        return await self._ledger.save(tx, case, [step], act, **changes)

    async def _beside(
        self, tx: Tx, case: Row, verb: Verb, order: Row, act: Act, **changes: Any
    ) -> int:
        """A line of history of one order; the case stays where it is."""
        step = Step(verb, case["status"], case["status"], order["id"], act.reason, act.note)
        return await self._ledger.save(tx, case, [step], act, **changes)

    async def _return(self, tx: Tx, case: Row, order: Row, status: OrderStatus, act: Act) -> int:
        """Not this office's work, it says: the lead's return brings the case back to the desk."""
        self._check_return(case, order, act)
        self._check_proposed(order, act.proposed)
        await self._ledger.set_order(tx, order, status=status, ended_at=act.at, watch_at=None)
        await self._ledger.lapse(tx, [order], act)
        row = {"case_id": case["id"], "order_id": order["id"], "department": order["department"]}
        row |= {"rule": order["rule"], "reason": act.reason, "note": act.note, "state": "open"}
        row |= {"proposed": act.proposed}
        await tx.run(insert(T.returns).values(**row, actor=act.actor, judged_by="", at=act.at))
        others = await self._ledger.orders(tx, case["id"], *OPEN_ORDER)
        if not order["lead"]:
            await raise_task(
                tx, mark=f"returned:{order['id']}", kind=TaskKind.SUPPORT_RETURNED,
                role=TaskRole.DISPATCHER, case_id=case["id"], order_id=order["id"], note=act.note, at=act.at,
            )  # fmt: skip
            return await self._settle(tx, case, Verb.RETURN_ORDER, order, act, others, {})
        steps = moves(case, [Verb.RETURN_ORDER], act, order_id=order["id"])
        taken = await self._ledger.withdraw(tx, others, act)
        changes = {"department": "", "returns": case["returns"] + 1}
        await self._ledger.tell_offices(tx, case, "withdrawn", taken)
        changes["stage_due_at"] = self.planner.timekeeper.stage_due_at(Stage.DISPATCH, act.at)
        if changes["returns"] >= self.lifecycle.returns.max:
            await raise_task(
                tx, mark=f"returns:{case['id']}:{changes['returns']}", kind=TaskKind.RETURN_REFUSED_LIMIT,
                role=TaskRole.DISPATCHER, case_id=case["id"], at=act.at,
            )  # fmt: skip
        return await self._ledger.save(tx, case, steps, act, **changes)

    def _check_return(self, case: Row, order: Row, act: Act) -> None:
        bounds, timekeeper = self.lifecycle.returns, self.planner.timekeeper
        needed(act.note, "write why it is not this office's")
        if act.reason not in bounds.reasons:
            msg = f"router: reason: unknown; choose one of {', '.join(bounds.reasons)}"
            raise RejectedError(msg, reason="reason")
        if case["final"]:
            msg = "router: the desk's word on this case was final; handle it or ask for time"
            raise RejectedError(msg, reason="final")
        start = order["leaves_at"] or order["dispatched_at"]
        last = timekeeper.deadlines.due_at(start, bounds.within, timekeeper.zone)
        if act.at > last:
            msg = "router: too late to return; returns were due within the time of lifecycle.toml"
            raise RejectedError(msg, reason="late")

    def _check_proposed(self, order: Row, proposed: str) -> None:
        if proposed and (
            proposed == order["department"] or proposed not in self.planner.rules.directory.names
        ):
            msg = f"router: proposed: {proposed[:40]} can not have it; choose another office of the directory"
            raise RejectedError(msg, reason="proposed")
