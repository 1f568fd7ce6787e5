"""Who looked at or changed what, and why: one row before the act, so that a failed audit stops it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert

from store.db import Database, Tx
from store.tables import T


async def audit(
    db: Database, *, actor: str, act: str, target: str, note: str, at: datetime
) -> None:
    """Write the row; returns once it is durable."""

    async def work(tx: Tx) -> None:
        await audited(tx, actor=actor, act=act, target=target, note=note, at=at)

    await db.write(work)


async def audited(tx: Tx, *, actor: str, act: str, target: str, note: str, at: datetime) -> None:
    """Write the row in the transaction of the act itself."""
    await tx.run(insert(T.audit).values(actor=actor, act=act, target=target, note=note, at=at))
