"""WeChat as an official account meets it: the server API, and citizens whose messages are called back.

The API half answers as api.weixin.qq.com does, always with HTTP 200 and an ``errcode`` when something is wrong: stable
access tokens, media that expire, customer messages within 48 hours and five a message, templates. The other half
speaks for citizens: it signs, encrypts and repeats callbacks as WeChat does, and hands back the reply they would read.
Source: developers.weixin.qq.com, as summed up in ``ingest/connectors/wechat``.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientSession, ClientTimeout, web
from defusedxml import ElementTree  # type: ignore[import-untyped]

from hub.sim.picture import picture
from ingest.connectors.wechat.crypto import Cipher, signature

WINDOW = timedelta(hours=48)
QUOTA = 5
MEDIA_LIVES = timedelta(days=3)
TOKEN_LIVES = timedelta(hours=2)
FORCE_GAP = timedelta(seconds=30)
TRIES = 3
PATIENCE_S = 5.0
WORDS = {
    40001: "invalid credential", 40007: "invalid media_id", 40013: "invalid appid",
    45009: "reach max api daily quota limit", 45047: "out of response count limit",
    45015: "response out of time limit or subscription is canceled",
}  # fmt: skip


@dataclass
class _Fault:
    path: str
    errcode: int
    status: int
    left: int


@dataclass
class _Media:
    content: bytes
    content_type: str
    at: datetime


@dataclass
class WeChatSim:
    """One account. ``sent`` holds customer and template messages as they came; ``asked`` every path called."""

    clock: Callable[[], datetime]
    app_id: str
    secret: str
    sent: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    _token: str = ""
    _token_until: datetime | None = None
    _forced_at: datetime | None = None
    _media: dict[str, _Media] = field(default_factory=dict)
    _wrote_at: dict[str, datetime] = field(default_factory=dict)
    _left: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    _faults: list[_Fault] = field(default_factory=list)
    url: str = ""

    def app(self) -> web.Application:
        """The server's application."""
        application = web.Application()
        application.add_routes(
            [
                web.post("/cgi-bin/stable_token", self._stable_token),
                web.get("/cgi-bin/media/get", self._get_media),
                web.get("/video/{id}", self._video),
                web.post("/cgi-bin/message/custom/send", self._custom),
                web.post("/cgi-bin/message/template/send", self._template),
            ]
        )
        return application

    def fail(self, path: str, *, errcode: int = 0, status: int = 200, times: int = 1) -> None:
        """Answer the next ``times`` calls of ``path`` with an error."""
        self._faults.append(_Fault(path, errcode, status, times))

    def upload(self, content: bytes = b"", content_type: str = "image/jpeg") -> str:
        """Media a citizen sent; its id. Without content a small picture."""
        media_id = f"media_{len(self._media) + 1}"
        self._media[media_id] = _Media(content or picture(), content_type, self.clock())
        return media_id

    def wrote(self, openid: str) -> None:
        """A citizen's message opens the window of customer messages."""
        self._wrote_at[openid] = self.clock()
        self._left[openid] = QUOTA

    def _fault(self, request: web.Request) -> web.Response | None:
        self.asked.append(request.path)
        for fault in self._faults:
            if fault.left and fault.path in request.path:
                fault.left -= 1
                return _error(fault.errcode, fault.status)
        return None

    def _is_authorised(self, request: web.Request) -> bool:
        good = self._token_until is not None and self.clock() < self._token_until
        return good and request.query.get("access_token") == self._token

    async def _stable_token(self, request: web.Request) -> web.Response:
        if (broken := self._fault(request)) is not None:
            return broken
        asked = await request.json()
        if asked.get("appid") != self.app_id or asked.get("secret") != self.secret:
            return _error(40013)
        now = self.clock()
        if asked.get("force_refresh"):
            if self._forced_at is not None and now - self._forced_at < FORCE_GAP:
                return _error(45009)
            self._forced_at, self._token = now, ""
        if not self._token or self._token_until is None or now >= self._token_until:
            self._token = secrets.token_hex(64)
            self._token_until = now + TOKEN_LIVES
        left = int((self._token_until - now).total_seconds())
        return web.json_response({"access_token": self._token, "expires_in": left})

    async def _get_media(self, request: web.Request) -> web.Response:
        if (broken := self._fault(request)) is not None:
            return broken
        if not self._is_authorised(request):
            return _error(40001)
        media_id = request.query.get("media_id", "")
        media = self._media.get(media_id)
        if media is None or self.clock() - media.at >= MEDIA_LIVES:
            return _error(40007)
        if media.content_type.startswith("video/"):
            return web.json_response({"video_url": f"{request.url.origin()}/video/{media_id}"})
        headers = {"Content-Disposition": f'attachment; filename="{media_id}"'}
        return web.Response(body=media.content, content_type=media.content_type, headers=headers)

    async def _video(self, request: web.Request) -> web.Response:
        media = self._media[request.match_info["id"]]
        return web.Response(body=media.content, content_type=media.content_type)

    async def _custom(self, request: web.Request) -> web.Response:
        if (broken := self._fault(request)) is not None:
            return broken
        if not self._is_authorised(request):
            return _error(40001)
        said = await request.json()
        openid = str(said.get("touser", ""))
        wrote_at = self._wrote_at.get(openid)
        if wrote_at is None or self.clock() - wrote_at > WINDOW:
            return _error(45015)
        if not self._left[openid]:
            return _error(45047)
        self._left[openid] -= 1
        self.sent.append(said)
        return _error(0)

    async def _template(self, request: web.Request) -> web.Response:
        if (broken := self._fault(request)) is not None:
            return broken
        if not self._is_authorised(request):
            return _error(40001)
        said = await request.json()
        if any(one.get("client_msg_id") == said.get("client_msg_id", "-") for one in self.sent):
            return _error(0)
        self.sent.append(said)
        return _error(0)


