"""Guessing is slow: failed logins lock a name, and an address from which many names are tried.

An attempt is counted before it is judged and given back when it was right, so that attempts made at once
do not get round the count. OWASP Authentication Cheat Sheet; NIST SP 800-63B, 5.2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from store.audit import audited
from store.db import Database, Tx
from store.tables import T

FAILURES = 5
"""In a row, after which a name is locked."""

ADDRESS_FAILURES = 30
"""Within ``LOCKED``, after which an address is; many people may share one behind a router."""

LOCKED = timedelta(minutes=15)


@dataclass(frozen=True)
class Attempt:
    """One try to log in. ``row`` is the person's, None for an unknown name; ``locked`` tries are never right."""

    name: str
    address: str
    row: Any
    locked: bool


async def begin(db: Database, name: str, address: str, now: datetime) -> Attempt:
    """Count a try, and tell whether it may be right at all."""

    async def work(tx: Tx) -> Attempt:
        u = T.users.c
        asked = select(T.users).where(u.name == name, u.active).with_for_update()
        row = (await tx.run(asked)).first()
        shut = await _count_address(tx, address, now, is_sqlite=db.is_sqlite)
        shut |= row is not None and row.locked_until is not None and now < row.locked_until
        if row is not None and not shut:
            await _count_name(tx, row, now)
        return Attempt(name, address, row, shut)

    return await db.write(work)


async def _count_name(tx: Tx, row: Any, now: datetime) -> None:
    full = row.failures + 1 >= FAILURES
    values = {
        "failures": 0 if full else row.failures + 1,
        "locked_until": now + LOCKED if full else None,
    }
    await tx.run(update(T.users).where(T.users.c.name == row.name).values(values))
    if full:
        note = f"{FAILURES} failed logins"
        await audited(
            tx, actor=row.name, act="locked", target=f"user {row.name}", note=note, at=now
        )


async def _count_address(tx: Tx, address: str, now: datetime, *, is_sqlite: bool) -> bool:
    """Whether the address is locked; else the try is counted."""
    a = T.login_addresses
    insert = sqlite_insert if is_sqlite else pg_insert
    new = insert(a).values(address=address, failures=0, since=now)
    await tx.run(new.on_conflict_do_nothing())
    row = (await tx.run(select(a).where(a.c.address == address).with_for_update())).one()
    if row.locked_until is not None and now < row.locked_until:
        return True
    fresh = now - row.since < LOCKED and row.locked_until is None
    failures = row.failures + 1 if fresh else 1
    until = now + LOCKED if failures >= ADDRESS_FAILURES else None
    values = {"failures": failures, "since": row.since if fresh else now, "locked_until": until}
    await tx.run(update(a).where(a.c.address == address).values(values))
    await tx.run(delete(a).where(a.c.since < now - 2 * LOCKED))
    return False


async def give_back(db: Database, attempt: Attempt, *, done: bool) -> None:
    """This try was right. ``done``: the person is logged in, so the name's count begins anew."""

    async def work(tx: Tx) -> None:
        a, u = T.login_addresses, T.users.c
        count = case((a.c.failures > 0, a.c.failures - 1), else_=0)
        here = update(a).where(a.c.address == attempt.address)
        await tx.run(here.values(failures=count, locked_until=None))
        before = 0 if done else attempt.row.failures
        mine = update(T.users).where(u.name == attempt.name)
        await tx.run(mine.values(failures=before, locked_until=None))

    await db.write(work)
