"""One source's way out: the guarded door with retries on the right errors, a breaker and good manners.

Only what can be repeated without harm (GET, HEAD) is tried again, and only after errors that pass: no
whole answer, 429 with a short Retry-After, 502 to 504. A source that failed five times in a row is
left alone for a minute (circuit breaker). ``gap_s`` spaces requests, ``robots`` says what may be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import stamina
from aiolimiter import AsyncLimiter
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from store.errors import RejectedError, TransientError
from store.ports import Answer, Http

SAFE = frozenset({"GET", "HEAD"})
PASSING = frozenset({429, 502, 503, 504})
TRIES = 3
PATIENCE_S = 10.0
"""Longest Retry-After that is waited for within one call; a longer one is the poller's to keep."""

LONGEST_GAP_S = 60.0
BROKEN_AFTER = 5
REST_S = 60.0
SERVER_ERROR = 500


class Manners(Protocol):
    """What a site's robots.txt asks for; both raise TransientError while that can not be known."""

    async def allows(self, url: str) -> bool:
        """Whether ``url`` may be read."""
        ...

    async def crawl_delay(self, url: str) -> float | None:
        """Seconds the site wants between two requests, if it says."""
        ...


class _AgainError(Exception):
    def __init__(self, answer: Answer, wait_s: float | None) -> None:
        super().__init__(answer.status)
        self.answer = answer
        self.wait_s = wait_s


class Calls:
    """Implements ``store.ports.Http`` for the source ``name``; ``tries`` is 1 where every call is
    counted, ``headers`` go with every request."""

    def __init__(
        self,
        http: Http,
        name: str,
        *,
        gap_s: float = 0.0,
        robots: Manners | None = None,
        tries: int = TRIES,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._http = http
        self._name = name
        self._robots = robots
        self._tries = tries
        self._headers = dict(headers or {})
        self._gap_s = gap_s
        self._limiter = AsyncLimiter(1, gap_s) if gap_s else None
        self._breakers = AsyncCircuitBreakerFactory(
            default_threshold=BROKEN_AFTER, default_ttl=REST_S, exclude=[RejectedError]
        )

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        max_bytes: int = 5_000_000,
    ) -> Answer:
        await self._mind(url)
        breaker = await self._breakers.get_breaker(self._name)
        try:
            async with breaker:
                answer = await self._try(method, url, headers, body, max_bytes)
                if answer.status >= SERVER_ERROR:
                    raise _AgainError(answer, None)
        except OpenedState as error:
            msg = f"ingest: {self._name}: failed {BROKEN_AFTER} times in a row and is left alone for a minute"
            raise TransientError(msg, retry_after_s=REST_S) from error
        except _AgainError as error:
            return error.answer
        return answer

    async def _mind(self, url: str) -> None:
        """Ask robots.txt, and slow down as far as it wants (a minute at most)."""
        if self._robots is None:
            return
        if not await self._robots.allows(url):
            msg = (
                f"ingest: {self._name}: robots.txt of the site forbids this page; ask its operator"
            )
            raise RejectedError(msg, reason="robots")
        delay = min(await self._robots.crawl_delay(url) or 0.0, LONGEST_GAP_S)
        if delay > self._gap_s:
            self._gap_s = delay
            self._limiter = AsyncLimiter(1, delay)

    async def _try(
        self, method: str, url: str, headers: Mapping[str, str] | None, body: bytes, max_bytes: int
    ) -> Answer:
        tries = self._tries if method in SAFE else 1
        try:
            async for attempt in stamina.retry_context(on=_may_pass, attempts=tries, timeout=60):
                with attempt:
                    if self._limiter is not None:
                        await self._limiter.acquire()
                    answer = await self._http.send(
                        method,
                        url,
                        headers={**self._headers, **(headers or {})},
                        body=body,
                        max_bytes=max_bytes,
                    )
                    if tries > 1 and answer.status in PASSING:
                        raise _AgainError(answer, answer.retry_after_s)
                    return answer
        except _AgainError as error:
            return error.answer
        raise AssertionError  # the loop returns or raises


def _may_pass(error: Exception) -> bool | float:
    """Whether to try again, and after how many seconds when the source said so."""
    if isinstance(error, _AgainError):
        if error.wait_s is None:
            return error.answer.status != 429  # noqa: PLR2004 - too many requests, no word when
        return error.wait_s if error.wait_s <= PATIENCE_S else False
    return isinstance(error, TransientError)
