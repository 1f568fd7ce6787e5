"""A citizen writing to an official account: callbacks posted as WeChat posts them, three tries each."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from xml.sax.saxutils import escape

import aiohttp
from defusedxml import ElementTree  # type: ignore[import-untyped]

from hub.sim.wechat import WeChatSim
from ingest.connectors.wechat.crypto import Cipher, signature

TRIES = 3
PATIENCE_S = 5.0
SORRY = "该公众号提供的服务出现故障，请稍后再试"
"""What WeChat shows when nobody answers."""

_ids = itertools.count(23_456_789_012_345_678)


class Seals(Protocol):
    """How WeChat encrypts what it sends and opens what it is answered."""

    def seal(self, xml: bytes, index: int = 0) -> str: ...
    def open(self, encrypted: str) -> tuple[bytes, int]: ...


@dataclass(frozen=True)
class Account:
    """What WeChat and the hub share of an account."""

    app_id: str
    token: str
    aes_key: str
    mode: Literal["plain", "compat", "aes"] = "aes"
    name: str = "gh_0123456789ab"


@dataclass(frozen=True)
class Call:
    """One callback ready to be posted: query and body, always the same for each try."""

    query: Mapping[str, str]
    body: bytes


class Citizen:
    """One citizen's phone with WeChat behind it. ``said`` are the replies shown."""

    def __init__(
        self,
        openid: str,
        account: Account,
        *,
        clock: Callable[[], datetime],
        sim: WeChatSim | None = None,
        seals: Seals | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.openid = openid
        self.said: list[str] = []
        self._account = account
        self._clock = clock
        self._sim = sim
        self._seals = seals or Cipher("sim", account.app_id, account.aes_key)
        self._patience_s = patience_s

    async def say(self, hub_url: str, kind: str = "text", **fields: str) -> str:
        """Send one message (fields by WeChat's names) and return the reply; empty when none is shown."""
        if self._sim is not None:
            self._sim.wrote(self.openid)
        return await self.post(hub_url, self.call(self.message(kind, **fields)))

    def message(self, kind: str, **fields: str) -> str:
        """A message's XML. ``MsgId`` is a new one unless given; events have none."""
        head = {
            "ToUserName": self._account.name,
            "FromUserName": self.openid,
            "CreateTime": str(int(self._clock().timestamp())),
            "MsgType": kind,
        }
        if kind != "event":
            head["MsgId"] = str(next(_ids))
        parts = (f"<{name}>{escape(value)}</{name}>" for name, value in (head | fields).items())
        return f"<xml>{''.join(parts)}</xml>"

    def call(self, xml: str) -> Call:
        """Sign it, and encrypt it as the account's mode wants."""
        token, nonce = self._account.token, secrets.token_hex(5)
        timestamp = str(int(self._clock().timestamp()))
        query = {
            "signature": signature(token, timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
            "openid": self.openid,
        }
        if self._account.mode == "plain":
            return Call(query, xml.encode())
        encrypted = self._seals.seal(xml.encode())
        signed = signature(token, timestamp, nonce, encrypted)
        inside = xml.removesuffix("</xml>") if self._account.mode == "compat" else "<xml>"
        body = f"{inside}<Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
        return Call(query | {"encrypt_type": "aes", "msg_signature": signed}, body.encode())

    async def post(self, hub_url: str, call: Call) -> str:
        """Up to three tries of five seconds each, as WeChat does; the reply, decrypted."""
        timeout = aiohttp.ClientTimeout(total=self._patience_s)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            for _ in range(TRIES):
                try:
                    answer = await session.post(hub_url, params=call.query, data=call.body)
                    async with answer:
                        content = await answer.read()
                except (TimeoutError, aiohttp.ClientError):
                    continue
                if answer.ok:
                    return self._shown(content)
        self.said.append(SORRY)
        return SORRY

    def _shown(self, content: bytes) -> str:
        if content in {b"", b"success"}:
            return ""
        root = ElementTree.fromstring(content)
        encrypted = root.findtext("Encrypt")
        if encrypted:
            parts = [root.findtext("TimeStamp", ""), root.findtext("Nonce", ""), encrypted]
            if signature(self._account.token, *parts) != root.findtext("MsgSignature"):
                self.said.append(SORRY)
                return SORRY
            root = ElementTree.fromstring(self._seals.open(encrypted)[0])
        reply: str = root.findtext("Content", "")
        self.said.append(reply)
        return reply
