"""What became of a return (退单): judged by where the case goes next, or by its end; open again when that is undone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, update

from router.ledger import Act, Row
from router.planning import Plan
from router.tasks import settle_tasks
from store.db import Tx
from store.tables import T


async def judge_returns(tx: Tx, case: Row, plan: Plan, act: Act) -> bool:
    """Settle the case's open returns by where it goes now; whether the lead's was refused.

    Who returned the lead is judged by who leads now, who returned its support by who is called at all.
    """
    t, o = T.returns.c, T.work_orders.c
    where = (t.case_id == case["id"], t.state == "open")
    open_ = select(t.id, t.department, o.lead).join(T.work_orders, o.id == t.order_id)
    found = (await tx.run(open_.where(*where))).all()
    again = [
        one
        for one in found
        if one.department == plan.lead or (not one.lead and one.department in plan.support)
    ]
    refused = [one.id for one in again]
    accepted = [one.id for one in found if one.id not in refused]
    for state, ids in (("refused", refused), ("accepted", accepted)):
        if ids:
            values = {"state": state, "judged_by": act.actor, "judged_at": act.at}
            await tx.run(update(T.returns).where(t.id.in_(ids)).values(**values))
    return any(one.department == plan.lead for one in again)


async def accept_returns(tx: Tx, case: Row, act: Act) -> None:
    """A case that ends goes to nobody again: what its offices returned stays returned, and is nobody's task."""
    t = T.returns.c
    where = (t.case_id == case["id"], t.state == "open")
    values = {"state": "accepted", "judged_by": act.actor, "judged_at": act.at}
    change = update(T.returns).where(*where).values(**values)
    orders = (await tx.run(change.returning(t.order_id))).scalars().all()
    await settle_tasks(tx, actor=act.actor, at=act.at, marks=_marks(orders))


async def unjudge_returns(tx: Tx, case: Row, at: datetime) -> None:
    """The returns that the command of that moment had judged wait again, with their tasks."""
    r, t = T.returns.c, T.tasks.c
    judged = (r.case_id == case["id"], r.judged_at == at)
    change = update(T.returns).where(*judged).values(state="open", judged_at=None, judged_by="")
    orders = (await tx.run(change.returning(r.order_id))).scalars().all()
    settled = (t.mark.in_(_marks(orders)), t.done_at == at)
    await tx.run(update(T.tasks).where(*settled).values(done_at=None, done_by=""))


def _marks(orders: Iterable[int]) -> list[str]:
    return [f"returned:{order}" for order in orders]
