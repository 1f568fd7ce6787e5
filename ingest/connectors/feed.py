"""Any RSS or Atom feed: news columns, forums and blogs that offer one (RSS 2.0, RFC 4287).

feedparser reads the bytes, never the URL, and forgives encodings and stray ampersands; text that is
no feed at all is told from an empty feed. Identity is the entry's guid or id, else its link, else a
hash of title and time. Validators (ETag, Last-Modified) travel in the cursor.
"""

from __future__ import annotations

import calendar
from datetime import UTC, datetime
from typing import Any, ClassVar

import feedparser
import msgspec
from pydantic import Field

from ingest.normalize import strip_html
from ingest.protocol import Failure, Page, Parsed, Payload
from store.config import Strict
from store.errors import RejectedError, TransientError
from store.model import MAX_TEXT, Item
from store.ports import Http
from store.vault import sha256_hex

MAX_BODY = 5_000_000
NOT_MODIFIED = 304
OK = 200
GONE = 410


class FeedConfig(Strict):
    """``[connectors.feeds.NAME]``: the name becomes the channel."""

    url: str = Field(pattern=r"^https?://.+")
    interval_s: float = Field(default=600, ge=1)


class _Cursor(msgspec.Struct):
    etag: str = ""
    modified: str = ""
    body: str = ""


class Feed:
    """One feed, asked every ``interval_s`` seconds."""

    kind: ClassVar[str] = "feed"

    def __init__(self, channel: str, config: FeedConfig, http: Http) -> None:
        self.channel = channel
        self.interval_s = config.interval_s
        self._url = config.url
        self._http = http

    async def fetch(self, cursor: str) -> Page:
        """The feed unless unchanged since ``cursor``."""
        seen = msgspec.json.decode(cursor, type=_Cursor) if cursor else _Cursor()
        headers = {"accept": "application/rss+xml, application/atom+xml, application/xml;q=0.9"}
        if seen.etag:
            headers["if-none-match"] = seen.etag
        if seen.modified:
            headers["if-modified-since"] = seen.modified
        answer = await self._http.send("GET", self._url, headers=headers, max_bytes=MAX_BODY)
        if answer.status == NOT_MODIFIED:
            return Page(None, cursor)
        if answer.status != OK:
            _refuse(self.channel, answer.status, answer.headers.get("retry-after", ""))
        digest = sha256_hex(answer.body)
        after = _Cursor(
            answer.headers.get("etag", ""), answer.headers.get("last-modified", ""), digest
        )
        following = msgspec.json.encode(after).decode()
        if digest == seen.body:
            return Page(None, following)
        content_type = answer.headers.get("content-type", "")
        return Page(Payload(answer.body, content_type, self._url), following)

    def parse(self, payload: Payload) -> Parsed:
        """Every entry as an item; an entry that can not be read is a failure of its own."""
        feed = _read(self.channel, payload)
        if not feed.entries and not feed.get("version"):
            msg = f"ingest: {self.channel}: the answer is not a feed; check url in [connectors.feeds.{self.channel}]"
            raise RejectedError(msg, reason="not_a_feed")
        items: list[Item] = []
        failures: list[Failure] = []
        for entry in feed.entries:
            identity = _identity(entry)
            try:
                items.append(self._item(entry, identity))
            except (ValueError, TypeError, OverflowError) as error:
                raw = msgspec.json.encode({k: str(v) for k, v in entry.items()})
                failures.append(Failure(identity, raw, f"ingest: {self.channel}: {error}"))
        return Parsed(items, failures)

    def _item(self, entry: Any, identity: str) -> Item:
        bodies = [part.get("value", "") for part in entry.get("content", [])]
        body = strip_html(max([*bodies, entry.get("summary", "")], key=len)).strip()
        title = strip_html(entry.get("title", "")).strip()
        link = str(entry.get("link", ""))
        return Item(
            channel=self.channel,
            channel_id=identity[:200],
            text=(body or title)[:MAX_TEXT],
            title=title[:500] if body else "",
            author=str(entry.get("author", ""))[:200],
            posted_at=_time(entry),
            url=link if link.startswith(("http://", "https://")) else "",
        )


def _read(channel: str, payload: Payload) -> Any:
    """feedparser forgives much, but raises anything at all over a broken XML declaration."""
    headers = {"content-type": payload.content_type or "application/xml"}
    try:
        return feedparser.parse(payload.body, response_headers=headers)
    except Exception as error:
        msg = (
            f"ingest: {channel}: the answer can not be read ({type(error).__name__}); check its url"
        )
        raise RejectedError(msg, reason="not_a_feed") from error


def _identity(entry: Any) -> str:
    known = str(entry.get("id") or entry.get("link") or "")
    if known and len(known) <= 200:  # noqa: PLR2004 - the column's width
        return known
    return sha256_hex(f"{known}|{entry.get('title', '')}|{entry.get('published', '')}".encode())


def _time(entry: Any) -> datetime | None:
    parsed = entry.get("published_parsed") or dict.get(entry, "updated_parsed")
    return datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None


def _refuse(channel: str, status: int, retry_after: str) -> None:
    msg = f"ingest: {channel}: the source answered {status}"
    if status == GONE:
        raise RejectedError(
            f"{msg}: the feed is gone for good; remove it from hub.toml", reason="gone"
        )
    raise TransientError(msg, retry_after_s=float(retry_after) if retry_after.isdecimal() else None)
