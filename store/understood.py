"""Read items back with what was understood of them, in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import select

from store.db import Database
from store.model import Decision, Kind, Reason, Urgency, Verdict
from store.tables import T

_labels = msgspec.json.Decoder(tuple[str, ...])
_confidence = msgspec.json.Decoder(dict[str, float])
_reasons = msgspec.json.Decoder(tuple[Reason, ...])


async def texts(db: Database, ids: Sequence[int]) -> dict[int, tuple[int, str, str]]:
    """(revision, title, text) of each item that exists; texts are redacted."""
    c = T.items.c
    statement = select(c.id, c.revision, c.title, c.text).where(c.id.in_(ids))
    async with db.read() as conn:
        return {row[0]: (row[1], row[2], row[3]) for row in await conn.execute(statement)}


async def with_verdicts(db: Database, ids: Sequence[int]) -> list[tuple[Any, Verdict]]:
    """The item row and its verdict, for each id that has both, ascending."""
    i, v = T.items.c, T.verdicts.c
    statement = (
        select(
            i.id, i.channel, i.title, i.text, i.address, i.received_at, i.replayed,
            v.kind, v.problems, v.campaigns, v.urgency, v.decision, v.dept_hint, v.confidence,
            v.reasons, v.model,
        )
        .join(T.verdicts, v.item_id == i.id)
        .where(i.id.in_(ids))
        .order_by(i.id)
    )  # fmt: skip
    async with db.read() as conn:
        rows = (await conn.execute(statement)).all()
    return [(row, verdict_of(row)) for row in rows]


def verdict_of(row: Any) -> Verdict:
    """A verdict from a row that has its columns."""
    return Verdict(
        kind=Kind(row.kind),
        problems=_labels.decode(row.problems),
        campaigns=_labels.decode(row.campaigns),
        urgency=Urgency(row.urgency),
        decision=Decision(row.decision),
        confidence=_confidence.decode(row.confidence),
        reasons=_reasons.decode(row.reasons),
        model=row.model,
        dept_hint=row.dept_hint,
    )


def verdict_row(item_id: int, revision: int, verdict: Verdict) -> dict[str, Any]:
    """The columns of a verdict, without its time."""
    encode = msgspec.json.encode
    return {
        "item_id": item_id,
        "revision": revision,
        "model": verdict.model,
        "kind": verdict.kind,
        "problems": encode(verdict.problems).decode(),
        "campaigns": encode(verdict.campaigns).decode(),
        "urgency": verdict.urgency,
        "decision": verdict.decision,
        "dept_hint": verdict.dept_hint,
        "confidence": encode(verdict.confidence).decode(),
        "reasons": encode(verdict.reasons).decode(),
    }
