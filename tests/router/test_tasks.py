"""Tasks: raised once, on one list, done once."""

from typing import Any

import pytest

from router.tasks import MOST, TASK_NAMES, TaskKind, TaskRole, Tasks, raise_task, settle_tasks
from store.db import Database, Tx
from store.errors import ConflictError, RejectedError

S, A = TaskRole.SUPERVISOR, TaskRole.ADMIN


async def put(db: Database, clock: Any, mark: str, role: TaskRole = S, **more: Any) -> bool:
    async def work(tx: Tx) -> bool:
        return await raise_task(tx, mark=mark, kind=TaskKind.DESK_LATE, role=role, at=clock(), **more)  # fmt: skip

    return await db.write(work)


def test_every_kind_has_a_name_to_show() -> None:
    assert set(TASK_NAMES) == set(TaskKind)
    assert len(set(TASK_NAMES.values())) == len(TaskKind)


async def test_a_task_is_raised_once_and_stays_until_done(db: Database, clock: Any) -> None:
    tasks = Tasks(db, clock)
    assert await put(db, clock, "a", note="说" * 900)
    assert not await put(db, clock, "a")
    (one,) = await tasks.open(S)
    assert (one["mark"], len(one["note"]), one["done_at"]) == ("a", 500, None)
    await tasks.done(one["id"], actor="督查室值班", role=S)
    assert await tasks.open(S) == []
    assert not await put(db, clock, "a"), "done is done"


async def test_lists_are_apart(db: Database, clock: Any) -> None:
    await put(db, clock, "a", A)
    tasks = Tasks(db, clock)
    (one,) = await tasks.open(A)
    assert await tasks.open(S) == []
    with pytest.raises(RejectedError, match="no such task"):
        await tasks.done(one["id"], actor="x", role=S)


async def test_done_twice_is_a_conflict(db: Database, clock: Any) -> None:
    await put(db, clock, "a")
    tasks = Tasks(db, clock)
    (one,) = await tasks.open(S)
    await tasks.done(one["id"], actor="x", role=S)
    with pytest.raises(ConflictError, match="somebody else"):
        await tasks.done(one["id"], actor="y", role=S)


async def test_what_happened_settles_tasks_by_mark_and_by_order(db: Database, clock: Any) -> None:
    await put(db, clock, "a", order_id=7)
    await put(db, clock, "b")
    await put(db, clock, "c", order_id=8)

    async def work(tx: Tx) -> int:
        return await settle_tasks(tx, actor="router", at=clock(), marks=["b"], order_id=7)

    assert await db.write(work) == 2
    assert [one["mark"] for one in await Tasks(db, clock).open(S)] == ["c"]
    assert await db.write(work) == 0


async def test_oldest_first_and_never_too_many(db: Database, clock: Any) -> None:
    await put(db, clock, "new")
    clock.forward(hours=-1)
    await put(db, clock, "old")
    assert [one["mark"] for one in await Tasks(db, clock).open(S)] == ["old", "new"]
    assert MOST == 200
