"""Full-text search (全文检索) over what citizens said, redacted: an index of items, kept in the background.

SQLite: an FTS5 table ``search_words`` that holds terms only. PostgreSQL: terms as numbers in ``searched`` under a GIN
index. Both are asked for candidates; ``store.terms`` compares the words. Items are indexed, not cases, so that joining
cases needs no work here: whose an item is, is asked at each search. A new or edited item is put in ``search_due`` in
its own transaction; ``Indexer`` empties that, the newest first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from store.db import Database, Tx, among
from store.errors import TransientError
from store.tables import T
from store.terms import Search, Text, as_number

log = logging.getLogger(__name__)

TOPIC = "search"
BATCH = 128
"""Items of one transaction; their terms take some milliseconds."""

PACE = 150
"""Items a second at most: in a rush, messages come first and the index later, the newest before the rest."""

GATHER_S = 0.25
"""Seconds in which what comes is gathered for one transaction."""

LOOK_S = 0.5
"""Seconds between looks for items other hubs admitted."""

PAUSE_S = 5.0
"""Seconds waited when the database is away."""

_ADD = "INSERT INTO search_words(rowid, words) VALUES (?, ?)"
_DROP = "INSERT INTO search_words(search_words, rowid, words) VALUES ('delete', ?, ?)"


async def mark(tx: Tx, ids: Iterable[int]) -> None:
    """These items are new or say something new: index them soon."""
    await tx.insert(T.search_due, [{"item_id": one} for one in ids], again="ignore")
    tx.touched.add(TOPIC)


async def forget(tx: Tx, item: Text) -> None:
    """Take an item out of the index, within the transaction that edits or erases it; ``item`` as it was until now."""
    s, d = T.searched.c, T.search_due.c
    gone = await tx.run(delete(T.searched).where(s.item_id == item.item_id))
    await tx.run(delete(T.search_due).where(d.item_id == item.item_id))
    if gone.rowcount and tx.conn.dialect.name == "sqlite":
        await tx.conn.exec_driver_sql(_DROP, (item.item_id, " ".join(sorted(item.terms()))))


async def candidates(conn: AsyncConnection, search: Search, most: int) -> list[int] | None:
    """Items that have the terms of every word; none when there are more than ``most``: the words are common."""
    if not search.words:
        return []
    if conn.dialect.name == "sqlite":
        asked = text("SELECT rowid FROM search_words WHERE search_words MATCH :match LIMIT :most")
        found = await conn.execute(asked, {"match": _match(search), "most": most + 1})
    else:
        asked = text(f"SELECT item_id FROM searched WHERE {_holds(search)} LIMIT {most + 1:d}")  # noqa: S608 - numbers
        found = await conn.execute(asked)
    ids = list(found.scalars())
    return ids if len(ids) <= most else None


def _match(search: Search) -> str:
    """The words as FTS5 asks for them; terms are letters, digits and marks, so nothing in them is syntax."""
    return " AND ".join(
        "("
        + " OR ".join("(" + " AND ".join(f'"{t}"' for t in sorted(way)) + ")" for way in word.ways)
        + ")"
        for word in search.words
    )


def _holds(search: Search) -> str:
    """The words as a condition on ``terms``, with the numbers written out, so that the plan fits them."""
    return " AND ".join(
        "("
        + " OR ".join(
            f"terms @> ARRAY[{','.join(str(as_number(t)) for t in sorted(way))}]::int[]"
            for way in word.ways
        )
        + ")"
        for word in search.words
    )


_i = T.items.c
_READ = (_i.id, _i.title, _i.text, _i.address)


async def texts(conn: AsyncConnection, case_ids: Sequence[int]) -> dict[int, list[Text]]:
    """What is searched of each case: the words of all it answers, not of the erased. A joined case answers nobody."""
    ci = T.case_items.c
    statement = (
        select(ci.case_id, *_READ)
        .join(T.items, _i.id == ci.item_id)
        .where(among(ci.case_id, case_ids, is_sqlite=conn.dialect.name == "sqlite"))
        .where(_i.key.is_not(None))
    )
    found: dict[int, list[Text]] = {}
    for row in await conn.execute(statement):
        found.setdefault(row[0], []).append(Text(*row[1:]))
    return found


class Indexer:
    """Empties ``search_due`` into the index."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def run(self) -> None:
        """Follow until cancelled; what the database refuses waits there."""
        while True:
            heard = self._db.pulse.listen(TOPIC)
            try:
                done = await self.sweep()
            except TransientError as error:
                log.warning("waiting", extra={"event": "search_waiting", "cause": str(error)})
                await asyncio.sleep(PAUSE_S)
                continue
            if done:
                await asyncio.sleep(max(GATHER_S, done / PACE))
            else:
                await self._db.pulse.wait(heard, LOOK_S)

    async def sweep(self) -> int:
        """Index the newest items that are due, at most ``BATCH``; how many were due."""
        d = T.search_due.c
        statement = (
            select(*_READ, _i.revision, d.item_id)
            .select_from(T.search_due.outerjoin(T.items, _i.id == d.item_id))
            .order_by(d.item_id.desc())
            .limit(BATCH)
        )
        async with self._db.read() as conn:
            rows = (await conn.execute(statement)).all()
        if rows:
            made = await asyncio.to_thread(_prepare, rows, as_numbers=not self._db.is_sqlite)
            due = {row.item_id: row.revision for row in rows}
            await self._db.write(lambda tx: self._put(tx, due, made))
        return len(rows)

    async def _put(self, tx: Tx, due: dict[int, int | None], made: dict[int, Any]) -> None:
        """Index what has not changed since it was read; what has stays due."""
        d, s, sqlite = T.search_due.c, T.searched.c, self._db.is_sqlite
        asked = select(_i.id, _i.revision, _i.key.is_not(None)).where(
            among(_i.id, list(due), is_sqlite=sqlite)
        )
        now = {row[0]: row[1:] for row in await tx.run(asked.with_for_update())}
        done = [one for one in due if one not in now or now[one][0] == due[one]]
        asked = select(s.item_id).where(among(s.item_id, done, is_sqlite=sqlite))
        known = set((await tx.run(asked)).scalars()) if sqlite else set()
        fresh = [one for one in done if one in now and now[one][1] and one not in known]
        await tx.run(delete(T.search_due).where(among(d.item_id, done, is_sqlite=sqlite)))
        if fresh and sqlite:
            await tx.insert(T.searched, [{"item_id": one} for one in fresh])
            await tx.conn.exec_driver_sql(_ADD, [(one, made[one]) for one in fresh])
        elif fresh:
            put = pg_insert(T.searched)
            put = put.on_conflict_do_update(
                index_elements=["item_id"], set_={"terms": put.excluded.terms}
            )
            await tx.run(put, [{"item_id": one, "terms": made[one]} for one in fresh])


def _prepare(rows: Sequence[Any], *, as_numbers: bool) -> dict[int, Any]:
    """The terms of each item that is there, as its database keeps them."""
    found = {row.item_id: sorted(Text(*row[:4]).terms()) for row in rows if row.id is not None}
    if as_numbers:
        return {one: [as_number(term) for term in listed] for one, listed in found.items()}
    return {one: " ".join(listed) for one, listed in found.items()}
