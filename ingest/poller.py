"""Ask a polled source for what is new: fetch, parse, admit, and only then remember the cursor.

A crash anywhere repeats the page, and admission knows its items. One bad post is kept in ``dead`` and
its neighbours go on; a page that is no page is an error of the source, shown on its health line.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from ingest.admit import Admission
from ingest.protocol import Parsed, Polled
from store.db import Database, Tx
from store.errors import HubError, RejectedError
from store.faults import crash_point
from store.model import Heard, Item
from store.tables import T

log = logging.getLogger(__name__)

PAGES = 50
CHUNK = 200


class Poller:
    """Polls one source at a time; the scheduler decides when, the lease who."""

    def __init__(
        self, *, db: Database, admission: Admission, clock: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._admission = admission
        self._clock = clock

    async def poll(self, source: Polled) -> list[Heard]:
        """Read until the source has no more. Errors of the source are noted, never raised."""
        heard: list[Heard] = []
        try:
            for _ in range(PAGES):
                cursor = await self._cursor(source.channel)
                page = await source.fetch(cursor)
                if page.payload is not None:
                    parsed = await asyncio.to_thread(source.parse, page.payload)
                    heard += await self._admit(source.channel, parsed)
                crash_point("poll.before_cursor")
                await self._note(source.channel, cursor=page.cursor, heard=len(heard))
                if not page.more:
                    break
        except HubError as error:
            log.warning(
                "poll failed",
                extra={"event": "poll_failed", "channel": source.channel, "cause": str(error)},
            )
            await self._note(source.channel, error=str(error))
        return heard

    async def _admit(self, channel: str, parsed: Parsed) -> list[Heard]:
        for failure in parsed.failures:
            await self._admission.reject(
                channel, failure.source_key, failure.content, RejectedError(failure.error)
            )
        heard: list[Heard] = []
        items = list(parsed.items)
        for start in range(0, len(items), CHUNK):
            heard += await self._admit_each(channel, items[start : start + CHUNK])
        return heard

    async def _admit_each(self, channel: str, items: list[Item]) -> list[Heard]:
        """All at once; when one is refused, one by one, so that only that one is lost to ``dead``."""
        try:
            return await self._admission.admit(items)
        except RejectedError:
            heard: list[Heard] = []
            for item in items:
                try:
                    heard += await self._admission.admit([item])
                except RejectedError as error:
                    content = item.model_dump_json(exclude={"media"}).encode()
                    await self._admission.reject(channel, item.channel_id, content, error)
            return heard

    async def _cursor(self, name: str) -> str:
        async with self._db.read() as conn:
            found = (
                await conn.execute(select(T.sources.c.cursor).where(T.sources.c.name == name))
            ).scalar()
        return found or ""

    async def _note(
        self, name: str, *, cursor: str | None = None, error: str = "", heard: int = 0
    ) -> None:
        insert = sqlite_insert if self._db.is_sqlite else pg_insert
        now = self._clock()
        changes = (
            {"last_error_at": now, "last_error": error[:300]}
            if error
            else {"last_success_at": now, "last_error": "", "cursor": cursor}
        )

        async def work(tx: Tx) -> None:
            c = T.sources.c
            await tx.run(insert(T.sources).values(name=name, heard=0).on_conflict_do_nothing())
            await tx.run(
                update(T.sources).where(c.name == name).values(**changes, heard=c.heard + heard)
            )

        await self._db.write(work)
