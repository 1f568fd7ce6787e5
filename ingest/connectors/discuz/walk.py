"""The way through a forum, once: which lists and threads are read, in which order, and what is remembered.

A board's list comes with the latest reply first. It is read down to the board's floor; threads that moved are
read newest first, each page handed on by itself with a cursor that may be stored once the page is durable. The
floor rises only when everything above it has been read, so a stop anywhere repeats pages and loses none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from ingest.connectors.discuz import times
from ingest.connectors.discuz.cursor import Board, Cursor, Known
from ingest.connectors.discuz.shapes import Listing, Refusal, Row, Thread
from ingest.connectors.discuz.site import DiscuzConfig, Site
from ingest.protocol import Page
from store.errors import RejectedError

DAY = 1_440
"""Minutes."""

SWEEP_PAGES = 10
SWEEP_FACTOR = 10
"""A sweep may read this many times ``max_threads``."""

LIST_LIMIT = 50
"""List pages of one poll, those counted in that hold nothing new (behind a backlog)."""

THREAD_PAGES = 100
"""Pages of one thread in one poll; the next poll goes on from there."""

RSS_TRUSTED = 60
"""Minutes for which an RSS that shows nothing new spares the list; its cache is as old as that."""


class _Found(NamedTuple):
    rows: Sequence[Row]
    complete: bool
    newest: int


class Walk:
    """One poll or sweep of all boards. A board that refuses does not stop the others; the first refusal is raised
    when all have been read."""

    def __init__(self, site: Site, config: DiscuzConfig, cursor: str, *, sweep: bool) -> None:
        self._site = site
        self._config = config
        self._cursor = Cursor.decode(cursor)
        self._sweep = sweep
        self._now = times.minute(site.now())
        self._oldest = self._now - config.sweep_days * DAY

    async def pages(self) -> AsyncIterator[Page]:
        """Page by page."""
        refused: RejectedError | None = None
        read: set[int] = set()
        for fid in self._config.boards:
            try:
                async for page in self._board(fid, read):
                    yield page
            except RejectedError as error:
                refused = refused or RejectedError(f"{error} (board {fid})", reason=error.reason)
        if self._sweep:
            async for page in self._unlisted(read):
                yield page
        if refused:
            raise refused

    async def _board(self, fid: int, read: set[int]) -> AsyncIterator[Page]:
        board = self._cursor.boards.setdefault(fid, Board(floor=self._oldest))
        if await self._is_quiet(fid, board):
            yield Page(None, self._cursor.encode())
            return
        found = await self._look(fid, self._oldest if self._sweep else board.floor)
        limit = self._config.max_threads * (SWEEP_FACTOR if self._sweep else 1)
        for row in found.rows[:limit]:
            read.add(row.tid)
            async for page in self._thread(row):
                yield page
        if found.complete and len(found.rows) <= limit and self._all_read(found.rows):
            self._raise(board, found.newest)
        yield Page(None, self._cursor.encode())

    def _all_read(self, rows: Sequence[Row]) -> bool:
        known = (self._cursor.known.get(row.tid) for row in rows)
        return all(thread is None or thread.replies >= 0 for thread in known)

    def _raise(self, board: Board, newest: int) -> None:
        """A sweep looks back only so far: it may not hide a backlog that is older."""
        if not self._sweep or self._oldest <= board.floor:
            board.floor = max(board.floor, min(newest, self._now))
            board.listed = self._now

    async def _unlisted(self, read: set[int]) -> AsyncIterator[Page]:
        """Threads known from these days that no list showed: deleted, or below the last page looked at."""
        known = self._cursor.known
        missed = [t for t in known if t not in read and self._oldest <= known[t].stamp]
        missed.sort(key=lambda tid: known[tid].stamp, reverse=True)
        for tid in missed[: self._config.max_threads * SWEEP_FACTOR]:
            stamp = known[tid].stamp
            row = Row(tid, sticky=False, stamp=stamp, created=stamp, replies=known[tid].replies)
            async for page in self._thread(row):
                yield page

    async def _is_quiet(self, fid: int, board: Board) -> bool:
        """True when RSS shows threads and all are known. It tells nothing about replies and may be an hour
        old, so it spares a list only where replies are not heard, and not for long."""
        if self._config.replies or self._config.json_api or self._sweep:
            return False
        if self._now - board.listed >= RSS_TRUSTED:
            return False
        tids = await self._site.rss(fid)
        return bool(tids) and all(tid in self._cursor.known for tid in tids)

    async def _look(self, fid: int, floor: int) -> _Found:
        """The rows to be read, newest first. A page that only holds what is known costs no budget."""
        budget = max(SWEEP_PAGES, self._config.max_pages) if self._sweep else self._config.max_pages
        seen: set[int] = set()
        rows: dict[int, Row] = {}
        newest = floor
        for number in range(1, LIST_LIMIT + 1):
            listing = await self._site.listing(fid, number)
            fresh = [row for row in listing.rows if row.tid not in seen]
            wanted = [row for row in fresh if self._wants(row, floor)]
            rows.update((row.tid, row) for row in wanted)
            seen.update(row.tid for row in fresh)
            newest = max([newest, *(row.stamp for row in listing.rows if row.stamp)])
            if self._is_last(listing, fresh, number, floor):
                return _Found(list(rows.values()), complete=True, newest=newest)
            budget -= bool(wanted)
            if not budget:
                break
        return _Found(list(rows.values()), complete=False, newest=newest)

    def _wants(self, row: Row, floor: int) -> bool:
        if self._sweep:
            return row.stamp is None or floor <= row.stamp
        return self._cursor.is_new(row, floor)

    @staticmethod
    def _is_last(listing: Listing, fresh: Sequence[Row], number: int, floor: int) -> bool:
        """A page beyond the last shows the first again, so rows seen before end the list too."""
        normal = [row for row in fresh if not row.sticky]
        if not normal or listing.pages <= number:
            return True
        end = normal[-1].stamp
        return end is not None and end < floor

    async def _thread(self, row: Row) -> AsyncIterator[Page]:
        known = self._cursor.known.get(row.tid, Known())
        payload, head = await self._site.thread(row.tid, 1, known.first)
        if isinstance(head, Refusal):
            self._note(row, Known(known.first, pages=known.pages), done=True)
            if head is Refusal.GONE:
                del self._cursor.known[row.tid]
            yield Page(payload, self._cursor.encode())
            return
        first = head.first or known.first
        last = head.pages if self._config.replies else 1
        start = 2 if self._sweep else max(2, min(known.resume, last))
        self._note(row, Known(first, known.stamp, -1, start - 1), done=last < start)
        yield Page(payload, self._cursor.encode())
        async for page in self._later(row, head, first, range(start, last + 1)):
            yield page

    async def _later(
        self, row: Row, head: Thread, first: int, numbers: range
    ) -> AsyncIterator[Page]:
        """Pages after the first. One beyond the last shows the last again."""
        before = {post.pid for post in head.posts}
        for number in numbers[:THREAD_PAGES]:
            payload, seen = await self._site.thread(row.tid, number, first)
            pids = set() if isinstance(seen, Refusal) else {post.pid for post in seen.posts}
            ends = number == numbers[-1] or pids <= before
            state = Known(first, row.stamp or 0, -1, number)
            self._note(row, state, done=ends)
            yield Page(payload, self._cursor.encode())
            if ends:
                return
            before = pids

    def _note(self, row: Row, state: Known, *, done: bool) -> None:
        if done:
            state = Known(state.first, row.stamp or 0, row.replies, state.pages)
        self._cursor.known[row.tid] = state
