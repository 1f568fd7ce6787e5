"""People who may log in: who they are, what their role lets them see, and their passwords.

RFC 9106's second recommended option is argon2-cffi's default. Verifying takes tens of milliseconds of
CPU, so it happens in a thread; an unknown name costs the same as a wrong password.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from desk import lockout
from desk.settings import Role
from router.departments import Directory
from store.db import Database, Tx
from store.errors import AuthError, RejectedError
from store.tables import T

ROLES: tuple[str, ...] = get_args(Role)
SCOPED = frozenset({"department", "subdistrict"})
"""Roles that see the work of one office only."""

SHORTEST, LONGEST = 10, 200
"""Characters of a password (NIST SP 800-63B, 5.1.1.2 asks for 8 and for no rules of composition)."""

WRONG = "desk: name or password is wrong, or the name is locked; try again, or wait a while"

_hasher = PasswordHasher()
_NOBODY = _hasher.hash(secrets.token_hex(16))
_chosen = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True)
class User:
    """Who is logged in. ``scope`` is the office of the roles ``department`` and ``subdistrict``.

    ``keys``: whether single keys are commands on this person's screen.
    """

    name: str
    display: str
    role: str
    scope: str
    keys: bool = True

    def may_dispatch(self) -> bool:
        """Whether this person decides at the desk."""
        return self.role in {"dispatcher", "admin"}

    def may_supervise(self) -> bool:
        """Whether this person may issue documents of supervision."""
        return self.role in {"supervisor", "admin"}

    def may_report(self) -> bool:
        """Whether this person drafts and edits bulletins."""
        return self.role in {"dispatcher", "supervisor", "admin"}

    def may_sign(self) -> bool:
        """Whether this person signs bulletins (签发), and takes signed ones back."""
        return self.role in {"official", "supervisor", "admin"}

    def may_watch(self) -> bool:
        """Whether this person sees the queue, or the part of it that ``areas`` names."""
        return self.role != "department"

    def may_oversee(self) -> bool:
        """Whether this person sees what concerns the whole city."""
        return self.role not in SCOPED

    def may_curate(self) -> bool:
        """Whether this person names, merges, hides and watches topics."""
        return self.role in {"official", "supervisor", "dispatcher", "admin"}

    def may_administer(self) -> bool:
        """Whether this person changes accounts and files."""
        return self.role == "admin"

    def may_handle(self) -> bool:
        """Whether this person works the inbox of the office ``scope``."""
        return self.role in SCOPED and bool(self.scope)

    def areas(self, places: Mapping[str, Collection[str]]) -> Collection[str] | None:
        """The only areas whose cases this person sees; none: all. ``places``: what each area holds."""
        if self.role != "subdistrict":
            return None
        return places.get(self.scope, (self.scope,))


def user_of(row: Any) -> User:
    """The person of a row of the users table."""
    keys = _chosen.decode(row.settings).get("keys", True) is not False
    return User(row.name, row.display, row.role, row.scope, keys)


def check_scope(role: str, scope: str, directory: Directory) -> None:
    """RejectedError unless the scope fits the role: an office, an area, or none."""
    offices = {"department": directory.names.keys(), "subdistrict": directory.areas.keys()}
    known = offices.get(role, set[str]())
    if role not in ROLES:
        msg = f"desk: role: {role[:40]} is unknown; one of {', '.join(ROLES)}"
        raise RejectedError(msg, reason="role")
    if scope not in known and (scope or role in SCOPED):
        kind = {"department": "an office", "subdistrict": "an area"}.get(role, "anything")
        cure = f"give an id of departments.toml with the role {role}" if known else "leave it empty"
        raise RejectedError(
            f"desk: scope: {scope[:40] or '(empty)'} is not {kind}; {cure}", reason="scope"
        )


class Accounts:
    """The users table."""

    def __init__(self, db: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock

    async def put(
        self, name: str, password: str, *, role: str, display: str, scope: str = ""
    ) -> None:
        """Add a person or replace their password and role."""
        row: dict[str, Any] = {"name": name, "display": display, "role": role, "scope": scope}
        row |= {"password": await hash_of(password), "failures": 0, "locked_until": None}
        row |= {"active": True}
        insert = sqlite_insert if self._db.is_sqlite else pg_insert

        async def work(tx: Tx) -> None:
            await tx.run(
                insert(T.users).values(row).on_conflict_do_update(index_elements=["name"], set_=row)
            )

        await self._db.write(work)

    async def begin(self, name: str, password: str, address: str = "") -> lockout.Attempt:
        """A counted attempt whose password is right; AuthError, after the same time, for any other."""
        attempt = await lockout.begin(self._db, name, address, self._clock())
        kept = attempt.row.password if attempt.row is not None else ""
        good = await asyncio.to_thread(matches, kept, password)
        if attempt.locked or not good:
            raise AuthError(WRONG)
        return attempt

    async def resume(self, name: str, address: str = "") -> lockout.Attempt:
        """A counted attempt of somebody whose password was right a moment ago; AuthError when locked meanwhile."""
        attempt = await lockout.begin(self._db, name, address, self._clock())
        if attempt.locked or attempt.row is None:
            raise AuthError(WRONG)
        return attempt

    async def give_back(self, attempt: lockout.Attempt, *, done: bool) -> None:
        """The attempt was right, or ``done`` false: right so far."""
        await lockout.give_back(self._db, attempt, done=done)

    async def of_external(self, external: str) -> User | None:
        """The one active person a single sign-on calls so."""
        u = T.users.c
        asked = select(T.users).where(u.external == external, u.active).limit(2)
        async with self._db.read() as conn:
            rows = (await conn.execute(asked)).all() if external else []
        return user_of(rows[0]) if len(rows) == 1 else None

    async def choose(self, name: str, settings: dict[str, Any]) -> None:
        """Keep what a person chose for their screen."""
        text = msgspec.json.encode(settings).decode()

        async def work(tx: Tx) -> None:
            await tx.run(update(T.users).where(T.users.c.name == name).values(settings=text))

        await self._db.write(work)


async def hash_of(password: str) -> str:
    """A password as it is kept; RejectedError when it is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        msg = f"desk: password has {len(password)} characters; at least {SHORTEST} and at most {LONGEST} are needed"
        raise RejectedError(msg, reason="password")
    return await asyncio.to_thread(_hasher.hash, password)


def matches(kept: str, password: str) -> bool:
    """Whether the password belongs to what is kept; nothing kept costs the same time and is False."""
    try:
        _hasher.verify(kept or _NOBODY, password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return bool(kept)
