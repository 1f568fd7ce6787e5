"""The feed connector against a real forum engine: escapes, identity, and "not modified"."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hub.http import GuardedHttp
from ingest.connectors.feed import Feed, FeedConfig
from store.model import Item

SERVER = Path(__file__).parent / "server.py"


class Forum:
    """The running forum and how to start a topic in it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.url = self._line()

    def topic(self, subject: str, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"subject": subject, "text": text}) + "\n")
        self._process.stdin.flush()
        assert self._line() == "ok"

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@pytest.fixture(scope="module")
def forum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forum]:
    home = tmp_path_factory.mktemp("machina")
    with (home / "errors").open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(SERVER), str(home)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip
        with process:
            started = Forum(process)
            assert started.url, (home / "errors").read_text(encoding="utf-8")[-2000:]
            yield started
            process.kill()


@pytest.fixture
async def feed(forum: Forum) -> AsyncIterator[Feed]:
    http = GuardedHttp(["127.0.0.0/8"])
    yield Feed("forum", FeedConfig(url=forum.url), http)
    await http.close()


async def read(feed: Feed, cursor: str) -> tuple[list[Item] | None, str]:
    """The items of one poll, None when the forum said nothing has changed."""
    items: list[Item] | None = None
    async for page in feed.pages(cursor, sweep=False):
        cursor = page.cursor
        if page.payload is not None:
            items = [*(items or []), *feed.parse(page.payload).items]
    return items, cursor


async def test_real_forum_is_heard(forum: Forum, feed: Feed) -> None:
    forum.topic("<急> 井盖 & 护栏", "人民路井盖没了，A < B")
    forum.topic("路灯不亮", "东风街路灯三天不亮")
    items, cursor = await read(feed, "")
    assert items is not None
    lamp, lid = items
    assert lid.title.endswith("<急> 井盖 & 护栏")
    assert "人民路井盖没了，A < B" in lid.text
    assert "东风街路灯三天不亮" in lamp.text
    assert lid.channel_id == lid.url != lamp.channel_id
    assert lid.url.startswith(forum.url.removesuffix("feeds/topics/"))
    assert lid.posted_at is not None
    unchanged, cursor = await read(feed, cursor)
    assert unchanged is None
    forum.topic("积水", "清河桥下积水")
    more, _ = await read(feed, cursor)
    assert more is not None
    assert [item.channel_id for item in more[1:]] == [lamp.channel_id, lid.channel_id]
    assert "清河桥下积水" in more[0].text
