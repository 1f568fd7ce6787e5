"""``minsheng run --demo``: fictional messages reach the hub as real ones do, at a watchable pace.

The simulators of ``hub/sim`` and a small server play the outside world: a Discuz! forum, Weibo's interface,
WeChat with its citizens and a feed of the broadcast news, which the real connectors ask, hear and answer;
a client of the app API with a real key; and two departments' systems that check the signature of what
they are sent. Nothing inside the hub is bypassed, and nothing of it runs without ``--demo``.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import json
import logging
import secrets
from collections import defaultdict, deque
from contextlib import suppress
from email.utils import formatdate
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from aiohttp import web

from desk.accounts import Accounts
from hub.app import Hub, now_utc
from hub.http import GuardedHttp
from hub.settings import AppConfig, Connectors, Net
from hub.sim.discuz import DiscuzSim
from hub.sim.wechat import Citizen, WeChatSim
from hub.sim.weibo import FIRST_ID, WeiboSim
from ingest.connectors.discuz import DiscuzConfig
from ingest.connectors.feed import FeedConfig
from ingest.connectors.open311 import Open311Config
from ingest.connectors.wechat import WeChatConfig
from ingest.connectors.weibo import WeiboConfig
from router.notify.webhook import sign
from store.errors import HubError

log = logging.getLogger(__name__)

MESSAGES = Path(__file__).parent / "demo.jsonl"
FEEDS = ("news",)
BOARD = 2
OFFICES = ("urban_enforcement", "public_security")
FIRST = 12
PACE_S = 2.5
KEPT = 30
THREADS = 200
"""Threads of the played forum and posts on the played Weibo; the oldest are deleted as a moderator would."""

CHAT = 3
"""Of the app's messages every so-manieth is said to the WeChat account instead."""

CALLS = 1_000_000
"""A day on the played Weibo, so that something happens while one looks."""


