"""Deliveries nobody can send: their endpoint has left the configuration. They wait until it is back."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select

from store.db import Database
from store.tables import T


async def stranded(db: Database, endpoints: Collection[str]) -> dict[str, int]:
    """How many messages wait for each endpoint, by key, that is not among ``endpoints``."""
    d = T.deliveries.c
    waits = (
        select(d.department, func.count())
        .where(d.state == "pending", d.department.not_in(endpoints))
        .group_by(d.department)
        .order_by(d.department)
    )
    async with db.read() as conn:
        return {key: int(n) for key, n in (await conn.execute(waits)).all()}
