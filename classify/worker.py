"""Follows ``items`` and gives each a verdict, computed by an engine off the event loop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from classify.engine import Columns, Engines
from classify.places import Gazetteer
from store.db import Database, Tx
from store.model import Decision, ItemRef, Record
from store.outbox import Outbox, record
from store.tables import T
from store.understood import Said, said

log = logging.getLogger(__name__)

_COMPARED = ("kind", "problems", "campaigns", "decision")

_ref = msgspec.json.Decoder(ItemRef)


@dataclass(frozen=True)
class Judged:
    """Rows of verdicts, and of what the model on trial said."""

    rows: list[Columns]
    shadow: list[Columns]


class ClassifyWorker:
    """Handler of topic ``items``."""

    group = "classify"
    topic = "items"

    def __init__(
        self,
        *,
        db: Database,
        outbox: Outbox,
        engines: Engines,
        gazetteer: Gazetteer,
        clock: Callable[[], datetime],
        observe: Callable[[str, str, int], None],
    ) -> None:
        self._db = db
        self._outbox = outbox
        self._engines = engines
        self._gazetteer = gazetteer
        self._clock = clock
        self._observe = observe

    def adopt(self, gazetteer: Gazetteer) -> None:
        """Look places up here from the next batch on."""
        self._gazetteer = gazetteer

    async def prepare(self, records: Sequence[Record]) -> Judged:
        found = await said(self._db, sorted({_ref.decode(r.payload).item_id for r in records}))
        bodies = [one.body for one in found]
        judged = await self._engines.in_use.judge(bodies)
        rows = [
            {"item_id": one.id, "revision": one.revision, **columns, **self._place(one)}
            for one, columns in zip(found, judged, strict=True)
        ]
        return Judged(rows, await self._beside(bodies, rows))

    async def _beside(self, bodies: Sequence[str], rows: Sequence[Columns]) -> list[Columns]:
        """What the model on trial says of the same texts; its failure is nobody's loss."""
        shadow = self._engines.shadow
        if shadow is None or not rows:
            return []
        try:
            judged = await shadow.judge(bodies)
        except RuntimeError:
            log.warning("shadow failed", extra={"event": "shadow_failed", "model": shadow.name})
            return []
        return [
            {name: other[name] for name in _COMPARED}
            | {"item_id": row["item_id"], "model": other["model"], "beside": row["model"]}
            | {"agrees": all(row[name] == other[name] for name in _COMPARED)}
            for row, other in zip(rows, judged, strict=True)
        ]

    def _place(self, one: Said) -> Columns:
        located = self._gazetteer.locate(one.body, one.place)
        return {"area": located.area, "point": located.point, "placed": located.confidence}

    async def apply(self, tx: Tx, judged: Judged) -> None:
        effects = judged.rows
        if not effects:
            return
        await self._upsert(tx, T.verdicts, ("item_id",), effects)
        if judged.shadow:
            await self._upsert(tx, T.shadow_verdicts, ("item_id", "model"), judged.shadow)
        await self._outbox.put(tx, "verdicts", [_announce(row) for row in effects])
        abstained = sum(row["decision"] == Decision.DESK for row in effects)
        self._observe("abstained", "", abstained)
        self._observe("labelled", "", len(effects) - abstained)

    async def _upsert(
        self, tx: Tx, table: Table, keys: tuple[str, ...], rows: Sequence[Columns]
    ) -> None:
        now = self._clock()
        insert = sqlite_insert if self._db.is_sqlite else pg_insert
        statement = insert(table)
        changed = {c.name: statement.excluded[c.name] for c in table.c if c.name not in keys}
        await tx.run(
            statement.on_conflict_do_update(index_elements=list(keys), set_=changed),
            [row | {"at": now} for row in rows],
        )


def _announce(row: Columns) -> Record:
    item_id, revision = row["item_id"], row["revision"]
    ref = ItemRef(item_id, revision)
    return record(f"{item_id}:{revision}:{row['model']}", str(item_id), ref)
