"""A group robot of DingTalk (钉钉自定义机器人) with 加签: markdown, 20 messages a minute or ten minutes' silence.

https://open.dingtalk.com/document/robots/custom-robot-access. The signature is over time and secret,
keyed by the secret; the body is not signed. A robot secured by keyword or address needs no secret.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

from router.notify.messages import LINK, Message
from router.notify.robots import Codes, post, share, table
from router.notify.senders import Dispatch, Endpoint, Limit
from router.notify.words import Speech, cut, plain
from store.ports import Http

MAX_BYTES = 15_000
"""Of the markdown text; the platform takes 20,000 bytes of JSON."""

CODES = Codes(
    fields=("errcode",),
    table=table(
        ok=[0],
        wait=[130101, 410100],
        misset=[310000, 300001, 300005, 400013, 400101, 400102, 400105, 400106],
        refused=[40035, 430101, 430102, 430103, 430104],
    ),
    wait_s=600.0,
)


def sign(secret: str, timestamp_ms: int) -> str:
    """The parameter ``sign``, ready for a query."""
    digest = hmac.digest(secret.encode(), f"{timestamp_ms}\n{secret}".encode(), "sha256")
    return quote_plus(base64.b64encode(digest))


def signed_url(url: str, secret: str, timestamp_ms: int) -> str:
    """The robot's address for this moment."""
    if not secret:
        return url
    mark = "&" if "?" in url else "?"
    return f"{url}{mark}timestamp={timestamp_ms}&sign={sign(secret, timestamp_ms)}"


def body(dispatches: Sequence[Dispatch], speech: Speech) -> dict[str, Any]:
    """One order in full, or a list of several."""
    if len(dispatches) == 1:
        title, text = speech.title(dispatches[0]), _one(dispatches[0], speech)
    else:
        title = f"{len(dispatches)} 件工单变动"
        text = _digest(title, dispatches, speech)
    return _markdown(title, text)


def told(message: Message) -> dict[str, Any]:
    """A message in markdown."""
    title = plain(message.title)
    head = f"#### {title}\n\n"
    tail = f"\n\n[{LINK}]({message.link})" if message.link else ""
    lines = "\n".join(f"- {plain(line)}" for line in message.lines)
    return _markdown(title, head + cut(lines, MAX_BYTES - len((head + tail).encode())) + tail)


def _markdown(title: str, text: str) -> dict[str, Any]:
    """The platform's form of a text that mentions nobody."""
    return {
        "msgtype": "markdown",
        "markdown": {"title": title, "text": text},
        "at": {"atMobiles": [], "isAtAll": False},
    }


def _one(dispatch: Dispatch, speech: Speech) -> str:
    head = f"#### {speech.title(dispatch)}\n\n"
    head += "".join(f"- {label}：{value}\n" for label, value in speech.facts(dispatch)) + "\n"
    tail = f"\n\n[签收与回复]({dispatch.link})" if dispatch.link else ""
    return (
        head
        + cut(speech.text(dispatch, gap="\n\n"), MAX_BYTES - len((head + tail).encode()))
        + tail
    )


def _digest(title: str, dispatches: Sequence[Dispatch], speech: Speech) -> str:
    head = f"#### {title}\n\n"
    room = share(MAX_BYTES, head, len(dispatches))
    return head + "\n".join(_line(one, speech, min(room, 300)) for one in dispatches)


def _line(dispatch: Dispatch, speech: Speech, room: int) -> str:
    tail = f" [办理]({dispatch.link})" if dispatch.link else ""
    said = f"- {speech.brief(dispatch)} {speech.text(dispatch, gap=' ')}"
    return cut(said, room - len(tail.encode())) + tail


class DingtalkSender:
    """Speaks to DingTalk's robots."""

    kind = "dingtalk"
    limit: Limit | None = Limit(per_minute=19)
    digest = 30
    takes_files = False

    def __init__(self, speech: Speech, clock: Callable[[], datetime]) -> None:
        self._speech = speech
        self._clock = clock

    async def send(self, dispatches: Sequence[Dispatch], endpoint: Endpoint, http: Http) -> None:
        """One message, signed for this moment."""
        await self._post(body(dispatches, self._speech), endpoint, http)

    async def tell(self, message: Message, endpoint: Endpoint, http: Http) -> None:
        """One message to an official."""
        await self._post(told(message), endpoint, http)

    async def _post(self, said: dict[str, Any], endpoint: Endpoint, http: Http) -> None:
        url = signed_url(endpoint.url, endpoint.secret, int(self._clock().timestamp() * 1000))
        await post(http, endpoint, url, said, CODES)
