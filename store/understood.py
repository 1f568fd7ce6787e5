"""Read items back with what was understood of them, in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import select

from store.db import Database, among
from store.model import Decision, Kind, Reason, Urgency, Verdict
from store.tables import T

LEAST = 0.02
"""Probabilities below this are not kept: nobody looks at them and they double the row."""

_labels = msgspec.json.Decoder(tuple[str, ...])
_confidence = msgspec.json.Decoder(dict[str, float])
_reasons = msgspec.json.Decoder(tuple[Reason, ...])


async def texts(db: Database, ids: Sequence[int]) -> dict[int, tuple[int, str, str]]:
    """(revision, title, text) of each item that exists; texts are redacted."""
    c = T.items.c
    statement = select(c.id, c.revision, c.title, c.text).where(
        among(c.id, ids, is_sqlite=db.is_sqlite)
    )
    async with db.read() as conn:
        return {row[0]: (row[1], row[2], row[3]) for row in await conn.execute(statement)}


async def with_verdicts(db: Database, ids: Sequence[int]) -> list[Any]:
    """Item and verdict as one row, without scores and reasons, for ids that have both, ascending."""
    i, v = T.items.c, T.verdicts.c
    statement = (
        select(
            i.id, i.channel, i.title, i.text, i.address, i.received_at, i.replayed,
            v.kind, v.problems, v.campaigns, v.urgency, v.decision, v.dept_hint, v.trust, v.model,
        )
        .join(T.verdicts, v.item_id == i.id)
        .where(among(i.id, ids, is_sqlite=db.is_sqlite))
        .order_by(i.id)
    )  # fmt: skip
    async with db.read() as conn:
        return list((await conn.execute(statement)).all())


def labels_of(text: str) -> tuple[str, ...]:
    """Labels as a column keeps them."""
    return () if text == "[]" else _labels.decode(text)


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
        trust=row.trust,
    )


def verdict_columns(verdict: Verdict) -> dict[str, Any]:
    """A verdict as the columns that keep it, without item and time."""
    encode = msgspec.json.encode
    shown = {label: p for label, p in verdict.confidence.items() if p >= LEAST}
    return {
        "model": verdict.model,
        "kind": str(verdict.kind),
        "problems": encode(verdict.problems).decode(),
        "campaigns": encode(verdict.campaigns).decode(),
        "urgency": str(verdict.urgency),
        "decision": str(verdict.decision),
        "dept_hint": verdict.dept_hint,
        "trust": verdict.trust,
        "confidence": encode(shown).decode(),
        "reasons": encode(verdict.reasons).decode(),
    }
