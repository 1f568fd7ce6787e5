"""A group robot of WeCom (企业微信群机器人): markdown of at most 4096 bytes, 20 messages a minute, no signature.

https://developer.work.weixin.qq.com/document/path/91770. Whether the platform's minute slides is not
documented, so messages are spaced by three seconds. The key in the address is the whole secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from router.notify.messages import LINK, Message
from router.notify.robots import Codes, post, share, table
from router.notify.senders import Dispatch, Endpoint, Limit
from router.notify.words import Speech, cut, plain
from store.ports import Http

MAX_BYTES = 4096

CODES = Codes(
    fields=("errcode",),
    table=table(
        ok=[0],
        wait=[45009, 45033],
        misset=[93000, 93008, 60020, 48002],
        refused=[40008, 40058, 44004, 45002, 40033],
    ),
    wait_s=60.0,
)

_COLOURS = {"urgent": "warning", "emergency": "warning"}


def body(dispatches: Sequence[Dispatch], speech: Speech) -> dict[str, Any]:
    """One order in full, or a line for each of several."""
    content = _one(dispatches[0], speech) if len(dispatches) == 1 else _digest(dispatches, speech)
    return {"msgtype": "markdown", "markdown": {"content": content}}


def _one(dispatch: Dispatch, speech: Speech) -> str:
    colour = _COLOURS.get(dispatch.urgency, "info")
    head = f'<font color="{colour}">**{speech.title(dispatch)}**</font>\n'
    head += "".join(f"> {label}：{value}\n" for label, value in speech.facts(dispatch))
    tail = f"\n[签收与回复]({dispatch.link})" if dispatch.link else ""
    room = MAX_BYTES - len((head + tail).encode())
    return head + cut(speech.text(dispatch), room) + tail


def _digest(dispatches: Sequence[Dispatch], speech: Speech) -> str:
    head = f"**{len(dispatches)} 件工单变动**\n"
    room = share(MAX_BYTES, head, len(dispatches))
    return head + "\n".join(_line(one, speech, room) for one in dispatches)


def _line(dispatch: Dispatch, speech: Speech, room: int) -> str:
    tail = f" [办理]({dispatch.link})" if dispatch.link else ""
    said = f"{speech.brief(dispatch)} {speech.text(dispatch, gap=' ')}"
    return cut(said, room - len(tail.encode())) + tail


def told(message: Message) -> dict[str, Any]:
    """A message in markdown."""
    head = f"**{plain(message.title)}**\n"
    tail = f"\n[{LINK}]({message.link})" if message.link else ""
    lines = "\n".join(f"> {plain(line)}" for line in message.lines)
    content = head + cut(lines, MAX_BYTES - len((head + tail).encode())) + tail
    return {"msgtype": "markdown", "markdown": {"content": content}}


class WecomSender:
    """Speaks to WeCom's robots."""

    kind = "wecom"
    limit: Limit | None = Limit(per_minute=20)
    digest = 15
    takes_files = False

    def __init__(self, speech: Speech) -> None:
        self._speech = speech

    async def send(self, dispatches: Sequence[Dispatch], endpoint: Endpoint, http: Http) -> None:
        """One message."""
        await post(http, endpoint, endpoint.url, body(dispatches, self._speech), CODES)

    async def tell(self, message: Message, endpoint: Endpoint, http: Http) -> None:
        """One message to an official."""
        await post(http, endpoint, endpoint.url, told(message), CODES)
