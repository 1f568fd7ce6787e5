"""The loop every follower of a topic runs: at-least-once records in, exactly-once effects out.

A batch is prepared outside any transaction (reading, computing) and applied inside one, together
with the group's offset. A batch that fails is tried again record by record; a record that fails
three times, or that killed the process three times, goes to ``dead`` and its neighbours go on.
Trouble of the surroundings (TransientError) is waited out and never counts against a record.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Protocol

from store.db import Database, Tx
from store.dead import DeadLetters
from store.errors import RejectedError, TransientError
from store.faults import crash_point
from store.journal import Batch, Follower, Journal
from store.model import Record, Sequenced
from store.offsets import FencedError, advance, begin, position

log = logging.getLogger(__name__)

BATCH = 256
TRIES = 3
CAREFUL_AFTER = 3
"""Starts without progress after which records are worked one at a time."""

BURY_AFTER = 10
"""Starts without progress after which the record at hand is taken for the killer. Many, because an
operator, too, kills hubs; texts that kill only the classifier's process are found in three tries."""


class Handler(Protocol):
    """What a room does with the records of a topic."""

    group: str
    topic: str

    async def prepare(self, records: Sequence[Record]) -> Any:
        """Read and compute, off the event loop where it is heavy; change nothing."""

    async def apply(self, tx: Tx, effects: Any) -> None:
        """Write what ``prepare`` found, in the transaction that also moves the offset."""


class Consumer:
    """Runs one handler over its topic."""

    def __init__(
        self,
        db: Database,
        journal: Journal,
        handler: Handler,
        dead: DeadLetters,
        *,
        batch: int = BATCH,
    ) -> None:
        self._db = db
        self._handler = handler
        self._dead = dead
        self._batch = batch
        self._expected: dict[int, int] = {}
        self._starts: dict[int, int] = {}
        self.follower: Follower = journal.follow(handler.topic, handler.group, self._position)

    async def _position(self, topic: str, part: int) -> int | None:
        """Called by the engine when a partition becomes ours: whatever we knew of it is stale."""
        self._expected.pop(part, None)
        return await position(self._db, self._handler.group, topic, part)

    async def run(self) -> None:
        """Follow until cancelled."""
        await self.follower.start()
        try:
            while True:
                for batch in await self.follower.fetch(self._batch, 1.0):
                    await self._take(batch)
        finally:
            await self.follower.stop()

    async def _take(self, batch: Batch) -> None:
        part = batch.part
        try:
            if part not in self._expected:
                await self._begin(batch)
            careful = self._starts.get(part, 0) >= CAREFUL_AFTER
            if careful:
                await self._one_by_one(batch)
            else:
                await self._together(batch)
        except FencedError:
            await self._reseek(part)
        except TransientError as error:
            log.warning("waiting", extra={"event": "consumer_waiting", "cause": str(error)})
            await asyncio.sleep(min(error.retry_after_s or 1.0, 5.0))
            await self._reseek(part)

    async def _begin(self, batch: Batch) -> None:
        """Learn where the group stands; a process counts as one start, however often it is fenced."""
        h, part = self._handler, batch.part
        if part in self._starts:
            stored = await position(self._db, h.group, h.topic, part)
            self._expected[part] = batch.records[0].offset if stored is None else stored
            return
        self._expected[part], self._starts[part] = await begin(
            self._db, h.group, h.topic, part, batch.records[0].offset
        )

    async def _reseek(self, part: int) -> None:
        self._expected.pop(part, None)
        stored = await position(self._db, self._handler.group, self._handler.topic, part)
        await self.follower.seek(part, stored or 0)

    async def _together(self, batch: Batch) -> None:
        try:
            await self._step(batch.part, batch.records, starts=0)
        except (FencedError, TransientError):
            raise
        except Exception:  # noqa: BLE001 - told apart record by record
            if len(batch.records) > 1:
                log.warning("batch split", extra={"event": "batch_split"})
            await self._one_by_one(batch)

    async def _one_by_one(self, batch: Batch) -> None:
        """Each record alone, its start noted first, so that a killer is known after a restart."""
        h = self._handler
        for n, seq in enumerate(batch.records):
            if n and self._starts.get(batch.part, 0):
                await begin(self._db, h.group, h.topic, batch.part, seq.offset)
            await self._one(batch.part, seq)
        self._starts[batch.part] = 0

    async def _one(self, part: int, seq: Sequenced) -> None:
        if self._starts.get(part, 0) > BURY_AFTER:
            await self._bury(part, seq, RuntimeError("it stopped the process each time"))
            self._starts[part] = CAREFUL_AFTER
            return
        failure: Exception = RuntimeError("unknown")
        for _ in range(TRIES):
            try:
                await self._step(part, (seq,), starts=1 if self._starts.get(part) else 0)
            except (FencedError, TransientError):
                raise
            except RejectedError as error:
                failure = error
                break
            except Exception as error:  # noqa: BLE001 - whatever it is, it goes to dead with the record
                failure = error
            else:
                return
        await self._bury(part, seq, failure)

    async def _step(self, part: int, records: Sequence[Sequenced], *, starts: int) -> None:
        h = self._handler
        crash_point("consume.before_prepare")
        effects = await h.prepare([seq.record for seq in records])
        crash_point("consume.before_apply")
        expected = self._expected[part]
        offset = records[-1].offset + 1

        async def work(tx: Tx) -> None:
            await advance(
                tx, h.group, h.topic, part, expected=expected, offset=offset, starts=starts
            )
            await h.apply(tx, effects)
            crash_point("consume.before_commit")

        await self._db.write(work)
        crash_point("consume.after_commit")
        self._expected[part] = offset
        await self.follower.commit(part, offset)

    async def _bury(self, part: int, seq: Sequenced, failure: Exception) -> None:
        h = self._handler
        reason = failure.reason if isinstance(failure, RejectedError) else "failed"
        log.error(
            "record buried",
            extra={"event": "dead_total", "stage": h.group, "reason": reason},
            exc_info=None if isinstance(failure, RejectedError) else failure,
        )
        expected, offset = self._expected[part], seq.offset + 1

        async def work(tx: Tx) -> None:
            await advance(tx, h.group, h.topic, part, expected=expected, offset=offset, starts=1)
            await self._dead.put(
                tx,
                stage=h.group,
                source_key=seq.record.id,
                reason=reason,
                error=f"{type(failure).__name__}: {failure}"[:500],
                content=seq.record.payload,
            )

        await self._db.write(work)
        self._expected[part] = offset
