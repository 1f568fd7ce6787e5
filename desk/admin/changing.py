"""Changes of people's accounts by an administrator; each is one transaction with its line of the audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from desk.accounts import check_scope, hash_of
from router.departments import Directory
from store.audit import audited
from store.db import Database, Tx
from store.errors import ConflictError, RejectedError
from store.tables import T

LONGEST = 60
"""Characters of a name."""

FIELDS = ("display", "role", "scope", "external")
Row = Mapping[str, Any]


class Changing:
    """The users table as an administrator changes it. RejectedError's ``reason`` names the field."""

    def __init__(self, db: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock

    async def add(self, actor: str, fields: Row, password: str, directory: Directory) -> None:
        """A new person; RejectedError (``name``) when there is one of this name."""
        name = str(fields["name"])
        if (
            not name.strip()
            or name != name.strip()
            or len(name) > LONGEST
            or not name.isprintable()
        ):
            msg = f"desk: name: must have 1 to {LONGEST} characters and no blanks around them; correct it"
            raise RejectedError(msg, reason="name")
        check_scope(fields["role"], fields["scope"], directory)
        row = {**fields, "password": await hash_of(password), "active": True, "failures": 0}

        async def work(tx: Tx) -> None:
            if (await tx.run(select(T.users.c.name).where(T.users.c.name == name))).first():
                raise RejectedError("desk: name: somebody has it; choose another", reason="name")
            await _check_external(tx, name, fields["external"])
            told = ", ".join(f"{field} {fields[field]}" for field in FIELDS if fields[field])
            await self._note(tx, actor, "user_add", name, told)
            await tx.run(insert(T.users).values(row))

        await self._db.write(work)

    async def change(self, actor: str, name: str, fields: Row, directory: Directory) -> None:
        """Another role, scope, shown name or name at the single sign-on; the person has to log in again."""
        check_scope(fields["role"], fields["scope"], directory)

        async def work(tx: Tx) -> None:
            row = await _row(tx, name)
            if fields["role"] != "admin":
                await _keep_one_admin(tx, row)
            await _check_external(tx, name, fields["external"])
            changed = [field for field in FIELDS if getattr(row, field) != fields[field]]
            told = "; ".join(f"{one}: {getattr(row, one)} → {fields[one]}" for one in changed)
            if changed:
                await self._note(tx, actor, "user_change", name, told)
                await _set(tx, name, {field: fields[field] for field in FIELDS})
                await _end_sessions(tx, name)

        await self._db.write(work)

    async def reset(self, actor: str, name: str, password: str) -> None:
        """Another password; every login of the person ends."""
        hashed = await hash_of(password)
        values = {"password": hashed, "failures": 0, "locked_until": None}
        await self._do(actor, "user_password", name, values, ends=True)

    async def activate(self, actor: str, name: str, *, active: bool) -> None:
        """Whether the person may log in at all."""
        act = "user_unlock" if active else "user_lock"
        values = {"active": active, "failures": 0, "locked_until": None}
        await self._do(actor, act, name, values, ends=not active)

    async def factor_off(self, actor: str, name: str) -> None:
        """For who lost the phone and the recovery codes."""
        values = {"totp": None, "totp_step": 0, "recovery": "[]"}
        await self._do(actor, "factor_off", name, values, ends=True)

    async def end_sessions(self, actor: str, name: str) -> None:
        """The person has to log in again everywhere."""
        await self._do(actor, "user_sessions", name, {}, ends=True)

    async def _do(self, actor: str, act: str, name: str, values: Row, *, ends: bool) -> None:
        async def work(tx: Tx) -> None:
            row = await _row(tx, name)
            if values.get("active") is False:
                await _keep_one_admin(tx, row)
            told = "; ".join(
                f"{one}: {_said(getattr(row, one))} → {_said(value)}"
                for one, value in values.items()
                if one in {"active", "locked_until"} and getattr(row, one) != value
            )
            await self._note(tx, actor, act, name, told)
            await _set(tx, name, values)
            if ends:
                await _end_sessions(tx, name)

        await self._db.write(work)

    async def _note(self, tx: Tx, actor: str, act: str, name: str, told: str) -> None:
        now = self._clock()
        await audited(tx, actor=actor, act=act, target=f"user {name}", note=told, at=now)


def _said(value: Any) -> str:
    return value.isoformat(timespec="minutes") if isinstance(value, datetime) else str(value)


async def _row(tx: Tx, name: str) -> Any:
    row = (await tx.run(select(T.users).where(T.users.c.name == name).with_for_update())).first()
    if row is None:
        raise ConflictError("desk: there is no such person; load the page again")
    return row


async def _set(tx: Tx, name: str, values: Row) -> None:
    if values:
        await tx.run(update(T.users).where(T.users.c.name == name).values(dict(values)))


async def _end_sessions(tx: Tx, name: str) -> None:
    await tx.run(delete(T.sessions).where(T.sessions.c.user == name))


async def _keep_one_admin(tx: Tx, row: Any) -> None:
    """RejectedError (``last``) when this person is the last administrator."""
    u = T.users.c
    others = select(func.count()).where(u.role == "admin", u.active, u.name != row.name)
    if row.role == "admin" and row.active and not (await tx.run(others)).scalar_one():
        msg = "desk: role: this is the last administrator; make another one first"
        raise RejectedError(msg, reason="last")


async def _check_external(tx: Tx, name: str, external: str) -> None:
    """RejectedError (``external``) when the single sign-on's name is another person's."""
    u = T.users.c
    same = select(u.name).where(u.external == external, u.name != name)
    if external and (await tx.run(same)).first():
        msg = "desk: external: belongs to another person; correct one of them"
        raise RejectedError(msg, reason="external")