class Demo:
    """The outside world of a demonstration."""

    def __init__(self) -> None:
        self.key = secrets.token_urlsafe(24)
        self.secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        self.logins = [
            ("desk", "fictional-desk", "派遣员：调度台"),
            ("zhifa", "fictional-zhifa", "市执法局：收件箱"),
            ("zhujian", "fictional-zhujian", "市住建局：收件箱"),
            ("bohai", "fictional-bohai", "渤海街道：本辖区诉求与收件箱"),
            ("leader", "fictional-leader", "领导：只看调度台"),
            ("ducha", "fictional-ducha", "督查员：督办与考核"),
            ("admin", "fictional-admin", "管理员：人员、配置与死信"),
        ]
        self.received: list[str] = []
        self.url = ""
        since = int(now_utc().timestamp())  # numbers of an earlier demonstration are not used again
        self.forum = DiscuzSim(now_utc, boards=(BOARD,), start=since)
        self.weibo = WeiboSim(now_utc, calls_per_day=CALLS, start=FIRST_ID + since * 1000)
        self.wechat = WeChatSim(now_utc, "wx" + secrets.token_hex(8), secrets.token_hex(16))
        self.wechat_keys = {"token": secrets.token_hex(8), "aes_key": secrets.token_hex(32)[:43]}
        self.forum_url = self.weibo_url = self.wechat_url = ""
        self._threads: deque[int] = deque()
        self._posts: deque[int] = deque()
        self._feeds: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._runners: list[web.AppRunner] = []
        self._task: asyncio.Task[None] | None = None
        self._http = GuardedHttp(("127.0.0.0/8",))

    async def open(self) -> None:
        """Start the outside world on free loopback ports."""
        application = web.Application()
        application.router.add_get("/feed/{name}", self._feed)
        application.router.add_post("/office/{name}", self._office)
        self.url = await self._serve(application)
        self.forum_url = await self._serve(self.forum.app())
        self.weibo_url = await self._serve(self.weibo.app())
        self.wechat_url = await self._serve(self.wechat.app())

    async def _serve(self, application: web.Application) -> str:
        """Run an application on a free loopback port; its address."""
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    def attach(self, hub: Hub) -> None:
        """Give two departments a system of their own."""
        for office in OFFICES:
            hub.routing.webhooks[office] = f"{self.url}/office/{office}"
            hub.routing.secrets[office] = self.secret

    async def start(self, hub_url: str, accounts: Accounts) -> None:
        """Make the accounts, then let messages arrive."""
        roles = {"desk": ("dispatcher", ""), "leader": ("official", "")}
        roles |= {
            "zhifa": ("department", "urban_enforcement"),
            "zhujian": ("department", "housing_construction"),
            "bohai": ("subdistrict", "bohai"),
            "ducha": ("supervisor", ""),
            "admin": ("admin", ""),
        }
        for name, password, what in self.logins:
            role, scope = roles[name]
            await accounts.put(
                name, password, role=role, display=what.split("：")[0] + "（演示）", scope=scope
            )
        self._task = asyncio.create_task(self._speak(hub_url), name="demo")

    async def close(self) -> None:
        """Fall silent."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._http.close()
        for runner in self._runners:
            await runner.cleanup()

    async def _speak(self, hub_url: str) -> None:
        """Each message through its own channel; the first dozen at once so that there is work to see."""
        messages = [json.loads(line) for line in MESSAGES.read_text(encoding="utf-8").splitlines()]
        run = secrets.token_hex(4)
        for n in itertools.count():
            message = messages[n % len(messages)] | {"id": f"demo-{run}-{n}"}
            if message["channel"] in FEEDS:
                feed = self._feeds[message["channel"]]
                feed.append(message | {"date": formatdate()})
                del feed[:-KEPT]
            elif message["channel"] == "forum":
                self._start_thread(message)
            elif message["channel"] == "weibo":
                self._post(message)
            elif n % CHAT == 0:
                await self._chat(hub_url, message["text"], f"oFictional{n % 40}")
            else:
                with suppress(HubError):
                    await self._submit(hub_url, message)
            if n >= FIRST:
                await asyncio.sleep(PACE_S)

    def _post(self, message: dict[str, Any]) -> None:
        author = f"博主{len(self._posts) % 40}（虚构）"
        self._posts.append(self.weibo.post(message["text"], author))
        if len(self._posts) > THREADS:
            self.weibo.delete(self._posts.popleft())

    def _start_thread(self, message: dict[str, Any]) -> None:
        title = message.get("title") or message["text"][:20]
        author = f"网友{len(self._threads) % 40}（虚构）"
        self._threads.append(self.forum.thread(BOARD, title, message["text"], author))
        if len(self._threads) > THREADS:
            self.forum.delete(self._threads.popleft())

    async def _chat(self, hub_url: str, text: str, openid: str) -> None:
        callback = f"{hub_url}/wechat/wechat"
        await Citizen(self.wechat, callback, openid=openid, **self.wechat_keys).say(text)

    async def _submit(self, hub_url: str, message: dict[str, Any]) -> None:
        body = {"id": message["id"], "text": message["text"], "author": message["id"]}
        if "place" in message:
            body["place"] = {"address": message["place"]}
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        await self._http.send(
            "POST", f"{hub_url}/api/v1/items", headers=headers, body=json.dumps(body).encode()
        )

    async def _feed(self, request: web.Request) -> web.Response:
        entries = "".join(
            f"<item><guid isPermaLink='false'>{m['id']}</guid><title>{escape(m.get('title', ''))}</title>"
            f"<description>{escape(m['text'])}</description><pubDate>{m['date']}</pubDate></item>"
            for m in reversed(self._feeds[request.match_info["name"]])
        )
        head = (
            "<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><title>demo</title>"
        )
        text = f"{head}{entries}</channel></rss>"
        return web.Response(text=text, content_type="application/rss+xml")

    async def _office(self, request: web.Request) -> web.Response:
        """A department's own system: checks the signature, acts once per webhook-id."""
        body = await request.read()
        webhook_id = request.headers.get("webhook-id", "")
        stamp = int(request.headers.get("webhook-timestamp", "0"))
        if sign(self.secret, webhook_id, stamp, body) != request.headers.get("webhook-signature"):
            return web.Response(status=401)
        if webhook_id not in self.received:
            self.received.append(webhook_id)
            del self.received[:-10_000]
        return web.Response(status=204)


def demo_settings(args: argparse.Namespace, demo: Demo) -> dict[str, Any]:
    """Settings that connect the hub to the demonstration's world and to nothing else."""
    del args
    feeds = {name: FeedConfig(url=f"{demo.url}/feed/{name}", interval_s=3) for name in FEEDS}
    app = AppConfig.model_validate({"keys": {"demo_app": demo.key}})
    forum = DiscuzConfig(url=f"{demo.forum_url}/", boards=(BOARD,), interval_s=3, gap_s=0)
    weibo = WeiboConfig.model_validate(
        {
            "uid": "1000", "url": f"{demo.weibo_url}/2", "access_token": "token", "min_interval_s": 3,
            "calls_per_day": CALLS, "reply": True, "operator_ip": "203.0.113.7",
        }
    )  # fmt: skip
    wechat = WeChatConfig.model_validate(
        {
            "app_id": demo.wechat.app_id, "app_secret": demo.wechat.secret, "api": demo.wechat_url,
            **demo.wechat_keys,
        }
    )  # fmt: skip
    connectors = Connectors(
        app=app, feeds=feeds, forums={"forum": forum}, weibo={"weibo": weibo}, wechat={"wechat": wechat},
        open311=Open311Config(enabled=True),
    )  # fmt: skip
    return {"connectors": connectors, "net": Net(allow=("127.0.0.0/8",))}
