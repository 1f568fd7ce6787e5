"""How far each consumer group has come; the fence that makes effects happen once.

``advance`` runs in the transaction of the effects and moves the offset only if nobody else did:
a zombie's, a twin's or a re-delivered batch changes zero rows, and its effects are rolled back.
"""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from store.db import Database, Tx
from store.errors import ConflictError
from store.tables import T


class FencedError(ConflictError):
    """Another reader of the group has moved the offset: drop the batch and read again."""


async def position(db: Database, group: str, topic: str, part: int) -> int | None:
    """The next offset ``group`` will read, None when it never did."""
    c = T.offsets.c
    statement = select(c.next_offset).where(c.consumers == group, c.topic == topic, c.part == part)
    async with db.read() as conn:
        found = (await conn.execute(statement)).scalar()
    return None if found is None else int(found)


async def begin(db: Database, group: str, topic: str, part: int, first: int) -> tuple[int, int]:
    """Note a start; returns (next offset, starts without progress, this one included).

    Written before any work, so a record that kills the process is counted too.
    """
    insert = sqlite_insert if db.is_sqlite else pg_insert
    c = T.offsets.c
    mine = (c.consumers == group, c.topic == topic, c.part == part)

    async def work(tx: Tx) -> tuple[int, int]:
        row = {"consumers": group, "topic": topic, "part": part, "next_offset": first}
        row |= {"starts": 0}
        await tx.run(insert(T.offsets).values(row).on_conflict_do_nothing())
        await tx.run(update(T.offsets).where(*mine).values(starts=c.starts + 1))
        found = (await tx.run(select(c.next_offset, c.starts).where(*mine))).one()
        return int(found[0]), int(found[1])

    return await db.write(work)


async def advance(
    tx: Tx, group: str, topic: str, part: int, *, expected: int, offset: int, starts: int = 0
) -> None:
    """Move from ``expected`` to ``offset``, or raise FencedError."""
    c = T.offsets.c
    done = await tx.run(
        update(T.offsets)
        .where(c.consumers == group, c.topic == topic, c.part == part, c.next_offset == expected)
        .values(next_offset=offset, starts=starts)
    )
    if done.rowcount != 1:
        msg = f"store: {group} is not the reader of {topic}/{part} at {expected} any more"
        raise FencedError(msg)
