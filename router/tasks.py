"""待办任务: what a person must look into because no rule of the hub can decide it; shown until done.

A task is raised inside the transaction that found it out, so that it is there exactly when its cause is,
and never twice: ``mark`` names the cause.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from store.db import Database, Tx
from store.errors import ConflictError, RejectedError
from store.tables import T

MOST = 200
"""Open tasks one question answers."""

LONGEST_NOTE = 500


class TaskKind(StrEnum):
    """Why a person must look."""

    RETURN_REFUSED_LIMIT = "return_refused_limit"
    SUPPORT_RETURNED = "support_returned"
    EXTENSION_ASKED = "extension_asked"
    SUSPENSION_ASKED = "suspension_asked"
    NO_SUPERIOR = "no_superior"
    DOCUMENT_UNANSWERED = "document_unanswered"
    DESK_LATE = "desk_late"
    DOCUMENT_ISSUED = "document_issued"
    UNDELIVERABLE = "undeliverable"
    INSTRUCTION_DUE = "instruction_due"
    DISSATISFIED = "dissatisfied"
    OFFICE_GONE = "office_gone"
    BULLETIN_DRAFTED = "bulletin_drafted"
    PLACE_RELAPSED = "place_relapsed"
    TARGET_BEHIND = "target_behind"


TASK_NAMES = MappingProxyType(
    {
        TaskKind.RETURN_REFUSED_LIMIT: "退单次数已满，须协调定责",
        TaskKind.SUPPORT_RETURNED: "协办单位退单",
        TaskKind.EXTENSION_ASKED: "延期申请待审批",
        TaskKind.SUSPENSION_ASKED: "挂账申请待审批",
        TaskKind.NO_SUPERIOR: "责任单位没有上级单位，督办文书无人抄送",
        TaskKind.DOCUMENT_UNANSWERED: "督办文书逾期未回复",
        TaskKind.DOCUMENT_ISSUED: "督办文书已发出，须跟进",
        TaskKind.DESK_LATE: "派遣环节超时",
        TaskKind.UNDELIVERABLE: "通知无法送达",
        TaskKind.INSTRUCTION_DUE: "领导交办事项即将到期",
        TaskKind.DISSATISFIED: "市民不满意，须复核是否重新办理",
        TaskKind.OFFICE_GONE: "承办单位已不在部门名录中，须改派",
        TaskKind.BULLETIN_DRAFTED: "通报草稿已生成，须审核",
        TaskKind.PLACE_RELAPSED: "点位问题复发，须督办根治",
        TaskKind.TARGET_BEHIND: "责任书目标滞后或逾期，须督办",
    }
)


class TaskRole(StrEnum):
    """Whose list a task is on."""

    DISPATCHER = "dispatcher"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


async def raise_task(
    tx: Tx,
    *,
    mark: str,
    kind: TaskKind,
    role: TaskRole,
    at: datetime,
    case_id: int | None = None,
    order_id: int | None = None,
    note: str = "",
) -> bool:
    """Put a task on the list of ``role``; False when ``mark`` was raised before, be it done or not."""
    insert = sqlite_insert if tx.conn.dialect.name == "sqlite" else pg_insert
    row: dict[str, Any] = {"mark": mark, "kind": kind, "role": role, "at": at}
    row |= {"case_id": case_id, "order_id": order_id, "note": note[:LONGEST_NOTE], "done_by": ""}
    statement = insert(T.tasks).values(row).on_conflict_do_nothing(index_elements=["mark"])
    fresh = (await tx.run(statement.returning(T.tasks.c.id))).first() is not None
    if fresh:
        tx.touched.add("desk")
    return fresh


async def settle_tasks(
    tx: Tx,
    *,
    actor: str,
    at: datetime,
    marks: Sequence[str] = (),
    order_id: int | None = None,
    kinds: Sequence[TaskKind] = tuple(TaskKind),
) -> int:
    """Done by what happened: the tasks of ``marks``, and those of ``kinds`` of the order; how many they were."""
    t = T.tasks.c
    meant: ColumnElement[bool] = t.mark.in_(marks)
    if order_id is not None:
        meant = or_(meant, and_(t.order_id == order_id, t.kind.in_(kinds)))
    change = update(T.tasks).where(t.done_at.is_(None), meant)
    done = await tx.run(change.values(done_at=at, done_by=actor))
    if done.rowcount:
        tx.touched.add("desk")
    return int(done.rowcount)


class Tasks:
    """The lists, as people read and settle them."""

    def __init__(self, db: Database, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock

    async def open(self, role: TaskRole) -> list[dict[str, Any]]:
        """Open tasks of ``role``, the oldest first, at most ``MOST``."""
        t = T.tasks.c
        statement = (
            select(T.tasks, T.cases.c.case_no)
            .outerjoin(T.cases, T.cases.c.id == t.case_id)
            .where(t.done_at.is_(None), t.role == role)
            .order_by(t.at, t.id)
            .limit(MOST)
        )
        async with self._db.read() as conn:
            return [dict(row) for row in (await conn.execute(statement)).mappings()]

    async def done(self, task_id: int, *, actor: str, role: TaskRole) -> None:
        """Take a task off its list; RejectedError when ``role`` has none such, ConflictError when it was done."""
        t = T.tasks.c

        async def work(tx: Tx) -> None:
            where = (t.id == task_id, t.role == role)
            found = (await tx.run(select(t.done_at).where(*where))).first()
            if found is None:
                msg = "router: no such task on this list; look again"
                raise RejectedError(msg, reason="task")
            change = update(T.tasks).where(*where, t.done_at.is_(None))
            done = await tx.run(change.values(done_at=self._clock(), done_by=actor))
            if done.rowcount != 1:
                msg = "router: task: somebody else did it already; look again"
                raise ConflictError(msg)
            tx.touched.add("desk")

        await self._db.write(work)
