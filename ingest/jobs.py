"""What the senders and fetchers of this room share: rows that are due, and when to try them again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, select

from store.db import Database

FIRST_S = 30.0
LONGEST_S = 3600.0


async def due(db: Database, table: Table, now: datetime, *, limit: int) -> list[Any]:
    """Rows in state ``pending`` whose time has come, the longest waiting first."""
    c = table.c
    statement = (
        select(table).where(c.state == "pending", c.due_at <= now).order_by(c.due_at).limit(limit)
    )
    async with db.read() as conn:
        return list((await conn.execute(statement)).all())


def later(now: datetime, attempts: int, retry_after_s: float | None = None) -> datetime:
    """When to try again after ``attempts`` failures: doubling pauses up to an hour, or as the source says."""
    pause = min(LONGEST_S, FIRST_S * 2.0 ** min(attempts, 10))
    return now + timedelta(seconds=max(pause, retry_after_s or 0.0))
