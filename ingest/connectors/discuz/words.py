"""The words and pictures of one post, without what the forum put between them.

Removed: scripts, "last edited by", quotes of other posts, notices of hidden content, smilies, captions
of attachments, and the noise some boards mix in against copying (``font.jammer``, invisible spans).
"""

from __future__ import annotations

from urllib.parse import urljoin

from selectolax.lexbor import LexborNode

from ingest.normalize import clean
from store.model import MAX_PHOTOS, MAX_TEXT

NOISE = (
    "script, style, i.pstatus, font.jammer, div.quote, blockquote, div.locked, div.tip, div.aimg_tip, "
    "div.attach_nopermission, div.modact, span[id^=attach_], dl.tattl"
)
BREAKS = "br, p, div, li, tr, h1, h2, h3, hr"
PICTURES = "img[id^=aimg_]"
BLOCKED = "屏蔽"
_ADDRESSES = ("zoomfile", "file", "src")
_PLACEHOLDERS = ("static/image/", "/none.gif")


def blocked(node: LexborNode) -> bool:
    """True when a moderator took the words away and left a notice ("该帖被管理员或版主屏蔽")."""
    return any(BLOCKED in notice.text() for notice in node.css("div.locked"))


def photos(node: LexborNode, base: str) -> tuple[str, ...]:
    """Absolute addresses of the citizen's pictures, each once, the first ``MAX_PHOTOS``."""
    found: dict[str, None] = {}
    for image in node.css(PICTURES):
        given = (image.attributes.get(name) or "" for name in _ADDRESSES)
        shown = next((a for a in given if a and not any(p in a for p in _PLACEHOLDERS)), "")
        if shown and (address := _absolute(base, shown)):
            found[address] = None
    return tuple(found)[:MAX_PHOTOS]


def text(node: LexborNode) -> str:
    """The citizen's own words. Takes the noise out of ``node`` itself, inner parts before outer ones."""
    for part in reversed(node.css(NOISE)):
        part.decompose()
    for part in reversed(_invisible(node)):
        part.decompose()
    for part in node.css(BREAKS):
        part.insert_after("\n")
    return clean(node.text())[:MAX_TEXT]


def _invisible(node: LexborNode) -> list[LexborNode]:
    return [
        part
        for part in node.css("[style]")
        if "display:none" in (part.attributes.get("style") or "").replace(" ", "").lower()
    ]


def _absolute(base: str, address: str) -> str:
    try:
        whole = urljoin(base, address)
    except ValueError:
        return ""
    return whole if whole.startswith(("http://", "https://")) else ""
