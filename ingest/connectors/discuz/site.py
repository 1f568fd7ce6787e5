"""One Discuz! site: addresses, requests, and what the answers say before they are parsed for posts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import parse_qs, urldefrag
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from ingest.connectors.discuz import mobile, pages
from ingest.connectors.discuz.decode import CODECS, decode
from ingest.connectors.discuz.shapes import Listing, Refusal, RefusedError, Thread
from ingest.protocol import Payload
from store.config import Strict, ZoneName
from store.errors import RejectedError, TransientError
from store.ports import Answer, Http

MAX_BODY = 2_000_000
OK, NOT_FOUND = 200, 404
MOVED = (301, 302, 303, 307, 308)
TEMPORARY = {Refusal.CLOSED, Refusal.BUSY}
API = "api/mobile/index.php?version=4&module="


class DiscuzConfig(Strict):
    """``[connectors.forums.NAME]``: the name becomes the channel. ``json_api`` only where the operator agreed:
    the default robots.txt forbids it, and is not asked then; nor is it with ``robots = false``. ``gap_s`` is the
    least pause between two requests."""

    url: str = Field(pattern=r"^https?://[^?#\s]+$")
    boards: tuple[int, ...] = Field(min_length=1)
    interval_s: float = Field(default=600, ge=1)
    encoding: str = "auto"
    timezone: ZoneName = "Asia/Shanghai"
    sweep_days: int = Field(default=7, ge=1, le=60)
    max_pages: int = Field(default=3, ge=1, le=50)
    max_threads: int = Field(default=40, ge=1, le=1000)
    replies: bool = True
    json_api: bool = False
    robots: bool = True
    gap_s: float = Field(default=1.0, ge=0, le=60)

    @field_validator("url")
    @classmethod
    def _root(cls, url: str) -> str:
        if url.endswith((".php", ".html", ".htm")):
            msg = "this is a page; give the root of the site, the part before forum.php"
            raise ValueError(msg)
        return url

    @field_validator("encoding")
    @classmethod
    def _encoding(cls, name: str) -> str:
        if name != "auto" and name.lower() not in CODECS:
            msg = f"unknown encoding; use auto or one of {', '.join(sorted(CODECS))}"
            raise ValueError(msg)
        return name


class Where(NamedTuple):
    """What a payload's address tells: which thread, when it was fetched, its first post if known, and
    whether the status was 404.

    All but the first ride in the fragment, which no server sees, so that parsing needs no clock.
    """

    address: str
    tid: int
    now: datetime | None
    first: int
    missing: bool

    @staticmethod
    def of(url: str) -> Where:
        """Read an address; missing and broken parts are 0 or None."""
        try:
            address, fragment = urldefrag(url)
        except ValueError:
            address, fragment = "", ""
        more = {name: _digits(found[0]) for name, found in parse_qs(fragment).items()}
        at = more.get("at", 0)
        now = datetime.fromtimestamp(at, UTC) if at else None
        missing = more.get("status") == NOT_FOUND
        return Where(address, pages.tid_of(address), now, more.get("first", 0), missing)


class Site:
    """Asks the site for boards and threads. Raises TransientError when it is closed, busy or unreachable,
    RefusedError when it answers with another message."""

    def __init__(
        self, channel: str, config: DiscuzConfig, http: Http, clock: Callable[[], datetime]
    ) -> None:
        self._channel = channel
        self._config = config
        self._http = http
        self._clock = clock
        self._zone = ZoneInfo(config.timezone)
        self.root = config.url.rstrip("/") + "/"

    def now(self) -> datetime:
        """The time, as the clock tells it."""
        return self._clock()

    async def rss(self, fid: int) -> tuple[int, ...]:
        """Threads in the board's RSS, newest first; none when it is empty, late, switched off or refused:
        the list will tell which."""
        payload = await self._get(f"forum.php?mod=rss&fid={fid}")
        try:
            return pages.rss(self._text(payload), self._channel)
        except RefusedError:
            return ()

    async def listing(self, fid: int, page: int) -> Listing:
        """One page of the board's list: by last reply, or by start where replies are not heard."""
        order = "filter=lastpost&orderby=lastpost"
        if not self._config.replies:
            order = "filter=author&orderby=dateline"
        path = f"forum.php?mod=forumdisplay&fid={fid}&{order}&page={page}"
        if self._config.json_api:
            path = f"{API}forumdisplay&fid={fid}&{order}&page={page}"
        payload = await self._get(path)
        try:
            listing = self._listing(payload)
        except RefusedError as error:
            _wait_if_temporary(error)
            raise
        if self._config.replies:
            return listing
        rows = tuple(replace(row, stamp=row.created, replies=0) for row in listing.rows)
        return Listing(rows, listing.pages)

    async def thread(self, tid: int, page: int, first: int) -> tuple[Payload, Thread | Refusal]:
        """One page of a thread, oldest post first, or why the site does not show it."""
        path = f"forum.php?mod=viewthread&tid={tid}&page={page}&ordertype=2"
        if self._config.json_api:
            path = f"{API}viewthread&tid={tid}&page={page}&ordertype=2"
        payload = await self._get(path)
        seen: Thread | Refusal
        try:
            seen = self.read(payload)
            first = seen.first or first
        except RefusedError as error:
            _wait_if_temporary(error)
            seen = error.kind
        more = f"&first={first}" if first else ""
        return Payload(payload.body, payload.content_type, payload.url + more), seen

    def read(self, payload: Payload) -> Thread:
        """A thread's page, HTML or JSON. Pure. Raises RefusedError."""
        text = self._text(payload)
        if text.lstrip()[:1] in {"{", "["}:
            return mobile.thread(text, self._channel)
        where = Where.of(payload.url)
        return pages.thread(
            text, self._channel, address=where.address or self.root, zone=self._zone, now=where.now
        )

    def _text(self, payload: Payload) -> str:
        return decode(payload.body, payload.content_type, encoding=self._config.encoding)

    def _listing(self, payload: Payload) -> Listing:
        text = self._text(payload)
        if self._config.json_api:
            return mobile.listing(text, self._channel)
        now = Where.of(payload.url).now
        return pages.listing(text, self._channel, zone=self._zone, now=now)

    async def _get(self, path: str) -> Payload:
        now = self._clock()
        url = self.root + path
        answer = await self._http.send(
            "GET", url, headers={"accept": "text/html,application/xml;q=0.9"}, max_bytes=MAX_BODY
        )
        if answer.status not in {OK, NOT_FOUND}:
            self._refuse(answer)
        content_type = answer.headers.get("content-type", "")
        status = f"&status={NOT_FOUND}" if answer.status == NOT_FOUND else ""
        return Payload(answer.body, content_type, f"{url}#at={int(now.timestamp())}{status}")

    def _refuse(self, answer: Answer) -> None:
        msg = f"ingest: {self._channel}: the site answered {answer.status}"
        if answer.status in MOVED:
            msg = f"{msg}, a redirect; set url to the address the site itself uses"
            raise RejectedError(msg, reason="redirect")
        raise TransientError(f"{msg}; it is asked again", retry_after_s=answer.retry_after_s)


def _wait_if_temporary(error: RefusedError) -> None:
    if error.kind in TEMPORARY:
        raise TransientError(str(error)) from error


def _digits(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 11 else 0  # noqa: PLR2004
