"""How somebody becomes a session: password, second factor, gateway or single sign-on, with one audit row each."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from desk.accounts import WRONG, Accounts, User, user_of
from desk.factors import CodeNeededError, Factors
from desk.lockout import Attempt
from desk.sessions import Sessions
from store.audit import audit
from store.db import Database
from store.errors import AuthError, RejectedError
from store.vault import Box, Vault

STEP_FOR = timedelta(minutes=5)
"""Between a right password and its code."""

WRAPPED = 60
"""Bytes of a wrapped key at the head of a sealed step."""


class Step(msgspec.Struct, frozen=True):
    """A right password waiting for its code."""

    name: str
    until: datetime


@dataclass(frozen=True)
class Entry:
    """The ways in. Every failure is AuthError with the same words, whatever was wrong."""

    db: Database
    vault: Vault
    accounts: Accounts
    factors: Factors
    sessions: Sessions
    clock: Callable[[], datetime]

    async def by_password(
        self, name: str, password: str, *, code: str = "", address: str = ""
    ) -> User:
        """The person; CodeNeededError when the password is right and a code is needed and not given."""
        attempt = await self.accounts.begin(name, password, address)
        if attempt.row.totp is None:
            return await self._done(attempt)
        if code:
            return await self._judge(attempt, code)
        await self.accounts.give_back(attempt, done=False)
        raise CodeNeededError(self._sealed(name))

    async def by_code(self, step: str, code: str, *, address: str = "") -> User:
        """The person whose password was right a moment ago, with their code."""
        attempt = await self.accounts.resume(self._opened(step), address)
        return await self._judge(attempt, code)

    async def _judge(self, attempt: Attempt, code: str) -> User:
        if not await self.factors.accept(attempt.name, code):
            raise AuthError(WRONG)
        return await self._done(attempt)

    async def _done(self, attempt: Attempt) -> User:
        await self.accounts.give_back(attempt, done=True)
        return user_of(attempt.row)

    async def begin(
        self, user: User, *, old: str = "", via: str = "password", address: str = ""
    ) -> str:
        """A new login in place of the one with the token ``old``; its token."""
        note = f"{via} {address}".strip()
        target = f"user {user.name}"
        await audit(
            self.db, actor=user.name, act="login", target=target, note=note, at=self.clock()
        )
        if old:
            await self.sessions.end(old)
        return await self.sessions.begin(user, via=via, address=address)

    def _sealed(self, name: str) -> str:
        step = Step(name, self.clock() + STEP_FOR)
        box = self.vault.seal("login-step", msgspec.json.encode(step))
        return base64.urlsafe_b64encode(box.key + box.sealed).decode()

    def _opened(self, text: str) -> str:
        """Whose step it is; AuthError when it is over or not ours."""
        try:
            kept = base64.urlsafe_b64decode(text.encode())
            content = self.vault.unseal("login-step", Box(kept[:WRAPPED], kept[WRAPPED:]))
        except (binascii.Error, RejectedError, ValueError) as error:
            raise AuthError(WRONG) from error
        step = msgspec.json.decode(content, type=Step)
        if step.until < self.clock():
            raise AuthError(WRONG)
        return step.name
