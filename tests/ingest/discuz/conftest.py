"""A simulated forum on a loopback port, a connector over the real HTTP door, and a small poller."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from hub.http import GuardedHttp
from hub.sim.discuz import DiscuzSim
from ingest.connectors.discuz import Discuz, DiscuzConfig
from store.model import Item


class Hearing:
    """Polls as the hub does: parse, keep, and only then remember the cursor. ``stop`` breaks off after
    that many pages, before the cursor of the last one is stored."""

    def __init__(self, sim: DiscuzSim, url: str, http: GuardedHttp, clock: Any) -> None:
        self.sim = sim
        self.url = url
        self.clock = clock
        self.cursor = ""
        self.texts: dict[str, str] = {}
        self.items: dict[str, Item] = {}
        self.gone: set[str] = set()
        self.failures: list[str] = []
        self._http = http
        self.source = self.connect()

    def connect(self, **more: Any) -> Discuz:
        config = DiscuzConfig(url=self.url, **{"boards": (2,), **more})
        self.source = Discuz("forum", config, self._http, clock=self.clock)
        return self.source

    async def poll(self, *, sweep: bool = False, stop: int = 10_000) -> int:
        """How many pages with content were read."""
        count = content = 0
        async for page in self.source.pages(self.cursor, sweep=sweep):
            count += 1
            if page.payload:
                content += 1
                parsed = self.source.parse(page.payload)
                self.items.update((item.channel_id, item) for item in parsed.items)
                self.gone.update(parsed.gone)
                self.failures += [failure.source_key for failure in parsed.failures]
            if count >= stop:
                return content
            self.cursor = page.cursor
        return content

    def heard(self) -> set[str]:
        return {item.text for item in self.items.values()}

    def asked(self, part: str) -> int:
        """How many requests since the last call held ``part``."""
        found = sum(part in path for path in self.sim.requests)
        self.sim.requests.clear()
        return found


@pytest.fixture
async def forum(clock: Any) -> AsyncIterator[Hearing]:
    sim = DiscuzSim(clock, boards=(2, 3))
    http = GuardedHttp(["127.0.0.0/8"])
    async with TestServer(sim.app()) as server:
        yield Hearing(sim, str(server.make_url("/")), http, clock)
    await http.close()


@pytest.fixture
def write(forum: Hearing, clock: Any) -> Callable[..., list[int]]:
    """Start ``count`` threads, a minute apart."""

    def start(count: int, *, fid: int = 2, word: str = "路灯不亮") -> list[int]:
        tids = []
        for n in range(count):
            clock.now += timedelta(minutes=1)
            tids.append(forum.sim.thread(fid, f"{word}{n}", f"{word}第{n}处", f"市民{n % 7}"))
        return tids

    return start
