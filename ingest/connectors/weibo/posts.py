"""Posts and comments as Weibo's JSON holds them, read into items. Pure; every field may be missing or of another type.

Source: open.weibo.com/wiki/2/statuses/mentions, …/comments/to_me. Ids are 64-bit and may come as numbers or strings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

from store.model import MAX_PHOTOS, CoordType, Item, Place

MONTHS = {name: n for n, name in enumerate(
    ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
)}  # fmt: skip
"""Fixed: names of the machine's own language are not what Weibo sends."""

DATE = re.compile(
    r"\s*[A-Za-z]{3} ([A-Za-z]{3}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d) (\d{4})\s*",
    re.ASCII,
)
ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
SIZE = re.compile(r"(sinaimg\.cn|/pic)/(?:thumbnail|thumb\d+|bmiddle|square|orj\d+|mw\d+|wap\d+)/")
DELETED, COMMENT_DELETED = "（原微博已删除）", "（原评论已删除）"
TITLE = 40
MAX_ID = 2**63


def id_of(post: dict[str, Any]) -> int:
    """The post's own number, 0 when it has none that can be trusted (a rounded float is none)."""
    return next((n for n in map(_number, map(post.get, ("idstr", "id", "mid"))) if n), 0)


def is_deleted(post: dict[str, Any]) -> bool:
    """True for the stub Weibo lists in place of a post its author deleted."""
    return str(post.get("deleted", "0")) in {"1", "True"}


def author_of(post: dict[str, Any]) -> str:
    """Number of who wrote it; empty when the account is gone."""
    uid = id_of(dict_of(post, "user"))
    return str(uid) if uid else ""


def status_item(channel: str, post: dict[str, Any], *, photos: bool, geo: CoordType) -> Item:
    """A post. Raises ValueError (pydantic's too) when it can not be one."""
    number, author = id_of(post), author_of(post)
    original = post.get("retweeted_status")
    words = _words(post)
    if isinstance(original, dict):
        words = f"{words}\n{_original(original, DELETED)}"
    mid = _number(post.get("mid")) or number
    return Item(
        channel=channel,
        channel_id=str(number),
        text=words,
        author=author,
        posted_at=time_of(post.get("created_at")),
        url=f"https://weibo.com/{author}/{mid}" if author else "",
        place=_place(post.get("geo"), geo),
        photos=_photos(post) if photos else (),
    )


def comment_item(channel: str, post: dict[str, Any]) -> Item:
    """A comment; its title is the begin of the post it is about. Raises ValueError when it can not be one."""
    status, answered = dict_of(post, "status"), post.get("reply_comment")
    words = _words(post)
    if isinstance(answered, dict):
        words = f"{words}\n{_original(answered, COMMENT_DELETED)}"
    thread, poster = id_of(status), author_of(status)
    return Item(
        channel=channel,
        channel_id=f"c{id_of(post)}",
        text=words,
        title=" ".join(_text(status).split())[:TITLE],
        author=author_of(post),
        posted_at=time_of(post.get("created_at")),
        url=f"https://weibo.com/{poster}/{thread}" if thread and poster else "",
        thread=str(thread) if thread else "",
    )


def time_of(value: object) -> datetime | None:
    """``Tue May 31 17:46:55 +0800 2011`` as an aware time, None when it is none."""
    found = DATE.fullmatch(value) if isinstance(value, str) else None
    month = MONTHS.get(found[1].title()) if found else None
    if not found or not month:
        return None
    day, hour, minute, second, off_hours, off_minutes, year = (
        int(found[n]) for n in (2, 3, 4, 5, 7, 8, 9)
    )
    offset = timedelta(hours=off_hours, minutes=off_minutes) * (-1 if found[6] == "-" else 1)
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=timezone(offset))
    except (ValueError, OverflowError):
        return None


def dict_of(post: dict[str, Any], key: str) -> dict[str, Any]:
    """The object under ``key``, empty when it is anything else."""
    value = post.get(key)
    return value if isinstance(value, dict) else {}


def _number(value: object) -> int:
    if isinstance(value, str):
        return int(value) if ID.fullmatch(value) and int(value) < MAX_ID else 0
    return value if type(value) is int and 0 < value < MAX_ID else 0


def _text(post: dict[str, Any]) -> str:
    """The words, less halves of emoji that were cut."""
    value = post.get("text")
    return value.encode("utf-8", "ignore").decode().strip() if isinstance(value, str) else ""


def _words(post: dict[str, Any]) -> str:
    words = _text(post)
    if not words:
        msg = "no text"
        raise ValueError(msg)
    return words


def _original(post: dict[str, Any], gone: str) -> str:
    """What was passed on or answered; when its author is gone Weibo leaves a notice in place of the words."""
    user = post.get("user")
    if not isinstance(user, dict) or is_deleted(post):
        return gone
    name = user.get("screen_name")
    name = name.encode("utf-8", "ignore").decode() if isinstance(name, str) else ""
    return f"//@{name}: {_text(post)}"


def _photos(post: dict[str, Any]) -> tuple[str, ...]:
    """Addresses of the large pictures, the post's own first, then those of what it passes on."""
    found = [*_pictures(post), *_pictures(dict_of(post, "retweeted_status"))]
    return tuple(dict.fromkeys(found))[:MAX_PHOTOS]


def _pictures(post: dict[str, Any]) -> Iterator[str]:
    """The first picture is told twice, in ``pic_urls`` and as ``original_pic``."""
    several = post.get("pic_urls")
    listed = several if isinstance(several, list) else []
    small = [one.get("thumbnail_pic") for one in listed if isinstance(one, dict)]
    for url in [*small, post.get("original_pic")]:
        if isinstance(url, str) and (large := _large(url)):
            yield large


def _large(url: str) -> str:
    if len(url) > 1000 or not url.isprintable() or not url.startswith(("http://", "https://")):  # noqa: PLR2004
        return ""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    if host.endswith(".sinaimg.cn"):
        url = "https://" + url.partition("://")[2]
    return SIZE.sub(r"\1/large/", url, count=1) if host else ""


def _place(geo: object, datum: CoordType) -> Place:
    """``coordinates`` is latitude, longitude; what is out of range is left out."""
    pair = geo.get("coordinates") if isinstance(geo, dict) else None
    if not isinstance(pair, list) or len(pair) != 2:  # noqa: PLR2004
        return Place()
    lat, lon = pair
    if not all(type(value) in {int, float} for value in pair) or not any(pair):
        return Place()
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):  # noqa: PLR2004
        return Place()
    return Place(lat=lat, lon=lon, coord_type=datum)
