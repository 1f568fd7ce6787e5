"""Posts and comments of the simulated Weibo, in the JSON of its interface."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

SHORT = 140
ZONE = ZoneInfo("Asia/Shanghai")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass
class SimPost:
    """``passed_on`` is the post it passes on, ``orphaned`` when that one's author is gone. ``hidden`` keeps it out of
    the mentions until it is approved, ``searched`` for good: it names us in no way but by its words."""

    number: int
    uid: int
    author: str
    text: str
    at: datetime
    pictures: tuple[str, ...] = ()
    geo: tuple[float, float] | None = None
    passed_on: SimPost | None = None
    orphaned: bool = False
    hidden: bool = False
    searched: bool = False


@dataclass
class SimComment:
    """``mention`` when it is under somebody else's post and names us; ``answers`` is the comment it replies to."""

    number: int
    uid: int
    author: str
    text: str
    at: datetime
    post: int
    mention: bool = False
    answers: int = 0


def show_post(post: SimPost, root: str, *, whole: bool = False) -> dict[str, Any]:
    """One post; in lists long texts are cut."""
    is_long = len(post.text) > SHORT
    text = post.text if whole or not is_long else post.text[:SHORT] + "… 全文"
    pictures = [f"{root}/pic/thumbnail/{name}" for name in post.pictures]
    shown = _common(post, text)
    shown.update(
        truncated=False, isLongText=is_long, pic_urls=[{"thumbnail_pic": url} for url in pictures],
        in_reply_to_status_id="", reposts_count=0, comments_count=0, attitudes_count=0,
        geo={"type": "Point", "coordinates": list(post.geo)} if post.geo else None,
    )  # fmt: skip
    if pictures:
        shown["original_pic"] = pictures[0].replace("thumbnail", "large")
        shown["bmiddle_pic"] = pictures[0].replace("thumbnail", "bmiddle")
    if post.orphaned:
        notice = "抱歉，此微博已被作者删除。"
        shown["retweeted_status"] = {
            "id": post.number - 3, "idstr": str(post.number - 3), "text": notice, "user": None,
        }  # fmt: skip
    elif post.passed_on:
        shown["retweeted_status"] = show_post(post.passed_on, root)
    return shown


def show_comment(
    comment: SimComment, post: SimPost | None, answered: SimComment | None, root: str
) -> dict[str, Any]:
    """One comment, with the post and the comment it is about."""
    shown = _common(comment, comment.text)
    shown["status"] = show_post(post, root) if post else None
    if answered:
        shown["reply_comment"] = _common(answered, answered.text)
    return shown


def _common(one: SimPost | SimComment, text: str) -> dict[str, Any]:
    user = {"id": one.uid, "idstr": str(one.uid), "screen_name": one.author, "verified": False}
    return {
        "created_at": _time(one.at), "id": one.number, "idstr": str(one.number), "mid": str(one.number),
        "text": text, "source": '<a href="http://app.example.invalid/">微博网页版</a>', "user": user,
    }  # fmt: skip


def _time(at: datetime) -> str:
    local = at.astimezone(ZONE)
    day, month = DAYS[local.weekday()], MONTHS[local.month - 1]
    return f"{day} {month} {local:%d %H:%M:%S} +0800 {local.year}"
