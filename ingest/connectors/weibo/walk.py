"""The way through an account's lists, once: what is asked for, in which order, and what is remembered.

A list comes newest first, at most 200 posts a call, and is read down to what is known. The post known last is asked
for again: where it shows, the way down is over and no further call is spent to find that out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import datetime

from ingest.connectors.weibo.budget import Budget, day_of
from ingest.connectors.weibo.client import Client
from ingest.connectors.weibo.codes import Act, ApiError
from ingest.connectors.weibo.config import LISTS, PATHS, Endpoint, WeiboConfig
from ingest.connectors.weibo.cursor import Cursor, Span
from ingest.connectors.weibo.listing import Listing
from ingest.connectors.weibo.longtext import Completer
from ingest.connectors.weibo.state import State
from ingest.protocol import Page
from store.errors import RejectedError, TransientError

COUNT = 200
"""Posts a call; Weibo gives no more."""

SEARCH_COUNT = 50
PAGES = 20
"""Calls for one list in one poll; the next poll goes on from there."""

SEARCH_PAGES = 4
"""Pages of one search; it has no way to go on below a post."""

STOPPING = {Act.RENEW, Act.BLOCKED}
"""Errors that every further call would meet as well."""

Failed = TransientError | RejectedError


class Walk:
    """One poll or sweep of all lists. One that fails does not stop the others; the first failure is raised when all
    have been asked."""

    def __init__(
        self,
        channel: str,
        config: WeiboConfig,
        client: Client,
        state: State,
        budget: Budget,
        clock: Callable[[], datetime],
        cursor: str,
        *,
        sweep: bool,
    ) -> None:
        self._channel = channel
        self._config = config
        self._client = client
        self._state = state
        self._budget = budget
        self._clock = clock
        self._sweep = sweep
        self._cursor = Cursor.decode(cursor)
        self._completer = Completer(client, state, budget, clock, self._cursor, config.uid)
        self._news = False

    async def pages(self) -> AsyncIterator[Page]:
        """Page by page, as long as calls are left."""
        self._budget.correct(self._cursor.day, self._cursor.used)
        await self._correct()
        calls, failed = self._client.calls, None
        for endpoint, word in self._due():
            try:
                async for page in self._list(endpoint, word):
                    yield page
            except (TransientError, RejectedError) as error:
                left = self._failed(endpoint, error)
                failed = failed or left
        if calls < self._client.calls:
            self._budget.polled(self._client.calls - calls, news=self._news)
        if failed:
            raise failed
        self._complain()

    async def _correct(self) -> None:
        """Its own failure matters to nothing else."""
        if self._state.wants_correction(self._clock()):
            with suppress(TransientError, RejectedError):
                await self._client.correct()

    def _due(self) -> Iterator[tuple[Endpoint, str]]:
        """Lists to ask, with the word searched for. Looked at one by one: calls may run out on the way."""
        tight = self._budget.wait_s(self._clock()) > self._config.min_interval_s
        for endpoint in self._config.endpoints:
            if self._state.is_denied(endpoint, self._clock()):
                continue
            if tight and not self._sweep and not self._state.is_due(endpoint):
                continue
            for word in self._config.topics if endpoint is Endpoint.TOPICS else ("",):
                yield endpoint, word

    def _failed(self, endpoint: Endpoint, error: Failed) -> Failed | None:
        """What is left to be raised. Raises at once what the other lists would meet too."""
        if isinstance(error, ApiError):
            if error.act in STOPPING:
                raise error
            if error.act is Act.PERMISSION:
                self._state.denied[endpoint] = day_of(self._clock())
                return None
        if self._budget.blocked_s(self._clock()):
            raise error
        return error

    def _complain(self) -> None:
        """Hearing nothing because nothing may be asked is no success."""
        if all(self._state.is_denied(one, self._clock()) for one in self._config.endpoints):
            msg = f"ingest: {self._channel}: the app may use none of its endpoints; apply for them at open.weibo.com"
            raise RejectedError(msg, reason=Act.PERMISSION)

    async def _list(self, endpoint: Endpoint, word: str) -> AsyncIterator[Page]:
        """One list, down to what is known. One that was broken off is first read to its end, then from its top."""
        kept = self._cursor.spans.setdefault(f"{endpoint}:{word}" if word else endpoint, Span())
        span = Span(since=kept.since) if word else kept
        before, resumed, news = span.known, bool(span.low), False
        for number in range(1, (SEARCH_PAGES if word else PAGES) + 1):
            if not self._budget.may_poll(self._clock()):
                return
            listing = await self._page(endpoint, word, span, number)
            news = news or any(before < one for one in listing.ids)
            done = span.read(listing.ids)
            if word and (done or number == SEARCH_PAGES):
                kept.since = span.since if done else span.top
            yield Page(listing.payload, self._stored())
            if done and not resumed:
                break
            resumed = resumed and not done
        self._news = self._news or news
        self._state.polled(endpoint, news=news)

    async def _page(self, endpoint: Endpoint, word: str, span: Span, number: int) -> Listing:
        """One call, and one more for each long post in it while calls allow."""
        looks_again = self._sweep and not span.low
        since = 0 if looks_again else max(0, span.known - 1)
        asked: dict[str, str | int] = {"since_id": since, "max_id": span.below, "count": COUNT}
        if word:
            asked = {"q": word, "count": SEARCH_COUNT, "page": number}
        payload = await self._client.get(PATHS[endpoint], asked)
        listing = Listing(self._channel, payload, LISTS[endpoint])
        self._state.answered(endpoint, self._clock(), listed=bool(listing.posts))
        if not self._sweep:
            listing.drop(span.known)
        if LISTS[endpoint] == "statuses":
            listing.posts = await self._completer.complete(listing.posts)
        return listing

    def _stored(self) -> str:
        spent = self._budget.spent
        self._cursor.day, self._cursor.used = spent.day, spent.used
        return self._cursor.encode()
