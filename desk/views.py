"""Views of the queue that people keep, for themselves or for the whole desk (我的视图)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import msgspec
from aiohttp import web
from sqlalchemy import and_, delete, func, insert, or_, select, update

from desk.accounts import User
from desk.pages import body_of, require
from desk.rows import plain
from store.db import Database, Tx
from store.errors import RejectedError
from store.tables import T

MOST = 50
"""Views one person keeps."""

PLACE = r"/desk/api/views/{id:\d{1,9}}"


class ViewBody(msgspec.Struct, forbid_unknown_fields=True):
    """A name, and the address's own query."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    query: Annotated[str, msgspec.Meta(max_length=500)]
    shared: bool = False
    position: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0


class SavedViews:
    """``/desk/api/views``. Who keeps a view changes it; an admin any that is shared."""

    def __init__(self, db: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/desk/api/views", self._list),
            web.post("/desk/api/views", self._add),
            web.put(PLACE, self._change),
            web.delete(PLACE, self._delete),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        user = require(request, User.may_watch)
        v = T.saved_views.c
        statement = select(v.id, v.name, v.query, v.shared, v.position, v.owner).where(
            or_(v.owner == user.name, v.shared.is_(True))
        )
        async with self._db.read() as conn:
            rows = (await conn.execute(statement.order_by(v.shared, v.position, v.id))).mappings()
            return web.json_response({"views": [_told(row, user) for row in rows]})

    async def _add(self, request: web.Request) -> web.Response:
        user = require(request, User.may_watch)
        body = await body_of(request, ViewBody)
        v = T.saved_views.c

        async def work(tx: Tx) -> int:
            kept = await tx.run(select(func.count()).where(v.owner == user.name))
            if kept.scalar_one() >= MOST:
                msg = f"desk: views: {MOST} are kept already; delete one"
                raise RejectedError(msg, reason="limit")
            row = {**msgspec.to_builtins(body), "owner": user.name, "at": self._clock()}
            made = await tx.run(insert(T.saved_views).values(**row).returning(v.id))
            return int(made.scalar_one())

        return web.json_response({"id": str(await self._db.write(work))})

    async def _change(self, request: web.Request) -> web.Response:
        user = require(request, User.may_watch)
        body = await body_of(request, ViewBody)
        values = msgspec.to_builtins(body)
        await self._own(
            request, user, lambda mine: update(T.saved_views).where(mine).values(**values)
        )
        return web.json_response({})

    async def _delete(self, request: web.Request) -> web.Response:
        user = require(request, User.may_watch)
        await self._own(request, user, lambda mine: delete(T.saved_views).where(mine))
        return web.json_response({})

    async def _own(self, request: web.Request, user: User, make: Callable[[Any], Any]) -> None:
        """Run a statement on a view the person may change; HTTPNotFound when it is none of theirs."""
        v = T.saved_views.c
        whose = v.owner == user.name
        if user.role == "admin":
            whose = or_(whose, v.shared.is_(True))
        mine = and_(v.id == int(request.match_info["id"]), whose)

        async def work(tx: Tx) -> int:
            return (await tx.run(make(mine))).rowcount

        if await self._db.write(work) != 1:
            raise web.HTTPNotFound(text="desk: no such view of yours; list them again")


def _told(row: Any, user: User) -> dict[str, Any]:
    shown = plain(row)
    owner = shown.pop("owner")
    mine = owner == user.name or (user.role == "admin" and shown["shared"])
    return shown | {"mine": mine}
