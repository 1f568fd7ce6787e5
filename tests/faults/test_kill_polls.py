"""A forum polled by a hub that is killed between page and cursor, and between picture and row: nothing lost or doubled."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from conftest_faults import Command, Department, Nursery, make_command
from sqlalchemy import func, select

from hub.sim.discuz import DiscuzSim
from store.db import Database
from store.tables import T

pytestmark = pytest.mark.slow

THREADS, REPLIES = 12, 14


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def forum() -> Iterator[str]:
    """A simulated forum in a thread of its own; its address."""
    sim = DiscuzSim(now)
    for n in range(THREADS):
        tid = sim.thread(2, f"路灯坏了{n}", f"第{n}盏路灯坏了", "网友（虚构）", images=[f"{n}.jpg"])
        for m in range(REPLIES if n == 0 else 1):
            sim.reply(tid, f"同问{n}-{m}", "邻居（虚构）")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def open_() -> tuple[web.AppRunner, str]:
        runner = web.AppRunner(sim.app(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/"

    runner, url = asyncio.run_coroutine_threadsafe(open_(), loop).result()
    yield url
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def command(
    tmp_path: Path, models: Path, department: Department, forum: str, nursery: Nursery
) -> Command:
    board = {"url": forum, "boards": [2], "gap_s": 0, "robots": False, "interval_s": 1}
    environment = {"MINSHENG_CONNECTORS__FORUMS": json.dumps({"forum": board})}
    return make_command(tmp_path, department, models, environment, nursery)


async def count(url: str, table: Any) -> int:
    db = Database(url, exclusive=False)
    await db.open()
    async with db.read() as conn:
        found = int((await conn.execute(select(func.count()).select_from(table))).scalar_one())
    await db.close()
    return found


def test_killed_between_page_and_cursor(command: Command) -> None:
    for passes in (1, 7):
        done = command.run("poll", "forum", crash_at=f"poll.before_cursor:{passes}")
        assert done.returncode == 137, done.stderr
    assert command.run("poll", "forum").returncode == 0
    url = f"sqlite:///{command.data / 'minsheng.db'}"
    posts = THREADS + REPLIES + THREADS - 1
    assert asyncio.run(count(url, T.items)) == posts
    assert asyncio.run(count(url, T.revisions)) == 0
    assert asyncio.run(count(url, T.photos)) == THREADS
    assert asyncio.run(count(url, T.dead)) == 0


def test_killed_between_picture_and_row(command: Command) -> None:
    assert command.run("poll", "forum").returncode == 0
    for passes in (2,):
        done = command.run(
            "run", "--port", "0", "--only", "ingest", crash_at=f"photos.before_store:{passes}"
        )
        assert done.returncode == 137, done.stderr
    process = command.start("run", "--port", "0", "--only", "ingest")
    url = f"sqlite:///{command.data / 'minsheng.db'}"
    try:
        for _ in range(200):
            time.sleep(0.1)
            if not asyncio.run(count(url, T.photos)):
                break
    finally:
        process.terminate()
        assert process.wait(15) == 0
    assert asyncio.run(count(url, T.media)) == THREADS
    assert asyncio.run(count(url, T.dead)) == 0
