"""An item's pictures for who may see them: only after a reasoned reveal of the same case, for half an hour."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from aiohttp import web
from sqlalchemy import select

from desk.accounts import User
from desk.pages import MARK, require
from store.db import Database
from store.errors import AuthError
from store.model import item_uid
from store.tables import T
from store.vault import Box, Vault

OPEN_FOR = timedelta(minutes=30)


class Photos:
    """``GET /desk/api/cases/{id}/media`` lists, ``…/media/{n}`` opens one."""

    def __init__(self, db: Database, vault: Vault, *, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        base = f"/desk/api/cases/{MARK}/media"
        return [web.get(base, self._list), web.get(base + "/{n:\\d{1,9}}", self._one)]

    async def _check(self, request: web.Request) -> int:
        """The case's id, once this person has given a reason to see its original lately."""
        user = require(request, User.may_dispatch)
        a = T.audit.c
        asked = select(a.id).where(
            a.actor == user.name,
            a.act == "reveal",
            a.target == request.match_info["id"],
            a.at > self._clock() - OPEN_FOR,
        )
        async with self._db.read() as conn:
            found = (await conn.execute(asked.limit(1))).first()
        if found is None:
            raise AuthError("desk: the original is closed; give a reason first", known=True)
        return int(request.match_info["id"])

    async def _list(self, request: web.Request) -> web.Response:
        case_id = await self._check(request)
        m, ci = T.media.c, T.case_items.c
        statement = (
            select(m.item_id, m.n, m.content_type)
            .join(T.case_items, ci.item_id == m.item_id)
            .where(ci.case_id == case_id)
            .order_by(m.item_id, m.n)
        )
        async with self._db.read() as conn:
            rows = (await conn.execute(statement)).all()
        return web.json_response(
            {"media": [{"n": n, "content_type": row.content_type} for n, row in enumerate(rows)]}
        )

    async def _one(self, request: web.Request) -> web.Response:
        case_id = await self._check(request)
        m, ci, i = T.media.c, T.case_items.c, T.items.c
        statement = (
            select(T.media, i.channel, i.channel_id, i.key)
            .join(T.case_items, ci.item_id == m.item_id)
            .join(T.items, i.id == m.item_id)
            .where(ci.case_id == case_id, i.key.is_not(None))
            .order_by(m.item_id, m.n)
            .offset(min(int(request.match_info["n"]), 1000))
            .limit(1)
        )
        async with self._db.read() as conn:
            row = (await conn.execute(statement)).first()
        if row is None:
            raise web.HTTPNotFound(text="desk: no such picture; list them again")
        owner = str(item_uid(row.channel, row.channel_id))
        content = self._vault.unseal(owner, Box(row.key, row.sealed))
        shown = row.content_type.startswith("image/")
        disposition = "inline" if shown else "attachment"
        return web.Response(
            body=content,
            content_type=row.content_type,
            headers={"Content-Disposition": disposition},
        )
