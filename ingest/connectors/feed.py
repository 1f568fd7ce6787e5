"""Any RSS or Atom feed: news columns, broadcasters, forums and blogs that offer one (RSS 2.0, RFC 4287).

feedparser reads the bytes, never the URL, and forgives encodings and stray ampersands; text that is
no feed at all is told from an empty feed. Identity is the entry's guid or id, else its link without
what changes from visit to visit, else a hash of title and time. Validators (ETag, Last-Modified), a
hash of the last body and a moved address travel in the cursor.
"""

from __future__ import annotations

import calendar
import html
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

import feedparser
import msgspec
from pydantic import Field

from ingest.normalize import strip_html
from ingest.protocol import Failure, Health, Page, Parsed, Payload
from ingest.remembered import remembered
from store.config import Strict, ZoneName
from store.errors import RejectedError, TransientError
from store.model import MAX_PHOTOS, MAX_TEXT, Item
from store.ports import Answer, Http
from store.vault import sha256_hex

MAX_BODY = 5_000_000
NOT_MODIFIED = 304
OK = 200
GONE = 410
MOVED = frozenset({301, 308})
REDIRECTS = frozenset({302, 303, 307}) | MOVED
MAX_HOPS = 3
LONGEST_TTL_S = 6 * 3600.0
PASSING = frozenset({"extra", "page", "sid", "utm_source", "utm_medium", "utm_campaign", "from"})
"""Query parameters that change from visit to visit and are no part of an entry's identity."""

_DTD = re.compile(rb"<!ENTITY|<!DOCTYPE[^<>]{0,1000}\[", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,6});")
_ZONE = re.compile(r"(?:[+-]\d{2}:?\d{2}|[A-Z]{1,5})\s*$")
_CHINESE = re.compile(
    r"(\d{4})\s*[年/.-]\s*(\d{1,2})\s*[月/.-]\s*(\d{1,2})\s*日?\s*T?(?:(\d{1,2})\s*[:时点]\s*(\d{1,2})?)?"
)


class FeedConfig(Strict):
    """``[connectors.feeds.NAME]``: the name becomes the channel.

    ``keywords``: only entries with one of these words are heard, for feeds of a whole site. Times
    without a zone are ``timezone``'s. ``robots``: honour the site's robots.txt.
    """

    url: str = Field(pattern=r"^https?://.+")
    interval_s: float = Field(default=600, ge=1)
    keywords: tuple[str, ...] = ()
    robots: bool = True
    timezone: ZoneName = "Asia/Shanghai"


class _Cursor(msgspec.Struct):
    etag: str = ""
    modified: str = ""
    body: str = ""
    url: str = ""


class Feed:
    """One feed, asked every ``interval_s`` seconds or as seldom as it asks to be (``ttl``)."""

    kind: ClassVar[str] = "feed"
    lists_always: ClassVar[bool] = True

    def __init__(self, channel: str, config: FeedConfig, http: Http) -> None:
        self.channel = channel
        self._config = config
        self._http = http
        self._zone = ZoneInfo(config.timezone)
        self._ttl_s = 0.0

    def wait_s(self) -> float:
        return max(self._config.interval_s, self._ttl_s)

    def health(self) -> Health:
        return Health()

    def save(self) -> str:
        return ""

    def restore(self, saved: str) -> None:
        del saved

    async def pages(self, cursor: str, *, sweep: bool) -> AsyncIterator[Page]:
        """The feed unless unchanged since ``cursor``; a sweep reads it whatever its validators say."""
        seen = remembered(cursor, _Cursor, _Cursor)
        if sweep:
            seen = _Cursor(url=seen.url)
        answer, url, moved = await self._get(seen)
        if answer.status == NOT_MODIFIED:
            yield Page(None, cursor)
            return
        digest = sha256_hex(answer.body)
        after = _Cursor(
            answer.headers.get("etag", ""), answer.headers.get("last-modified", ""), digest, moved
        )
        following = msgspec.json.encode(after).decode()
        if digest == seen.body:
            yield Page(None, following)
            return
        yield Page(Payload(answer.body, answer.headers.get("content-type", ""), url), following)

    async def _get(self, seen: _Cursor) -> tuple[Answer, str, str]:
        """The answer, where it came from, and the address to remember when it moved for good."""
        url = moved = seen.url or self._config.url
        headers = {"accept": "application/rss+xml, application/atom+xml, application/xml;q=0.9"}
        if seen.etag:
            headers["if-none-match"] = seen.etag
        if seen.modified:
            headers["if-modified-since"] = seen.modified
        answer = await self._http.send("GET", url, headers=headers, max_bytes=MAX_BODY)
        for _ in range(MAX_HOPS):
            if answer.status not in REDIRECTS:
                break
            following = _join(url, answer.headers.get("location", ""))
            moved = following if answer.status in MOVED and moved == url else moved
            url = following
            answer = await self._http.send("GET", url, headers=headers, max_bytes=MAX_BODY)
        if answer.status not in {OK, NOT_MODIFIED}:
            _refuse(self.channel, answer)
        return answer, url, "" if moved == self._config.url else moved

    def parse(self, payload: Payload) -> Parsed:
        """Every entry as an item; an entry that can not be read is a failure of its own."""
        feed = _read(self.channel, payload)
        if not feed.entries and not feed.get("version"):
            msg = f"ingest: {self.channel}: the answer is not a feed; check url in [connectors.feeds.{self.channel}]"
            raise RejectedError(msg, reason="layout")
        self._ttl_s = min(LONGEST_TTL_S, _minutes(feed.feed.get("ttl", "")) * 60)
        items: list[Item] = []
        failures: list[Failure] = []
        for entry in feed.entries:
            identity = _identity(entry, payload.url)
            try:
                item = self._item(entry, identity, payload.url)
            except (ValueError, TypeError, OverflowError) as error:
                raw = msgspec.json.encode({k: str(v) for k, v in entry.items()})
                cause = str(error).splitlines()[0][:200]
                failures.append(Failure(identity[:200], raw, f"ingest: {self.channel}: {cause}"))
                continue
            if self._is_wanted(item):
                items.append(item)
        return Parsed(items, failures)

    def _is_wanted(self, item: Item) -> bool:
        words = self._config.keywords
        return not words or any(word in item.title or word in item.text for word in words)

    def _item(self, entry: Any, identity: str, base: str) -> Item:
        bodies = [part.get("value", "") for part in entry.get("content", [])]
        raw = max([*bodies, entry.get("summary", "")], key=len)
        body = _plain(raw)
        title = _plain(entry.get("title", ""))
        link = _join(base, str(entry.get("link", "")))
        return Item(
            channel=self.channel,
            channel_id=identity[:200],
            text=(body or title)[:MAX_TEXT],
            title=title[:500] if body else "",
            author=str(entry.get("author", ""))[:200],
            posted_at=_time(entry, self._zone),
            url=link[:1000] if link.startswith(("http://", "https://")) else "",
            photos=_photos(entry, raw, base),
        )


