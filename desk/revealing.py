"""Contact and original words behind a reason (查看原文与联系方式): written down first, then shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import func, insert, select

from desk.pages import Note
from store.db import Database, Tx
from store.errors import RejectedError, TransientError
from store.original import Originals
from store.tables import T
from store.vault import Vault

ACT = "reveal"
SHORTEST_REASON = 4
"""Characters."""

HOUR = timedelta(hours=1)


class NoteBody(msgspec.Struct, forbid_unknown_fields=True):
    """A reason."""

    note: Note = ""


class TooManyError(TransientError):
    """This person has looked at too many originals lately (HTTP 429)."""

    status = 429


class Reveals:
    """Opens originals for people."""

    def __init__(self, db: Database, vault: Vault, *, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._originals = Originals(db, vault)
        self._clock = clock

    async def open(
        self, item_id: int, *, actor: str, target: str, note: str, hourly: int | None = None
    ) -> dict[str, Any]:
        """The item's original, once the audit names ``actor``, ``target`` and the reason.

        RejectedError for a reason too short and for an erased item; TooManyError after ``hourly`` within an hour.
        """
        if len(note.strip()) < SHORTEST_REASON:
            msg = "desk: note: too short; give a reason of four characters or more to see contact details"
            raise RejectedError(msg, reason="note")
        now = self._clock()
        row = {"actor": actor, "act": ACT, "target": target, "note": note, "at": now}

        async def work(tx: Tx) -> None:
            if hourly is not None and await _lately(tx, actor, now - HOUR) >= hourly:
                msg = f"desk: {hourly} originals were shown to you within an hour; wait a while"
                raise TooManyError(msg, retry_after_s=600)
            await tx.run(insert(T.audit).values(**row))

        await self._db.write(work)
        return await self._originals.of(item_id)


async def _lately(tx: Tx, actor: str, since: datetime) -> int:
    a = T.audit.c
    asked = select(func.count()).where(a.actor == actor, a.act == ACT, a.at > since)
    return int((await tx.run(asked)).scalar_one())
