"""Rejects (死信): kept sealed, counted, shown at the desk, replayable; never dropped.

A replay changes the row's state and feeds the same identity again, so repeating it is harmless.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from store.db import Database, Tx, among
from store.model import DeadRef
from store.outbox import Outbox, record
from store.tables import T
from store.vault import Box, Vault


@dataclass(frozen=True)
class Dead:
    """One reject, opened. ``content`` is what came in, byte for byte."""

    id: int
    stage: str
    source_key: str
    reason: str
    error: str
    attempts: int
    state: str
    at: datetime
    content: bytes


class DeadLetters:
    """The only writer of ``dead``."""

    def __init__(self, db: Database, vault: Vault, outbox: Outbox) -> None:
        self._db = db
        self._vault = vault
        self._outbox = outbox

    async def put(
        self, tx: Tx, *, stage: str, source_key: str, reason: str, error: str, content: bytes
    ) -> None:
        """Keep a reject; the same one again counts an attempt and is dead again."""
        insert = sqlite_insert if self._db.is_sqlite else pg_insert
        box = self._vault.seal(f"dead|{stage}|{source_key}", content)
        now = datetime.now(UTC)
        row = {
            "stage": stage,
            "source_key": source_key,
            "reason": reason,
            "error": error,
            "sealed": box.sealed,
            "key": box.key,
            "attempts": 1,
            "state": "dead",
            "at": now,
        }
        again = {"state": "dead", "reason": reason, "error": error, "at": now}
        again |= {"sealed": box.sealed, "key": box.key}
        statement = (
            insert(T.dead)
            .values(row)
            .on_conflict_do_update(
                index_elements=["stage", "source_key"],
                set_={**again, "attempts": T.dead.c.attempts + 1},
            )
            .returning(T.dead.c.id, T.dead.c.attempts)
        )
        dead_id, attempts = (await tx.run(statement)).one()
        ref = DeadRef(dead_id, stage, reason)
        await self._outbox.put(tx, "dead", [record(f"{dead_id}:{attempts}", str(dead_id), ref)])

    async def list(
        self, *, state: str = "dead", limit: int = 200, ids: Sequence[int] | None = None
    ) -> Sequence[Dead]:
        """Newest first; of ``ids`` only where they are given."""
        c = T.dead.c
        statement = select(T.dead).where(c.state == state).order_by(c.id.desc()).limit(limit)
        if ids is not None:
            statement = statement.where(among(c.id, ids, is_sqlite=self._db.is_sqlite))
        async with self._db.read() as conn:
            rows = (await conn.execute(statement)).mappings().all()
        return [
            Dead(
                id=row["id"],
                stage=row["stage"],
                source_key=row["source_key"],
                reason=row["reason"],
                error=row["error"],
                attempts=row["attempts"],
                state=row["state"],
                at=row["at"],
                content=self._vault.unseal(
                    f"dead|{row['stage']}|{row['source_key']}", Box(row["key"], row["sealed"])
                ),
            )
            for row in rows
        ]

    async def mark(self, tx: Tx, dead_id: int, state: str) -> None:
        """Set ``dead``, ``replayed`` or ``dismissed``."""
        await tx.run(update(T.dead).where(T.dead.c.id == dead_id).values(state=state))
