"""People who may log in: argon2id passwords, lock-out after repeated failures.

RFC 9106's second recommended option is argon2-cffi's default. Verifying takes tens of milliseconds of
CPU, so it happens in a thread; an unknown name costs the same as a wrong password.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from store.db import Database, Tx
from store.errors import AuthError, RejectedError
from store.tables import T

ROLES = ("dispatcher", "department", "official", "supervisor", "admin")
SHORTEST = 10
FAILURES = 5
LOCKED = timedelta(minutes=15)

_hasher = PasswordHasher()
_NOBODY = _hasher.hash("nobody has this password")


@dataclass(frozen=True)
class User:
    """Who is logged in. ``scope`` is the department of the role ``department``."""

    name: str
    display: str
    role: str
    scope: str

    def may_dispatch(self) -> bool:
        """Whether this person decides at the desk."""
        return self.role in {"dispatcher", "admin"}

    def may_supervise(self) -> bool:
        """Whether this person may issue documents of supervision."""
        return self.role in {"supervisor", "admin"}

    def may_handle(self) -> bool:
        """Whether this person works the inbox of the office ``scope``."""
        return self.role in {"department", "subdistrict"} and bool(self.scope)

    def may_watch(self) -> bool:
        """Whether this person sees the queue, or the part of it that ``areas`` names."""
        return self.role != "department"

    def areas(self, places: Mapping[str, Collection[str]]) -> Collection[str] | None:
        """The only areas whose cases this person sees; none: all. ``places``: what each area holds."""
        if self.role != "subdistrict":
            return None
        return places.get(self.scope, (self.scope,))


class Accounts:
    """The users table."""

    def __init__(self, db: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock

    async def put(
        self, name: str, password: str, *, role: str, display: str, scope: str = ""
    ) -> None:
        """Add a person or replace their password and role."""
        if len(password) < SHORTEST:
            msg = f"desk: password has {len(password)} characters; at least {SHORTEST} are needed"
            raise RejectedError(msg, reason="password")
        hashed = await asyncio.to_thread(_hasher.hash, password)
        row: dict[str, Any] = {"name": name, "display": display, "role": role, "scope": scope}
        row |= {"password": hashed, "failures": 0, "locked_until": None, "active": True}
        insert = sqlite_insert if self._db.is_sqlite else pg_insert

        async def work(tx: Tx) -> None:
            await tx.run(
                insert(T.users).values(row).on_conflict_do_update(index_elements=["name"], set_=row)
            )

        await self._db.write(work)

    async def check(self, name: str, password: str) -> User:
        """The person, or AuthError; five failures in a row lock the name for a quarter of an hour."""
        c = T.users.c
        async with self._db.read() as conn:
            row = (await conn.execute(select(T.users).where(c.name == name, c.active))).first()
        now = self._clock()
        locked = row is not None and row.locked_until is not None and now < row.locked_until
        good = await asyncio.to_thread(_matches, row.password if row else _NOBODY, password)
        if row is None or locked or not good:
            if row is not None and not locked:
                await self._fail(name, row.failures + 1, now)
            msg = "desk: name or password is wrong, or the name is locked for a while"
            raise AuthError(msg)
        if row.failures:
            await self._fail(name, 0, None)
        return User(row.name, row.display, row.role, row.scope)

    async def _fail(self, name: str, failures: int, now: datetime | None) -> None:
        until = now + LOCKED if now is not None and failures >= FAILURES else None

        async def work(tx: Tx) -> None:
            await tx.run(
                update(T.users)
                .where(T.users.c.name == name)
                .values(failures=0 if until else failures, locked_until=until)
            )

        await self._db.write(work)


def _matches(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False
