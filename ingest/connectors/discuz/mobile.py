"""The JSON of Discuz!'s mobile plug-in (``api/mobile/index.php``, version 4): the same boards and threads.

Its values are all strings, an empty object comes as ``[]``, messages are HTML escaped once too often, and errors
come with HTTP 200 in ``Message``. Times (``dbdateline``) are absolute.
"""

from __future__ import annotations

import html
import math
from datetime import UTC, datetime
from typing import Any

import msgspec
from selectolax.lexbor import LexborHTMLParser

from ingest.connectors.discuz import pages, words
from ingest.connectors.discuz.shapes import Listing, Post, Refusal, RefusedError, Row, Thread
from ingest.normalize import strip_html
from store.model import MAX_PHOTOS

REFUSALS = (
    ("thread_nonexistence", Refusal.GONE),
    ("forum_nonexistence", Refusal.NO_BOARD),
    ("bbs_closed", Refusal.CLOSED),
    ("nopermission", Refusal.DENIED),
    ("noperm", Refusal.DENIED),
    ("login", Refusal.DENIED),
)
"""What ``messageval`` holds and what it means."""

MAX_PAGES = 10_000


def listing(text: str, channel: str) -> Listing:
    """One page of ``module=forumdisplay``."""
    variables = _variables(text, channel)
    found = variables.get("forum_threadlist")
    if found is None:
        raise RefusedError(channel, Refusal.LAYOUT)
    rows = tuple(row for raw in _rows(found) if (row := _row(raw)))
    forum = _mapping(variables.get("forum"))
    threads = forum.get("threadcount") or forum.get("threads")
    return Listing(rows, _pages(threads, 0, _int(variables.get("tpp")) or 20))


def thread(text: str, channel: str) -> Thread:
    """One page of ``module=viewthread``."""
    variables = _variables(text, channel)
    about = _mapping(variables.get("thread"))
    found = variables.get("postlist")
    if found is None or not about:
        raise RefusedError(channel, Refusal.LAYOUT)
    posts = sorted(_rows(found), key=lambda raw: _int(raw.get("position")))
    replies = about.get("allreplies", about.get("replies"))
    starts = any(_int(raw.get("first")) for raw in posts)
    return Thread(
        tid=_int(about.get("tid")),
        title=strip_html(str(about.get("subject", ""))).strip()[:500],
        page=1 if starts else 2,
        pages=_pages(replies, 1, _int(variables.get("ppp")) or 10),
        posts=tuple(_post(raw) for raw in posts if _int(raw.get("pid"))),
    )


def _variables(text: str, channel: str) -> dict[str, Any]:
    try:
        whole = _mapping(msgspec.json.decode(text))
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise RefusedError(channel, Refusal.LAYOUT) from error
    told = str(_mapping(whole.get("Message")).get("messageval", ""))
    if told:
        raise RefusedError(
            channel, next((kind for part, kind in REFUSALS if part in told), Refusal.OTHER)
        )
    return _mapping(whole.get("Variables"))


def _row(raw: dict[str, Any]) -> Row | None:
    tid = _int(raw.get("tid"))
    if not tid:
        return None
    return Row(
        tid=tid,
        sticky=_int(raw.get("displayorder")) > 0,
        stamp=_int(raw.get("dblastpost")) // 60 or None,
        created=_int(raw.get("dbdateline")) // 60 or None,
        replies=_int(raw.get("replies")),
    )


def _post(raw: dict[str, Any]) -> Post:
    pid = _int(raw.get("pid"))
    message = html.unescape(str(raw.get("message", "")))
    if message.count("<") > pages.MAX_TAGS:
        return Post(pid, broken="the post is too deep to be read", raw=message[:100_000])
    tree = LexborHTMLParser(f"<div>{message}</div>")
    author = _int(raw.get("authorid"))
    root = tree.root
    if root is None:
        return Post(pid, broken="the post has no message", raw=message[:100_000])
    hidden = words.blocked(root)
    attached = _attached(raw)
    return Post(
        pid,
        author=str(author) if author else "",
        posted_at=_time(_int(raw.get("dbdateline"))),
        photos=attached or words.photos(root, ""),
        text=words.text(root),
        blocked=hidden,
    )


def _attached(raw: dict[str, Any]) -> tuple[str, ...]:
    found = [
        f"{entry.get('url', '')}{entry.get('attachment', '')}"
        for entry in _rows(raw.get("attachments"))
        if _int(entry.get("isimage"))
    ]
    return tuple(a for a in found if a.startswith(("http://", "https://")))[:MAX_PHOTOS]


def _time(epoch: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(epoch, UTC) if epoch else None
    except (ValueError, OverflowError, OSError):
        return None


def _pages(count: Any, more: int, size: int) -> int:
    """How many pages; where the site does not count, as many as it has until they repeat."""
    if count is None or count == "":
        return MAX_PAGES
    return min(MAX_PAGES, max(1, math.ceil((_int(count) + more) / size)))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _rows(value: Any) -> list[dict[str, Any]]:
    """PHP's arrays are lists or objects by turns."""
    rows = list(value.values()) if isinstance(value, dict) else value
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _int(value: Any) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else 0  # noqa: PLR2004
