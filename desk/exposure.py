"""Register what a broadcast or a paper exposed (媒体曝光): programme, time, words, place and link.

The same programme, time and words again is the same item, so a doubled click is harmless.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import ValidationError

from desk.accounts import User
from desk.pages import Pages, require
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
OTHER = "内容无法登记，请检查后重试"
FIELDS = ("programme", "aired", "title", "text", "address", "url")


class Exposure:
    """A form for dispatchers."""

    def __init__(self, pages: Pages, admission: Admission, *, zone: ZoneInfo) -> None:
        self._pages = pages
        self._admission = admission
        self._zone = zone

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/desk/exposure", self._form), web.post("/desk/exposure", self._register)]

    async def _form(self, request: web.Request) -> web.Response:
        require(request, User.may_dispatch)
        return self._show(request, dict.fromkeys(FIELDS, ""))

    async def _register(self, request: web.Request) -> web.Response:
        require(request, User.may_dispatch)
        posted = await request.post()
        form = {name: str(posted.get(name, "")).strip() for name in FIELDS}
        try:
            item = exposure_item(form, self._zone)
            heard = (await self._admission.admit([item]))[0]
        except RejectedError as error:
            said = str(error) if error.reason == "form" else REFUSED.get(error.reason, OTHER)
            return self._show(request, form, error=said, status=422)
        receipt = self._admission.receipt(heard.item_id, item)
        return self._show(request, dict.fromkeys(FIELDS, ""), done=receipt)

    def _show(
        self,
        request: web.Request,
        form: Mapping[str, str],
        *,
        error: str = "",
        done: str = "",
        status: int = 200,
    ) -> web.Response:
        return self._pages.render(
            "exposure.html", request, status=status, form=form, error=error, done=done
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
