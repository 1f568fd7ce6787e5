"""The HTML of Discuz! X (seen on X3.5, the same since X2): boards, threads, messages, RSS.

Pure: a page's text in, what it holds out. Where a site's template differs, ``SELECT`` is what to change. A page
that is neither content nor a known message raises RefusedError with reason ``layout``.
"""

from __future__ import annotations

import html
import re
from datetime import datetime
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ingest.connectors.discuz import times, words
from ingest.connectors.discuz.shapes import (
    Listing,
    Post,
    Refusal,
    RefusedError,
    Row,
    Thread,
    meaning,
)

SELECT = {
    "message": "#messagetext",
    "row": "tbody[id^=normalthread_], tbody[id^=stickthread_]",
    "by": "td.by",
    "stamp": "em",
    "exact": "span[title]",
    "replies": "td.num a",
    "pager": "div.pg",
    "page": "div.pg strong",
    "subject": "#thread_subject",
    "canonical": "link[rel=canonical]",
    "base": "base[href]",
    "post": "div[id^=post_]",
    "author": "div.authi a[href], div.pi a[href]",
}
NO_THREADS = "尚无主题"
MAX_TAGS = 30_000
"""Tags in one page; the parser is quadratic in the depth of nesting, and real pages have a tenth of it."""

_TID = re.compile(r"[?&]tid=(\d{1,10})\b|\bthread-(\d{1,10})-|\btid-(\d{1,10})\b")
_UID = re.compile(r"[?&]uid=(\d{1,10})\b|\bspace-uid-(\d{1,10})\b")
_OWN_TID = re.compile(r"\btid\s*=\s*parseInt\('(\d{1,10})'\)")
_POST_ID = re.compile(r"post_(\d{1,12})")
_ROW_ID = re.compile(r"(normal|stick)thread_(\d{1,10})")
_NUMBERS = re.compile(r"\d{1,6}")
_LINKS = re.compile(r"<link>\s*(?:<!\[CDATA\[)?\s*([^<\]]{1,500})")


def tid_of(address: str) -> int:
    """The thread an address names, plain or rewritten (``thread-12-1-1.html``); 0 when none."""
    found = _TID.search(html.unescape(html.unescape(address)))
    return int(found[1] or found[2] or found[3]) if found else 0


def rss(text: str, channel: str) -> tuple[int, ...]:
    """The threads a board's RSS links to; RefusedError when it is a message instead.

    None at all means nothing: the first request after its cache expired is answered with an empty feed.
    """
    if not text.lstrip().startswith(("<?xml", "<rss")):
        raise RefusedError(channel, _refusal(text))
    tids = dict.fromkeys(tid_of(link) for link in _LINKS.findall(text))
    return tuple(tid for tid in tids if tid)


def listing(text: str, channel: str, *, zone: ZoneInfo, now: datetime | None) -> Listing:
    """One page of a board's list."""
    tree = _tree(text, channel)
    nodes = tree.css(SELECT["row"])
    if not nodes and (tree.css_first(SELECT["message"]) or NO_THREADS not in text):
        raise RefusedError(channel, _shown(tree, text))
    rows = (_row(node, zone, now) for node in nodes)
    return Listing(tuple(row for row in rows if row), _pages(tree))


def thread(
    text: str, channel: str, *, address: str, zone: ZoneInfo, now: datetime | None
) -> Thread:
    """One page of a thread; ``address`` is where it was found."""
    tree = _tree(text, channel)
    nodes = [n for n in tree.css(SELECT["post"]) if _POST_ID.fullmatch(n.id or "")]
    if not nodes:
        raise RefusedError(channel, _shown(tree, text))
    base = _base(tree, address)
    subject = tree.css_first(SELECT["subject"])
    current = tree.css_first(SELECT["page"])
    return Thread(
        tid=tid_of(address) or _own_tid(tree, text),
        title=subject.text().strip()[:500] if subject else "",
        page=_number(current.text()) or 1 if current else 1,
        pages=_pages(tree),
        posts=tuple(_post(node, base, zone, now) for node in nodes),
    )


