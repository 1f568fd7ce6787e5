"""Who may run a singleton loop (relay, sender, poller) when several hubs share one database.

A lease runs out unless renewed; its epoch grows with each change of holder and fences a holder
that slept through its term.
"""

from __future__ import annotations

import os
import secrets
from datetime import datetime, timedelta

from sqlalchemy import or_, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from store.db import Database, Tx
from store.tables import T

OWNER = f"{os.getpid()}-{secrets.token_hex(4)}"
"""This process, as lease holder."""

TERM = timedelta(seconds=15)


async def hold(db: Database, name: str, now: datetime, *, owner: str = OWNER) -> bool:
    """Take or renew the lease ``name`` for ``TERM``; False while another holds it."""
    insert = sqlite_insert if db.is_sqlite else pg_insert
    c = T.leases.c

    async def work(tx: Tx) -> bool:
        fresh = {"name": name, "owner": "", "epoch": 0, "expires_at": now}
        await tx.run(insert(T.leases).values(fresh).on_conflict_do_nothing())
        renewed = await tx.run(
            update(T.leases).where(c.name == name, c.owner == owner).values(expires_at=now + TERM)
        )
        if renewed.rowcount:
            return True
        taken = await tx.run(
            update(T.leases)
            .where(c.name == name, or_(c.owner == "", c.expires_at <= now))
            .values(owner=owner, epoch=c.epoch + 1, expires_at=now + TERM)
        )
        return bool(taken.rowcount)

    return await db.write(work)


async def release(db: Database, name: str, *, owner: str = OWNER) -> None:
    """Give the lease up so that another hub need not wait for its end."""
    c = T.leases.c

    async def work(tx: Tx) -> None:
        await tx.run(update(T.leases).where(c.name == name, c.owner == owner).values(owner=""))

    await db.write(work)
