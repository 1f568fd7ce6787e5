"""Departments ask (申请): for more time (延期), or to let a case stand (挂账); the desk answers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update

from router.cases import Cases
from router.clocking import clock_of
from router.deadlines import Limit, Reason, Unit
from router.ledger import Act, Ledger, Row, as_row, moves, needed
from router.tasks import TaskKind, TaskRole, raise_task, settle_tasks
from router.workflow import OPEN_ORDER, OrderStatus, Verb, next_order_status
from store.db import Tx
from store.errors import ConflictError, RejectedError
from store.tables import T

ASKED = {
    "extension": (Verb.ASK_EXTENSION, TaskKind.EXTENSION_ASKED),
    "suspension": (Verb.ASK_SUSPENSION, TaskKind.SUSPENSION_ASKED),
}
"""What may be asked for → the command, and the task of who must answer."""


class Requests:
    """What departments ask the desk, and its answers."""

    def __init__(self, ledger: Ledger, cases: Cases) -> None:
        self._ledger = ledger
        self._cases = cases

    async def ask(
        self,
        order_id: int,
        *,
        actor: str,
        scope: str,
        what: str,
        note: str,
        limit: Limit | None = None,
        version: int | None = None,
        once: bool = False,
    ) -> int:
        """Ask the desk for more time (``extension``, with ``limit``) or to let the case stand (``suspension``).

        Returns the request's number. More time is asked for before the due time, not too often and not too
        much: RejectedError. Its clock stands until the desk answers. The lead alone may ask to let a case stand.
        With ``version`` the case must be as the actor saw it: ConflictError.
        """
        if what not in ASKED:
            msg = f"router: what: unknown; choose one of {', '.join(ASKED)}"
            raise RejectedError(msg, reason="what")
        needed(note, "write why")
        verb, kind = ASKED[what]

        async def work(tx: Tx) -> int:
            order, case = await self._ledger.own(tx, order_id, scope, version)
            act = Act(actor, self._ledger.clock(), note)
            if once:
                await self._ledger.unused(tx, order["case_id"], actor)
            next_order_status(OrderStatus(order["status"]), verb)
            step = moves(case, [verb], act, order_id=order_id)
            if what == "extension":
                await self._check_extension(tx, order, limit, act)
                values = self._cases.planner.timekeeper.columns(
                    clock_of(order).paused(act.at, Reason.EXTENSION), act.at
                )
                await self._ledger.set_order(tx, order, **values)
            else:
                await self._check_suspension(tx, order)
            number = await self._keep(tx, order, what, limit, act)
            await raise_task(
                tx, mark=f"request:{number}", kind=kind, role=TaskRole.DISPATCHER,
                case_id=case["id"], order_id=order_id, note=note, at=act.at,
            )  # fmt: skip
            await self._ledger.save(tx, case, step, act)
            return number

        return await self._ledger.db.write(work)

    async def answer(self, request_id: int, *, actor: str, granted: bool, note: str) -> int:
        """The desk grants or refuses what was asked for; returns the case's version.

        ConflictError when it was answered already or went away with its order.
        """

        async def work(tx: Tx) -> int:
            q = T.requests.c
            found = await tx.run(select(T.requests).where(q.id == request_id))
            request = as_row(found.mappings().first())
            if request is None:
                msg = "router: no such request; look again"
                raise RejectedError(msg, reason="request")
            case = await self._ledger.case(tx, request["case_id"])
            act = Act(actor, self._ledger.clock(), note)
            values: dict[str, Any] = {"state": "granted" if granted else "refused"}
            values |= {"answered_by": actor, "answered_at": act.at, "answer": note}
            done = await tx.run(
                update(T.requests).where(q.id == request_id, q.state == "open").values(**values)
            )
            if done.rowcount != 1:
                msg = "router: this request was answered already; look again"
                raise ConflictError(msg)
            await settle_tasks(tx, actor=actor, at=act.at, marks=[f"request:{request_id}"])
            if request["what"] == "suspension":
                return await self._answer_suspension(tx, case, request, act, granted=granted)
            return await self._answer_extension(tx, case, request, act, granted=granted)

        return await self._ledger.db.write(work)

    async def _check_extension(self, tx: Tx, order: Row, limit: Limit | None, act: Act) -> None:
        bounds, deadlines = (
            self._cases.lifecycle.extension,
            self._cases.planner.timekeeper.deadlines,
        )
        if limit is None or deadlines.seconds(limit) > deadlines.seconds(bounds.longest):
            most = f"{bounds.longest.amount:g} {bounds.longest.unit}"
            msg = f"router: limit: not an amount of time that is granted; ask for at most {most}"
            raise RejectedError(msg, reason="limit")
        if act.at > order["due_at"]:
            msg = "router: more time is asked for before the due time; it is over"
            raise RejectedError(msg, reason="late")
        q = T.requests.c
        asked = (q.order_id == order["id"], q.what == "extension")
        earlier = (await tx.run(select(q.state).where(*asked))).scalars().all()
        if "open" in earlier:
            msg = "router: more time was asked for already; wait for the desk's answer"
            raise RejectedError(msg, reason="asked")
        if len(earlier) >= bounds.max:
            msg = f"router: more time may be asked for {bounds.max} times; that is used up"
            raise RejectedError(msg, reason="limit")

    async def _check_suspension(self, tx: Tx, order: Row) -> None:
        if not order["lead"]:
            msg = "router: only the lead may ask to let the case stand; tell the lead"
            raise RejectedError(msg, reason="what")
        q = T.requests.c
        asked = (q.order_id == order["id"], q.what == "suspension", q.state == "open")
        if (await tx.run(select(q.id).where(*asked))).first() is not None:
            msg = "router: this was asked for already; wait for the desk's answer"
            raise RejectedError(msg, reason="asked")

    async def _keep(self, tx: Tx, order: Row, what: str, limit: Limit | None, act: Act) -> int:
        row = {"case_id": order["case_id"], "order_id": order["id"], "what": what, "state": "open"}
        row |= {"note": act.note, "asked_by": act.actor, "asked_at": act.at, "answered_by": ""}
        row |= {"amount": limit.amount if limit else 0.0, "unit": limit.unit if limit else ""}
        made = await tx.run(insert(T.requests).values(**row).returning(T.requests.c.id))
        return int(made.scalar_one())

    async def _answer_suspension(
        self, tx: Tx, case: Row, request: Row, act: Act, *, granted: bool
    ) -> int:
        if granted:
            return await self._cases.suspend_in(tx, case, act)
        steps = moves(case, [Verb.REFUSE_SUSPENSION], act, order_id=request["order_id"])
        return await self._ledger.save(tx, case, steps, act)

    async def _answer_extension(
        self, tx: Tx, case: Row, request: Row, act: Act, *, granted: bool
    ) -> int:
        """The clock goes on, with the time that was granted; citizens hear of a new promise."""
        verb = Verb.EXTEND if granted else Verb.REFUSE_EXTENSION
        steps = moves(case, [verb], act, order_id=request["order_id"])
        found = await self._ledger.orders(tx, case["id"], *OPEN_ORDER)
        order = next(one for one in found if one["id"] == request["order_id"])
        clock = clock_of(order).resumed(act.at)
        if granted:
            clock = clock.extended(Limit(amount=request["amount"], unit=Unit(request["unit"])))
        values = self._cases.planner.timekeeper.columns(clock, act.at)
        values["extensions"] = order["extensions"] + int(granted)
        await self._ledger.set_order(tx, order, **values)
        due = self._cases.due(case, values) if order["lead"] else {}
        version = await self._ledger.save(tx, case, steps, act, **due)
        if granted and order["lead"]:
            await self._ledger.tell_citizens(tx, case["id"], "extended", version, act.at)
        return version
