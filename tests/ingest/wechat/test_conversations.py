"""Conversations are kept on both databases, under a blind key."""

from typing import Any

from sqlalchemy import insert, select

from ingest.connectors.wechat.conversations import SqlConversations
from ingest.connectors.wechat.dialogue import State, Topic
from store.db import Database, Tx
from store.tables import T
from store.vault import Vault


def conversations(db: Database, vault: Vault) -> SqlConversations:
    return SqlConversations(db, "wx", lambda author: vault.blind("author", f"wx|{author}"))


async def test_state_is_kept_and_replaced(db: Database, vault: Vault, clock: Any) -> None:
    kept = conversations(db, vault)
    assert await kept.get("citizen") == State()
    first = State().replied("1", "好")
    topic = Topic(202611240000001, "r", clock(), has_words=True, has_place=False, has_photo=False)
    second = State(topic=topic, items=(202611240000001,), said=first.said)
    await kept.put("citizen", first, clock())
    await kept.put("citizen", second, clock())
    assert await kept.get("citizen") == second
    assert await kept.get("other") == State()
    async with db.read() as conn:
        row = (await conn.execute(select(T.conversations))).one()
    assert (row.item_id, row.updated_at) == (202611240000001, clock())
    assert "citizen" not in f"{row.author_key}{row.state}"


async def test_unreadable_state_begins_anew(db: Database, vault: Vault, clock: Any) -> None:
    row = {
        "channel": "wx", "author_key": vault.blind("author", "wx|citizen"), "item_id": 0, "state": "{[",
        "updated_at": clock(),
    }  # fmt: skip

    async def work(tx: Tx) -> None:
        await tx.run(insert(T.conversations).values(**row))

    await db.write(work)
    assert await conversations(db, vault).get("citizen") == State()
