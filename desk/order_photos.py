"""An office's photos of a place, before and after (处置前后照片): made safe, sealed, shown to it and the desk.

They are sealed under the key of the case's founding item: who erases the item erases them too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from aiohttp import BodyPartReader, web
from sqlalchemy import delete, func, select

from desk.accounts import User
from desk.inbox_queries import own_order, photos_of
from desk.pages import MARK, require
from desk.rows import plain
from ingest.media import MAX_BYTES, clean_photo
from router.workflow import OrderStatus
from store.db import Database, Tx
from store.errors import ConflictError, RejectedError
from store.model import Media, item_uid
from store.tables import T
from store.vault import Box, Vault

MOST = 6
SIDE = 2048
"""Pixels of the longer side."""

STAGES = ("before", "after")
AT_ONCE = 2
"""Photos decoded at the same time: each may take 120 MB."""

ORDER = r"/inbox/api/orders/{id:\d{1,18}}/photos"
N = r"{n:\d{1,4}}"


class OrderPhotos:
    """Up and down for the office, down for the desk."""

    def __init__(self, db: Database, vault: Vault, *, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock
        self._room = asyncio.Semaphore(AT_ONCE)

    def routes(self) -> list[web.RouteDef]:
        case = f"/desk/api/cases/{MARK}/photos"
        return [
            web.post(ORDER, self._add),
            web.get(f"{ORDER}/{N}", self._show),
            web.delete(f"{ORDER}/{N}", self._remove),
            web.get(case, self._of_case),
            web.get(rf"{case}/{{order:\d{{1,18}}}}/{N}", self._show_desk),
        ]

    async def _add(self, request: web.Request) -> web.Response:
        """Multipart: ``stage`` (before, after), then ``photo``."""
        user = require(request, User.may_handle)
        order_id, now = int(request.match_info["id"]), self._clock()
        async with self._db.read() as conn:
            order = await own_order(conn, order_id, scope=user.scope, now=now)
        stage, content = await _read(request)
        async with self._room:
            media = await asyncio.to_thread(clean_photo, content, side=SIDE)
        owner, key = await self._holder(order.case_id)
        sealed = self._vault.seal(owner, media.content, key=key).sealed
        row = {"order_id": order_id, "case_id": order.case_id, "stage": stage, "sealed": sealed}
        row |= {"actor": user.name, "at": now, **_facts(media)}
        number = await self._keep(row, user.scope)
        async with self._db.read() as conn:
            listed = (await conn.execute(photos_of(order_id))).mappings().all()
        return web.json_response({"n": number, "photos": [plain(one) for one in listed]})

    async def _keep(self, row: dict[str, Any], scope: str) -> int:
        """Write it as the order's next photo; ConflictError unless the order is in hand."""
        p = T.order_photos.c

        async def work(tx: Tx) -> int:
            await _in_hand(tx, row["order_id"], scope)
            of_order = select(func.count(), func.max(p.n)).where(p.order_id == row["order_id"])
            count, last = (await tx.run(of_order)).one()
            if count >= MOST:
                msg = f"desk: photo: an order keeps {MOST} photos; take one away first"
                raise RejectedError(msg, reason="photo_count")
            number = int(last or 0) + 1
            await tx.insert(T.order_photos, [row | {"n": number}])
            tx.touched.add("desk")
            return number

        return await self._db.write(work)

    async def _remove(self, request: web.Request) -> web.Response:
        """Take a photo back while the order is in hand."""
        user = require(request, User.may_handle)
        order_id, p = int(request.match_info["id"]), T.order_photos.c
        which = (p.order_id == order_id, p.n == int(request.match_info["n"]))

        async def work(tx: Tx) -> None:
            await _in_hand(tx, order_id, scope=user.scope)
            await tx.run(delete(T.order_photos).where(*which))
            tx.touched.add("desk")

        await self._db.write(work)
        return web.json_response({})

    async def _holder(self, case_id: int) -> tuple[str, bytes]:
        """Owner and key of the case's founding item; RejectedError when it was erased."""
        i = T.items.c
        statement = select(i.channel, i.channel_id, i.key).where(i.id == case_id)
        async with self._db.read() as conn:
            item = (await conn.execute(statement)).first()
        if item is None or item.key is None:
            msg = "desk: photo: the message was erased; nothing is kept for it any more"
            raise RejectedError(msg, reason="erased")
        return str(item_uid(item.channel, item.channel_id)), item.key

    async def _show(self, request: web.Request) -> web.Response:
        user = require(request, User.may_handle)
        order_id = int(request.match_info["id"])
        async with self._db.read() as conn:
            await own_order(conn, order_id, scope=user.scope, now=self._clock())
        return await self._opened(order_id, int(request.match_info["n"]))

    async def _show_desk(self, request: web.Request) -> web.Response:
        require(request, sees_photos)
        case_id = int(request.match_info["id"])
        number = int(request.match_info["n"])
        return await self._opened(int(request.match_info["order"]), number, case_id=case_id)

    async def _of_case(self, request: web.Request) -> web.Response:
        """All photos of a case, by the office that took them."""
        require(request, sees_photos)
        p, o = T.order_photos.c, T.work_orders.c
        statement = (
            select(p.order_id, p.n, p.stage, p.width, p.height, p.at, o.department)
            .join(T.work_orders, o.id == p.order_id)
            .where(p.case_id == int(request.match_info["id"]))
            .order_by(p.order_id, p.n)
        )
        async with self._db.read() as conn:
            rows = (await conn.execute(statement)).mappings().all()
        return web.json_response({"photos": [plain(row) for row in rows]})

    async def _opened(self, order_id: int, n: int, *, case_id: int | None = None) -> web.Response:
        p = T.order_photos.c
        where = [
            p.order_id == order_id,
            p.n == n,
            *([] if case_id is None else [p.case_id == case_id]),
        ]
        async with self._db.read() as conn:
            row = (await conn.execute(select(T.order_photos).where(*where))).first()
        if row is None:
            raise web.HTTPNotFound(text="desk: no such photo; load the order again")
        owner, key = await self._holder(row.case_id)
        content = self._vault.unseal(owner, Box(key, row.sealed))
        headers = {"Content-Disposition": "inline"}
        return web.Response(body=content, content_type=row.content_type, headers=headers)


