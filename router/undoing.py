"""Undo (撤销): the last command of a person is taken back before anything of it has left the hub.

History is not edited: the command's own line keeps what it changed, and undoing appends another line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import delete, select, update

from router.deciding import put_back
from router.ledger import Act, Ledger, Row, Step, as_row
from router.lifecycle import Lifecycle
from router.parts import take_back_parts
from router.returns import unjudge_returns
from router.workflow import UNDOABLE, OrderStatus, Verb
from store.columns import Utc
from store.db import Tx
from store.errors import ConflictError, WorkflowError
from store.tables import T

TOO_LATE = "router: too late to undo, it has left; use the other commands"


def remember(case: Row, changes: Mapping[str, Any], **more: Any) -> str:
    """What undoing puts back: the case's status, the columns about to change, and ``more``, as JSON."""
    kept = {name: case[name] for name in ("status", *changes) if name not in _GROWING} | more
    return msgspec.json.encode(kept).decode()


_GROWING = frozenset({"decision_seq"})
"""Numbers that are never given twice, so never put back."""


def spread(step: Step, orders: Sequence[Row], *, undo: str = "", reason: str = "") -> list[Step]:
    """One line for each work order; the first moves the case, the last remembers."""
    lines = [
        replace(
            step,
            order_id=order["id"],
            before=step.after if n else step.before,
            note=order["department"] if step.verb is Verb.DISPATCH else step.note,
            reason=reason or step.reason,
        )
        for n, order in enumerate(orders)
    ] or [step]
    return [*lines[:-1], replace(lines[-1], undo=undo)]


class Undoing:
    """Takes back what was done last."""

    def __init__(self, ledger: Ledger, lifecycle: Lifecycle) -> None:
        self._ledger = ledger
        self.lifecycle = lifecycle

    async def undo(self, case_id: int, *, version: int, actor: str) -> int:
        """Undo the case's last command if ``actor`` gave it a moment ago; returns the new version.

        Raises ConflictError when it is too late, was somebody else's, or something came after it.
        """

        async def work(tx: Tx) -> int:
            case = await self._ledger.case(tx, case_id, version)
            e, now = T.events.c, self._ledger.clock()
            lines = (
                await tx.run(select(T.events).where(e.case_id == case_id, e.version == version))
            ).mappings()
            last = as_row(next((line for line in lines if line["undo"]), None))
            if last is None or last["actor"] != actor or Verb(last["verb"]) not in UNDOABLE:
                raise WorkflowError(Verb.UNDO, case["status"])
            if now >= last["at"] + timedelta(seconds=self.lifecycle.undo_s):
                raise ConflictError(TOO_LATE)
            return await self._put_back(tx, case, last, Act(actor, now))

        return await self._ledger.db.write(work)

    async def _put_back(self, tx: Tx, case: Row, last: Row, act: Act) -> int:
        kept = msgspec.json.decode(last["undo"])
        before = kept.pop("status")
        if "decided" in kept:
            await put_back(tx, case, kept.pop("decided"))
        if "parts" in kept:
            await take_back_parts(tx, kept.pop("parts"), is_sqlite=self._ledger.db.is_sqlite)
        changes = {name: _typed(name, value) for name, value in kept.items()}
        if Verb(last["verb"]) is Verb.DISPATCH:
            await self._recall(tx, case, last["at"], act)
        await unjudge_returns(tx, case, last["at"])
        a, ci = T.answers.c, T.case_items.c
        items = select(ci.item_id).where(ci.case_id == case["id"])
        told = (a.item_id.in_(items), a.state == "pending", a.mark.endswith(f":{case['version']}"))
        await tx.run(delete(T.answers).where(*told))
        step = Step(Verb.UNDO, case["status"], before, note=last["verb"])
        return await self._ledger.save(tx, case, [step], act, **changes)

    async def _recall(self, tx: Tx, case: Row, dispatched_at: datetime, act: Act) -> None:
        """Withdraw the orders just given; nothing of them was sent yet."""
        orders = [
            order
            for order in await self._ledger.orders(tx, case["id"], OrderStatus.ASSIGNED)
            if order["dispatched_at"] == dispatched_at
        ]
        if any(order["leaves_at"] is not None and order["leaves_at"] <= act.at for order in orders):
            raise ConflictError(TOO_LATE)
        await self._ledger.withdraw(tx, orders, act)
        d = T.deliveries.c
        unsent = (d.order_id.in_([o["id"] for o in orders]), d.state == "pending", d.attempts == 0)
        await tx.run(update(T.deliveries).where(*unsent).values(state="cancelled", ended_at=act.at))
        await self._ledger.tell_offices(tx, case, "withdrawn", orders)


def _typed(name: str, value: Any) -> Any:
    is_time = value is not None and isinstance(T.cases.c[name].type, Utc)
    return datetime.fromisoformat(value) if is_time else value
