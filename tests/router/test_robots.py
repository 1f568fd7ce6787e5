"""Robots over real HTTP: stand-ins check signature and limit as the platforms do and answer their codes."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import select

from hub.http import GuardedHttp
from router.notify import dingtalk, feishu
from router.notify.robots import MISSET_S
from router.notify.senders import Endpoint
from router.notify.worker import DIGEST_OVER
from store.dead import DeadLetters
from store.tables import T

SIGNING = "SECabc"


class Platform:
    """The three platforms' doors. ``per_minute`` is counted by the hub's clock; codes come from a list."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.codes: list[int] = []
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.moments: list[float] = []
        self.poison = ""
        self.hang = asyncio.Event()
        self.url = ""

    async def open(self) -> web.AppRunner:
        application = web.Application()
        application.router.add_post("/{kind}", self.take)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def take(self, request: web.Request) -> web.Response:
        kind, body = request.match_info["kind"], json.loads(await request.read())
        if kind == "hang":
            await self.hang.wait()
        now = self.clock().timestamp()
        recent = [m for m in self.moments if now - m < 60]
        code = self.codes.pop(0) if self.codes else 0
        if self.poison and self.poison in json.dumps(body, ensure_ascii=False):
            code = 40058
        if not self.is_signed(kind, request, body):
            code = {"dingtalk": 310000, "feishu": 19021}[kind]
        elif len(recent) >= {"feishu": 100}.get(kind, 20):
            code = {"wecom": 45009, "dingtalk": 130101, "feishu": 11232}[kind]
        if code == 0:
            self.moments.append(now)
            self.got.append((kind, body))
        return web.json_response({"code" if kind == "feishu" else "errcode": code})

    def is_signed(self, kind: str, request: web.Request, body: dict[str, Any]) -> bool:
        now = self.clock().timestamp()
        if kind == "dingtalk":
            stamp = int(request.query["timestamp"])
            given = f"sign={dingtalk.sign(SIGNING, stamp)}"
            return abs(now - stamp / 1000) < 3600 and given in request.raw_path
        if kind == "feishu":
            stamp = int(body["timestamp"])
            return abs(now - stamp) < 3600 and body["sign"] == feishu.sign(SIGNING, stamp)
        return True

    def robot(self, kind: str, *, office: str = "a", path: str = "", secret: str = SIGNING) -> Endpoint:  # fmt: skip
        url = f"{self.url}/{path or kind}?key=KEY1"
        return Endpoint(f"{office}/{kind}", office, kind, name="duty", url=url, secret=secret)


@pytest.fixture
async def platform(clock: Any) -> AsyncIterator[Platform]:
    clock.forward(minutes=5)
    made = Platform(clock)
    runner = await made.open()
    yield made
    made.hang.set()
    await runner.cleanup()


@pytest.fixture
async def http() -> AsyncIterator[GuardedHttp]:
    door = GuardedHttp(["127.0.0.0/8"])
    yield door
    await door.close()


KINDS = pytest.mark.parametrize("kind", ["wecom", "dingtalk", "feishu"])


@KINDS
async def test_order_reaches_the_robot_signed(
    desk: Any, platform: Platform, http: GuardedHttp, kind: str
) -> None:
    endpoints = {f"a/{kind}": platform.robot(kind)}
    await desk.tell(endpoints, await desk.case())
    assert await desk.deliverer(endpoints, http).run_once() == 1
    ((_, body),) = platform.got
    assert "DH20261124-0000" in json.dumps(body, ensure_ascii=False)
    assert await desk.states() == ["delivered"]


