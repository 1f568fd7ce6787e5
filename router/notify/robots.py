"""What the group robots have in common: they answer HTTP 200 and mean the code in the body.

Each platform's table says what a code asks for; one that is not in it may pass by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from router.notify.senders import Endpoint, check_status
from store.errors import RejectedError, TransientError
from store.ports import Answer, Http

MAX_ANSWER = 65_536
JSON = {"content-type": "application/json; charset=utf-8", "user-agent": "minsheng/1"}


class Verdict(StrEnum):
    """What a robot's code asks of us."""

    OK = "ok"
    WAIT = "wait"
    MISSET = "misset"
    REFUSED = "refused"


MISSET_S = 1800.0
"""Pause before a robot whose address, secret or security setting is wrong is tried again."""

_HINTS = {
    Verdict.WAIT: "too fast",
    Verdict.MISSET: "its address, secret or security setting is wrong; correct MINSHENG_ROBOTS",
    Verdict.REFUSED: "it refuses this message",
}


@dataclass(frozen=True, slots=True)
class Codes:
    """A platform's codes. ``fields`` are where a body may carry one; ``wait_s`` is the pause for WAIT."""

    fields: tuple[str, ...]
    table: Mapping[int, Verdict]
    wait_s: float


async def post(http: Http, endpoint: Endpoint, url: str, body: Any, codes: Codes) -> None:
    """Send one message; raises as ``Sender.send`` does."""
    answer = await http.send(
        "POST", url, headers=JSON, body=msgspec.json.encode(body), max_bytes=MAX_ANSWER
    )
    judge(answer, endpoint, codes)


def judge(answer: Answer, endpoint: Endpoint, codes: Codes) -> None:
    """Return when the message was taken; else raise TransientError or RejectedError."""
    code = _code_of(answer.body, codes.fields)
    taken = check_status(answer, endpoint)
    if code is None:
        msg = f"router: {endpoint.key} answered {answer.status} and no code"
        raise TransientError(msg)
    verdict = codes.table.get(code)
    if verdict is Verdict.OK and taken:
        return
    hint = _HINTS.get(verdict, "it may pass") if verdict else "it may pass"
    msg = f"router: {endpoint.key} answered code {code}: {hint}"
    if verdict is Verdict.REFUSED:
        raise RejectedError(msg, reason="refused")
    waits = {Verdict.WAIT: codes.wait_s, Verdict.MISSET: MISSET_S}
    raise TransientError(msg, retry_after_s=waits.get(verdict) if verdict else None)


def share(limit: int, head: str, parts: int) -> int:
    """Bytes each of ``parts`` lines may take beside ``head`` in a message of ``limit`` bytes."""
    return (limit - len(head.encode())) // max(parts, 1) - 1


def table(**codes: Sequence[int]) -> dict[int, Verdict]:
    """Verdict by code, from codes by verdict."""
    return {code: Verdict(name) for name, listed in codes.items() for code in listed}


def _code_of(body: bytes, fields: Sequence[str]) -> int | None:
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(answer, dict):
        return None
    found = (answer[name] for name in fields if isinstance(answer.get(name), int))
    return next(found, None)
