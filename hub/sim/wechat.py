"""WeChat's side of an official account, for tests and demonstrations: tokens, media, messages, quotas.

Answers as api.weixin.qq.com does: HTTP 200 always, ``errcode`` for what went wrong. ``fail`` injects errors;
``received`` keeps what the hub sent. The citizen's half, which posts callbacks, is ``wechat_citizen``.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

LASTS = timedelta(seconds=7200)
OVERLAP = timedelta(minutes=5)
FORCE_GAP = timedelta(seconds=30)
FORCES_A_DAY = 20
MEDIA_KEPT = timedelta(days=3)
WINDOW_OPEN = timedelta(hours=48)
QUOTA = 5


@dataclass
class _Fault:
    path: str
    errcode: int
    left: int
    status: int
    delay: float


@dataclass(frozen=True)
class _Media:
    content: bytes
    content_type: str
    at: datetime
    is_video: bool


class WeChatSim:
    """One account. ``clock`` moves windows and lives; times are the simulator's own."""

    def __init__(self, app_id: str, app_secret: str, *, clock: Callable[[], datetime]) -> None:
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.tokens_asked = 0
        self.tokens_given = 0
        self._app_id = app_id
        self._app_secret = app_secret
        self._clock = clock
        self._tokens: dict[str, datetime] = {}
        self._newest = ""
        self.forced: list[datetime] = []
        self._media: dict[str, _Media] = {}
        self._faults: list[_Fault] = []
        self._wrote: dict[str, datetime] = {}
        self._sent: dict[str, int] = defaultdict(int)
        self._templates: set[str] = set()

    def app(self) -> web.Application:
        """The server; mount it with aiohttp."""
        app = web.Application()
        app.add_routes(
            [
                web.post("/cgi-bin/stable_token", self._stable_token),
                web.get("/cgi-bin/media/get", self._get_media),
                web.post("/cgi-bin/message/custom/send", self._send_custom),
                web.post("/cgi-bin/message/template/send", self._send_template),
                web.get("/video/{id}", self._video),
            ]
        )
        return app

    def fail(
        self, path: str, *, errcode: int = 0, times: int = 1, status: int = 200, delay: float = 0.0
    ) -> None:
        """The next ``times`` calls of a path whose name ends so answer this; with neither code nor status
        they are only late by ``delay`` seconds."""
        self._faults.append(_Fault(path, errcode, times, status, delay))

    def wrote(self, openid: str) -> None:
        """A citizen wrote: the 48 hours and the five answers begin anew."""
        self._wrote[openid] = self._clock()
        self._sent[openid] = 0

    def put_media(self, content: bytes, content_type: str) -> str:
        """Keep something for three days; its media id."""
        media_id = secrets.token_urlsafe(32)
        is_video = content_type.startswith("video/")
        self._media[media_id] = _Media(content, content_type, self._clock(), is_video)
        return media_id

    def revoke_tokens(self) -> None:
        """No token given so far is good any more."""
        self._tokens.clear()
        self._newest = ""

    async def _stable_token(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.tokens_asked += 1
        if fault := await self._fault(request):
            return fault
        if body.get("appid") != self._app_id:
            return _error(40013, "invalid appid")
        if body.get("secret") != self._app_secret:
            return _error(40125, "invalid appsecret")
        now = self._clock()
        if body.get("force_refresh"):
            if not self._may_force(now):
                return _error(45009, "reach max api daily quota limit")
            self.forced.append(now)
            self.revoke_tokens()
        ends = self._tokens.get(self._newest)
        if ends is None or ends - now <= OVERLAP:
            self._newest = secrets.token_urlsafe(100)
            self.tokens_given += 1
            self._tokens[self._newest] = ends = now + LASTS
        left = int((ends - now).total_seconds())
        return web.json_response({"access_token": self._newest, "expires_in": left})

    def _may_force(self, now: datetime) -> bool:
        today = [at for at in self.forced if now - at < timedelta(days=1)]
        return len(today) < FORCES_A_DAY and (not today or now - today[-1] >= FORCE_GAP)

    async def _get_media(self, request: web.Request) -> web.Response:
        if refusal := await self._refusal(request):
            return refusal
        media_id = request.query.get("media_id", "")
        found = self._media.get(media_id)
        if found is None or self._clock() - found.at > MEDIA_KEPT:
            return _error(40007, "invalid media_id")
        if found.is_video:
            return web.json_response({"video_url": str(request.url.origin() / "video" / media_id)})
        headers = {
            "Content-Type": found.content_type,
            "Content-disposition": 'attachment; filename="x"',
        }
        return web.Response(body=found.content, headers=headers)

    async def _video(self, request: web.Request) -> web.Response:
        found = self._media[request.match_info["id"]]
        return web.Response(body=found.content, content_type=found.content_type)

    async def _send_custom(self, request: web.Request) -> web.Response:
        body = await self._taken(request)
        if refusal := await self._refusal(request):
            return refusal
        openid = body["touser"]
        last = self._wrote.get(openid)
        if last is None or self._clock() - last > WINDOW_OPEN:
            return _error(45015, "response out of time limit or subscription is canceled")
        if self._sent[openid] >= QUOTA:
            return _error(45047, "out of response count limit")
        self._sent[openid] += 1
        return _error(0, "ok")

    async def _send_template(self, request: web.Request) -> web.Response:
        body = await self._taken(request)
        if refusal := await self._refusal(request):
            return refusal
        message_id = body.get("client_msg_id", "")
        if message_id and message_id in self._templates:
            return _error(0, "ok")
        self._templates.add(message_id)
        return web.json_response({"errcode": 0, "errmsg": "ok", "msgid": len(self._templates)})

    async def _taken(self, request: web.Request) -> dict[str, Any]:
        """The body, noted as it came: escapes stay visible in ``raw``."""
        raw = (await request.read()).decode()
        body: dict[str, Any] = json.loads(raw)
        self.received.append((request.path.removeprefix("/cgi-bin/"), body | {"raw": raw}))
        return body

    async def _refusal(self, request: web.Request) -> web.Response | None:
        if fault := await self._fault(request):
            return fault
        token = request.query.get("access_token", "")
        if not token:
            return _error(41001, "access_token missing")
        ends = self._tokens.get(token)
        if ends is None:
            return _error(40001, "invalid credential, access_token is invalid or not latest")
        return _error(42001, "access_token expired") if self._clock() > ends else None

    async def _fault(self, request: web.Request) -> web.Response | None:
        for fault in self._faults:
            if fault.left and request.path.endswith(fault.path):
                fault.left -= 1
                await asyncio.sleep(fault.delay)
                if fault.status != 200:  # noqa: PLR2004 - what a proxy in between says
                    return web.Response(status=fault.status, text="<html>bad gateway</html>")
                return _error(fault.errcode, "injected") if fault.errcode else None
        return None


def _error(code: int, words: str) -> web.Response:
    """WeChat's shape of an answer; its content type is not always JSON's."""
    body = json.dumps({"errcode": code, "errmsg": words})
    return web.Response(text=body, content_type="text/plain")
