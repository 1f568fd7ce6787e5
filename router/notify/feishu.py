"""A group robot of Feishu (飞书自定义机器人): a rich post of at most 20 KB, 100 a minute and 5 a second.

https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot. The signature's key is time and
secret and its message is empty: the opposite of DingTalk's. Full and half hours are crowded (11232).
Text in a post is never markup, but a mention or link could still be made of it by a client.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from router.notify.messages import LINK, Message
from router.notify.robots import Codes, post, share, table
from router.notify.senders import Dispatch, Endpoint, Limit
from router.notify.words import Speech, cut
from store.ports import Http

MAX_BYTES = 15_000
"""Of the words; the platform takes 20 KB of JSON."""

CODES = Codes(
    fields=("code", "StatusCode"),
    table=table(
        ok=[0],
        wait=[11232],
        misset=[19001, 19002, 19021, 19022, 19024],
        refused=[9499, 11246, 230025, 230028],
    ),
    wait_s=60.0,
)

Part = dict[str, str]


def sign(secret: str, timestamp: int) -> str:
    """The field ``sign``; ``timestamp`` in seconds."""
    digest = hmac.digest(f"{timestamp}\n{secret}".encode(), b"", "sha256")
    return base64.b64encode(digest).decode()


def body(
    dispatches: Sequence[Dispatch], speech: Speech, *, secret: str, timestamp: int
) -> dict[str, Any]:
    """One order in full, or a line for each of several; signed where the robot has a secret."""
    title, lines = (
        _one(dispatches[0], speech) if len(dispatches) == 1 else _digest(dispatches, speech)
    )
    return _posted(title, lines, secret, timestamp)


def told(message: Message, *, secret: str, timestamp: int) -> dict[str, Any]:
    """A message as a rich post."""
    room = share(MAX_BYTES, "", len(message.lines))
    lines = [[_text(cut(line, room))] for line in message.lines]
    if message.link:
        lines.append([_link(LINK, message.link)])
    return _posted(message.title, lines, secret, timestamp)


def _posted(title: str, lines: list[list[Part]], secret: str, timestamp: int) -> dict[str, Any]:
    """The platform's form, signed where the robot has a secret."""
    signed = {"timestamp": str(timestamp), "sign": sign(secret, timestamp)} if secret else {}
    content = {"post": {"zh_cn": {"title": title, "content": lines}}}
    return {**signed, "msg_type": "post", "content": content}


def _one(dispatch: Dispatch, speech: Speech) -> tuple[str, list[list[Part]]]:
    lines = [[_text(f"{label}：{value}")] for label, value in speech.facts(dispatch)]
    lines.append([_text(cut(speech.text(dispatch), MAX_BYTES))])
    if dispatch.link:
        lines.append([_link("签收与回复", dispatch.link)])
    return speech.title(dispatch), lines


def _digest(dispatches: Sequence[Dispatch], speech: Speech) -> tuple[str, list[list[Part]]]:
    room = min(share(MAX_BYTES, "", len(dispatches)), 300)
    lines = []
    for one in dispatches:
        said = cut(f"{speech.brief(one)} {speech.text(one, gap=' ')} ", room)
        lines.append([_text(said), *([_link("办理", one.link)] if one.link else [])])
    return f"{len(dispatches)} 件工单变动", lines


def _text(text: str) -> Part:
    return {"tag": "text", "text": text}


def _link(text: str, href: str) -> Part:
    return {"tag": "a", "text": text, "href": href}


class FeishuSender:
    """Speaks to Feishu's robots."""

    kind = "feishu"
    limit: Limit | None = Limit(per_minute=95, burst=3, quiet_s=15)
    digest = 30
    takes_files = False

    def __init__(self, speech: Speech, clock: Callable[[], datetime]) -> None:
        self._speech = speech
        self._clock = clock

    async def send(self, dispatches: Sequence[Dispatch], endpoint: Endpoint, http: Http) -> None:
        """One message, signed for this moment."""
        stamp = int(self._clock().timestamp())
        told = body(dispatches, self._speech, secret=endpoint.secret, timestamp=stamp)
        await post(http, endpoint, endpoint.url, told, CODES)

    async def tell(self, message: Message, endpoint: Endpoint, http: Http) -> None:
        """One message to an official."""
        stamp = int(self._clock().timestamp())
        said = told(message, secret=endpoint.secret, timestamp=stamp)
        await post(http, endpoint, endpoint.url, said, CODES)
