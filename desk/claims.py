"""认领: who works on which case, so that two people never do the same; and who is at the desk (在线).

A claim is a lease. Opening a case claims it for ``LEASE`` and each heartbeat renews it; a claim that was asked for
holds for ``KEPT`` after its owner was last here. A lapsed lease blocks nobody. Commands ask for the lease in their
own transaction (``router.ledger``). All is in the database, so several hubs agree.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from msgspec import Struct
from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from desk.accounts import User
from desk.bodies import number_of
from desk.pages import body_of, require
from desk.queue import inside
from router.workflow import FINAL
from store.db import Database, Tx, among
from store.errors import ConflictError, RejectedError
from store.tables import T

Scope = Callable[[User], Collection[str] | None]
"""The areas a person sees; none: all of them."""

LEASE = timedelta(seconds=90)
KEPT = timedelta(minutes=30)


class PresenceBody(Struct, forbid_unknown_fields=True):
    """Which case is open, if any, and whether hand and key rest."""

    case_id: str | None = None
    idle: bool = False


class Claims:
    """``GET`` and ``POST /desk/api/presence``, and the commands claim, release and break."""

    def __init__(self, db: Database, scope: Scope, *, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._scope = scope
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/desk/api/presence", self._look),
            web.post("/desk/api/presence", self._presence),
        ]

    async def _look(self, request: web.Request) -> web.Response:
        require(request, User.may_watch)
        return web.json_response(await self.told())

    async def _presence(self, request: web.Request) -> web.Response:
        user = require(request, User.may_watch)
        body = await body_of(request, PresenceBody)
        case_id = None if body.case_id is None else number_of(body.case_id)
        scope = self._scope(user)
        if case_id is not None and scope is not None and not await self._seen([case_id], scope):
            raise web.HTTPNotFound(text="desk: no such case; look at its number again")
        await self.here(user, case_id, idle=body.idle)
        return web.json_response(await self.told(scope))

    async def _seen(self, ids: Collection[int], scope: Collection[str]) -> set[int]:
        """Those of these cases that lie in the areas."""
        c = T.cases.c
        asked = select(c.id).where(
            among(c.id, [*ids], is_sqlite=self._db.is_sqlite), *inside(scope)
        )
        async with self._db.read() as conn:
            return set((await conn.execute(asked)).scalars())

    async def claim(self, case_id: int, user: User) -> None:
        """Claim the case until given back; ConflictError naming who has it, RejectedError when there is none."""

        async def work(tx: Tx) -> None:
            if not await _exists(tx, case_id):
                msg = "desk: no such case; look at its number again"
                raise RejectedError(msg, reason="case")
            if not await self._take(tx, case_id, user.name, kept=True):
                who = (await _people_with(tx.conn, case_id))[1]
                msg = f"desk: the case is claimed by {who}; ask them, or choose another"
                raise ConflictError(msg, reason="claimed")
            tx.touched.add("desk")

        await self._db.write(work)

    async def release(self, case_id: int, user: User) -> None:
        """Give the case back; nothing happens when it is not theirs."""
        k = T.claims.c

        async def work(tx: Tx) -> None:
            await tx.run(delete(T.claims).where(k.case_id == case_id, k.user == user.name))
            tx.touched.add("desk")

        await self._db.write(work)

    async def break_(self, case_id: int, user: User, note: str) -> None:
        """A supervisor takes the claim away from who has it, for a reason that is kept (audited).

        RejectedError without a reason or a claim.
        """
        if not note.strip():
            msg = "desk: note: a reason is needed; write why the claim is broken"
            raise RejectedError(msg, reason="note")

        async def work(tx: Tx) -> None:
            owner, _ = await _people_with(tx.conn, case_id)
            if not owner:
                msg = "desk: nobody has claimed this case; look again"
                raise RejectedError(msg, reason="claim")
            kept = {"actor": user.name, "act": "break_claim", "target": str(case_id)}
            kept["note"] = f"{owner}: {note}"
            await tx.run(insert(T.audit).values(**kept, at=self._clock()))
            await tx.run(delete(T.claims).where(T.claims.c.case_id == case_id))
            tx.touched.add("desk")

        await self._db.write(work)

    async def here(self, user: User, case_id: int | None, *, idle: bool) -> None:
        """A heartbeat: note where the person is, renew their leases, give back what they have left.

        Opening a case claims it when it is free. A claim that was broken is not taken again until the case is
        opened anew; who is idle renews nothing.
        """

        async def work(tx: Tx) -> None:
            now, k = self._clock(), T.claims.c
            moved = await self._note(tx, user.name, case_id, now, idle=idle)
            stale = (k.user == user.name) & k.kept.is_(False) & (k.case_id != (case_id or 0))
            gone = await tx.run(delete(T.claims).where(stale | (k.until <= now)))
            mine = update(T.claims).where(k.user == user.name)
            if not idle:
                await tx.run(mine.where(k.kept).values(until=now + KEPT))
                soft = mine.where(k.kept.is_(False), k.case_id == (case_id or 0))
                await tx.run(soft.values(until=now + LEASE))
            if case_id is not None and moved and not idle and user.may_dispatch():
                await self._open(tx, case_id, user.name)
            if moved or gone.rowcount:
                tx.touched.add("desk")

        await self._db.write(work)

    async def _open(self, tx: Tx, case_id: int, user: str) -> None:
        """Claim what was opened if it is free and not over; a claim that was asked for stays one."""
        owner, _ = await _people_with(tx.conn, case_id)
        if owner != user and await _exists(tx, case_id, is_open=True):
            await self._take(tx, case_id, user, kept=False)

    async def _note(
        self, tx: Tx, user: str, case_id: int | None, now: datetime, *, idle: bool
    ) -> bool:
        """Keep who is where and forget who has left; whether the person came, moved, rested or woke."""
        p = T.presences.c
        before = (await tx.run(select(T.presences).where(p.user == user))).first()
        row = {"user": user, "case_id": case_id, "idle": idle, "at": now}
        await tx.run(_upsert(tx, T.presences, row, "user"))
        await tx.run(delete(T.presences).where(p.at <= now - LEASE))
        if before is None or before.at <= now - LEASE:
            return True
        return (before.case_id, before.idle) != (case_id, idle)

    async def _take(self, tx: Tx, case_id: int, user: str, *, kept: bool) -> bool:
        """Claim if free or theirs already; False when somebody else has it."""
        now, k = self._clock(), T.claims.c
        until = now + (KEPT if kept else LEASE)
        row = {"case_id": case_id, "user": user, "kept": kept, "since": now, "until": until}
        free = (k.user == user) | (k.until <= now)
        done = await tx.run(_upsert(tx, T.claims, row, "case_id", where=free).returning(k.case_id))
        return done.first() is not None

    async def told(self, scope: Collection[str] | None = None) -> dict[str, Any]:
        """Who is at the desk, and who has claimed what, as JSON; cases outside ``scope`` are not named."""
        now, p, u, k = self._clock(), T.presences.c, T.users.c, T.claims.c
        people = select(p.user, p.case_id, p.idle, u.display).outerjoin(T.users, u.name == p.user)
        held = select(k.case_id, k.user, k.kept, k.until, u.display).outerjoin(
            T.users, u.name == k.user
        )
        async with self._db.read() as conn:
            here = (await conn.execute(people.where(p.at > now - LEASE).order_by(p.user))).all()
            claims = (await conn.execute(held.where(k.until > now))).all()
        named = {one.case_id for one in (*here, *claims) if one.case_id}
        if scope is not None:
            named = await self._seen(named, scope)
        return {
            "people": [
                {
                    "user": one.user,
                    "name": one.display or one.user,
                    "case_id": str(one.case_id) if one.case_id in named else None,
                    "idle": one.idle,
                }
                for one in here
            ],
            "claims": {str(one.case_id): claim_of(one) for one in claims if one.case_id in named},
        }


def claim_of(row: Any) -> dict[str, Any]:
    """A claim as JSON, from a row with user, display name, until, and whether it was asked for (``kept``)."""
    until: datetime = row.until
    shown = {"user": row.user, "name": row.display or row.user, "until": until.isoformat()}
    return shown | {"kept": row.kept}


async def _people_with(conn: AsyncConnection, case_id: int) -> tuple[str, str]:
    """Login and name of who has claimed the case; both empty for nobody."""
    k, u = T.claims.c, T.users.c
    held = select(k.user, u.display).outerjoin(T.users, u.name == k.user)
    row = (await conn.execute(held.where(k.case_id == case_id))).first()
    return (row.user, row.display or row.user) if row else ("", "")


async def _exists(tx: Tx, case_id: int, *, is_open: bool = False) -> bool:
    c = T.cases.c
    where = [c.id == case_id, *([c.status.not_in(FINAL)] if is_open else [])]
    return (await tx.run(select(c.id).where(*where))).first() is not None


def _upsert(tx: Tx, table: Any, row: dict[str, Any], key: str, where: Any = None) -> Any:
    made = sqlite_insert if tx.conn.dialect.name == "sqlite" else pg_insert
    changed = {name: value for name, value in row.items() if name != key}
    insert_ = made(table).values(row)
    return insert_.on_conflict_do_update(index_elements=[key], set_=changed, where=where)
