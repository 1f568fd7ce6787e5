"""Pictures that messages refer to: fetched from a real server, made safe, sealed, given up in time."""

import io
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image
from sqlalchemy import select

from hub.http import GuardedHttp
from ingest.admit import Admission
from ingest.photos import Photos
from store.db import Database
from store.dead import DeadLetters
from store.errors import RejectedError
from store.model import Item
from store.tables import T
from store.vault import Box, Vault


def picture(kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(out, kind)
    return out.getvalue()


class Voices:
    """A channel's own media."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def media(self, ref: str) -> tuple[bytes, str]:
        self.asked.append(ref)
        if ref == "wechat:gone":
            raise RejectedError("ingest: wechat: expired", reason="photo_gone")
        return b"#!AMR voice", "audio/amr"


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    async def answer(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name == "moved.jpg":
            raise web.HTTPFound("/good.jpg")
        if name == "round.jpg":
            raise web.HTTPFound("/round.jpg")
        if name == "script.jpg":
            return web.Response(text="<script>alert(1)</script>", content_type="text/html")
        if name == "busy.jpg":
            return web.Response(status=503)
        if name.startswith("good"):
            kind = "GIF" if name.endswith("gif") else "JPEG"
            return web.Response(body=picture(kind), content_type="image/jpeg")
        return web.Response(status=404)

    application = web.Application()
    application.router.add_get("/{name}", answer)
    async with TestServer(application) as made:
        yield made


@pytest.fixture
async def photos(
    db: Database, vault: Vault, dead: DeadLetters, clock: Callable[[], Any]
) -> AsyncIterator[Photos]:
    http = GuardedHttp(["127.0.0.0/8"])
    voices = Voices()
    yield Photos(
        db=db, vault=vault, dead=dead, http=http, doors={}, sources={"wechat": voices}, clock=clock,
        observe=lambda *_: None,
    )  # fmt: skip
    await http.close()


async def admitted(admission: Admission, *refs: str, channel: str = "wechat") -> int:
    item = Item(channel=channel, channel_id="1", text="看图", photos=refs)
    return (await admission.admit([item]))[0].item_id


async def rows(db: Database, table: Any) -> list[Any]:
    async with db.read() as conn:
        return list((await conn.execute(select(table).order_by(table.c.n))).all())


async def test_pictures_become_sealed_media(
    db: Database, vault: Vault, admission: Admission, photos: Photos, server: TestServer
) -> None:
    names = ("good.jpg", "moved.jpg", "good.gif")
    item_id = await admitted(admission, *(str(server.make_url(f"/{n}")) for n in names))
    assert await photos.run_once() == 3
    media = await rows(db, T.media)
    assert [(m.n, m.content_type, m.width, m.height) for m in media] == [
        (n, "image/jpeg", 40, 30) for n in range(3)
    ]
    async with db.read() as conn:
        item = (await conn.execute(select(T.items).where(T.items.c.id == item_id))).one()
    assert item.media_count == 3
    owner = str(Item(channel="wechat", channel_id="1", text="x").uid)
    opened = vault.unseal(owner, Box(item.key, media[0].sealed))
    assert Image.open(io.BytesIO(opened)).size == (40, 30)
    assert await rows(db, T.photos) == []
    assert await photos.run_once() == 0


async def test_voice_is_fetched_by_its_channel_and_kept_as_it_is(
    db: Database, admission: Admission, photos: Photos
) -> None:
    await admitted(admission, "wechat:m1")
    await photos.run_once()
    assert [m.content_type for m in await rows(db, T.media)] == ["audio/amr"]


@pytest.mark.parametrize("name", ["missing.jpg", "script.jpg", "round.jpg"])
async def test_what_is_gone_or_no_picture_is_a_reject(
    db: Database,
    dead: DeadLetters,
    admission: Admission,
    photos: Photos,
    server: TestServer,
    name: str,
) -> None:
    item_id = await admitted(admission, str(server.make_url(f"/{name}")))
    await photos.run_once()
    (one,) = await dead.list()
    assert (one.stage, one.source_key) == ("photos", f"{item_id}:0")
    assert [p.state for p in await rows(db, T.photos)] == ["dead"]
    assert await photos.run_once() == 0


async def test_busy_server_is_asked_again_for_three_days(
    db: Database,
    dead: DeadLetters,
    admission: Admission,
    photos: Photos,
    server: TestServer,
    clock: Any,
) -> None:
    await admitted(admission, str(server.make_url("/busy.jpg")))
    tries = 0
    for _ in range(24 * 4):
        tries += await photos.run_once()
        clock.forward(hours=1)
    assert 70 <= tries <= 74
    assert [one.reason for one in await dead.list()] == ["photo_gone"]


async def test_erased_item_is_left_alone(
    db: Database, admission: Admission, photos: Photos
) -> None:
    await admitted(admission, "wechat:m1")

    async def erase(tx: Any) -> None:
        await tx.run(T.items.update().values(key=None))

    await db.write(erase)
    await photos.run_once()
    assert await rows(db, T.media) == []
    assert await rows(db, T.photos) == []


async def test_private_addresses_are_not_fetched(
    db: Database, vault: Vault, dead: DeadLetters, admission: Admission, clock: Any
) -> None:
    http = GuardedHttp()
    photos = Photos(
        db=db,
        vault=vault,
        dead=dead,
        http=http,
        doors={},
        sources={},
        clock=clock,
        observe=lambda *_: None,
    )
    await admitted(admission, "http://127.0.0.1:1/a.jpg", channel="feed")
    await photos.run_once()
    assert [one.reason for one in await dead.list()] == ["private_network"]
    await http.close()
