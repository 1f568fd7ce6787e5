"""A notice to a department's own system, signed as Standard Webhooks 1.0 asks.

``webhook-id`` is constant over retries, ``webhook-signature`` is ``v1,`` and the base64 HMAC-SHA256
of ``id.timestamp.body`` under the office's secret (``whsec_`` and base64). The receiver acts once
per id and ignores a lower ``seq`` of the same case; docs/receiver.md has a reference receiver.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from router.notify.senders import Dispatch, Endpoint, Limit, check_status
from router.notify.told import Paper
from store.errors import ConfigError, RejectedError
from store.ports import Http
from store.signatures import signature


def sign(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """The ``webhook-signature`` header."""
    return signature(parse_secret(secret), webhook_id, timestamp, body)


def parse_secret(secret: str) -> bytes:
    """The key of a ``whsec_`` secret; ConfigError when it is not one."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError) as error:
        msg = "router: webhook_secrets: not base64; write whsec_ and 24 to 64 bytes in base64"
        raise ConfigError(msg) from error
    if not 24 <= len(key) <= 64:  # noqa: PLR2004 - the standard's bounds
        msg = f"router: webhook_secrets: {len(key)} bytes; the standard wants 24 to 64"
        raise ConfigError(msg)
    return key


def headers(secret: str, webhook_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of one delivery."""
    return {
        "content-type": "application/json; charset=utf-8",
        "user-agent": "minsheng/1",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, webhook_id, timestamp, body),
    }


def encode(dispatch: Dispatch) -> bytes:
    """The body: what the office must know to act; text redacted and cut to fit."""
    body = {
        "type": f"work_order.{dispatch.change}",
        "seq": dispatch.seq,
        "data": {
            "case_no": dispatch.case_no,
            "order": str(dispatch.order_id),
            "department": dispatch.department,
            "lead": dispatch.lead,
            "kind": dispatch.kind,
            "problems": dispatch.problems,
            "campaigns": dispatch.campaigns,
            "urgency": dispatch.urgency,
            "area": dispatch.area,
            "received_at": dispatch.received_at.isoformat(),
            "due_at": dispatch.due_at.isoformat(),
            "text": dispatch.text[:4000],
            **({"contact": dict(dispatch.contact)} if dispatch.contact else {}),
            **({"supervision": _paper(dispatch.paper)} if dispatch.paper else {}),
        },
    }
    return msgspec.json.encode(body)


def _paper(paper: Paper) -> dict[str, Any]:
    """A document of supervision; ``reply_by`` is none for a lamp, ``copy`` says another must answer."""
    return {
        "number": paper.number,
        "level": paper.level,
        "title": paper.title,
        "body": paper.body,
        "addressee": paper.addressee,
        "copy": paper.is_copy,
        "reply_by": paper.reply_by.isoformat() if paper.reply_by else None,
    }


class WebhookSender:
    """An office's own system."""

    kind = "webhook"
    limit: Limit | None = None
    digest = 1

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    async def send(self, dispatches: Sequence[Dispatch], endpoint: Endpoint, http: Http) -> None:
        """Post each dispatch, signed for this moment under its constant id."""
        for dispatch in dispatches:
            body = encode(dispatch)
            stamp = int(self._clock().timestamp())
            signed = headers(endpoint.secret, dispatch.webhook_id, stamp, body)
            answer = await http.send(
                "POST", endpoint.url, headers=signed, body=body, max_bytes=65_536
            )
            if not check_status(answer, endpoint):
                msg = f"router: {endpoint.key} answered {answer.status}"
                raise RejectedError(msg, reason="refused")
