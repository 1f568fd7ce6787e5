"""Is a callback WeChat's own, and what is in it? Pure but for the memory of what was seen.

Source: developers.weixin.qq.com, "Verify the server address", "Message encryption and decryption". In encrypted
mode only ``msg_signature`` counts, which covers the body; ``signature`` covers neither body nor author, so a
signed query is taken once only, and again only for WeChat's own retry of the same message.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.connectors.wechat import WeChat
from ingest.connectors.wechat.crypto import is_signed, signature
from ingest.connectors.wechat.messages import Message, build_envelope, build_reply, fields
from store.errors import AuthError, RejectedError

WINDOW = timedelta(minutes=10)
"""How far WeChat's clock and ours may be apart."""

MOST_SEEN = 100_000
"""Signed queries that are remembered; the oldest go first."""


@dataclass(frozen=True)
class Signed:
    """The query of a callback whose signature is good. ``encrypted`` is the body's Encrypt, if any."""

    timestamp: str
    nonce: str
    signature: str
    encrypted: str


def check_echo(account: WeChat, query: Mapping[str, str], now: datetime) -> str:
    """What the verification request wants back; AuthError when it is forged or stale."""
    timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    if not is_signed(query.get("signature", ""), _token(account), timestamp, nonce):
        raise _forged(account, "signature")
    _check_time(account, timestamp, now)
    return query.get("echostr", "")


def check(account: WeChat, query: Mapping[str, str], body: bytes, now: datetime) -> Signed:
    """The signed parts of a callback. AuthError when it is forged, stale, or not in the account's mode."""
    timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    is_aes = query.get("encrypt_type", "raw") == "aes"
    if account.config.mode == ("plain" if is_aes else "aes"):
        raise _forged(account, "mode")
    encrypted = _encrypted(account, body) if is_aes else ""
    parts = [_token(account), timestamp, nonce, *([encrypted] if is_aes else [])]
    given = query.get("msg_signature" if is_aes else "signature", "")
    if not is_signed(given, *parts):
        raise _forged(account, "signature")
    _check_time(account, timestamp, now)
    return Signed(timestamp, nonce, given, encrypted)


def open_body(account: WeChat, signed: Signed, body: bytes) -> tuple[bytes, int]:
    """The plain XML and the index of the key that opened it, -1 when it came plain."""
    if signed.encrypted:
        return account.cipher.open(signed.encrypted)
    return body, -1


def reply_to(account: WeChat, message: Message, text: str, key: int, now: datetime) -> bytes:
    """A text reply, sealed with the key that opened the message."""
    xml = build_reply(message, text, now)
    if key < 0:
        return xml
    encrypted = account.cipher.seal(xml, key)
    timestamp, nonce = str(int(now.timestamp())), secrets.token_hex(8)
    signed = signature(_token(account), timestamp, nonce, encrypted)
    return build_envelope(encrypted, signed, timestamp, nonce)


class Seen:
    """Remembers which message came with which signed query, for as long as its time is good."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str, str], tuple[datetime, str]] = OrderedDict()

    def is_fresh(self, signed: Signed, identity: str, now: datetime) -> bool:
        """Note it; False when the query came before with another message."""
        while self._seen and self._is_over(now):
            self._seen.popitem(last=False)
        query = (signed.signature, signed.timestamp, signed.nonce)
        return self._seen.setdefault(query, (now, identity))[1] == identity

    def _is_over(self, now: datetime) -> bool:
        oldest = next(iter(self._seen.values()))[0]
        return now - oldest > 2 * WINDOW or len(self._seen) >= MOST_SEEN


def _encrypted(account: WeChat, body: bytes) -> str:
    try:
        return fields(account.channel, body)["Encrypt"]
    except (RejectedError, KeyError) as error:
        raise _forged(account, "body") from error


def _check_time(account: WeChat, timestamp: str, now: datetime) -> None:
    is_number = timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 10  # noqa: PLR2004
    if not is_number or abs(now.timestamp() - int(timestamp)) > WINDOW.total_seconds():
        raise _forged(account, "timestamp")


def _forged(account: WeChat, what: str) -> AuthError:
    msg = f"ingest: {account.channel}: {what} refused; check token, mode and the clock"
    return AuthError(msg, known=True)


def _token(account: WeChat) -> str:
    return account.config.token.get_secret_value()
