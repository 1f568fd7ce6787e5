"""``make bench``: what admission takes in over HTTP, and what ten thousand polls leave in memory.

A hub of its own (``--only ingest``) with an empty SQLite file; this process is the client, so both
cores work. Every answer counts only when its message is durable. For comparison in the same run: the same
number of durable single-row commits, one after the other, which is what a hub without group commit does.
"""

import asyncio
import json
import logging
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
from pipeline import texts

ROOT = Path(__file__).parent.parent.parent
KEY = "bench-key-of-a-fictional-app"
BATCH = 200
BATCHES = 100
SINGLES = 5000
STREAMS = 64
RATE = 200
SECONDS = 15
POLLS = 10_000


class Hub:
    """``minsheng run --only ingest`` in its own process."""

    def __init__(self, home: Path) -> None:
        environment = os.environ | {
            "MINSHENG_CONNECTORS__APP__KEYS": json.dumps({"bench": KEY}),
            "MINSHENG_CONNECTORS__APP__RATE": "100000",
            "MINSHENG_CONNECTORS__APP__BURST": "100000",
        }
        command = [sys.executable, "-m", "hub", "run", "--only", "ingest", "--port", "0"]
        command += ["--data", str(home)]
        self.log = (home / "log").open("w")
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=self.log)
        while not (home / "hub.json").exists():
            if self.process.poll() is not None:
                sys.exit((home / "log").read_text())
            time.sleep(0.05)
        self.url = json.loads((home / "hub.json").read_text())["url"]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


async def post(session: aiohttp.ClientSession, url: str, body: Any) -> float:
    started = time.perf_counter()
    async with session.post(url, json=body) as answer:
        await answer.read()
        if answer.status not in {200, 201}:
            sys.exit(await answer.text())
    return time.perf_counter() - started


async def in_streams(
    session: aiohttp.ClientSession, url: str, bodies: list[Any], streams: int
) -> float:
    """Seconds for all bodies, ``streams`` at a time."""
    left = iter(bodies)

    async def stream() -> None:
        for body in left:
            await post(session, url, body)

    started = time.perf_counter()
    await asyncio.gather(*(stream() for _ in range(streams)))
    return time.perf_counter() - started


async def at_rate(session: aiohttp.ClientSession, url: str, bodies: list[Any]) -> list[float]:
    """Latencies at ``RATE`` a second, sent on time whether or not earlier ones were answered."""
    started, waiting = time.perf_counter(), []
    for n, body in enumerate(bodies):
        await asyncio.sleep(max(0.0, started + n / RATE - time.perf_counter()))
        waiting.append(asyncio.create_task(post(session, url, body)))
    return sorted(await asyncio.gather(*waiting))


def single_commits(home: Path, words: list[str]) -> float:
    """Durable one-row commits a second, one after the other."""
    db = sqlite3.connect(home / "plain.db", isolation_level=None)
    db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (x)")
    started = time.perf_counter()
    for text in words:
        db.execute("INSERT INTO t VALUES (?)", (text,))
    db.close()
    return len(words) / (time.perf_counter() - started)


async def intake(home: Path) -> None:
    words = texts(BATCH * BATCHES + SINGLES + RATE * SECONDS)
    messages = [{"id": str(n), "text": text} for n, text in enumerate(words)]
    batches = [{"items": messages[n : n + BATCH]} for n in range(0, BATCH * BATCHES, BATCH)]
    rest = messages[BATCH * BATCHES :]
    hub = Hub(home)
    try:
        headers = {"authorization": f"Bearer {KEY}"}
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
            one = f"{hub.url}/api/v1/items"
            await in_streams(session, one, [{"id": f"w{n}", "text": "x"} for n in range(200)], 8)
            took = await in_streams(session, f"{one}/batch", batches, 4)
            print(f"in batches of {BATCH}       {BATCH * BATCHES / took:8,.0f} messages/s")
            took = await in_streams(session, one, rest[:SINGLES], STREAMS)
            ours, plain = SINGLES / took, single_commits(home, words[:1000])
            print(
                f"one by one, {STREAMS} streams  {ours:8,.0f} messages/s, {ours / plain:.1f} x",
                end=" ",
            )
            print(f"single durable commits ({plain:,.0f}/s)")
            late = await at_rate(session, one, rest[SINGLES:])
            p99 = late[int(len(late) * 0.99)]
            print(
                f"at {RATE}/s               p50 {statistics.median(late) * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms"
            )
    finally:
        hub.stop()


class Still:
    """A feed of twenty posts; every hundredth poll one of them is new."""

    kind = "feed"
    lists_always = True

    def __init__(self, feed: Any) -> None:
        self._feed = feed
        self.channel = "feed"
        self._n = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._feed, name)

    async def pages(self, cursor: str, *, sweep: bool) -> AsyncIterator[Any]:
        from ingest.protocol import Page, Payload

        self._n += 1
        first = self._n // 100
        entries = "".join(
            f"<item><guid>{n}</guid><title>第{n}帖</title><description>路灯坏了{n}</description></item>"
            for n in range(first, first + 20)
        )
        body = f"<rss version='2.0'><channel>{entries}</channel></rss>".encode()
        yield Page(Payload(body, "application/rss+xml"), str(self._n))


async def polls(home: Path) -> None:
    """Resident memory after each tenth of the polls."""
    from ingest.admit import Admission
    from ingest.connectors.feed import Feed, FeedConfig
    from ingest.poller import Poller
    from store.db import Database
    from store.dead import DeadLetters
    from store.migrate import migrate
    from store.outbox import Outbox
    from store.vault import Vault

    db, vault, outbox = (
        Database(f"sqlite:///{home / 'polls.db'}"),
        Vault(b"m" * 32),
        Outbox(embedded=True),
    )
    await db.open()
    await migrate(db)
    clock = lambda: datetime.now(UTC)  # noqa: E731
    admission = Admission(
        db=db, vault=vault, outbox=outbox, dead=DeadLetters(db, vault, outbox),
        zone=ZoneInfo("Asia/Shanghai"), clock=clock, observe=lambda *_: None,
    )  # fmt: skip
    poller = Poller(db=db, admission=admission, clock=clock)
    source = Still(Feed("feed", FeedConfig(url="http://feed.invalid/"), None))  # type: ignore[arg-type]
    seen: list[int] = []
    for n in range(POLLS):
        await poller.poll(source, sweep=False)
        if n % (POLLS // 10) == 0:
            seen.append(resident())
    print(
        f"{POLLS:,} polls, MB held  {' '.join(f'{one / 1e6:.0f}' for one in [*seen, resident()])}"
    )
    await db.close()


def resident() -> int:
    """Bytes of memory this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        asyncio.run(intake(home))
        asyncio.run(polls(home))


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    main()
