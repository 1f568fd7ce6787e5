"""Who signed a request: Standard Webhooks headers with a client's key as the secret.

``webhook-signature`` holds ``v1,`` and the base64 of HMAC-SHA256 over ``id.timestamp.body``; several are
separated by blanks. Source: https://www.standardwebhooks.com. A key that starts with ``whsec_`` is base64
after it, any other is taken as it is written.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping

from store.errors import AuthError
from store.signatures import signature

WINDOW_S = 300
"""Seconds a timestamp may be off; what is older may be somebody's recording."""

MAX_ID = 100


def is_signed(headers: Mapping[str, str]) -> bool:
    """Whether a signature is offered instead of a bearer key."""
    return "webhook-signature" in headers


def signer(headers: Mapping[str, str], body: bytes, keys: Mapping[str, str], now: float) -> str:
    """The client whose key made the signature; AuthError when nobody's did or it is too old.

    ``now`` is seconds of the epoch.
    """
    named, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not 0 < len(named) <= MAX_ID or not named.isprintable():
        msg = f"ingest: app: webhook-id: missing or longer than {MAX_ID}; send the message's id"
        raise AuthError(msg)
    if not re.fullmatch(r"[0-9]{1,12}", at) or abs(int(at) - now) > WINDOW_S:
        msg = (
            f"ingest: app: webhook-timestamp: more than {WINDOW_S} s off; set the clock, sign anew"
        )
        raise AuthError(msg)
    offered = [one.encode() for one in headers["webhook-signature"].split()[:10]]
    found = ""
    for client, key in keys.items():
        made = signature(_secret(key), named, at, body).encode()
        if any(hmac.compare_digest(made, one) for one in offered):
            found = client
    if not found:
        msg = "ingest: app: webhook-signature: no client's; sign with a key of connectors.app.keys"
        raise AuthError(msg)
    return found


def _secret(key: str) -> bytes:
    if key.startswith("whsec_"):
        try:
            return base64.b64decode(key.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            return key.encode()
    return key.encode()