@pytest.mark.parametrize("kind", ["dingtalk", "feishu"])
async def test_wrong_secret_waits_for_its_cure_and_tells_no_secret(
    desk: Any, platform: Platform, http: GuardedHttp, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    endpoints = {f"a/{kind}": platform.robot(kind, secret="SECother")}
    await desk.tell(endpoints, await desk.case())
    sender = desk.deliverer(endpoints, http)
    await sender.run_once()
    desk.clock.forward(seconds=MISSET_S - 1)
    assert await sender.run_once() == 0
    assert await desk.states() == ["pending"]
    async with desk.db.read() as conn:
        error = (await conn.execute(select(T.deliveries.c.error))).scalar_one()
    assert "MINSHENG_ROBOTS" in error
    for secret in ("KEY1", "SECother"):
        assert secret not in error + caplog.text
    endpoints[f"a/{kind}"] = platform.robot(kind)
    desk.clock.forward(seconds=2)
    await sender.run_once()
    assert await desk.states() == ["delivered"]


@pytest.mark.parametrize(
    ("kind", "code", "wait_s"), [("wecom", 45009, 60), ("dingtalk", 130101, 600), ("feishu", 11232, 60)]
)  # fmt: skip
async def test_robot_out_of_breath_is_left_alone_by_every_office(
    desk: Any, platform: Platform, http: GuardedHttp, kind: str, code: int, wait_s: int
) -> None:
    endpoints = {f"{o}/{kind}": platform.robot(kind, office=o) for o in ("a", "b")}
    await desk.tell(endpoints, await desk.case())
    platform.codes = [code]
    sender = desk.deliverer(endpoints, http)
    await sender.run_once()
    await desk.tell(endpoints, await desk.case(1, department="b"), department="b")
    desk.clock.forward(seconds=wait_s - 1)
    assert await sender.run_once() == 0
    assert platform.got == []
    for _ in range(4):
        desk.clock.forward(seconds=4)
        await sender.run_once()
    assert await desk.states() == ["delivered"] * 2


async def test_refused_message_dies_after_three_tries_and_its_neighbour_lives(
    desk: Any, platform: Platform, http: GuardedHttp
) -> None:
    endpoints = {"a/wecom": platform.robot("wecom")}
    await desk.tell(endpoints, await desk.case())
    sender = desk.deliverer(endpoints, http)
    for _ in range(3):
        platform.codes = [40058]
        await sender.run_once()
        desk.clock.forward(hours=1)
    await desk.tell(endpoints, await desk.case(1))
    await sender.run_once()
    assert await desk.states() == ["dead", "delivered"]
    (letter,) = await DeadLetters(desk.db, desk.vault, desk.outbox).list()
    assert "40058" in letter.error


@KINDS
async def test_many_orders_go_in_few_messages_within_the_limit(
    desk: Any, platform: Platform, http: GuardedHttp, kind: str
) -> None:
    endpoints = {f"a/{kind}": platform.robot(kind)}
    orders = [await desk.case(n) for n in range(70)]
    await desk.tell(endpoints, *orders)
    sender = desk.deliverer(endpoints, http)
    for _ in range(300):
        if not (await sender.run_once()) and "pending" not in await desk.states():
            break
        desk.clock.forward(seconds=1)
    assert await desk.states() == ["delivered"] * 70
    assert len(platform.got) <= 20
    told = json.dumps([body for _, body in platform.got], ensure_ascii=False)
    for n in range(70):
        assert told.count(f"DH20261124-{n:04}") in (1, 2)


async def test_one_poisoned_order_spoils_no_other_of_its_digest(
    desk: Any, platform: Platform, http: GuardedHttp
) -> None:
    endpoints = {"a/wecom": platform.robot("wecom")}
    orders = [await desk.case(n, text="毒" if n == 5 else "水") for n in range(DIGEST_OVER + 2)]
    await desk.tell(endpoints, *orders)
    platform.poison = "毒"
    sender = desk.deliverer(endpoints, http)
    for _ in range(60):
        await sender.run_once()
        desk.clock.forward(seconds=10)
    states = await desk.states()
    assert states.pop(5) == "dead"
    assert states == ["delivered"] * (DIGEST_OVER + 1)


async def test_few_orders_go_one_by_one(desk: Any, platform: Platform, http: GuardedHttp) -> None:
    endpoints = {"a/wecom": platform.robot("wecom")}
    await desk.tell(endpoints, *[await desk.case(n) for n in range(DIGEST_OVER)])
    sender = desk.deliverer(endpoints, http)
    assert await sender.run_once() == 1
    assert await sender.run_once() == 0
    desk.clock.forward(seconds=2)
    assert await sender.run_once() == 0
    desk.clock.forward(seconds=1)
    assert await sender.run_once() == 1


async def until(desk: Any, key: str, states: list[str]) -> None:
    """Wait for the deliverer's tasks while the hub's clock runs."""
    for _ in range(1000):
        if await desk.states(key) == states:
            return
        desk.clock.forward(seconds=0.1)
        await asyncio.sleep(0.02)
    pytest.fail(f"{key} is {await desk.states(key)}")


async def test_hanging_endpoint_holds_up_nobody_else(
    desk: Any, platform: Platform, http: GuardedHttp
) -> None:
    endpoints = {
        "a/wecom": platform.robot("wecom", path="hang"),
        "a/feishu": platform.robot("feishu"),
    }
    await desk.tell(endpoints, await desk.case())
    running = asyncio.create_task(desk.deliverer(endpoints, http).run())
    await until(desk, "a/feishu", ["delivered"])
    desk.clock.forward(seconds=5)
    await desk.tell(endpoints, await desk.case(1))
    await until(desk, "a/feishu", ["delivered"] * 2)
    assert await desk.states("a/wecom") == ["pending"] * 2
    platform.hang.set()
    await until(desk, "a/wecom", ["delivered"] * 2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_removed_endpoint_keeps_its_rows_and_disturbs_nobody(
    desk: Any, platform: Platform, http: GuardedHttp
) -> None:
    both = {f"a/{kind}": platform.robot(kind) for kind in ("wecom", "feishu")}
    await desk.tell(both, await desk.case())
    await desk.deliverer({"a/feishu": both["a/feishu"]}, http).run_once()
    assert await desk.states("a/feishu") == ["delivered"]
    assert await desk.states("a/wecom") == ["pending"]
