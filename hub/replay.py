"""Feed a recording through the whole pipeline and wait until every message of it has settled.

Safe to repeat after any crash: identities are the recording's own, so what is stored already counts
as duplicate. ``read = admitted + revised + duplicate + dead``; the other counts tell the state of the
recording's messages, whichever run admitted them.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import func, select

from hub.app import Hub
from hub.recording import Line, read_lines
from ingest.admit import Admission
from store.db import Database, among
from store.errors import RejectedError, TransientError
from store.model import Decision, Item, Kind
from store.tables import T

R = TypeVar("R")

BATCH = 500
KEYS = (
    "read", "admitted", "revised", "duplicate", "dead", "labelled", "abstained", "filed", "dispatched",
)  # fmt: skip


Feed = Callable[[Sequence[Line]], Awaitable[Counter[str]]]


async def feed(admission: Admission, lines: Sequence[Line]) -> Counter[str]:
    """Admit one batch, in order; a message that is refused goes to ``dead`` alone."""
    counts: Counter[str] = Counter(read=len(lines))
    for line in lines:
        if line.error is not None:
            counts["dead"] += await _bury(admission, line, line.error)
    good = [(line, line.item) for line in lines if line.item is not None]
    try:
        counts += await _admit(admission, [item for _, item in good])
    except RejectedError:
        for line, item in good:
            try:
                counts += await _admit(admission, [item])
            except RejectedError as error:
                counts["dead"] += await _bury(admission, line, error)
    return counts


async def _admit(admission: Admission, items: Sequence[Item]) -> Counter[str]:
    if not items:
        return Counter()
    heard = await patiently(lambda: admission.admit(items))
    return Counter(h.outcome for h in heard)


async def _bury(admission: Admission, line: Line, error: RejectedError) -> int:
    await patiently(lambda: admission.reject(line.channel, line.source_key, line.raw, error))
    return 1


async def patiently(act: Callable[[], Awaitable[R]], *, tries: int = 60) -> R:
    """Repeat what is safe to repeat while the surroundings are unwell."""
    for attempt in range(tries - 1):
        try:
            return await act()
        except TransientError:
            await asyncio.sleep(min(2.0, 0.1 * 2**attempt))
    return await act()


class Replay:
    """One recording on its way; ``feeder`` admits a batch here or in the hub that owns the data."""

    def __init__(self, feeder: Feed, db: Database, *, progress: Callable[[str, int], None]) -> None:
        self._feeder = feeder
        self._db = db
        self._progress = progress
        self._seen: dict[tuple[str, str], None] = {}
        self.counts: Counter[str] = Counter()

    async def feed(self, lines: Sequence[Line]) -> None:
        """Admit one batch."""
        if lines:
            self.counts += await self._feeder(lines)
            self._seen.update(
                {(line.channel, line.source_key): None for line in lines if line.item}
            )
            self._progress("feed", len(lines))

    async def run(self, path: Path, channel: str, zone: ZoneInfo) -> dict[str, int]:
        """Feed every line, then settle."""
        batch: list[Line] = []
        for line in read_lines(path, channel, zone):
            batch.append(line)
            if len(batch) == BATCH:
                await self.feed(batch)
                batch = []
        await self.feed(batch)
        return await self.settle()

    async def settle(self) -> dict[str, int]:
        """Wait until every message has its verdict and, where one is due, its case, joined to another if at all."""
        waiting = list(self._seen)
        while True:
            started = time.monotonic()
            still: list[tuple[str, str]] = []
            for start in range(0, len(waiting), BATCH):
                part = waiting[start : start + BATCH]
                still += await self._look(part)
                if still and len(waiting) > BATCH:  # the rest is younger: look again later
                    still += waiting[start + BATCH :]
                    break
            self._progress("settle", len(waiting) - len(still))
            waiting = still
            if not waiting and not await self._relaying() and not await self._joining():
                return {key: self.counts[key] for key in KEYS}
            await asyncio.sleep(max(0.05, 3 * (time.monotonic() - started)))

    async def _look(self, part: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Count those that have settled; returns the others, in order."""
        by_channel: dict[str, list[str]] = {}
        for channel, channel_id in part:
            by_channel.setdefault(channel, []).append(channel_id)
        settled: set[tuple[str, str]] = set()
        for channel, ids in by_channel.items():
            for channel_id, counts in (await _settled(self._db, channel, ids)).items():
                settled.add((channel, channel_id))
                self.counts += counts
        return [key for key in part if key not in settled]

    async def _relaying(self) -> bool:
        async with self._db.read() as conn:
            return bool(
                (await conn.execute(select(func.count()).select_from(T.outbox))).scalar_one()
            )

    async def _joining(self) -> bool:
        """Whether grouping has verdicts to look at which the router has read."""
        o = T.offsets.c
        read = select(o.consumers, o.part, o.next_offset).where(o.topic == "verdicts")
        async with self._db.read() as conn:
            at = {(row[0], row[1]): row[2] for row in await conn.execute(read)}
        ahead = {part: offset for (group, part), offset in at.items() if group == "router"}
        return any(at.get(("grouping", part), 0) < offset for part, offset in ahead.items())


async def _settled(db: Database, channel: str, ids: Sequence[str]) -> dict[str, Counter[str]]:
    """What became of each message that has got as far as it will by itself."""
    i, v, c = T.items.c, T.verdicts.c, T.cases.c
    statement = (
        select(i.channel_id, i.id, v.kind, v.decision, c.id, c.filed_at, c.dispatched_at)
        .outerjoin(T.verdicts, v.item_id == i.id)
        .outerjoin(T.cases, c.id == i.id)
        .where(i.channel == channel, among(i.channel_id, ids, is_sqlite=db.is_sqlite))
    )
    async with db.read() as conn:
        rows = (await conn.execute(statement)).all()
        buried = await _buried(conn, [row[1] for row in rows if row[4] is None])
    found: dict[str, Counter[str]] = {}
    for channel_id, item_id, kind, decision, case_id, filed_at, dispatched_at in rows:
        wants_case = decision == Decision.DESK or kind not in {Kind.PRAISE, Kind.CHATTER}
        done = decision is not None and (case_id is not None or not wants_case)
        if done or item_id in buried:
            found[channel_id] = Counter(
                labelled=decision == Decision.AUTO,
                abstained=decision == Decision.DESK,
                filed=filed_at is not None,
                dispatched=dispatched_at is not None,
            )
    return found


async def _buried(conn: Any, ids: Sequence[int]) -> set[int]:
    """Those whose record ended in ``dead``."""
    if not ids:
        return set()
    d = T.dead.c
    statement = select(d.source_key).where(d.stage.in_(["classify", "router"]), d.state == "dead")
    keys = {row[0].split(":")[0] for row in await conn.execute(statement)}
    return {i for i in ids if str(i) in keys}


async def replay(
    hub: Hub, path: Path, channel: str, *, progress: Callable[[str, int], None] = lambda *_: None
) -> dict[str, int]:
    """The whole, through this hub's running rooms; a room that must stop raises its ConfigError."""
    run = Replay(partial(feed, hub.admission), hub.db, progress=progress)
    working = asyncio.ensure_future(run.run(path, channel, hub.zone))
    failed = hub.runner.failed
    waits: set[asyncio.Future[Any]] = {working}
    if failed is not None:
        waits.add(failed)
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    if not working.done() and failed is not None:
        working.cancel()
        raise failed.result()
    return await working


def as_json(counts: dict[str, int]) -> str:
    """The counts as one line."""
    return msgspec.json.encode(counts).decode()
