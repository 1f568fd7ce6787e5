"""Feed a recording through the whole pipeline and wait until every message of it has settled.

Safe to repeat after any crash: identities are the recording's own, so what is stored already counts
as duplicate. ``read = admitted + revised + duplicate + dead``; the other counts tell the state of the
recording's messages, whichever run admitted them.
"""

from __future__ import annotations

import asyncio
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
from store.db import Database
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
        """Wait until every message has its verdict and, where one is due, its case."""
        shown = 0
        while True:
            state = await self._state()
            self._progress("settle", state["labelled"] + state["abstained"] - shown)
            shown = state["labelled"] + state["abstained"]
            if state["done"]:
                return {key: self.counts[key] or state[key] for key in KEYS}
            await asyncio.sleep(0.1)

    async def _state(self) -> Counter[str]:
        total: Counter[str] = Counter(done=1)
        by_channel: dict[str, list[str]] = {}
        for channel, channel_id in self._seen:
            by_channel.setdefault(channel, []).append(channel_id)
        for channel, ids in by_channel.items():
            for start in range(0, len(ids), BATCH):
                total.update(await _state_of(self._db, channel, ids[start : start + BATCH]))
        async with self._db.read() as conn:
            waiting = (await conn.execute(select(func.count()).select_from(T.outbox))).scalar_one()
        if total.pop("open", 0) or waiting:
            total["done"] = 0
        return total


async def _state_of(db: Database, channel: str, ids: Sequence[str]) -> Counter[str]:
    i, v, c = T.items.c, T.verdicts.c, T.cases.c
    statement = (
        select(i.id, i.revision, v.revision, v.kind, v.decision, c.filed_at, c.dispatched_at, c.id)
        .outerjoin(T.verdicts, v.item_id == i.id)
        .outerjoin(T.case_items, T.case_items.c.item_id == i.id)
        .outerjoin(T.cases, c.id == T.case_items.c.case_id)
        .where(i.channel == channel, i.channel_id.in_(ids))
    )
    counts: Counter[str] = Counter()
    async with db.read() as conn:
        rows = (await conn.execute(statement)).all()
        buried = set(
            await _buried(conn, [row[0] for row in rows if row[2] is None or row[7] is None])
        )
    for row in rows:
        judged = row[2] is not None
        counts["labelled"] += judged and row[4] == Decision.AUTO
        counts["abstained"] += judged and row[4] == Decision.DESK
        counts["filed"] += row[5] is not None
        counts["dispatched"] += row[6] is not None
        wants_case = judged and (
            row[4] == Decision.DESK or row[3] not in {Kind.PRAISE, Kind.CHATTER}
        )
        settled = judged and (row[7] is not None or not wants_case)
        counts["open"] += not settled and row[0] not in buried
    return counts


async def _buried(conn: Any, ids: Sequence[int]) -> list[int]:
    """Those whose record ended in ``dead``."""
    if not ids:
        return []
    d = T.dead.c
    statement = select(d.source_key).where(d.stage.in_(["classify", "router"]), d.state == "dead")
    keys = {row[0].split(":")[0] for row in await conn.execute(statement)}
    return [i for i in ids if str(i) in keys]


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
