"""Small questions of the desk's pages to the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from store.db import Database, among
from store.tables import T


async def people(db: Database, names: Collection[str]) -> dict[str, str]:
    """What the people among ``names`` are called on screen."""
    u = T.users.c
    async with db.read() as conn:
        rows = await conn.execute(select(u.name, u.display).where(u.name.in_(sorted(names))))
        return {row.name: row.display or row.name for row in rows}


async def open_requests(db: Database) -> list[Mapping[Any, Any]]:
    """What departments have asked for and nobody has answered, the oldest first, at most 200."""
    q, o, c = T.requests.c, T.work_orders.c, T.cases.c
    statement = (
        select(
            q.id, q.case_id, q.what, q.note, q.amount, q.unit, q.asked_at, o.department, c.case_no
        )
        .join(T.work_orders, o.id == q.order_id)
        .join(T.cases, c.id == q.case_id)
        .where(q.state == "open")
        .order_by(q.id)
        .limit(200)
    )
    async with db.read() as conn:
        return list((await conn.execute(statement)).mappings())


async def case_rows(db: Database, ids: Sequence[int]) -> list[Mapping[Any, Any]]:
    """Cases as lists behind numbers show them, the newest first."""
    c = T.cases.c
    columns = (c.id, c.case_no, c.status, c.summary, c.received_at, c.due_at, c.closed_at)
    found = select(*columns).where(among(c.id, ids, is_sqlite=db.is_sqlite))
    async with db.read() as conn:
        return list((await conn.execute(found.order_by(c.id.desc()))).mappings())
