"""Read items back with what was understood of them, in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import select

from store.db import Database, among
from store.model import CoordType, Decision, Kind, Place, Reason, Urgency, Verdict
from store.tables import T

LEAST = 0.02
"""Probabilities below this are not kept: nobody looks at them and they double the row."""

_labels = msgspec.json.Decoder(tuple[str, ...])
_confidence = msgspec.json.Decoder(dict[str, float])
_reasons = msgspec.json.Decoder(tuple[Reason, ...])


class Said(NamedTuple):
    """What of an item is read to understand it; texts are redacted."""

    id: int
    revision: int
    title: str
    text: str
    address: str
    lat: float | None
    lon: float | None
    coord_type: str

    @property
    def body(self) -> str:
        """Title and text as one, the title on the first line."""
        return f"{self.title}\n{self.text}" if self.title else self.text

    @property
    def place(self) -> Place:
        """What the channel knew of where it is."""
        return Place(
            address=self.address, lat=self.lat, lon=self.lon, coord_type=CoordType(self.coord_type)
        )


async def said(db: Database, ids: Sequence[int]) -> list[Said]:
    """Each item that exists, ascending."""
    c = T.items.c
    columns = [c[name] for name in Said._fields]
    statement = select(*columns).where(among(c.id, ids, is_sqlite=db.is_sqlite)).order_by(c.id)
    async with db.read() as conn:
        return [Said(*row) for row in await conn.execute(statement)]


async def with_verdicts(db: Database, ids: Sequence[int]) -> list[Any]:
    """Item and verdict as one row, without scores and reasons, for ids that have both, ascending."""
    i, v = T.items.c, T.verdicts.c
    statement = (
        select(
            i.id, i.channel, i.title, i.text, i.address, i.received_at, i.replayed,
            i.wanted_at,
            v.kind, v.problems, v.campaigns, v.urgency, v.decision, v.dept_hint, v.trust, v.model,
            v.teach, v.area, v.point,
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
        teach=row.teach,
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
        "teach": verdict.teach,
        "confidence": encode(shown).decode(),
        "reasons": encode(verdict.reasons).decode(),
    }
