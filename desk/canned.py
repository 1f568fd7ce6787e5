"""常用语: standing texts for the words a command asks for; the city's, everybody's and one's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web
from pydantic import Field
from sqlalchemy import delete, insert, or_, select, update

from desk.accounts import User
from desk.pages import body_of, require
from store.config import Strict
from store.db import Database, Tx
from store.errors import AuthError, RejectedError
from store.tables import T

Purpose = Literal["decline", "refer", "ask", "rework", "return", "note", "close"]
"""The command whose words it is for."""

MOST = 200
"""Texts one person may keep."""


class Standing(Strict):
    """A text every desk of the city has (``configs/canned.toml``)."""

    purpose: Purpose
    title: str = Field(min_length=1, max_length=40)
    text: str = Field(min_length=1, max_length=1000)


class Standings(Strict):
    """The whole file."""

    canned: tuple[Standing, ...] = ()


class CannedBody(msgspec.Struct, forbid_unknown_fields=True):
    """A text as it is to be kept; ``shared`` with the whole desk (administrators)."""

    purpose: Purpose
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    shared: bool = False


class CannedTexts:
    """``/desk/api/canned``."""

    def __init__(
        self, db: Database, standing: Sequence[Standing], *, clock: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._standing = tuple(standing)
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        one = r"/desk/api/canned/{id:\d{1,18}}"
        return [
            web.get("/desk/api/canned", self._list),
            web.post("/desk/api/canned", self._add),
            web.put(one, self._change),
            web.delete(one, self._remove),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        """Their own, then the desk's, then the city's."""
        user = require(request, User.may_watch)
        t = T.canned_texts.c
        mine = select(T.canned_texts).where(or_(t.owner == user.name, t.owner == ""))
        async with self._db.read() as conn:
            rows = (await conn.execute(mine.order_by(t.owner.desc(), t.purpose, t.id))).all()
        kept = [_line(str(row.id), row, mine=row.owner != "") for row in rows]
        city = [_line(f"city:{n}", one, mine=False) for n, one in enumerate(self._standing)]
        return web.json_response({"canned": kept + city})

    async def _add(self, request: web.Request) -> web.Response:
        user = require(request, User.may_watch)
        body = await body_of(request, CannedBody)
        row = _values(user, body, self._clock())
        t = T.canned_texts.c

        async def work(tx: Tx) -> int:
            had = (await tx.run(select(t.id).where(t.owner == row["owner"]))).all()
            if len(had) >= MOST:
                msg = f"desk: canned: {MOST} texts are kept already; remove one first"
                raise RejectedError(msg, reason="canned")
            return int(
                (await tx.run(insert(T.canned_texts).values(**row).returning(t.id))).scalar_one()
            )

        number = await self._db.write(work)
        return web.json_response({"id": str(number)}, status=201)

    async def _change(self, request: web.Request) -> web.Response:
        user = require(request, User.may_watch)
        body = await body_of(request, CannedBody)
        values = _values(user, body, self._clock())
        await self._on_own(request, user, update(T.canned_texts).values(**values))
        return web.json_response({"id": request.match_info["id"]})

    async def _remove(self, request: web.Request) -> web.Response:
        user = require(request, User.may_watch)
        await self._on_own(request, user, delete(T.canned_texts))
        return web.json_response({})

    async def _on_own(self, request: web.Request, user: User, change: Any) -> None:
        """Change a text of their own, or as an administrator one of the desk's."""
        t, owners = T.canned_texts.c, [user.name, *([""] if user.role == "admin" else [])]
        where = (t.id == int(request.match_info["id"]), t.owner.in_(owners))
        done = await self._db.write(lambda tx: tx.run(change.where(*where)))
        if done.rowcount != 1:
            msg = "desk: no such text of yours; look again"
            raise RejectedError(msg, reason="canned")


def _values(user: User, body: CannedBody, at: datetime) -> dict[str, Any]:
    if body.shared and user.role != "admin":
        msg = "desk: shared: only an administrator shares texts; keep it for yourself"
        raise AuthError(msg, known=True)
    owner = "" if body.shared else user.name
    row = {"purpose": body.purpose, "title": body.title, "text": body.text}
    return row | {"owner": owner, "at": at}


def _line(number: str, row: Any, *, mine: bool) -> dict[str, Any]:
    told = {"id": number, "purpose": row.purpose, "title": row.title, "text": row.text}
    return told | {"mine": mine, "shared": not mine}
