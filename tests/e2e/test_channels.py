"""Each polled channel from its simulator to a case: channel, author, place, time, picture; on both journals."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestServer
from people import KEY, case_of
from PIL import Image
from sqlalchemy import select

from hub.app import Hub
from hub.redrive import redrive
from hub.sim.discuz import DiscuzSim
from hub.sim.wechat import Citizen, WeChatSim
from hub.sim.weibo import WeiboSim
from hub.web import build
from ingest.connectors.discuz import Discuz, DiscuzConfig
from store.errors import RejectedError
from store.model import Item
from store.tables import T

GOLDEN = Path(__file__).parent.parent / "ingest" / "golden"
GRILLS = "渤海街人行道上摆满烧烤桌子，行人只能走马路"


async def item_of(hub: Hub, channel_id: str) -> Any:
    async with hub.db.read() as conn:
        found = select(T.items).where(T.items.c.channel_id == channel_id)
        return (await conn.execute(found)).one()


async def pictures_of(hub: Hub, item_id: int) -> int:
    """How many pictures of the item are sealed, once those that wait have been fetched."""
    photos = hub.photos()
    for _ in range(100):
        await photos.run_once()
        async with hub.db.read() as conn:
            count = len(
                (await conn.execute(select(T.media).where(T.media.c.item_id == item_id))).all()
            )
        if count:
            return count
        await asyncio.sleep(0.05)
    return 0


async def check(
    hub: Hub, channel_id: str, *, channel: str, author: str, at: datetime, pictures: int = 1
) -> None:
    """The case of ``channel_id`` came out right."""
    case = await case_of(hub, channel_id)
    item = await item_of(hub, channel_id)
    assert (case.channel, item.channel) == (channel, channel)
    assert case.area == "bohai"
    assert item.author_key == hub.vault.blind("author", f"{channel}|{author}")
    assert item.posted_at == at
    assert await pictures_of(hub, item.id) == pictures


async def test_forum(hub: Hub, clock: Any) -> None:
    sim = DiscuzSim(clock)
    posted = clock().replace(microsecond=0)
    tid = sim.thread(2, "占道烧烤", GRILLS, "热心市民（虚构）", images=["a.jpg"])
    clock.forward(minutes=3)
    sim.reply(tid, "我家楼下也是这样", "邻居（虚构）")
    async with TestServer(sim.app()) as server:
        config = DiscuzConfig(url=str(server.make_url("/")), boards=(2,), gap_s=0)
        source = Discuz("forum", config, hub.http, clock=clock)
        polling = await hub.poller.poll(source)
        assert polling.error == ""
        first = f"t{tid}:p{sim.first(tid)}"
        await check(hub, first, channel="forum", author="1000", at=posted)
        replies = [h for h in polling.heard if h.outcome == "admitted"]
        assert len(replies) == 2
        assert (await hub.poller.poll(source)).heard == []


async def test_weibo_is_heard_and_answered(
    start: Callable[..., Awaitable[Hub]], clock: Any
) -> None:
    sim = WeiboSim(clock)
    posted = clock().replace(microsecond=0)
    number = sim.post(f"@我市发布 {GRILLS}", "市民甲（虚构）", pictures=("a.jpg",))
    sim.comment(number, "我家楼下也是", "市民乙（虚构）")
    async with TestServer(sim.app()) as server:
        account = {
            "uid": "1000", "url": str(server.make_url("/2")), "access_token": "token",
            "reply": True, "operator_ip": "203.0.113.7", "min_interval_s": 1,
        }  # fmt: skip
        hub = await start(weibo={"weibo": account})
        case = await case_of(hub, str(number))
        await check(hub, str(number), channel="weibo", author="2000", at=posted)
        heard = await how_many(hub, "weibo")
        assert heard == 2
        if case.status == "received":
            await hub.commands.cases.dispatch(
                case.id, version=case.version, actor="wang", department="urban_enforcement"
            )
        for _ in range(100):
            if sim.sent:
                break
            await asyncio.sleep(0.1)
    (said,) = sim.sent
    assert "市执法局" in said["comment"]
    assert said["rip"] == "203.0.113.7"
    async with hub.db.read() as conn:
        states = (await conn.execute(select(T.answers.c.state))).scalars().all()
    assert set(states) == {"sent"}


async def how_many(hub: Hub, channel: str) -> int:
    """How many messages of the channel are stored."""
    async with hub.db.read() as conn:
        found = await conn.execute(select(T.items.c.id).where(T.items.c.channel == channel))
        return len(found.all())


OFFICIAL = {
    "app_id": "wx0123456789abcdef", "token": "AAAAA", "app_secret": "an-app-secret", "mode": "aes",
    "aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
}  # fmt: skip


async def test_wechat_from_a_message_to_the_notice_that_it_was_passed_on(
    start: Callable[..., Awaitable[Hub]], clock: Any
) -> None:
    sim = WeChatSim(clock, OFFICIAL["app_id"], OFFICIAL["app_secret"])
    async with TestServer(sim.app()) as api:
        root = str(api.make_url("")).rstrip("/")
        hub = await start(wechat={"wechat": {**OFFICIAL, "api": root}})
        async with TestServer(build(hub)) as server:
            callback = str(server.make_url("/wechat/wechat"))
            keys = {"token": OFFICIAL["token"], "aes_key": OFFICIAL["aes_key"]}
            citizen = Citizen(sim, callback, openid="oFictional", **keys)
            reply = await citizen.say("人行道上摆满烧烤桌子，行人只能走马路")
            assert reply is not None
            assert "请发送位置" in reply
            number = int(reply.split("受理号：")[1].split("-")[0])
            assert "已补充" in str(await citizen.point(43.372, 128.232, "敦化市渤海街道渤海街"))
            assert "已补充" in str(await citizen.show(sim.upload()))
            case = await placed_case(hub, number)
            item = await item_of(hub, await channel_id_of(hub, number))
            assert (item.channel, case.channel, item.coord_type) == ("wechat", "wechat", "gcj02")
            assert item.author_key == hub.vault.blind("author", "wechat|oFictional")
            assert item.posted_at == clock().replace(microsecond=0)
            assert await pictures_of(hub, number) == 1
            if case.status == "received":
                await hub.commands.cases.dispatch(
                    number, version=case.version, actor="wang", department="urban_enforcement"
                )
            for _ in range(100):
                if sim.sent:
                    break
                await asyncio.sleep(0.1)
            assert sim.sent[0]["touser"] == "oFictional"
            assert "市执法局" in sim.sent[0]["text"]["content"]
            assert "承办单位：市执法局" in str(await citizen.say("进度"))


async def placed_case(hub: Hub, number: int) -> Any:
    """The case once the place sent later is understood."""
    for _ in range(300):
        async with hub.db.read() as conn:
            found = (await conn.execute(select(T.cases).where(T.cases.c.id == number))).first()
        if found is not None and found.area:
            return found
        await asyncio.sleep(0.1)
    pytest.fail("the case got no place")


async def channel_id_of(hub: Hub, number: int) -> str:
    async with hub.db.read() as conn:
        found = select(T.items.c.channel_id).where(T.items.c.id == number)
        return str((await conn.execute(found)).scalar_one())


async def test_open311_report(hub: Hub, client: Any) -> None:
    form = {
        "api_key": KEY, "service_code": "stalls", "description": GRILLS, "lat": "43.372", "long": "128.232",
        "address_string": "渤海街", "device_id": "phone-1", "phone": "13800138000",
    }  # fmt: skip
    raw = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(raw, "PNG")
    body = FormData()
    for name, value in form.items():
        body.add_field(name, value)
    body.add_field("media", raw.getvalue(), filename="a.png", content_type="image/png")
    answer = await client.post("/open311/v2/requests.json", data=body)
    assert answer.status == 200, await answer.text()
    number = int((await answer.json())[0]["service_request_id"])
    case = await placed_case(hub, number)
    item = await item_of(hub, await channel_id_of(hub, number))
    assert (case.channel, case.area) == ("open311", "bohai")
    assert item.author_key == hub.vault.blind("author", "open311|city:phone-1")
    assert await pictures_of(hub, number) == 1
    shown = await (await client.get(f"/open311/v2/requests/{number}.json")).json()
    assert "13800138000" not in str(shown)
    assert shown[0]["status"] == "open"


async def test_rejects_of_a_channel_can_be_fed_again(start: Callable[..., Awaitable[Hub]]) -> None:
    hub = await start(wechat={"wechat": {**OFFICIAL, "api": "http://127.0.0.1:9"}})
    refused = RejectedError("ingest: was refused")
    account = hub.channels.wechat["wechat"]
    xml = (GOLDEN / "wechat" / "text.xml").read_bytes()
    sealed = f"<xml><Encrypt>{account.cipher.seal(xml)}</Encrypt></xml>".encode()
    item = Item(channel="forum", channel_id="t1:p1", text="路灯坏了")
    await hub.admission.reject("wechat", "1", xml, refused)
    await hub.admission.reject("wechat", "2", sealed.replace(b"</xml>", b" </xml>"), refused)
    await hub.admission.reject("forum", "t1:p1", item.model_dump_json().encode(), refused)
    await hub.admission.reject("forum", "t2", b"<html>not a post</html>", refused)
    assert await redrive(hub) == 3
    assert await how_many(hub, "wechat") == 1
    assert await how_many(hub, "forum") == 1
    assert [one.source_key for one in await hub.dead.list()] == ["t2"]