def _tree(text: str, channel: str) -> LexborHTMLParser:
    if text.count("<") > MAX_TAGS:
        raise RefusedError(channel, Refusal.LAYOUT)
    return LexborHTMLParser(text)


def _refusal(text: str) -> Refusal:
    return _shown(LexborHTMLParser(text[:200_000]), text) if "<" in text else _bare(text)


def _shown(tree: LexborHTMLParser, text: str) -> Refusal:
    message = tree.css_first(SELECT["message"])
    return meaning(message.text()) if message else _bare(text)


def _bare(text: str) -> Refusal:
    """Some errors come without any page around them ("RSS Disabled", the database's own page)."""
    kind = meaning(text[:2_000])
    bare = {Refusal.NO_BOARD, Refusal.RSS_OFF, Refusal.BUSY}
    return kind if kind in bare else Refusal.LAYOUT


def _row(node: LexborNode, zone: ZoneInfo, now: datetime | None) -> Row | None:
    named = _ROW_ID.fullmatch(node.id or "")
    if not named:
        return None
    by = node.css(SELECT["by"])
    replies = node.css_first(SELECT["replies"])
    return Row(
        tid=int(named[2]),
        sticky=named[1] == "stick",
        stamp=_stamp(by[-1], zone, now) if by else None,
        created=_stamp(by[0], zone, now) if by else None,
        replies=_number(replies.text()) if replies else 0,
    )


def _stamp(cell: LexborNode, zone: ZoneInfo, now: datetime | None) -> int | None:
    node = cell.css_first(SELECT["stamp"])
    moment = _moment(node, zone, now) if node else None
    return times.minute(moment.at) if moment and moment.exact else None


def _post(node: LexborNode, base: str, zone: ZoneInfo, now: datetime | None) -> Post:
    pid = int((node.id or "").removeprefix("post_"))
    message = node.css_first(f"#postmessage_{pid}")
    hidden = words.blocked(node)
    if not message and not hidden:
        return Post(pid, broken="the post has no message", raw=(node.html or "")[:100_000])
    posted = node.css_first(f"#authorposton{pid}")
    moment = _moment(posted, zone, now) if posted else None
    return Post(
        pid,
        author=_author(node),
        posted_at=moment.at if moment else None,
        photos=words.photos(node, base),
        text=words.text(message) if message else "",
        blocked=hidden,
    )


def _author(node: LexborNode) -> str:
    for link in node.css(SELECT["author"]):
        found = _UID.search(link.attributes.get("href") or "")
        if found:
            return found[1] or found[2]
    return ""


def _moment(node: LexborNode, zone: ZoneInfo, now: datetime | None) -> times.Moment | None:
    exact = node.css_first(SELECT["exact"])
    title = (exact.attributes.get("title") or "") if exact else ""
    return times.read(title, zone=zone, now=now) or times.read(node.text(), zone=zone, now=now)


def _pages(tree: LexborHTMLParser) -> int:
    """The greatest number in the pager: "... 12", "共 12 页"; 1 without a pager."""
    pager = tree.css_first(SELECT["pager"])
    numbers = _NUMBERS.findall(pager.text(separator=" ")) if pager else []
    return max([1, *map(int, numbers)])


def _number(text: str) -> int:
    found = _NUMBERS.search(text)
    return int(found[0]) if found else 0


def _base(tree: LexborHTMLParser, address: str) -> str:
    base = tree.css_first(SELECT["base"])
    try:
        return urljoin(address, (base.attributes.get("href") or "") if base else "")
    except ValueError:
        return address


def _own_tid(tree: LexborHTMLParser, text: str) -> int:
    canonical = tree.css_first(SELECT["canonical"])
    named = tid_of(canonical.attributes.get("href") or "") if canonical else 0
    if named:
        return named
    found = _OWN_TID.search(text)
    return int(found[1]) if found else 0
