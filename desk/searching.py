"""Cases by words (全文检索): through the whole queue, whatever the view, the newest first; filters and scope hold."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from desk.queue import Asker, Filters, Page, Queue
from store.db import Database, among
from store.errors import RejectedError
from store.search import candidates, texts
from store.tables import T
from store.terms import Search, read

MOST = 50
"""Rows of one page."""

FEW = 5_000
"""Items up to which the index's answer is read whole; words of more are looked for in the newest cases."""

CHUNK = 250
LOOKED_AT = 2_500
"""Cases read for one page of common words; the next page goes on where this one stopped."""


class Searching:
    """Searches over one ``Queue``'s cases."""

    def __init__(self, db: Database, queue: Queue, *, few: int = FEW) -> None:
        self._few = few
        self._db = db
        self._queue = queue

    async def page(
        self, words: str, asker: Asker, filters: Filters, *, after: str = "", limit: int = MOST
    ) -> Page:
        """Cases in which every word occurs; a page may be short though there is a ``next``.

        RejectedError for a cursor that was not given here.
        """
        search, below = read(words), _below(after)
        limit = min(limit, MOST)
        async with self._db.read() as conn:
            items = await candidates(conn, search, self._few)
            if items is None:
                known = None
            else:
                ci = T.case_items.c
                which = among(ci.item_id, items, is_sqlite=self._db.is_sqlite)
                found = (await conn.execute(select(ci.case_id).where(which).distinct())).scalars()
                known = [n for n in found if below is None or n < below]
        if known is None:
            return await self._newest(search, asker, filters, below, limit)
        return await self._known(search, asker, filters, known, limit)

    async def _known(
        self, search: Search, asker: Asker, filters: Filters, known: Sequence[int], limit: int
    ) -> Page:
        """The rows among cases the index named."""
        ids = await self._queue.passing(asker, filters, known)
        return await self._compared(search, asker, ids, limit, None)

    async def _newest(
        self, search: Search, asker: Asker, filters: Filters, below: int | None, limit: int
    ) -> Page:
        """The rows among the newest cases, for words that are in very many."""
        ids, edge = await self._queue.newest(asker, filters, below=below, limit=LOOKED_AT)
        return await self._compared(search, asker, ids, limit, edge)

    async def _compared(
        self, search: Search, asker: Asker, ids: Sequence[int], limit: int, edge: int | None
    ) -> Page:
        """The first of these cases that hold the words; where they are too few, the next page begins at ``edge``."""
        good: list[int] = []
        for at in range(0, len(ids), CHUNK):
            good += await self._holding(search, ids[at : at + CHUNK])
            if len(good) > limit:
                good, edge = good[:limit], good[limit - 1]
                break
        following = "" if edge is None else str(edge)
        if not good:
            return Page([], following)
        page = await self._queue.page("all", asker, Filters(), sort="newest", ids=good)
        return Page(page.rows, following)

    async def _holding(self, search: Search, ids: Sequence[int]) -> list[int]:
        """Those of these cases that really hold the words."""
        async with self._db.read() as conn:
            said = await texts(conn, ids)
        return [n for n in ids if any(map(search.finds, said.get(n, ())))]


def _below(after: str) -> int | None:
    if not after:
        return None
    if not (after.isascii() and after.isdigit() and len(after) <= 18):  # noqa: PLR2004 - what a database keeps
        msg = "desk: after: not a cursor of this page; begin again without it"
        raise RejectedError(msg, reason="after")
    return int(after)