class Citizen:
    """Writes to the account as one person; ``say`` gives back the reply, None when there was none."""

    def __init__(
        self, sim: WeChatSim, callback: str, *, token: str, openid: str, aes_key: str = ""
    ) -> None:
        self._sim = sim
        self._callback = callback
        self._token = token
        self._cipher = Cipher("sim", sim.app_id, aes_key, "") if aes_key else None
        self.openid = openid
        self._number = secrets.randbelow(10**15)

    async def say(self, text: str) -> str | None:
        """A text message."""
        return await self.send(MsgType="text", Content=text)

    async def show(self, media_id: str, kind: str = "image") -> str | None:
        """A picture, voice or video."""
        return await self.send(MsgType=kind, MediaId=media_id)

    async def point(self, lat: float, lon: float, label: str) -> str | None:
        """A location."""
        return await self.send(
            MsgType="location", Location_X=lat, Location_Y=lon, Scale=15, Label=label
        )

    async def send(self, **fields: object) -> str | None:
        """One callback with these fields, tried three times as WeChat does."""
        self._number += 1
        number = {} if fields["MsgType"] == "event" else {"MsgId": self._number}
        self._sim.wrote(self.openid)
        xml = self._xml({**fields, **number})
        async with ClientSession(timeout=ClientTimeout(PATIENCE_S)) as session:
            for _ in range(TRIES):
                query, body = self._signed(xml)
                try:
                    async with session.post(f"{self._callback}?{query}", data=body) as answer:
                        if answer.status == 200:  # noqa: PLR2004
                            return self._reply(await answer.read())
                except (TimeoutError, OSError):
                    await asyncio.sleep(0)
        return None

    def _xml(self, fields: dict[str, object]) -> bytes:
        base = {
            "ToUserName": "gh_account",
            "FromUserName": self.openid,
            "CreateTime": int(self._sim.clock().timestamp()),
        }
        inner = "".join(
            f"<{name}>{value}</{name}>"
            if isinstance(value, int | float)
            else f"<{name}><![CDATA[{value}]]></{name}>"
            for name, value in {**base, **fields}.items()
        )
        return f"<xml>{inner}</xml>".encode()

    def _signed(self, xml: bytes) -> tuple[str, bytes]:
        stamp, nonce = str(int(self._sim.clock().timestamp())), secrets.token_hex(6)
        query = {"timestamp": stamp, "nonce": nonce, "openid": self.openid}
        query["signature"] = signature(self._token, stamp, nonce)
        if self._cipher is None:
            return urlencode(query), xml
        sealed = self._cipher.seal(xml, 0)
        query |= {
            "encrypt_type": "aes",
            "msg_signature": signature(self._token, stamp, nonce, sealed),
        }
        body = (
            f"<xml><ToUserName>gh_account</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
        )
        return urlencode(query), body.encode()

    def _reply(self, body: bytes) -> str | None:
        if not body.startswith(b"<xml>"):
            return None
        root = ElementTree.fromstring(body.decode())
        sealed = root.findtext("Encrypt")
        if sealed and self._cipher is not None:
            root = ElementTree.fromstring(self._cipher.open(sealed)[0].decode())
        return str(root.findtext("Content"))


def _error(code: int, status: int = 200) -> web.Response:
    said = {"errcode": code, "errmsg": WORDS.get(code, "ok" if not code else "error")}
    return web.json_response(said, status=status)
