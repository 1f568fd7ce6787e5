"""A notice to a department's own system, signed as Standard Webhooks 1.0 asks.

``webhook-id`` is constant over retries, ``webhook-signature`` is ``v1,`` and the base64 HMAC-SHA256
of ``id.timestamp.body`` under the office's secret (``whsec_`` and base64). The receiver acts once
per id and ignores a lower ``seq`` of the same case; docs/receiver.md has a reference receiver.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Any

import msgspec

from store.errors import ConfigError

MAX_BODY = 20_000


def sign(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """The ``webhook-signature`` header."""
    digest = hmac.digest(
        parse_secret(secret), f"{webhook_id}.{timestamp}.".encode() + body, "sha256"
    )
    return f"v1,{base64.b64encode(digest).decode()}"


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


def encode(
    delivery: Mapping[str, Any], order: Mapping[str, Any], case: Mapping[str, Any], text: str
) -> bytes:
    """The body: what the office must know to act; no contact, text redacted and cut to fit."""
    labels = msgspec.json.Decoder(list[str])
    body = {
        "type": f"work_order.{delivery['change']}",
        "seq": delivery["seq"],
        "data": {
            "case_no": case["case_no"],
            "order": str(order["id"]),
            "department": order["department"],
            "lead": order["lead"],
            "kind": case["kind"],
            "problems": labels.decode(case["problems"]),
            "campaigns": labels.decode(case["campaigns"]),
            "urgency": case["urgency"],
            "area": case["area"],
            "received_at": case["received_at"].isoformat(),
            "due_at": order["due_at"].isoformat(),
            "text": text[:4000],
        },
    }
    return msgspec.json.encode(body)
