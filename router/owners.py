"""Orders of offices that left the configuration: nothing may be without an owner, so each is a task."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import exists, or_, select, update

from router.tasks import TaskKind, TaskRole, raise_task
from router.workflow import OPEN_ORDER
from store.db import Database, Tx
from store.tables import T

BATCH = 200
"""Orders one transaction looks at."""

ACTOR = "supervision"
"""Who settles a task whose cause is gone."""


async def watch_owners(
    db: Database, offices: Collection[str], now: datetime, zone: ZoneInfo
) -> int:
    """A task of the dispatchers for every open order of an office that is not among ``offices``; how many are new.

    A task whose order has ended or whose office is back is settled. One that a person settled while the order
    still stands comes back the next day.
    """
    await db.write(partial(_settle, offices=offices, now=now))
    raised = 0
    while rows := await _ownerless(db, offices, f"{now.astimezone(zone).date()}"):
        raised += await db.write(partial(_raise, rows=rows, now=now))
    return raised


async def _ownerless(db: Database, offices: Collection[str], day: str) -> list[tuple[str, Any]]:
    """Mark and order of those that have no task, neither open nor of this day."""
    o, t = T.work_orders.c, T.tasks.c
    told = exists().where(
        t.order_id == o.id,
        t.kind == TaskKind.OFFICE_GONE,
        or_(t.done_at.is_(None), t.mark.endswith(f":{day}")),
    )
    statement = (
        select(o.id, o.case_id, o.department)
        .where(o.status.in_(OPEN_ORDER), o.department.not_in(offices), ~told)
        .order_by(o.id)
        .limit(BATCH)
    )
    async with db.read() as conn:
        rows = (await conn.execute(statement)).all()
    return [(f"office_gone:{row.id}:{day}", row) for row in rows]


async def _raise(tx: Tx, *, rows: list[tuple[str, Any]], now: datetime) -> int:
    return sum(
        [
            await raise_task(
                tx,
                mark=mark,
                kind=TaskKind.OFFICE_GONE,
                role=TaskRole.DISPATCHER,
                at=now,
                case_id=row.case_id,
                order_id=row.id,
                note=row.department,
            )
            for mark, row in rows
        ]
    )


async def _settle(tx: Tx, *, offices: Collection[str], now: datetime) -> None:
    o, t = T.work_orders.c, T.tasks.c
    stands = exists().where(
        o.id == t.order_id, o.status.in_(OPEN_ORDER), o.department.not_in(offices)
    )
    settled = update(T.tasks).where(t.kind == TaskKind.OFFICE_GONE, t.done_at.is_(None), ~stands)
    if (await tx.run(settled.values(done_at=now, done_by=ACTOR))).rowcount:
        tx.touched.add("desk")
