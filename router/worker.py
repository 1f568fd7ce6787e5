"""Follows ``verdicts``: files what must be answered and dispatches what is certain."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import insert, select, update

from router.filing import Filer, Filing, Understood
from router.ledger import Act, Step, event_row
from router.snoozing import wake_answered
from router.workflow import CaseStatus, Verb
from store.answers import Answers
from store.db import Database, Tx, among
from store.model import ItemRef, Record
from store.outbox import Outbox
from store.tables import T
from store.understood import labels_of, with_verdicts

_ref = msgspec.json.Decoder(ItemRef)

RELABELED = (
    "kind", "problems", "campaigns", "urgency", "decision", "confidence", "suggested", "rule",
    "area", "point", "teach", "summary", "due_at", "wanted_at",
)  # fmt: skip


@dataclass(frozen=True)
class _Effects:
    filing: Filing
    labels: dict[int, str]
    hold_s: float


class RouterWorker:
    """Handler of topic ``verdicts``."""

    group = "router"
    topic = "verdicts"

    def __init__(
        self,
        *,
        db: Database,
        outbox: Outbox,
        answers: Answers,
        filer: Filer,
        clock: Callable[[], datetime],
        observe: Callable[[str, str, int], None],
    ) -> None:
        self._db = db
        self._outbox = outbox
        self._answers = answers
        self._filer = filer
        self._clock = clock
        self._observe = observe

    async def prepare(self, records: Sequence[Record]) -> _Effects:
        ids = sorted({_ref.decode(record.payload).item_id for record in records})
        understood = [
            Understood(
                item_id=row.id,
                channel=row.channel,
                title=row.title,
                text=row.text,
                address=row.address,
                received_at=row.received_at,
                replayed=row.replayed,
                kind=row.kind,
                problems=labels_of(row.problems),
                campaigns=labels_of(row.campaigns),
                urgency=row.urgency,
                decision=row.decision,
                hint=row.dept_hint,
                trust=row.trust,
                model=row.model,
                area=row.area,
                point=row.point,
                teach=row.teach,
                wanted_at=row.wanted_at,
            )
            for row in await with_verdicts(self._db, ids)
        ]
        models = {one.item_id: one.model for one in understood}
        return _Effects(self._filer.file_all(understood), models, self._filer.hold_s)

    async def apply(self, tx: Tx, effects: _Effects) -> None:
        now = self._clock()
        filing, heard, prefix = effects.filing, list(effects.labels), self._filer.prefix
        await wake_answered(tx, heard, prefix=prefix, at=now, is_sqlite=self._db.is_sqlite)
        if not filing.cases:
            return
        c = T.cases.c
        ids = [case["id"] for case in filing.cases]
        held = select(T.cases).where(among(c.id, ids, is_sqlite=self._db.is_sqlite))
        found = await tx.run(held.order_by(c.id).with_for_update())
        known = {row["id"]: row for row in found.mappings()}
        if known:
            await self._relabel(tx, filing, known, effects.labels)
            _drop(filing, known)
        for table, rows in (
            (T.cases, filing.cases),
            (T.case_items, filing.case_items),
            (T.work_orders, filing.work_orders),
            (T.events, filing.events),
        ):
            await tx.insert(table, rows)
        await self._outbox.put(tx, "notices", filing.notices)
        await self._tell(tx, filing, effects.hold_s)
        tx.touched.add("desk")
        self._observe("filed", "", len(filing.cases))
        self._observe("dispatched", "", len(filing.work_orders))

    async def _tell(self, tx: Tx, filing: Filing, hold_s: float) -> None:
        """Citizens hear of a dispatch when its department does."""
        sent = [case["id"] for case in filing.cases if case["status"] == CaseStatus.DISPATCHED]
        at = self._clock() + timedelta(seconds=hold_s)
        await self._answers.tell(tx, sent, stage="dispatched", mark="dispatched:1", at=at)

    async def _relabel(
        self, tx: Tx, filing: Filing, known: Mapping[int, Any], models: dict[int, str]
    ) -> None:
        """Another verdict changes a case only while nobody has decided it, and only if it differs; a
        place that was unknown is filled in whenever the citizen tells it. A part keeps what a person gave it."""
        decided = await self._decided(tx, list(known))
        for case in filing.cases:
            before = known.get(case["id"])
            if before is None or before["split_from"] is not None:
                continue
            undecided = before["status"] == CaseStatus.RECEIVED and case["id"] not in decided
            open_to = RELABELED if undecided else () if before["area"] else ("area", "point")
            values = {name: case[name] for name in open_to if case[name] != before[name]}
            if not values.keys() - {"due_at", "confidence", "teach"}:
                continue
            await tx.run(
                update(T.cases)
                .where(T.cases.c.id == case["id"])
                .values(**values, version=T.cases.c.version + 1)
            )
            status, actor = before["status"], models[case["id"]]
            note = "relabeled: " + ", ".join(sorted(values))
            step = Step(Verb.RECEIVE, status, status, note=note)
            act = Act(actor, self._clock())
            row = event_row(case["id"], step, act, version=before["version"] + 1)
            await tx.run(insert(T.events).values(row))

    async def _decided(self, tx: Tx, ids: Sequence[int]) -> set[int]:
        """Which of these cases a person has given labels."""
        r = T.corrections.c.item_id
        found = await tx.run(select(r).where(among(r, ids, is_sqlite=self._db.is_sqlite)))
        return set(found.scalars())


def _drop(filing: Filing, known: Mapping[int, Any]) -> None:
    filing.cases = [row for row in filing.cases if row["id"] not in known]
    for rows in (filing.case_items, filing.work_orders, filing.events):
        rows[:] = [row for row in rows if row["case_id"] not in known]
    filing.notices = [r for r in filing.notices if int(r.key) not in known]
