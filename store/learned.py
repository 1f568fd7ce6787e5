"""What people decided, for learning and for measuring the model in daily use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Integer, func, select

from store.db import Database
from store.tables import T
from store.understood import labels_of


class Decision(NamedTuple):
    """A person's labels for one redacted message, and what the model had said of it."""

    item_id: int
    text: str
    kind: str
    problems: tuple[str, ...]
    campaigns: tuple[str, ...]
    urgency: str
    department: str
    confirmed: bool
    model: str
    predicted: dict[str, Any]
    at: datetime


async def decisions(db: Database, since: datetime | None = None) -> list[Decision]:
    """Every decision of the desk, oldest item first. Erased items are gone from it."""
    i, c = T.items.c, T.corrections.c
    statement = (
        select(i.title, i.text, T.corrections)
        .join(T.corrections, c.item_id == i.id)
        .order_by(c.item_id)
    )
    if since is not None:
        statement = statement.where(c.at >= since)
    async with db.read() as conn:
        return [_decision(row) for row in await conn.execute(statement)]


def _decision(row: Any) -> Decision:
    return Decision(
        item_id=row.item_id,
        text=f"{row.title}\n{row.text}" if row.title else row.text,
        kind=row.kind,
        problems=labels_of(row.problems),
        campaigns=labels_of(row.campaigns),
        urgency=row.urgency,
        department=row.department,
        confirmed=row.confirmed,
        model=row.model,
        predicted=msgspec.json.decode(row.predicted or "{}"),
        at=row.at,
    )


async def label_shares(
    db: Database, labels: Sequence[str], since: datetime, until: datetime
) -> tuple[int, dict[str, int]]:
    """How many verdicts fell into a span of time, and how many of them have each label."""
    v = T.verdicts.c
    both = v.problems + v.campaigns
    columns: list[Any] = [func.count()]
    columns += [
        func.coalesce(func.sum(both.contains(f'"{label}"').cast(Integer)), 0) for label in labels
    ]
    async with db.read() as conn:
        row = (await conn.execute(select(*columns).where(v.at >= since, v.at < until))).one()
    return row[0], dict(zip(labels, row[1:], strict=True))


async def trials(db: Database) -> list[dict[str, Any]]:
    """For each model on trial: how many verdicts, and in how many it agrees with the one in use."""
    s = T.shadow_verdicts.c
    agreed = func.sum(s.agrees.cast(Integer))
    statement = select(s.model, s.beside, func.count(), agreed).group_by(s.model, s.beside)
    async with db.read() as conn:
        rows = await conn.execute(statement.order_by(s.model))
        return [
            {"model": row[0], "beside": row[1], "verdicts": row[2], "agreed": int(row[3] or 0)}
            for row in rows
        ]
