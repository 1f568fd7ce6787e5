"""Small questions of the desk's pages to the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select

from store.db import Database
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
