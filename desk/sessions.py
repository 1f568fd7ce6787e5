"""Logins: a random 256-bit token in a cookie, its SHA-256 in the database, revocable at any time."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update

from desk.accounts import User, user_of
from store.db import Database, Tx
from store.tables import T

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=8)
KEPT = timedelta(days=1)
"""For so long after its end it is known whose a login was, so that an open page may ask for the password only."""

TOUCH = timedelta(minutes=1)


@dataclass(frozen=True)
class Session:
    """One login: who, the token its forms must carry, and how the person proved who they are.

    ``id`` names it to its own person; it opens nothing. ``factor``: whether a second factor is on.
    """

    user: User
    csrf: str
    id: str = ""
    via: str = "password"
    factor: bool = False


class Sessions:
    """The sessions table."""

    def __init__(self, db: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock

    async def begin(self, user: User, *, via: str = "password", address: str = "") -> str:
        """A new login; returns the cookie's token."""
        token = secrets.token_urlsafe(32)
        now = self._clock()
        row = {"token_sha": _sha(token), "user": user.name, "csrf": secrets.token_urlsafe(24)}
        row |= {"via": via, "address": address}

        async def work(tx: Tx) -> None:
            await tx.run(delete(T.sessions).where(T.sessions.c.ends_at < now - KEPT))
            times = {"created_at": now, "seen_at": now, "ends_at": now + LONGEST}
            await tx.run(insert(T.sessions).values(**row, **times))

        await self._db.write(work)
        return token

    async def find(self, token: str) -> Session | None:
        """The login behind a token, unless it ended, idled out or its person was deactivated."""
        s, u = T.sessions.c, T.users.c
        now = self._clock()
        statement = (
            select(
                s.csrf, s.seen_at, s.via, u.name, u.display, u.role, u.scope, u.settings,
                u.totp.is_not(None).label("factor"),
            )
            .join(T.users, u.name == s.user)
            .where(s.token_sha == _sha(token), *_open(now), u.active)
        )  # fmt: skip
        async with self._db.read() as conn:
            row = (await conn.execute(statement)).first()
        if row is None:
            return None
        if now - row.seen_at > TOUCH:
            await self._touch(token, now)
        return Session(user_of(row), row.csrf, _sha(token)[:16], row.via, bool(row.factor))

    async def name_of(self, token: str) -> str:
        """Whose login this was, ended or not; empty when it was revoked or is long over."""
        asked = select(T.sessions.c.user).where(T.sessions.c.token_sha == _sha(token))
        async with self._db.read() as conn:
            return (await conn.execute(asked)).scalar() or ""

    async def of(self, name: str) -> Sequence[Any]:
        """A person's open logins, newest first: ``id``, ``via``, ``address`` and times."""
        s = T.sessions.c
        asked = (
            select(s.token_sha, s.via, s.address, s.created_at, s.seen_at)
            .where(s.user == name, *_open(self._clock()))
            .order_by(s.created_at.desc(), s.token_sha)
        )
        async with self._db.read() as conn:
            rows = (await conn.execute(asked)).mappings().all()
        return [{**row, "id": row["token_sha"][:16]} for row in rows]

    async def end(self, token: str) -> None:
        """Log out."""
        await self._delete(T.sessions.c.token_sha == _sha(token))

    async def end_one(self, name: str, session_id: str) -> None:
        """Revoke one of a person's own logins by its ``id``; nothing happens when it is none of theirs."""
        s = T.sessions.c
        mine = (s.user == name, s.token_sha.startswith(session_id, autoescape=True))
        if session_id:
            await self._delete(*mine)

    async def end_all(self, name: str, *, but: str = "") -> None:
        """Revoke a person's logins, except the one with the token ``but``."""
        s = T.sessions.c
        await self._delete(s.user == name, s.token_sha != _sha(but))

    async def _delete(self, *where: Any) -> None:
        async def work(tx: Tx) -> None:
            await tx.run(delete(T.sessions).where(*where))

        await self._db.write(work)

    async def _touch(self, token: str, now: datetime) -> None:
        async def work(tx: Tx) -> None:
            await tx.run(
                update(T.sessions).where(T.sessions.c.token_sha == _sha(token)).values(seen_at=now)
            )

        await self._db.write(work)


def _open(now: datetime) -> tuple[Any, Any]:
    s = T.sessions.c
    return now < s.ends_at, s.seen_at > now - IDLE


def _sha(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
