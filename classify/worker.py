"""Follows ``items`` and gives each a verdict. Computing happens in a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from classify.classifier import Classifier
from store.db import Database, Tx
from store.model import Decision, ItemRef, Record, Verdict
from store.outbox import Outbox, record
from store.tables import T
from store.understood import texts, verdict_row

_ref = msgspec.json.Decoder(ItemRef)


class ClassifyWorker:
    """Handler of topic ``items``."""

    group = "classify"
    topic = "items"

    def __init__(
        self,
        *,
        db: Database,
        outbox: Outbox,
        classifier: Classifier,
        clock: Callable[[], datetime],
        observe: Callable[[str, str, int], None],
    ) -> None:
        self._db = db
        self._outbox = outbox
        self._classifier = classifier
        self._clock = clock
        self._observe = observe
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="classify")

    async def prepare(self, records: Sequence[Record]) -> list[tuple[int, int, Verdict]]:
        found = await texts(self._db, sorted({_ref.decode(r.payload).item_id for r in records}))
        ids = list(found)
        bodies = [f"{title}\n{text}" if title else text for _, title, text in found.values()]
        loop = asyncio.get_running_loop()
        verdicts = await loop.run_in_executor(self._thread, self._classifier.predict, bodies)
        return [(i, found[i][0], v) for i, v in zip(ids, verdicts, strict=True)]

    async def apply(self, tx: Tx, effects: list[tuple[int, int, Verdict]]) -> None:
        if not effects:
            return
        now = self._clock()
        rows: list[dict[str, Any]] = [verdict_row(i, r, v) | {"at": now} for i, r, v in effects]
        insert = sqlite_insert if self._db.is_sqlite else pg_insert
        statement = insert(T.verdicts)
        changed = {c.name: statement.excluded[c.name] for c in T.verdicts.c if c.name != "item_id"}
        await tx.run(
            statement.on_conflict_do_update(index_elements=["item_id"], set_=changed), rows
        )
        name = self._classifier.name
        await self._outbox.put(
            tx,
            "verdicts",
            [record(f"{i}:{r}:{name}", str(i), ItemRef(i, r)) for i, r, _ in effects],
        )
        abstained = sum(v.decision is Decision.DESK for *_, v in effects)
        self._observe("abstained", "", abstained)
        self._observe("labelled", "", len(effects) - abstained)
