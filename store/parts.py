"""Opening the part of a message (拆分): its key is sealed under the original's, so both are erased at once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from store.errors import RejectedError
from store.model import item_uid
from store.tables import T
from store.vault import Box, Vault


async def key_of(conn: AsyncConnection, vault: Vault, row: Any) -> tuple[bytes, str]:
    """The wrapped key that opens an item (a row with ``key``, ``part_of`` and ``channel_id``), and by what name
    its channel knows the message. RejectedError when it, or what it is a part of, was erased.
    """
    if row.key is not None and row.part_of is None:
        return row.key, row.channel_id
    i = T.items.c
    found = select(i.channel, i.channel_id, i.key).where(i.id == (row.part_of or 0))
    origin = (await conn.execute(found)).first()
    if row.key is None or origin is None or origin.key is None:
        msg = "store: no such message, or it was erased"
        raise RejectedError(msg, reason="erased")
    owner = str(item_uid(origin.channel, origin.channel_id))
    return vault.unseal(owner, Box(origin.key, row.key)), origin.channel_id
