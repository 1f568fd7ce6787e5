"""A city forum run on Discuz! X: its boards are polled, every thread and reply in them is heard.

The pages a guest sees are read (``pages``), or, where the operator agreed, the mobile plug-in's JSON (``mobile``).
A post is ``t<tid>:p<pid>``; a reply's ``thread`` is the first post. Threads deleted or hidden by a moderator are
told as gone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import ClassVar

from pydantic import ValidationError

from ingest.connectors.discuz.shapes import Post, Refusal, RefusedError, Thread
from ingest.connectors.discuz.site import DiscuzConfig, Site, Where
from ingest.connectors.discuz.walk import Walk
from ingest.protocol import Failure, Health, Page, Parsed, Payload
from store.model import Item
from store.ports import Http

__all__ = ["Discuz", "DiscuzConfig"]

ONLY_PHOTOS = "[图片]"
"""Stands for the words of a post that is pictures only."""

WHOLE_SITE = {Refusal.CLOSED, Refusal.BUSY, Refusal.NO_BOARD, Refusal.RSS_OFF, Refusal.LAYOUT}
"""Refusals that say nothing about one thread."""


class Discuz:
    """One forum, asked every ``interval_s`` seconds. ``http`` honours robots.txt and its own pace."""

    kind: ClassVar[str] = "discuz"
    lists_always: ClassVar[bool] = True

    def __init__(
        self, channel: str, config: DiscuzConfig, http: Http, *, clock: Callable[[], datetime]
    ) -> None:
        self.channel = channel
        self._config = config
        self._site = Site(channel, config, http, clock)

    def pages(self, cursor: str, *, sweep: bool) -> AsyncIterator[Page]:
        """Threads that moved since ``cursor``; with ``sweep`` all of the last ``sweep_days``. A page without
        payload ends each board. Raises TransientError when the site is closed, busy or unreachable,
        RejectedError when a board may not be read or its list is not Discuz!'s."""
        return Walk(self._site, self._config, cursor, sweep=sweep).pages()

    def wait_s(self) -> float:
        """``interval_s``."""
        return self._config.interval_s

    def health(self) -> Health:
        """Nothing is limited and nothing expires."""
        return Health()

    def save(self) -> str:
        """The cursor is all."""
        return ""

    def restore(self, saved: str) -> None:
        """Nothing to take back."""

    def parse(self, payload: Payload) -> Parsed:
        """One page of a thread. A page that says the thread is gone is read as that, other messages in a thread's
        place are failures of their own; what is no page of a thread raises RejectedError."""
        where = Where.of(payload.url)
        try:
            seen = self._site.read(payload)
        except RefusedError as error:
            return self._refused(payload, where, error)
        tid = seen.tid or where.tid
        if not tid:
            raise RefusedError(self.channel, Refusal.LAYOUT)
        first = where.first or seen.first
        shown = [post for post in seen.posts if self._config.replies or post.pid == first]
        return self._parsed(shown, seen, tid, first)

    def _parsed(self, posts: list[Post], seen: Thread, tid: int, first: int) -> Parsed:
        items: list[Item] = []
        failures: list[Failure] = []
        for post in posts:
            key = _key(tid, post.pid)
            try:
                item = None if post.blocked or post.broken else self._item(post, seen, tid, first)
            except ValidationError as error:
                failures.append(self._failure(key, post.text, f"{error.error_count()} bad fields"))
                continue
            if post.broken and not post.blocked:
                failures.append(self._failure(key, post.raw, post.broken))
            if item:
                items.append(item)
        gone = [_key(tid, post.pid) for post in posts if post.blocked]
        return Parsed(items, failures, gone)

    def _item(self, post: Post, seen: Thread, tid: int, first: int) -> Item | None:
        """None when there is nothing to read: a smiley, or words only members see."""
        is_first = post.pid == first
        title = seen.title if is_first else ""
        text = post.text or title or (ONLY_PHOTOS if post.photos else "")
        if not text:
            return None
        thread = _key(tid, first) if first else f"t{tid}"
        return Item(
            channel=self.channel,
            channel_id=_key(tid, post.pid),
            text=text,
            title=title if post.text else "",
            author=post.author,
            posted_at=post.posted_at,
            url=self._address(tid, 0 if is_first else post.pid),
            photos=post.photos,
            thread="" if is_first else thread,
        )

    def _address(self, tid: int, pid: int) -> str:
        """Where a person finds the post, whatever page it has moved to."""
        if not pid:
            return f"{self._site.root}forum.php?mod=viewthread&tid={tid}"
        return f"{self._site.root}forum.php?mod=redirect&goto=findpost&ptid={tid}&pid={pid}"

    def _refused(self, payload: Payload, where: Where, error: RefusedError) -> Parsed:
        if error.kind is Refusal.GONE:
            return Parsed(gone=[_key(where.tid, where.first)] if where.first else [])
        lost = where.missing and error.kind is Refusal.LAYOUT
        if where.tid and (lost or error.kind not in WHOLE_SITE):
            return Parsed(failures=[Failure(f"t{where.tid}", payload.body, str(error))])
        raise error

    def _failure(self, key: str, raw: str, what: str) -> Failure:
        msg = f"ingest: {self.channel}: post {key}: {what}; open it in a browser"
        return Failure(key, raw.encode("utf-8", "replace") or key.encode(), msg)


def _key(tid: int, pid: int) -> str:
    return f"t{tid}:p{pid}"
