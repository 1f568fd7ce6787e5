"""One source's way out: what is tried again, what is not, and when it is left alone."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, ClassVar

import pytest
import stamina

from hub.calls import Calls
from store.errors import RejectedError, TransientError
from store.ports import Answer

URL = "https://forum.invalid/rss"


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


class Door:
    """Answers in order; the last for ever."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)
        self.calls = 0
        self.headers: dict[str, str] = {}

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        max_bytes: int = 5_000_000,
    ) -> Answer:
        self.calls += 1
        self.headers = dict(headers or {})
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


GOOD = Answer(200, b"ok")
AWAY = TransientError("http: away")


@pytest.mark.parametrize(
    ("answers", "calls", "status"),
    [
        ([GOOD], 1, 200),
        ([AWAY, GOOD], 2, 200),
        ([Answer(503, b""), Answer(502, b""), GOOD], 3, 200),
        ([Answer(429, b"", {"retry-after": "1"}), GOOD], 2, 200),
        ([Answer(429, b"", {"retry-after": "600"}), GOOD], 1, 429),
        ([Answer(429, b""), GOOD], 1, 429),
        ([Answer(404, b"")], 1, 404),
        ([Answer(500, b"")], 1, 500),
        ([Answer(503, b"")], 3, 503),
    ],
)
async def test_get_is_tried_again_only_after_what_passes(
    answers: list[Any], calls: int, status: int
) -> None:
    door = Door(*answers)
    answer = await Calls(door, "forum").send("GET", URL)
    assert (door.calls, answer.status) == (calls, status)


async def test_channels_own_headers_go_with_every_request() -> None:
    door = Door(GOOD)
    await Calls(door, "weibo", headers={"referer": "r"}).send("GET", URL, headers={"accept": "a"})
    assert door.headers == {"referer": "r", "accept": "a"}


async def test_post_is_never_repeated() -> None:
    door = Door(AWAY, GOOD)
    with pytest.raises(TransientError):
        await Calls(door, "weibo").send("POST", URL)
    assert door.calls == 1


async def test_source_that_keeps_failing_is_left_alone_with_a_time() -> None:
    door = Door(Answer(500, b""))
    calls = Calls(door, "forum")
    for _ in range(5):
        with suppress(TransientError):
            await calls.send("GET", URL)
    for _ in range(5):
        with pytest.raises(TransientError, match="forum: failed 5 times") as caught:
            await calls.send("GET", URL)
        assert caught.value.retry_after_s == 60
    assert door.calls == 5


async def test_forbidden_answers_do_not_open_the_breaker() -> None:
    door = Door(RejectedError("http: private", reason="private_network"))
    calls = Calls(door, "forum")
    for _ in range(8):
        with pytest.raises(RejectedError):
            await calls.send("GET", URL)
    assert door.calls == 8


class Pauses:
    """Stands in for the limiter: which pause was set, and how often it was kept."""

    made: ClassVar[list["Pauses"]] = []

    def __init__(self, _rate: float, gap_s: float) -> None:
        self.gap_s = gap_s
        self.kept = 0
        self.made.append(self)

    async def acquire(self) -> None:
        self.kept += 1


@pytest.mark.parametrize(
    ("asked", "own", "gap_s"), [(5, 1, 5), (None, 1, 1), (2, 3, 3), (600, 1, 60)]
)
async def test_site_is_asked_as_seldom_as_it_wants(
    monkeypatch: pytest.MonkeyPatch, asked: float | None, own: float, gap_s: float
) -> None:
    class Robots:
        async def allows(self, url: str) -> bool:
            return True

        async def crawl_delay(self, url: str) -> float | None:
            return asked

    monkeypatch.setattr("hub.calls.AsyncLimiter", Pauses)
    calls = Calls(Door(GOOD), "forum", gap_s=own, robots=Robots())
    for _ in range(3):
        await calls.send("GET", URL)
    assert (Pauses.made[-1].gap_s, Pauses.made[-1].kept) == (gap_s, 3)


async def test_what_robots_forbid_is_not_asked_for() -> None:
    class Robots:
        async def allows(self, url: str) -> bool:
            return "/api/" not in url

        async def crawl_delay(self, url: str) -> float | None:
            return None

    door = Door(GOOD)
    calls = Calls(door, "forum", robots=Robots())
    assert (await calls.send("GET", URL)).status == 200
    with pytest.raises(RejectedError, match=r"robots\.txt"):
        await calls.send("GET", "https://forum.invalid/api/mobile")
    assert door.calls == 1
