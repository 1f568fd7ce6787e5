"""Signatures and message encryption of WeChat callbacks (消息加解密).

Source: developers.weixin.qq.com, "Message encryption and decryption". A signature is the SHA-1 of the
sorted parts. Encrypted mode is AES-256-CBC, the IV is the key's first 16 bytes, padding PKCS#7 to
blocks of 32; inside are 16 random bytes, the length (big-endian), the XML and the app id. While a key is
replaced both are in use: a message is answered with the key that opened it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os

from cryptography.hazmat.primitives.ciphers import Cipher as Aes
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from store.errors import RejectedError

BLOCK = 32
"""Padding fills to this many bytes, twice AES's own block."""

_AES_BLOCK = 16
_NOISE = 16
_HEAD = _NOISE + 4


def signature(*parts: str) -> str:
    """SHA-1 of the sorted parts, joined, in hexadecimal."""
    joined = "".join(sorted(parts)).encode("utf-8", "surrogatepass")
    return hashlib.sha1(joined, usedforsecurity=False).hexdigest()


def is_signed(given: str, *parts: str) -> bool:
    """Whether ``given`` is the signature of the parts; takes the same time wherever it differs."""
    return hmac.compare_digest(signature(*parts).encode(), given.encode("utf-8", "surrogatepass"))


def decode_key(encoding_aes_key: str) -> bytes:
    """The 32 bytes behind an EncodingAESKey of 43 characters; ValueError when it is none."""
    try:
        key = base64.b64decode(encoding_aes_key + "=", validate=True)
    except (binascii.Error, ValueError) as error:
        msg = "not an EncodingAESKey; copy its 43 letters and digits"
        raise ValueError(msg) from error
    if len(key) != BLOCK:
        msg = f"{len(encoding_aes_key)} characters; an EncodingAESKey has 43"
        raise ValueError(msg)
    return key


class Cipher:
    """Opens and seals for one app id, with the current EncodingAESKey and those before it."""

    def __init__(self, channel: str, app_id: str, *encoding_aes_keys: str) -> None:
        self._channel = channel
        self._app_id = app_id.encode()
        self._keys = [decode_key(key) for key in encoding_aes_keys if key]

    def open(self, encrypted: str) -> tuple[bytes, int]:
        """The XML inside and the index of the key that opened it.

        Raises RejectedError (reason ``encryption``) when no key opens it, with ``app_id`` when it
        opens but is meant for another account.
        """
        try:
            content = base64.b64decode(encrypted, validate=True)
        except (binascii.Error, ValueError) as error:
            raise self._refused("Encrypt is not base64", "nothing can be read of it") from error
        if not content or len(content) % _AES_BLOCK:
            raise self._refused("Encrypt has a broken length", "nothing can be read of it")
        foreign = False
        for index, key in enumerate(self._keys):
            inside = _unpad(_aes_open(key, content))
            if inside is None or len(inside) < _HEAD:
                continue
            end = _HEAD + int.from_bytes(inside[_NOISE:_HEAD], "big")
            if hmac.compare_digest(inside[end:], self._app_id):
                return inside[_HEAD:end], index
            foreign = foreign or end < len(inside)
        if foreign:
            raise self._refused("the message is for another app id", "check app_id", "app_id")
        raise self._refused(
            "no EncodingAESKey opens the message", "check aes_key and previous_aes_key"
        )

    def seal(self, xml: bytes, index: int = 0) -> str:
        """Encrypt with the key of that index, in base64."""
        inside = os.urandom(_NOISE) + len(xml).to_bytes(4, "big") + xml + self._app_id
        pad = BLOCK - len(inside) % BLOCK
        key = self._keys[index]
        run = Aes(AES256(key), CBC(key[:_AES_BLOCK])).encryptor()
        sealed = run.update(inside + bytes([pad]) * pad) + run.finalize()
        return base64.b64encode(sealed).decode()

    def _refused(self, what: str, cure: str, reason: str = "encryption") -> RejectedError:
        return RejectedError(f"ingest: {self._channel}: {what}; {cure}", reason=reason)


def _aes_open(key: bytes, content: bytes) -> bytes:
    run = Aes(AES256(key), CBC(key[:_AES_BLOCK])).decryptor()
    return run.update(content) + run.finalize()


def _unpad(content: bytes) -> bytes | None:
    """What is before the padding; None when the padding is not whole (RFC 5652, 6.3, with 32)."""
    pad = content[-1]
    if not 1 <= pad <= BLOCK or content[-pad:] != bytes([pad]) * pad:
        return None
    return content[:-pad]