def _read(channel: str, payload: Payload) -> Any:
    """feedparser forgives much, but raises anything at all over a broken XML declaration."""
    if _DTD.search(payload.body[:100_000].replace(b"\0", b"")):
        msg = f"ingest: {channel}: the feed declares entities; such XML is not read"
        raise RejectedError(msg, reason="not_a_feed")
    headers = {"content-type": payload.content_type or "application/xml"}
    try:
        return feedparser.parse(payload.body, response_headers=headers)
    except Exception as error:
        msg = (
            f"ingest: {channel}: the answer can not be read ({type(error).__name__}); check its url"
        )
        raise RejectedError(msg, reason="not_a_feed") from error


def _plain(text: str) -> str:
    """Words of a fragment; engines that escape twice leave entities behind, which are read once more."""
    words = strip_html(str(text))
    return (html.unescape(words) if _ENTITY.search(words) else words).strip()


def _identity(entry: Any, base: str) -> str:
    known = str(entry.get("id") or "") or _canonical(_join(base, str(entry.get("link") or "")))
    if known and len(known) <= 200:  # noqa: PLR2004 - the column's width
        return known
    return sha256_hex(f"{known}|{entry.get('title', '')}|{entry.get('published', '')}".encode())


def _join(base: str, link: str) -> str:
    """The whole address; empty when the link is none."""
    try:
        return urljoin(base, link) if link else ""
    except ValueError:
        return ""


def _canonical(link: str) -> str:
    """The link without session, page and campaign parameters and without fragment."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return link
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k not in PASSING]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(kept), ""))


def _time(entry: Any, zone: ZoneInfo) -> datetime | None:
    """The entry's time; one without a zone, or written 2026年11月24日, is the city's own."""
    text = str(entry.get("published") or dict.get(entry, "updated") or "")
    parsed = entry.get("published_parsed") or dict.get(entry, "updated_parsed")
    if parsed:
        at = datetime.fromtimestamp(calendar.timegm(parsed), UTC)
        return at if _ZONE.search(text) else at.replace(tzinfo=zone)
    found = _CHINESE.search(text)
    if found is None:
        return None
    try:
        return datetime(*(int(part or 0) for part in found.groups()), tzinfo=zone)  # type: ignore[arg-type, misc]
    except ValueError:
        return None


_IMAGE = re.compile(r"<img\b[^<>]{0,500}?\bsrc\s*=\s*[\"']([^\"'<>]{1,500})", re.IGNORECASE)


def _photos(entry: Any, body: str, base: str) -> tuple[str, ...]:
    """Addresses of the entry's pictures: enclosures, media and images within the text."""
    named = [one.get("href", "") for one in entry.get("enclosures", []) if _is_image(one)]
    named += [one.get("url", "") for one in entry.get("media_content", []) if _is_image(one)]
    named += _IMAGE.findall(body)
    urls = dict.fromkeys(_join(base, html.unescape(str(url))) for url in named if url)
    return tuple(url for url in urls if url.startswith(("http://", "https://")))[:MAX_PHOTOS]


def _is_image(one: Any) -> bool:
    return str(one.get("type", "") or one.get("medium", "")).startswith("image")


def _minutes(text: Any) -> float:
    return float(text) if str(text).isdecimal() and len(str(text)) < 6 else 0.0  # noqa: PLR2004


def _refuse(channel: str, answer: Answer) -> None:
    msg = f"ingest: {channel}: the source answered {answer.status}"
    if answer.status == GONE:
        raise RejectedError(
            f"{msg}: the feed is gone for good; remove it from hub.toml", reason="gone"
        )
    raise TransientError(msg, retry_after_s=answer.retry_after_s)
