"""The city's account on Weibo (微博): posts that mention it, comments under its posts or that mention it.

A post is ``<id>``, a comment ``c<id>`` with the post as ``thread``. An app may make 100 calls a day for an account: how
they are spread is ``budget``'s, what is read with them ``walk``'s. Our own posts are not heard.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar

import msgspec

from ingest.connectors.weibo import posts
from ingest.connectors.weibo.budget import Budget, Limits
from ingest.connectors.weibo.client import Client, loads
from ingest.connectors.weibo.config import WeiboConfig
from ingest.connectors.weibo.reply import reply
from ingest.connectors.weibo.state import State
from ingest.connectors.weibo.walk import Walk
from ingest.connectors.weibo.warning import warning
from ingest.protocol import Failure, Health, Page, Parsed, Payload, Told
from store.errors import ConfigError, RejectedError
from store.model import Item
from store.ports import Http

__all__ = ["Weibo", "WeiboConfig"]

STOPPED_S = 3600.0
"""Pause while the token is dead or the app blocked: only a person can help."""


class Weibo:
    """One account. Raises ConfigError at once when it has no token."""

    kind: ClassVar[str] = "weibo"
    in_public: ClassVar[bool] = True
    lists_always: ClassVar[bool] = False

    def __init__(
        self, channel: str, config: WeiboConfig, http: Http, *, clock: Callable[[], datetime]
    ) -> None:
        if not config.access_token.get_secret_value():
            msg = f"config: hub.toml: connectors.weibo.{channel}: access_token is missing; set it in the environment"
            raise ConfigError(msg)
        self.channel = channel
        self.speaks = config.reply
        self._config = config
        self._clock = clock
        self._state = State()
        limits = Limits(config.calls_per_day, config.reserve, config.min_interval_s)
        self._budget = Budget(limits, self._state.spent)
        self._client = Client(channel, config, http, self._budget, clock)

    def pages(self, cursor: str, *, sweep: bool) -> AsyncIterator[Page]:
        """What each list shows since ``cursor``; the first poll takes the newest 200 of each, a sweep those again. Ends
        early when the day's calls are used up. Raises TransientError, and RejectedError (reason ``token``,
        ``blocked``, ``permission``) when a person must act."""
        return Walk(
            self.channel,
            self._config,
            self._client,
            self._state,
            self._budget,
            self._clock,
            cursor,
            sweep=sweep,
        ).pages()

    def wait_s(self) -> float:
        """As the budget has it."""
        wait_s = self._budget.wait_s(self._clock())
        return max(wait_s, STOPPED_S) if self._client.trouble.act else wait_s

    def health(self) -> Health:
        """Calls of the day, and what a person should do, in Chinese."""
        now = self._clock()
        return Health(
            budget=self._config.calls_per_day,
            budget_left=self._budget.left(now),
            warning=warning(self._config, self._state, self._budget, self._client.trouble, now),
        )

    def save(self) -> str:
        """Calls of the day, refused interfaces, how quiet the lists are."""
        return msgspec.json.encode(self._state).decode()

    def restore(self, saved: str) -> None:
        """Take back what ``save`` gave; anything unreadable is ignored."""
        try:
            self._state = msgspec.json.decode(saved, type=State)
        except (msgspec.DecodeError, UnicodeError):
            return
        self._budget.spent = self._state.spent

    def parse(self, payload: Payload) -> Parsed:
        """A list of posts or comments; which of the two, its key tells. Raises RejectedError when it is neither."""
        try:
            document = loads(payload.body)
        except ValueError as error:
            raise self._layout() from error
        if not isinstance(document, dict):
            raise self._layout()
        for key, read in (("statuses", self._status), ("comments", self._comment)):
            if isinstance(document.get(key), list):
                return self._parsed(document[key], read)
        raise self._layout()

    async def answer(self, told: Told) -> None:
        """Comment on the post, or reply to the comment. Raises as ``Answers`` has it."""
        await reply(self.channel, self._config, self._client, self._budget, told, self._clock())

    def _parsed(self, found: list[Any], read: Callable[[dict[str, Any]], Item]) -> Parsed:
        items: dict[str, Item] = {}
        failures: list[Failure] = []
        gone: list[str] = []
        for post in found:
            number = posts.id_of(post) if isinstance(post, dict) else 0
            if not number:
                failures.append(self._failure("", post, "no id"))
            elif posts.is_deleted(post):
                gone.append(self._id(number, read))
            elif posts.author_of(post) != self._config.uid:
                try:
                    item = read(post)
                except ValueError:
                    failures.append(self._failure(self._id(number, read), post, "unusable fields"))
                else:
                    items.setdefault(item.channel_id, item)
        return Parsed(list(items.values()), failures, gone)

    def _id(self, number: int, read: Callable[[dict[str, Any]], Item]) -> str:
        return f"c{number}" if read == self._comment else str(number)

    def _status(self, post: dict[str, Any]) -> Item:
        config = self._config
        return posts.status_item(self.channel, post, photos=config.photos, geo=config.geo)

    def _comment(self, post: dict[str, Any]) -> Item:
        return posts.comment_item(self.channel, post)

    def _failure(self, key: str, post: object, what: str) -> Failure:
        content = json.dumps(post).encode()
        key = key or f"#{sha256(content).hexdigest()[:16]}"
        msg = f"ingest: {self.channel}: post {key}: {what}; look at it on weibo.com"
        return Failure(key, content, msg)

    def _layout(self) -> RejectedError:
        msg = f"ingest: {self.channel}: this is no list of posts or comments; Weibo changed its format, report it"
        return RejectedError(msg, reason="layout")
