"""Follows ``items`` and gives each a verdict, computed by an engine off the event loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from classify.engine import Columns, Engine
from classify.places import Gazetteer
from store.db import Database, Tx
from store.model import Decision, ItemRef, Record
from store.outbox import Outbox, record
from store.tables import T
from store.understood import Said, said

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
        engine: Engine,
        gazetteer: Gazetteer,
        clock: Callable[[], datetime],
        observe: Callable[[str, str, int], None],
    ) -> None:
        self._db = db
        self._outbox = outbox
        self._engine = engine
        self._gazetteer = gazetteer
        self._clock = clock
        self._observe = observe

    async def prepare(self, records: Sequence[Record]) -> list[Columns]:
        found = await said(self._db, sorted({_ref.decode(r.payload).item_id for r in records}))
        judged = await self._engine.judge([one.body for one in found])
        return [
            {"item_id": one.id, "revision": one.revision, **columns, **self._place(one)}
            for one, columns in zip(found, judged, strict=True)
        ]

    def _place(self, one: Said) -> Columns:
        located = self._gazetteer.locate(one.body, one.place)
        return {"area": located.area, "point": located.point, "placed": located.confidence}

    async def apply(self, tx: Tx, effects: list[Columns]) -> None:
        if not effects:
            return
        now = self._clock()
        insert = sqlite_insert if self._db.is_sqlite else pg_insert
        statement = insert(T.verdicts)
        changed = {c.name: statement.excluded[c.name] for c in T.verdicts.c if c.name != "item_id"}
        await tx.run(
            statement.on_conflict_do_update(index_elements=["item_id"], set_=changed),
            [row | {"at": now} for row in effects],
        )
        await self._outbox.put(tx, "verdicts", [_announce(row) for row in effects])
        abstained = sum(row["decision"] == Decision.DESK for row in effects)
        self._observe("abstained", "", abstained)
        self._observe("labelled", "", len(effects) - abstained)


def _announce(row: Columns) -> Record:
    item_id, revision = row["item_id"], row["revision"]
    ref = ItemRef(item_id, revision)
    return record(f"{item_id}:{revision}:{row['model']}", str(item_id), ref)
