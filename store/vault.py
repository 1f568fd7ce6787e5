"""What must not be read by whoever holds only the database: sealed under a key kept elsewhere.

Each item has its own random AES-256-GCM key, wrapped by the master key (envelope encryption, NIST
SP 800-38D). Destroying the wrapped key erases the item everywhere, backups of the database
included. The associated data binds a box to its owner, so boxes can not be swapped between rows.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from store.errors import ConfigError, RejectedError

_NONCE = 12
_KEY = 32


@dataclass(frozen=True)
class Box:
    """A wrapped key and what it sealed."""

    key: bytes
    sealed: bytes


class Vault:
    """Seals and opens boxes, and derives codes that nobody without the master key can guess."""

    def __init__(self, master: bytes) -> None:
        if len(master) != _KEY:
            msg = "store: master_key must be 32 bytes in base64; make one with `openssl rand -base64 32`"
            raise ConfigError(msg)
        self._wrap = AESGCM(hmac.digest(master, b"wrap", "sha256"))
        self._mac_key = hmac.digest(master, b"mac", "sha256")

    def seal(self, owner: str, content: bytes, *, key: bytes | None = None) -> Box:
        """Seal ``content`` for ``owner``, under the wrapped ``key`` when one exists already."""
        data = owner.encode()
        if key is None:
            plain = os.urandom(_KEY)
            nonce = os.urandom(_NONCE)
            key = nonce + self._wrap.encrypt(nonce, plain, data)
        else:
            plain = self._unwrap(data, key)
        nonce = os.urandom(_NONCE)
        return Box(key, nonce + AESGCM(plain).encrypt(nonce, content, data))

    def unseal(self, owner: str, box: Box) -> bytes:
        """Open a box; raises RejectedError when key, owner or content were altered or erased."""
        data = owner.encode()
        plain = self._unwrap(data, box.key)
        try:
            return AESGCM(plain).decrypt(box.sealed[:_NONCE], box.sealed[_NONCE:], data)
        except InvalidTag as error:
            msg = f"store: the sealed content of {owner} does not open"
            raise RejectedError(msg, reason="sealed") from error

    def _unwrap(self, data: bytes, key: bytes) -> bytes:
        try:
            return self._wrap.decrypt(key[:_NONCE], key[_NONCE:], data)
        except (InvalidTag, ValueError) as error:
            msg = "store: a sealed key does not open; is MINSHENG_MASTER_KEY the one that made this database?"
            raise RejectedError(msg, reason="sealed") from error

    def mac(self, purpose: str, text: str) -> bytes:
        """HMAC-SHA256 of ``text`` for one purpose: blind indexes and codes."""
        return hmac.digest(self._mac_key, f"{purpose}|{text}".encode(), "sha256")

    def blind(self, purpose: str, text: str) -> str:
        """A stable pseudonym of ``text`` (32 hex digits), empty for empty text."""
        return self.mac(purpose, text)[:16].hex() if text else ""

    def code(self, purpose: str, text: str, length: int = 12) -> str:
        """A code of ``length`` letters and digits (5 bits each, no 0 O 1 I) derived from ``text``."""
        alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
        return "".join(alphabet[byte & 31] for byte in self.mac(purpose, text)[:length])


def load_master(value: str, path: Path) -> bytes:
    """The master key from a setting, else from ``path``, which is made on first use (mode 0600)."""
    if value:
        return _decode(value, "MINSHENG_MASTER_KEY")
    if path.exists():
        return _decode(path.read_text(encoding="ascii", errors="replace"), str(path))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    master = os.urandom(_KEY)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(base64.b64encode(master) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return master


def _decode(value: str, origin: str) -> bytes:
    try:
        return base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        msg = f"store: {origin} is not base64; make a key with `openssl rand -base64 32`"
        raise ConfigError(msg) from error


def sha256_hex(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