def sees_photos(user: User) -> bool:
    """Whether the desk's part of this person's work needs offices' photos."""
    return user.may_dispatch() or user.may_supervise()


async def _in_hand(tx: Tx, order_id: int, scope: str) -> None:
    """Hold the order; ConflictError unless ``scope`` has signed it and not finished."""
    o = T.work_orders.c
    where = (o.id == order_id, o.department == scope, o.status == OrderStatus.SIGNED)
    if (await tx.run(select(o.id).where(*where).with_for_update())).first() is None:
        msg = "desk: photo: this order is not in hand; sign it first"
        raise ConflictError(msg)


def _facts(media: Media) -> dict[str, Any]:
    return {"content_type": media.content_type, "width": media.width, "height": media.height}


async def _read(request: web.Request) -> tuple[str, bytes]:
    """Stage and content, read no further than allowed; RejectedError names what is wrong."""
    stage, content = "", b""
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            if part.name == "stage":
                stage = (await _up_to(part, 100)).decode(errors="replace")
            elif part.name == "photo":
                content = await _up_to(part, MAX_BYTES)
    except (ValueError, AssertionError, KeyError) as error:
        msg = "desk: photo: the request is no multipart form; send stage and photo"
        raise RejectedError(msg) from error
    if stage not in STAGES or not content:
        msg = f"desk: stage or photo is missing; send one of {', '.join(STAGES)} and a picture"
        raise RejectedError(msg, reason="photo_format" if stage in STAGES else "stage")
    return stage, content


async def _up_to(part: BodyPartReader, most: int) -> bytes:
    held = bytearray()
    while chunk := await part.read_chunk():
        held += chunk
        if len(held) > most:
            msg = f"desk: photo: over {most} bytes; send a smaller one"
            raise RejectedError(msg, reason="photo_size")
    return bytes(held)
