"""A person's labels for a case, kept apart from the model's: what rules route by, and learning may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from router.ledger import Act, Row, as_row
from router.rules import Matter, Router
from store.db import Tx
from store.errors import ConflictError
from store.tables import T
from store.understood import labels_of, verdict_of


@dataclass(frozen=True)
class Labels:
    """What a person decided the message means."""

    kind: str
    problems: tuple[str, ...]
    campaigns: tuple[str, ...]
    urgency: str


@dataclass(frozen=True)
class Decided:
    """The labels a case goes on with, the office the model had in mind, and what was decided ``before``."""

    labels: Labels
    hint: str
    before: Row | None = None

    def columns(self) -> dict[str, Any]:
        """As columns of a case or a correction."""
        encode = msgspec.json.encode
        return {
            "kind": self.labels.kind,
            "problems": encode(self.labels.problems).decode(),
            "campaigns": encode(self.labels.campaigns).decode(),
            "urgency": self.labels.urgency,
        }


async def decide(tx: Tx, case: Row, labels: Labels | None, department: str, act: Act) -> Decided:
    """Write down what the person confirmed or corrected; ConflictError while there is no verdict.

    Without ``labels`` the case keeps those it has.
    """
    found = (await tx.run(select(T.verdicts).where(T.verdicts.c.item_id == case["id"]))).first()
    if found is None:
        msg = "router: this case has no verdict yet; try again in a moment"
        raise ConflictError(msg)
    verdict = verdict_of(found)
    said = Labels(verdict.kind, verdict.problems, verdict.campaigns, verdict.urgency)
    earlier = await tx.run(select(T.corrections).where(T.corrections.c.item_id == case["id"]))
    decided = Decided(
        labels or labels_now(case), verdict.dept_hint, as_row(earlier.mappings().first())
    )
    confirmed = decided.labels == said and department == case["suggested"]
    row = {"item_id": case["id"], **decided.columns(), "confirmed": confirmed}
    row |= {"department": department, "actor": act.actor, "model": verdict.model, "at": act.at}
    row["predicted"] = msgspec.json.encode(said).decode()
    upsert = sqlite_insert if tx.conn.dialect.name == "sqlite" else pg_insert
    again = upsert(T.corrections).values(row)
    await tx.run(again.on_conflict_do_update(index_elements=["item_id"], set_=row))
    return decided


def labels_now(case: Row) -> Labels:
    """The labels a case has."""
    problems, campaigns = labels_of(case["problems"]), labels_of(case["campaigns"])
    return Labels(case["kind"], tuple(problems), tuple(campaigns), case["urgency"])


async def put_back(tx: Tx, case: Row, before: Mapping[str, Any] | None) -> None:
    """A decision is taken back: ``before``, as ``Decided`` kept it, holds again; learning sees no other."""
    await tx.run(delete(T.corrections).where(T.corrections.c.item_id == case["id"]))
    if before is not None:
        at = datetime.fromisoformat(before["at"])
        await tx.run(insert(T.corrections).values(**{**before, "at": at}))


async def matter_of(tx: Tx, case: Row, decided: Decided, rules: Router, zone: ZoneInfo) -> Matter:
    """What the rules look at, with the labels that were decided."""
    i = T.items.c
    item = (await tx.run(select(i.title, i.text).where(i.id == case["id"]))).first()
    text = "" if item is None else f"{item.title}\n{item.text}" if item.title else item.text
    labels = decided.labels
    return Matter(
        kind=labels.kind,
        problems=labels.problems,
        campaigns=labels.campaigns,
        urgency=labels.urgency,
        channel=case["channel"],
        hint=decided.hint,
        text=text,
        area=rules.directory.areas.get(case["area"]),
        point=case["point"],
        at=case["received_at"].astimezone(zone),
    )
