"""Logins: a random 256-bit token in a cookie, its SHA-256 in the database, revocable at any time."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from desk.accounts import User
from store.db import Database, Tx
from store.tables import T

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=8)
TOUCH = timedelta(minutes=1)


@dataclass(frozen=True)
class Session:
    """One login: who, and the token its forms must carry."""

    user: User
    csrf: str


class Sessions:
    """The sessions table."""

    def __init__(self, db: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock

    async def begin(self, user: User) -> str:
        """A new login; returns the cookie's token."""
        token = secrets.token_urlsafe(32)
        now = self._clock()
        row = {"token_sha": _sha(token), "user": user.name, "csrf": secrets.token_urlsafe(24)}

        async def work(tx: Tx) -> None:
            await tx.run(delete(T.sessions).where(T.sessions.c.ends_at < now))
            times = {"created_at": now, "seen_at": now, "ends_at": now + LONGEST}
            await tx.run(insert(T.sessions).values(**row, **times))

        await self._db.write(work)
        return token

    async def find(self, token: str) -> Session | None:
        """The login behind a token, unless it ended, idled out or its person was deactivated."""
        s, u = T.sessions.c, T.users.c
        now = self._clock()
        statement = (
            select(s.csrf, s.seen_at, u.name, u.display, u.role, u.scope)
            .join(T.users, u.name == s.user)
            .where(s.token_sha == _sha(token), now < s.ends_at, now - IDLE < s.seen_at, u.active)
        )
        async with self._db.read() as conn:
            row = (await conn.execute(statement)).first()
        if row is None:
            return None
        if now - row.seen_at > TOUCH:
            await self._touch(token, now)
        return Session(User(row.name, row.display, row.role, row.scope), row.csrf)

    async def end(self, token: str) -> None:
        """Log out."""

        async def work(tx: Tx) -> None:
            await tx.run(delete(T.sessions).where(T.sessions.c.token_sha == _sha(token)))

        await self._db.write(work)

    async def _touch(self, token: str, now: datetime) -> None:
        async def work(tx: Tx) -> None:
            await tx.run(
                update(T.sessions).where(T.sessions.c.token_sha == _sha(token)).values(seen_at=now)
            )

        await self._db.write(work)


def _sha(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
