"""领导交办: the daily list of what leaders ordered that is due soon, as a task of the supervision office."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from router.supervision import Schedule
from router.tasks import TaskKind, TaskRole, raise_task
from router.workflow import FINAL
from store.db import Database, Tx
from store.numbers import PER_DAY
from store.tables import T

MOST = 20
"""Case numbers a list shows; the rest is counted."""


def opened(schedule: Schedule, now: datetime) -> bool:
    """Whether the offices have opened today."""
    midnight = datetime.combine(now.astimezone(schedule.zone).date(), time(), schedule.zone)
    return schedule.deadlines.worked_us(midnight, now, schedule.zone) > 0


def horizon(schedule: Schedule, now: datetime) -> datetime:
    """Until when the list looks: ``instruction.horizon`` of working time beyond the end of today."""
    tomorrow = now.astimezone(schedule.zone).date() + timedelta(days=1)
    midnight = datetime.combine(tomorrow, time(), schedule.zone)
    within = schedule.ladder.instruction.horizon
    return schedule.deadlines.due_at(midnight, within, schedule.zone)


async def remind(db: Database, schedule: Schedule, now: datetime, *, whole: bool) -> bool:
    """Raise the list of the day once the offices have opened; what comes after it gets a task of its own.

    ``whole`` asks all cases, else those of today only. Returns whether anything was raised.
    """
    if not opened(schedule, now):
        return False
    local = now.astimezone(schedule.zone)
    mark = f"instructions:{local.date()}"
    rows = await _due(db, horizon(schedule, now), 0 if whole else int(f"{local:%Y%m%d}") * PER_DAY)
    if not rows:
        return False

    async def work(tx: Tx) -> bool:
        t = T.tasks.c
        listed = (await tx.run(select(t.at).where(t.mark == mark))).scalar()
        if listed is None:
            return await _raise(tx, mark, _list(rows), now)
        later = [row for row in rows if row.received_at > listed]
        raised = [await _raise(tx, f"{mark}:{r.id}", r.case_no, now, case=r.id) for r in later]
        return any(raised)

    return await db.write(work)


def _list(rows: Sequence[Any]) -> str:
    numbers = "、".join(row.case_no for row in rows[:MOST])
    return numbers + (f"等{len(rows)}件" if len(rows) > MOST else f"，共{len(rows)}件")


async def _raise(tx: Tx, mark: str, note: str, at: datetime, *, case: int | None = None) -> bool:
    kind, role = TaskKind.INSTRUCTION_DUE, TaskRole.SUPERVISOR
    return await raise_task(tx, mark=mark, kind=kind, role=role, at=at, note=note, case_id=case)


async def _due(db: Database, until: datetime, first: int = 0) -> list[Any]:
    """Open cases whose leader's day comes before ``until``, the most pressing first; ids from ``first``."""
    c = T.cases.c
    statement = (
        select(c.id, c.case_no, c.received_at)
        .where(c.wanted_at <= until, c.status.not_in(FINAL), c.id >= first)
        .order_by(c.wanted_at, c.id)
    )
    async with db.read() as conn:
        return list((await conn.execute(statement)).all())
