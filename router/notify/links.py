"""The one-time link with which an office answers a work order: who has it may sign, handle or return it.

A token is the order's id, when it ends and a 96-bit HMAC under the vault's key, in lower-case base32 so
that it survives mail programs. Nothing is stored: that it was used is seen from the case's history.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from store.errors import RejectedError
from store.vault import Vault, sha256_hex

VALID = timedelta(days=7)
PATH = "/office/link/"

_HEAD = struct.Struct(">QI")
_MAC = 12
_LENGTH = 39
"""Base32 digits of 24 bytes, without padding."""


@dataclass(frozen=True, slots=True)
class Link:
    """A genuine token, read. ``mark`` names it in the case's history."""

    order_id: int
    ends_at: datetime
    mark: str


class Links:
    """Makes and reads tokens. ``base_url`` is where offices reach the hub, empty when they can not."""

    def __init__(self, vault: Vault, *, base_url: str, clock: Callable[[], datetime]) -> None:
        self._vault = vault
        self._base_url = base_url.rstrip("/")
        self._clock = clock

    def url(self, order_id: int, since: datetime) -> str:
        """The page for an order; the same for every attempt of one round; empty when there is none."""
        if not self._base_url:
            return ""
        return f"{self._base_url}{PATH}{self.token(order_id, since)}"

    def token(self, order_id: int, since: datetime) -> str:
        """A token that ends ``VALID`` after ``since``."""
        head = _HEAD.pack(order_id, int((since + VALID).timestamp()))
        packed = base64.b32encode(head + self._mac(head)).decode()
        return packed.rstrip("=").lower()

    def next(self, used: Link) -> str:
        """Another token for the order of a used one, never the same."""
        since = max(self._clock(), used.ends_at - VALID + timedelta(seconds=1))
        return self.token(used.order_id, since)

    def read(self, token: str) -> Link:
        """The link of a genuine token; RejectedError (reason ``link``) when forged or too old."""
        raw = _unpack(token)
        head, mac = raw[: _HEAD.size], raw[_HEAD.size :]
        if not hmac.compare_digest(mac, self._mac(head)):
            msg = "router: this link is not valid; use the newest message or the inbox"
            raise RejectedError(msg, reason="link")
        order_id, ends = _HEAD.unpack(head)
        ends_at = datetime.fromtimestamp(ends, UTC)
        if self._clock() >= ends_at:
            msg = "router: this link is too old; use the inbox"
            raise RejectedError(msg, reason="link")
        return Link(order_id, ends_at, f"link:{sha256_hex(raw)[:16]}")

    def _mac(self, head: bytes) -> bytes:
        return self._vault.mac("office_link", head.hex())[:_MAC]


def _unpack(token: str) -> bytes:
    """The bytes of a token in its only spelling; others become zeros, which no HMAC matches."""
    try:
        raw = base64.b32decode(token.upper() + "=", casefold=False)
    except (binascii.Error, ValueError):
        raw = b""
    canonical = base64.b32encode(raw).decode().rstrip("=").lower()
    is_whole = len(token) == _LENGTH and token.isascii() and token.lower() == canonical
    return raw if is_whole else bytes(_HEAD.size + _MAC)
