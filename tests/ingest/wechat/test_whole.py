"""A picture, a voice and a video from the citizen's phone to sealed media."""

import io
from collections.abc import Callable
from typing import Any

from PIL import Image
from sqlalchemy import select

from hub.http import GuardedHttp
from hub.sim.wechat import WeChatSim
from hub.sim.wechat_citizen import Citizen
from ingest.connectors.wechat import WeChat
from ingest.photos import Photos
from store.db import Database
from store.dead import DeadLetters
from store.tables import T
from store.vault import Vault


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(out, "PNG")
    return out.getvalue()


async def test_media_are_fetched_and_kept(
    make_hub: Callable[..., Any], make_citizen: Callable[..., Citizen], make_account: Callable[..., WeChat],
    db: Database, vault: Vault, dead: DeadLetters, http: GuardedHttp, sim: WeChatSim, clock: Any,
) -> None:  # fmt: skip
    hub, citizen = await make_hub(), make_citizen()
    await citizen.say(hub.url, Content="路灯不亮")
    sent = [
        ("image", picture(), "image/png"),
        ("voice", b"#!AMR", "voice/speex"),
        ("video", b"mp4", "video/mp4"),
    ]
    for kind, content, content_type in sent:
        await citizen.say(hub.url, kind, MediaId=sim.put_media(content, content_type))
    await citizen.say(hub.url, "image", MediaId="expired")
    sim.fail("/media/get", errcode=-1)
    photos = Photos(
        db=db, vault=vault, dead=dead, http=http, sources={"wx": make_account()}, clock=clock,
        observe=lambda *_: None,
    )  # fmt: skip
    await photos.run_once()
    clock.forward(hours=1)
    await photos.run_once()
    async with db.read() as conn:
        kept = (await conn.execute(select(T.media.c.content_type).order_by(T.media.c.n))).scalars()
        assert list(kept) == ["image/jpeg", "audio/speex", "video/mp4"]
    assert [(one.stage, one.reason) for one in await dead.list()] == [("photos", "gone")]
