"""Conversations in the database: one row a citizen, under a blind key, without their words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from ingest.connectors.wechat.dialogue import State
from ingest.remembered import remembered
from store.db import Database, Tx
from store.tables import T


class SqlConversations:
    """Implements ``dialogue.Conversations`` for one channel.

    ``blind`` turns an openid into the row's key; it must be the one that makes ``items.author_key``, so
    that an answer finds when the citizen last wrote.
    """

    def __init__(self, db: Database, channel: str, blind: Callable[[str], str]) -> None:
        self._db = db
        self._channel = channel
        self._blind = blind

    async def get(self, author: str) -> State:
        """Where it stands; a new one when there was none or it can not be read any more."""
        c = T.conversations.c
        wanted = select(c.state).where(
            c.channel == self._channel, c.author_key == self._blind(author)
        )
        async with self._db.read() as conn:
            found = (await conn.execute(wanted)).scalar_one_or_none()
        return remembered(found or "", State, State)

    async def put(self, author: str, state: State, at: datetime) -> None:
        """Keep it; ``at`` is when the citizen last wrote."""
        said = {
            "item_id": state.topic.item_id if state.topic else 0,
            "state": msgspec.json.encode(state).decode(),
            "updated_at": at,
        }
        keys = ["channel", "author_key"]
        row = {"channel": self._channel, "author_key": self._blind(author)} | said

        async def work(tx: Tx) -> None:
            insert = sqlite_insert if self._db.is_sqlite else pg_insert
            await tx.run(
                insert(T.conversations)
                .values(**row)
                .on_conflict_do_update(index_elements=keys, set_=said)
            )

        await self._db.write(work)
