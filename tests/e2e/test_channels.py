"""Each polled channel from its simulator to a case: channel, author, place, time, picture; on both journals."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiohttp.test_utils import TestServer
from people import case_of
from sqlalchemy import select

from hub.app import Hub
from hub.sim.discuz import DiscuzSim
from hub.sim.weibo import WeiboSim
from ingest.connectors.discuz import Discuz, DiscuzConfig
from store.tables import T

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
            await hub.cases.dispatch(
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
