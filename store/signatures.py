"""The signature of Standard Webhooks 1.0 (standardwebhooks.com), for whoever signs or checks one."""

from __future__ import annotations

import base64
import hmac


def signature(key: bytes, webhook_id: str, timestamp: int | str, body: bytes) -> str:
    """``v1,`` and the base64 HMAC-SHA256 of ``id.timestamp.body`` under ``key``."""
    content = f"{webhook_id}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(key, content, 'sha256')).decode()}"
