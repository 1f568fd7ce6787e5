"""The second factor: time-based codes (RFC 6238) and one-time recovery codes.

Codes have six digits, change every 30 s and are good one step early or late (RFC 6238, 5.2). A step is good
once: the database moves ``totp_step`` forward and never back. Secrets are sealed by the vault.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b32encode
from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

import msgspec
import segno
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import Update, select, update

from store.audit import audited
from store.db import Database, Tx
from store.errors import AuthError, RejectedError
from store.tables import T
from store.vault import Box, Vault

STEP_S, DIGITS, SECRET = 30, 6, 20
"""Seconds a code holds, its length, and bytes of a secret (RFC 4226, 4 recommends 160 bits)."""

SPARE = 10
"""Recovery codes given out at a time; each of 50 bits."""

WRAPPED = 60
"""Bytes of a wrapped key at the head of what is kept: nonce 12, key 32, tag 16."""

_hashes = msgspec.json.Decoder(list[str])
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def step_of(secret: bytes, code: str, at: datetime) -> int | None:
    """The step of ``at``, or its neighbor, that ``code`` belongs to; None when it belongs to none."""
    totp = TOTP(secret, DIGITS, SHA1(), STEP_S)  # noqa: S303 - RFC 6238's and every app's own
    now = int(at.timestamp()) // STEP_S
    found = None
    for step in (now - 1, now, now + 1):
        if hmac.compare_digest(totp.generate(step * STEP_S), code.encode()):
            found = step
    return found


def shown(secret: bytes) -> str:
    """The secret as people type it: base 32 in groups of four."""
    text = b32encode(secret).decode()
    return " ".join(text[n : n + 4] for n in range(0, len(text), 4))


def picture(secret: bytes, *, name: str, issuer: str) -> str:
    """A QR code for authenticator apps, as the address of an SVG picture (otpauth key URI format)."""
    label = quote(f"{issuer}:{name}")
    asked = f"secret={b32encode(secret).decode()}&issuer={quote(issuer)}&digits={DIGITS}&period={STEP_S}"
    return segno.make(f"otpauth://totp/{label}?{asked}", error="m").svg_data_uri(scale=4)


def spare_codes() -> list[str]:
    """New recovery codes, each in two groups of five letters and digits."""
    made = ["".join(secrets.choice(_LETTERS) for _ in range(10)) for _ in range(SPARE)]
    return [f"{code[:5]}-{code[5:]}" for code in made]


def hashed(code: str) -> str:
    """What is kept of a recovery code, however it is typed. Random, so a plain SHA-256 does (NIST SP 800-63B)."""
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


class Factors:
    """Second factors of the people in the users table."""

    def __init__(self, db: Database, vault: Vault, *, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock

    def offer(self) -> bytes:
        """A new secret, not kept anywhere."""
        return secrets.token_bytes(SECRET)

    def sealed(self, name: str, secret: bytes) -> bytes:
        """A secret as it may lie in the database or in a form of its own person."""
        box = self._vault.seal(f"totp|{name}", secret)
        return box.key + box.sealed

    def opened(self, name: str, kept: bytes) -> bytes:
        """The secret of ``sealed``; RejectedError when it is another's or was altered."""
        return self._vault.unseal(f"totp|{name}", Box(kept[:WRAPPED], kept[WRAPPED:]))

    async def enroll(self, name: str, secret: bytes, code: str) -> list[str]:
        """Switch the factor on once ``code`` proves that the person has it; the recovery codes.

        RejectedError (``code``) when it does not.
        """
        now = self._clock()
        step = step_of(secret, code.strip(), now)
        if step is None:
            msg = "desk: code: does not belong to the secret shown; check the phone's clock and try again"
            raise RejectedError(msg, reason="code")
        spare = spare_codes()
        kept: dict[str, object] = {"totp": self.sealed(name, secret), "totp_step": step}
        kept["recovery"] = msgspec.json.encode([hashed(one) for one in spare]).decode()
        await self._set(name, kept, actor=name, act="factor_on", at=now)
        return spare

    async def switch_off(self, name: str, *, actor: str) -> None:
        """Back to a password alone."""
        kept: dict[str, object] = {"totp": None, "totp_step": 0, "recovery": "[]"}
        await self._set(name, kept, actor=actor, act="factor_off", at=self._clock())

    async def _set(
        self, name: str, kept: dict[str, object], *, actor: str, act: str, at: datetime
    ) -> None:
        async def work(tx: Tx) -> None:
            await audited(tx, actor=actor, act=act, target=f"user {name}", note="", at=at)
            await tx.run(update(T.users).where(T.users.c.name == name).values(kept))

        await self._db.write(work)

    async def accept(self, name: str, code: str) -> bool:
        """Whether ``code`` is good now; it is used up by this. No factor: False."""
        u = T.users.c
        async with self._db.read() as conn:
            asked = select(u.totp, u.recovery).where(u.name == name, u.totp.is_not(None))
            row = (await conn.execute(asked)).first()
        if row is None:
            return False
        step = step_of(self.opened(name, row.totp), code.strip(), self._clock())
        if step is not None:
            return await self._use(
                update(T.users).where(u.name == name, u.totp_step < step).values(totp_step=step)
            )
        left = _hashes.decode(row.recovery)
        if (mark := hashed(code)) not in left:
            return False
        rest = msgspec.json.encode([one for one in left if one != mark]).decode()
        same = (u.name == name, u.recovery == row.recovery)
        return await self._use(update(T.users).where(*same).values(recovery=rest))

    async def _use(self, statement: Update) -> bool:
        """Run a change that holds for one of any number of twins; whether it was this one."""

        async def work(tx: Tx) -> bool:
            return (await tx.run(statement)).rowcount == 1

        return await self._db.write(work)

    async def left(self, name: str) -> int | None:
        """How many recovery codes are left; None without a second factor."""
        u = T.users.c
        async with self._db.read() as conn:
            row = (await conn.execute(select(u.totp, u.recovery).where(u.name == name))).first()
        return len(_hashes.decode(row.recovery)) if row is not None and row.totp else None


class CodeNeededError(AuthError):
    """The password was right and the code is missing; ``step`` is what to come back with, for five minutes."""

    def __init__(self, step: str) -> None:
        super().__init__("desk: code: missing; give the code of your second factor")
        self.step = step
