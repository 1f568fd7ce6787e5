"""Calls to WeChat's server API: access token, media, customer messages, template messages.

Source: developers.weixin.qq.com, "Stable access token", "Get temporary media", "Customer service messages",
"Template messages". Every answer is HTTP 200; ``errcode`` tells what went wrong. One access token is shared
by all calls, asked for by one at a time, and renewed once when WeChat says that it is no longer good.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from ingest.connectors.wechat.config import WeChatConfig
from ingest.connectors.wechat.errors import TOKEN, explain
from ingest.media import MAX_BYTES
from store.errors import RejectedError, TransientError
from store.ports import Answer, Http

OK = 200
MARGIN = timedelta(seconds=60)
"""A token is left this long before its end; a replaced one is good for 5 minutes more."""

FORCE_GAP = timedelta(seconds=30)
FORCES_A_DAY = 20


class Api:
    """The calls one account may make. Secrets and tokens are in no message."""

    def __init__(
        self, channel: str, config: WeChatConfig, http: Http, clock: Callable[[], datetime]
    ) -> None:
        self._channel = channel
        self._config = config
        self._http = http
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token = ""
        self._good_until = datetime.min.replace(tzinfo=UTC)
        self._forced: list[datetime] = []

    async def send_text(self, openid: str, text: str) -> None:
        """A customer message. Raises RejectedError with reason ``window`` or ``quota`` when none may be
        sent now."""
        body = {"touser": openid, "msgtype": "text", "text": {"content": text}}
        await self._post("/cgi-bin/message/custom/send", body)

    async def send_template(self, openid: str, data: Mapping[str, str], message_id: str) -> None:
        """The configured template message; ``message_id`` keeps WeChat from sending it twice."""
        body: dict[str, Any] = {
            "touser": openid,
            "template_id": self._config.template_id,
            "data": {key: {"value": value} for key, value in data.items()},
            "client_msg_id": message_id,
        }
        if self._config.template_url:
            body["url"] = self._config.template_url
        await self._post("/cgi-bin/message/template/send", body)

    async def media(self, media_id: str) -> tuple[bytes, str]:
        """Content and content type of one media id. A video is fetched from where WeChat says it is.

        Raises RejectedError (reason ``gone``) once WeChat no longer has it.
        """
        answer = await self._call("GET", "/cgi-bin/media/get", {"media_id": media_id})
        said = _json(answer)
        if said is None:
            return answer.body, _media_type(answer)
        url = said.get("video_url")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            msg = (
                f"ingest: {self._channel}: media: WeChat gave neither content nor a video's address"
            )
            raise RejectedError(msg, reason="gone")
        video = await self._http.send("GET", url, max_bytes=MAX_BYTES)
        if video.status != OK:
            msg = f"ingest: {self._channel}: media: the video's server answered {video.status}"
            raise TransientError(msg)
        return video.body, _media_type(video, "video/mp4")

    async def _post(self, path: str, body: Mapping[str, Any]) -> None:
        answer = await self._call("POST", path, {}, _encode(body))
        if _json(answer) is None:
            raise self._strange(path)

    async def _call(
        self, method: str, path: str, query: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """One call; once more with another token when WeChat refuses the one used."""
        token = await self._access_token()
        answer = await self._once(method, path, {"access_token": token, **query}, body)
        if _errcode(answer) in TOKEN:
            token = await self._access_token(refused=token)
            answer = await self._once(method, path, {"access_token": token, **query}, body)
        self._check(answer)
        return answer

    async def _once(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Answer:
        url = f"{self._config.api}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"content-type": "application/json; charset=utf-8"} if body else {}
        answer = await self._http.send(method, url, headers=headers, body=body, max_bytes=MAX_BYTES)
        if answer.status != OK:
            msg = (
                f"ingest: {self._channel}: {path} answered HTTP {answer.status}; it is asked again"
            )
            raise TransientError(msg)
        return answer

    def _check(self, answer: Answer) -> None:
        if code := _errcode(answer):
            raise explain(self._channel, code, self._config.egress)

    async def _access_token(self, *, refused: str = "") -> str:
        """The token in use, another one when it is the ``refused`` one or near its end."""
        async with self._lock:
            if self._token and self._token != refused and self._clock() < self._good_until:
                return self._token
            found = await self._ask_token(force=False)
            if refused and found == refused:
                self._note_force()
                found = await self._ask_token(force=True)
            return found

    async def _ask_token(self, *, force: bool) -> str:
        path = "/cgi-bin/stable_token"
        body = {
            "grant_type": "client_credential",
            "appid": self._config.app_id,
            "secret": self._config.app_secret.get_secret_value(),
            "force_refresh": force,
        }
        answer = await self._once("POST", path, {}, _encode(body))
        self._check(answer)
        said = _json(answer) or {}
        token, lasts = said.get("access_token"), said.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(lasts, int):
            raise self._strange(path)
        self._token = token
        self._good_until = self._clock() + timedelta(seconds=min(lasts, 7200)) - MARGIN
        return token

    def _note_force(self) -> None:
        """WeChat allows forced renewal 20 times a day, 30 seconds apart."""
        now = self._clock()
        self._forced = [at for at in self._forced if now - at < timedelta(days=1)]
        if len(self._forced) >= FORCES_A_DAY or (
            self._forced and now - self._forced[-1] < FORCE_GAP
        ):
            msg = f"ingest: {self._channel}: the access token is refused and may not be renewed yet"
            raise TransientError(msg, retry_after_s=FORCE_GAP.total_seconds())
        self._forced.append(now)

    def _strange(self, path: str) -> TransientError:
        msg = f"ingest: {self._channel}: {path} gave no answer of WeChat's; check api in its stanza"
        return TransientError(msg)


def _encode(body: Mapping[str, Any]) -> bytes:
    """UTF-8 unescaped: WeChat shows escapes to the citizen as they are."""
    return json.dumps(body, ensure_ascii=False).encode()


def _json(answer: Answer) -> dict[str, Any] | None:
    """The answer as a JSON object; None when it is something else (a picture)."""
    if answer.body.lstrip()[:1] != b"{":
        return None
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _errcode(answer: Answer) -> int:
    code = (_json(answer) or {}).get("errcode", 0)
    return code if isinstance(code, int) else 0


def _media_type(answer: Answer, otherwise: str = "application/octet-stream") -> str:
    """WeChat calls speex voices ``voice/speex``; they are audio."""
    kind = answer.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind.startswith("voice/"):
        return "audio/" + kind.removeprefix("voice/")
    return kind or otherwise
