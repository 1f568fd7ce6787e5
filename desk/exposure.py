"""Register what a broadcast or a paper exposed (媒体曝光): programme, time, words, place and link.

The same programme, time and words again is the same item, so a doubled click is harmless.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from desk.accounts import User
from desk.pages import Pages
from desk.registering import Registering
from ingest.admit import Admission
from ingest.normalize import clean
from store.errors import RejectedError
from store.model import Item, Place
from store.vault import sha256_hex

CHANNEL = "news"
NAMES = {
    "title": "标题", "text": "曝光内容", "author": "媒体与栏目", "url": "链接", "address": "地点", "place": "地点",
}  # fmt: skip
"""Field of an item → what the form calls it."""

REFUSED = {"oversize": "曝光内容超过一万字，请分几次登记"}
FIELDS = ("programme", "aired", "title", "text", "address", "url")


def exposure_form(pages: Pages, admission: Admission, zone: ZoneInfo) -> Registering:
    """The form, for dispatchers."""
    return Registering(
        pages,
        admission,
        path="/desk/exposure",
        template="exposure.html",
        fields=FIELDS,
        allowed=User.may_dispatch,
        item=lambda form: exposure_item(form, zone),
        refused=REFUSED,
    )


def exposure_item(form: Mapping[str, str], zone: ZoneInfo) -> Item:
    """The item a form describes; RejectedError says in Chinese which field to correct."""
    if not clean(form["programme"]) or not clean(form["text"]):
        msg = "请填写媒体与栏目、曝光内容"
        raise RejectedError(msg, reason="form")
    try:
        aired = datetime.fromisoformat(form["aired"])
        aired = aired if aired.tzinfo else aired.replace(tzinfo=zone)
    except ValueError as error:
        msg = "播出或刊发时间无法识别，请重新选择"
        raise RejectedError(msg, reason="form") from error
    if form["url"] and not form["url"].startswith(("http://", "https://")):
        msg = "链接应以 http:// 或 https:// 开头"
        raise RejectedError(msg, reason="form")
    key = sha256_hex("|".join((form["programme"], aired.isoformat(), form["text"])).encode())
    try:
        return Item(
            channel=CHANNEL,
            channel_id=f"exposure:{key[:32]}",
            text=form["text"],
            title=f"{form['programme']}：{form['title']}".rstrip("：")[:500],
            author=form["programme"][:200],
            posted_at=aired,
            place=Place(address=form["address"]),
            url=form["url"],
        )
    except ValidationError as error:
        names = [NAMES.get(str(one["loc"][0]), "") for one in error.errors()]
        msg = f"{'、'.join(filter(None, names)) or '内容'}过长或含有无法保存的字符，请改正"
        raise RejectedError(msg, reason="form") from error
