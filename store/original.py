"""The sealed original of an item: the words as sent, and how to reach who sent them."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import select

from store.db import Database
from store.errors import RejectedError
from store.model import item_uid
from store.parts import key_of
from store.tables import T
from store.vault import Box, Vault


class Originals:
    """Opens boxes. Callers write an audit row first."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault

    async def of(self, item_id: int) -> dict[str, Any]:
        """Title, text, author, contact and address as they came; RejectedError when erased."""
        c = T.items.c
        columns = (c.channel, c.channel_id, c.key, c.sealed, c.part_of)
        async with self._db.read() as conn:
            row = (await conn.execute(select(*columns).where(c.id == item_id))).first()
            if row is None:
                msg = "store: no such message"
                raise RejectedError(msg, reason="erased")
            key, _ = await key_of(conn, self._vault, row)
        owner = str(item_uid(row.channel, row.channel_id))
        content: dict[str, Any] = msgspec.json.decode(
            self._vault.unseal(owner, Box(key, row.sealed))
        )
        return content
