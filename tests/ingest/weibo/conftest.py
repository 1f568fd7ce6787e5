"""A simulated Weibo on a loopback port, a connector over the real HTTP door, and a small poller."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from hub.http import GuardedHttp
from hub.sim.weibo import WeiboSim
from ingest.connectors.weibo import Weibo, WeiboConfig
from store.model import Item


class Hearing:
    """Polls as the hub does: parse, keep, and only then remember the cursor. ``stop`` breaks off after
    that many pages, before the cursor of the last one is stored."""

    def __init__(self, sim: WeiboSim, url: str, http: GuardedHttp, clock: Any) -> None:
        self.sim = sim
        self.url = url
        self.clock = clock
        self.cursor = ""
        self.items: dict[str, Item] = {}
        self.texts: dict[str, list[str]] = {}
        self.gone: set[str] = set()
        self.failures: list[str] = []
        self._http = http
        self.source = self.connect()

    def connect(self, **more: Any) -> Weibo:
        settings = {"uid": "1000", "url": f"{self.url}2", "access_token": "token", **more}
        config = WeiboConfig.model_validate(settings)
        self.source = Weibo("weibo", config, self._http, clock=self.clock)
        return self.source

    async def poll(self, *, sweep: bool = False, stop: int = 10_000) -> int:
        """How many posts were handed on."""
        count = posts = 0
        async for page in self.source.pages(self.cursor, sweep=sweep):
            count += 1
            if page.payload:
                parsed = self.source.parse(page.payload)
                posts += len(parsed.items)
                for item in parsed.items:
                    self.items[item.channel_id] = item
                    words = self.texts.setdefault(item.channel_id, [])
                    if words[-1:] != [item.text]:
                        words.append(item.text)
                self.gone.update(parsed.gone)
                self.failures += [failure.source_key for failure in parsed.failures]
            if count >= stop:
                return posts
            self.cursor = page.cursor
        return posts

    def heard(self) -> set[str]:
        return {item.text for item in self.items.values()}

    def asked(self, part: str = "", *, free: bool = False) -> int:
        """How many calls since the last look were to a path that holds ``part``."""
        found = sum(
            part in path and (free or path != "account/rate_limit_status")
            for path, _ in self.sim.requests
        )
        self.sim.requests.clear()
        return found


@pytest.fixture
async def weibo(clock: Any) -> AsyncIterator[Hearing]:
    sim = WeiboSim(clock)
    http = GuardedHttp(["127.0.0.0/8"])
    async with TestServer(sim.app()) as server:
        yield Hearing(sim, str(server.make_url("/")), http, clock)
    await http.close()
