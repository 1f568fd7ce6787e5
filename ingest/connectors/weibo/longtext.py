"""Long posts: lists give their first 140 characters, the whole costs a call each.

They are completed while calls allow. One that could not be is heard short and completed at a sweep, as a revision.
One that was is left out when a list shows it again in the same short form, which would undo the whole; another short
form says that its author edited it, and it is completed anew.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ingest.connectors.weibo.budget import Budget, day_of
from ingest.connectors.weibo.client import Client, loads
from ingest.connectors.weibo.codes import Act, ApiError
from ingest.connectors.weibo.cursor import Cursor
from ingest.connectors.weibo.posts import author_of, dict_of, id_of
from ingest.connectors.weibo.state import SHOW, State
from store.errors import RejectedError, TransientError
from store.vault import sha256_hex

PATH = "statuses/show"


class Completer:
    """Completes the posts of a page in place."""

    def __init__(
        self,
        client: Client,
        state: State,
        budget: Budget,
        clock: Callable[[], datetime],
        cursor: Cursor,
        own: str,
    ) -> None:
        self._client = client
        self._state = state
        self._budget = budget
        self._clock = clock
        self._cursor = cursor
        self._own = own

    async def complete(self, posts: list[Any]) -> list[Any]:
        """The posts to hand on."""
        kept = []
        may_ask = True
        for post in posts:
            number = str(id_of(post)) if self._is_long(post) else "0"
            if number != "0" and self._cursor.completed.get(number) == _digest(post):
                continue
            kept.append(post)
            if number != "0" and may_ask and self._may_ask():
                may_ask = await self._show(number, post)
        return kept

    def _is_long(self, post: object) -> bool:
        if not isinstance(post, dict) or author_of(post) == self._own:
            return False
        return post.get("isLongText") is True or post.get("truncated") is True

    def _may_ask(self) -> bool:
        now = self._clock()
        return self._budget.may_complete(now) and not self._state.is_denied(SHOW, now)

    async def _show(self, number: str, post: dict[str, Any]) -> bool:
        """Put the whole text into ``post``; False when asking on is no use."""
        short = _digest(post)
        try:
            payload = await self._client.get(PATH, {"id": number})
        except ApiError as error:
            if error.act is Act.PERMISSION:
                self._state.denied[SHOW] = day_of(self._clock())
            elif error.act is Act.GONE:
                self._cursor.completed[number] = short
            return error.act in {Act.GONE, Act.REFUSED}
        except (TransientError, RejectedError):
            return False
        whole = _whole_text(loads(payload.body))
        if whole:
            post["text"] = whole
            self._cursor.completed[number] = short
        return True


def _digest(post: dict[str, Any]) -> str:
    """Eight digits that change with the short form."""
    return sha256_hex(str(post.get("text")).encode("utf-8", "replace"))[:8]


def _whole_text(shown: object) -> str:
    """Some answers keep the whole apart from the short text."""
    if not isinstance(shown, dict):
        return ""
    for text in (dict_of(shown, "longText").get("longTextContent"), shown.get("text")):
        if isinstance(text, str) and text.strip():
            return text
    return ""
