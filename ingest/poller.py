"""Ask a polled source for what is new: fetch, parse, admit, and only then remember the cursor.

A crash anywhere repeats the page, and admission knows its items. One bad post is kept in ``dead`` and
its neighbours go on; a page that is no page, or a list that is suddenly empty, is an error of the
source, shown on its health line. Once a day the last days are read again for what came late.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from ingest.admit import Admission, admit_each
from ingest.protocol import Parsed, Polled
from store.db import Database, Tx
from store.errors import HubError, RejectedError
from store.faults import crash_point
from store.model import Heard
from store.tables import T

log = logging.getLogger(__name__)

CHUNK = 200
SWEEP = timedelta(days=1)
EMPTY_POLLS = 2
"""Polls in a row a source may list nothing before that is an alarm: Discuz does it once by itself."""

LONGEST_S = 3600.0


@dataclass
class Polling:
    """What came of one poll; ``listed`` counts posts seen, new or not; ``pages`` those with content."""

    heard: list[Heard] = field(default_factory=list)
    listed: int = 0
    pages: int = 0
    newest_at: datetime | None = None
    swept: bool = False
    error: str = ""
    wait_s: float = 0.0


class Poller:
    """Polls one source at a time; the scheduler decides when, the lease who."""

    def __init__(
        self,
        *,
        db: Database,
        admission: Admission,
        clock: Callable[[], datetime],
        gauge: Callable[[str, str, float], None] = lambda *_: None,
    ) -> None:
        self._db = db
        self._admission = admission
        self._clock = clock
        self._gauge = gauge
        self._restored: set[int] = set()

    async def poll(self, source: Polled, *, sweep: bool | None = None) -> Polling:
        """Read until the source has no more. Errors of the source are noted, never raised."""
        row = await self._row(source.channel)
        self._restore(source, row.saved)
        now = self._clock()
        if sweep is None:
            sweep = bool(row.cursor) and now - (row.swept_at or now) >= SWEEP
        polling = Polling(swept=sweep or row.swept_at is None)
        alert = ""
        retry_after_s: float | None = None
        try:
            await self._read(source, row.cursor, polling, sweep=sweep)
        except HubError as error:
            polling.error = str(error)
            alert = "layout" if getattr(error, "reason", "") == "layout" else ""
            retry_after_s = getattr(error, "retry_after_s", None)
        except Exception as error:
            log.exception("poll broke", extra={"event": "poll_broke", "channel": source.channel})
            polling.error = (
                f"ingest: {source.channel}: {type(error).__name__} in the connector; report it"
            )
        await self._note(source, row, polling, alert, retry_after_s)
        return polling

    def _restore(self, source: Polled, saved: str) -> None:
        if id(source) not in self._restored:
            source.restore(saved)
            self._restored.add(id(source))

    async def _read(self, source: Polled, cursor: str, polling: Polling, *, sweep: bool) -> None:
        async with aclosing(source.pages(cursor, sweep=sweep)) as pages:  # type: ignore[type-var]
            async for page in pages:
                if page.payload is not None:
                    parsed = await asyncio.to_thread(source.parse, page.payload)
                    await self._admit(source.channel, parsed, polling)
                if page.cursor != cursor:
                    crash_point("poll.before_cursor")
                    await self._remember(source.channel, page.cursor)
                    cursor = page.cursor

    async def _admit(self, channel: str, parsed: Parsed, polling: Polling) -> None:
        for failure in parsed.failures:
            await self._admission.reject(
                channel, failure.source_key, failure.content, RejectedError(failure.error)
            )
        await self._admission.gone(channel, parsed.gone)
        items = list(parsed.items)
        for start in range(0, len(items), CHUNK):
            chunk = items[start : start + CHUNK]
            for item, heard in zip(chunk, await admit_each(self._admission, chunk), strict=True):
                if isinstance(heard, RejectedError):
                    content = item.model_dump_json(exclude={"media"}).encode()
                    await self._admission.reject(channel, item.channel_id, content, heard)
                else:
                    polling.heard.append(heard)
        polling.pages += 1
        polling.listed += len(items) + len(parsed.failures) + len(parsed.gone)
        times = [item.posted_at for item in items if item.posted_at is not None]
        if times:
            polling.newest_at = max([*times, polling.newest_at or times[0]])

    async def _row(self, name: str) -> Any:
        """The source's row, made at its first poll."""
        found = select(T.sources).where(T.sources.c.name == name)
        async with self._db.read() as conn:
            row = (await conn.execute(found)).first()
        if row is not None:
            return row
        insert = sqlite_insert if self._db.is_sqlite else pg_insert

        async def work(tx: Tx) -> Any:
            await tx.run(insert(T.sources).values(name=name).on_conflict_do_nothing())
            return (await tx.run(found)).one()

        return await self._db.write(work)

    async def _remember(self, name: str, cursor: str) -> None:
        await self._write(name, {"cursor": cursor})

    async def _write(self, name: str, values: dict[str, Any]) -> None:
        async def work(tx: Tx) -> None:
            await tx.run(update(T.sources).where(T.sources.c.name == name).values(**values))
            tx.touched.add("desk")

        await self._db.write(work)

    async def _note(
        self,
        source: Polled,
        row: Any,
        polling: Polling,
        alert: str,
        retry_after_s: float | None,
    ) -> None:
        now, health = self._clock(), source.health()
        failures = row.failures + 1 if polling.error else 0
        empty = _empty_streak(source, row, polling)
        if polling.error:
            log.warning(
                "poll failed",
                extra={"event": "poll_failed", "channel": source.channel, "cause": polling.error},
            )
            polling.wait_s = _after_failure(source.wait_s(), failures, retry_after_s)
            values: dict[str, Any] = {"last_error_at": now, "last_error": polling.error[:300]}
            values["alert"] = alert or row.alert
        else:
            polling.wait_s = source.wait_s()
            values = {"last_success_at": now, "last_error": ""}
            values["alert"] = "empty" if empty >= EMPTY_POLLS else ""
            if polling.swept:
                values["swept_at"] = now
        if polling.newest_at is not None:
            values["newest_at"] = max(polling.newest_at, row.newest_at or polling.newest_at)
        await self._write(
            source.channel,
            {
                **values,
                "saved": source.save(),
                "heard": T.sources.c.heard + len(polling.heard),
                "failures": failures,
                "empty": empty,
                "warning": health.warning[:300],
                "budget": health.budget,
                "budget_left": health.budget_left,
                "next_at": now + timedelta(seconds=polling.wait_s),
            },
        )
        self._gauge("source_failures", source.channel, failures)
        self._gauge("source_alert", source.channel, float(bool(values["alert"])))


def _empty_streak(source: Polled, row: Any, polling: Polling) -> int:
    """Polls in a row that listed nothing although the source always lists its newest posts."""
    if polling.error or not polling.pages:
        return int(row.empty)
    return int(row.empty) + 1 if source.lists_always and row.heard and not polling.listed else 0


def _after_failure(wait_s: float, failures: int, retry_after_s: float | None) -> float:
    """Twice the pause for each failure in a row, never past an hour, never before the source said."""
    pause = min(max(wait_s, LONGEST_S), wait_s * 2.0 ** min(failures - 1, 6))
    return max(pause, retry_after_s or 0.0)
