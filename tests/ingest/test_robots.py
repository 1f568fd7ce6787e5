"""robots.txt: asked once a day, wildcards honoured, silence of the server is no permission."""

from collections.abc import Mapping
from typing import Any

import pytest

from hub.sim.discuz import ROBOTS
from ingest.robots import Robots
from store.errors import RejectedError, TransientError
from store.ports import Answer

SITE = "https://bbs.example.org"


class Host:
    """An Http that gives one answer, or raises it."""

    def __init__(self, answer: Answer | Exception) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"",
        max_bytes: int = 0,
    ) -> Answer:  # fmt: skip
        self.asked.append(url)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def robots(clock: Any, text: str = ROBOTS, status: int = 200) -> tuple[Robots, Host]:
    host = Host(Answer(status, text.encode()))
    return Robots(host, "minsheng", clock), host


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/forum.php?mod=rss&fid=2", True),
        ("/forum.php?mod=forumdisplay&fid=2&filter=lastpost&orderby=lastpost&page=1", True),
        ("/forum.php?mod=viewthread&tid=1&page=1&ordertype=2", True),
        ("/thread-1-1-1.html", True),
        ("/archiver/?fid-2.html", True),
        ("/api/mobile/index.php?version=4&module=viewthread&tid=1", False),
        ("/forum.php?mod=redirect&goto=findpost&ptid=1&pid=2", False),
        ("/forum.php?mod=attachment&aid=1", False),
        ("/forum.php?mod=misc&action=x", False),
        ("/forum.php?mod=viewthread&tid=1&mobile=yes", False),
        ("/data/attachment/forum/202611/24/1.jpg", False),
    ],
)
async def test_rules_of_discuz(clock: Any, path: str, *, allowed: bool) -> None:
    known, _ = robots(clock)
    assert await known.allows(SITE + path) is allowed


async def test_rules_for_us_come_before_those_for_all(clock: Any) -> None:
    known, _ = robots(
        clock, "User-agent: *\nDisallow: /\n\nUser-agent: minsheng\nAllow: /\nCrawl-delay: 2.5\n"
    )
    assert await known.allows(f"{SITE}/forum.php")
    assert await known.crawl_delay(f"{SITE}/forum.php") == 2.5


async def test_asked_once_a_day_and_host(clock: Any) -> None:
    known, host = robots(clock)
    assert await known.crawl_delay(f"{SITE}/a") is None
    assert await known.allows(f"{SITE}/b")
    await known.allows("https://bbs.example.org:8443/b")
    assert host.asked == [f"{SITE}/robots.txt", "https://bbs.example.org:8443/robots.txt"]
    clock.forward(hours=24)
    await known.allows(f"{SITE}/c")
    assert len(host.asked) == 3


@pytest.mark.parametrize("status", [301, 401, 403, 404, 410])
async def test_no_file_allows_all(clock: Any, status: int) -> None:
    known, _ = robots(clock, "User-agent: *\nDisallow: /", status)
    assert await known.allows(f"{SITE}/x")


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_broken_server_is_not_read_for_now(clock: Any, status: int) -> None:
    known, host = robots(clock, "", status)
    with pytest.raises(TransientError, match="robots"):
        await known.allows(f"{SITE}/x")
    host.answer = Answer(200, b"")
    assert await known.allows(f"{SITE}/x")


@pytest.mark.parametrize(
    "error", [TransientError("http: unreachable"), RejectedError("http: big", reason="answer_size")]
)
async def test_unreachable_host_is_not_read_for_now(clock: Any, error: Exception) -> None:
    known = Robots(Host(error), "minsheng", clock)
    with pytest.raises(TransientError):
        await known.allows(f"{SITE}/x")


async def test_forbidden_network_stays_forbidden(clock: Any) -> None:
    error = RejectedError("http: private", reason="private_network")
    with pytest.raises(RejectedError, match="private"):
        await Robots(Host(error), "minsheng", clock).allows(f"{SITE}/x")


@pytest.mark.parametrize("url", ["", "ftp://x/y", "http://[", "/forum.php"])
async def test_address_that_is_none_is_rejected(clock: Any, url: str) -> None:
    known, _ = robots(clock)
    with pytest.raises(RejectedError, match="correct url"):
        await known.allows(url)


@pytest.mark.parametrize(
    "text", ["<html>", "\x00\xff", "Disallow: /" * 3, "user-agent: *\ndisallow: [*$*$"]
)
async def test_strange_file_never_raises(clock: Any, text: str) -> None:
    known, _ = robots(clock, text)
    assert await known.allows(f"{SITE}/forum.php")
