"""What the desk's pages ask the database. Row scope is in the query, not in the page."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from router.workflow import CaseStatus
from store.db import Database
from store.model import Decision
from store.tables import T

WAITING = (CaseStatus.RECEIVED, CaseStatus.FILED)

VIEWS: Mapping[str, tuple[str, tuple[CaseStatus, ...]]] = {
    "waiting": ("待派遣", WAITING),
    "unsure": ("待研判", WAITING),
    "sent": ("已派遣", (CaseStatus.DISPATCHED, CaseStatus.HANDLING, CaseStatus.SUSPENDED)),
    "done": ("待核查", (CaseStatus.HANDLED,)),
    "closed": (
        "已办结",
        (CaseStatus.CLOSED, CaseStatus.DECLINED, CaseStatus.REFERRED, CaseStatus.MERGED),
    ),
}
"""``unsure`` holds what the classifier left to a person, first what their labels would teach most."""

PAGE = 100

_labels = msgspec.json.Decoder(list[str])
_any = msgspec.json.Decoder()


async def counts(db: Database) -> dict[str, int]:
    """How many cases each view holds."""
    c = T.cases.c
    async with db.read() as conn:
        rows = await conn.execute(select(c.status, func.count()).group_by(c.status))
        by_status = {row[0]: row[1] for row in rows}
        unsure = select(func.count()).where(c.status.in_(WAITING), c.decision == Decision.DESK)
        found = {
            view: sum(by_status.get(s, 0) for s in statuses)
            for view, (_, statuses) in VIEWS.items()
        }
        found["unsure"] = (await conn.execute(unsure)).scalar_one()
    return found


async def queue(
    db: Database, view: str, *, problem: str = "", area: str = "", limit: int = PAGE
) -> list[dict[str, Any]]:
    """The first rows of a view: what is in danger first, then the oldest or the most instructive."""
    c = T.cases.c
    rank = case({"emergency": 0, "urgent": 1}, value=c.urgency, else_=2)
    statement: Select[Any] = select(
        c.id, c.case_no, c.status, c.version, c.channel, c.kind, c.problems, c.campaigns, c.urgency,
        c.decision, c.confidence, c.department, c.suggested, c.area, c.summary, c.received_at, c.due_at, c.teach,
    ).where(c.status.in_(VIEWS[view][1]))  # fmt: skip
    if view == "unsure":
        statement = statement.where(c.decision == Decision.DESK)
    if problem:
        statement = statement.where(c.problems.contains(f'"{problem}"'))
    if area:
        statement = statement.where(c.area == area)
    order = {"waiting": (rank, c.id), "unsure": (c.teach.desc(), c.id)}.get(view, (c.id.desc(),))
    async with db.read() as conn:
        rows = (await conn.execute(statement.order_by(*order).limit(limit))).mappings().all()
    return [_row(row) for row in rows]


async def detail(db: Database, case_id: int) -> dict[str, Any] | None:
    """A case with its message, verdict, work orders and history; None when there is none."""
    async with db.read() as conn:
        found = (
            (await conn.execute(select(T.cases).where(T.cases.c.id == case_id))).mappings().first()
        )
        if found is None:
            return None
        i = T.items.c
        item = (
            await conn.execute(
                select(
                    i.title, i.text, i.address, i.url, i.media_count, i.posted_at, i.gone_at
                ).where(i.id == case_id)
            )
        ).first()
        verdict = (
            await conn.execute(select(T.verdicts).where(T.verdicts.c.item_id == case_id))
        ).first()
        row = _row(found)
        row |= {"rule": found["rule"], "point": found["point"]}
        row["placed"] = verdict.placed if verdict else 0.0
        if item is not None:
            row |= {
                "title": item.title,
                "text": item.text,
                "address": item.address,
                "url": item.url,
            }
            row["media"] = item.media_count
            row["gone_at"] = item.gone_at.isoformat() if item.gone_at else None
        row["reasons"] = _any.decode(verdict.reasons) if verdict else []
        row["scores"] = _any.decode(verdict.confidence) if verdict else {}
        row["model"] = verdict.model if verdict else ""
        for name, table in (("orders", T.work_orders), ("events", T.events)):
            of_case = select(table).where(table.c.case_id == case_id).order_by(table.c.id)
            row[name] = [plain(one) for one in (await conn.execute(of_case)).mappings()]
        row |= await _beside(conn, case_id, found)
    return row


async def _beside(conn: AsyncConnection, case_id: int, own: Mapping[Any, Any]) -> dict[str, Any]:
    """Other cases this one has to do with, and the documents of supervision on it."""
    c, s = T.cases.c, T.supervisions.c
    named = select(c.id, c.case_no, c.status, c.summary, c.merged_into)
    others = named.where(
        or_(
            c.merged_into == case_id,
            c.id == (own["merged_into"] or 0),
            c.id == (own["relapse_of"] or 0),
        )
    )
    found = (await conn.execute(others.order_by(c.id).limit(50))).mappings().all()
    papers = select(s.number, s.level, s.title, s.addressee, s.at, s.reply_by, s.state, s.reply)
    letters = await conn.execute(papers.where(s.case_id == case_id).order_by(s.id))
    return {
        "joined": [plain(one) for one in found if one["merged_into"] == case_id],
        "joined_to": next((o["case_no"] for o in found if o["id"] == own["merged_into"]), ""),
        "relapsed": next((o["case_no"] for o in found if o["id"] == own["relapse_of"]), ""),
        "proposed": await proposal(conn, case_id),
        "supervisions": [plain(one) for one in letters.mappings()],
    }


async def proposal(conn: AsyncConnection, case_id: int) -> dict[str, str] | None:
    """Which office the one that returned the case last names instead, while the desk has not judged it."""
    r = T.returns.c
    where = (r.case_id == case_id, r.state == "open", r.proposed != "")
    statement = select(r.proposed, r.department, r.note).where(*where).order_by(r.id.desc())
    found = (await conn.execute(statement.limit(1))).first()
    if found is None:
        return None
    return {"department": found.proposed, "by": found.department, "note": found.note}


async def people(db: Database, names: Collection[str]) -> dict[str, str]:
    """What the people among ``names`` are called on screen."""
    u = T.users.c
    async with db.read() as conn:
        rows = await conn.execute(select(u.name, u.display).where(u.name.in_(sorted(names))))
        return {row.name: row.display or row.name for row in rows}


async def open_requests(db: Database) -> list[Mapping[Any, Any]]:
    """What departments have asked for and nobody has answered, the oldest first, at most 200."""
    q, o, c = T.requests.c, T.work_orders.c, T.cases.c
    statement = (
        select(
            q.id, q.case_id, q.what, q.note, q.amount, q.unit, q.asked_at, o.department, c.case_no
        )
        .join(T.work_orders, o.id == q.order_id)
        .join(T.cases, c.id == q.case_id)
        .where(q.state == "open")
        .order_by(q.id)
        .limit(200)
    )
    async with db.read() as conn:
        return list((await conn.execute(statement)).mappings())


def _row(row: Mapping[Any, Any]) -> dict[str, Any]:
    shown = plain(row)
    shown["problems"] = _labels.decode(row["problems"])
    shown["campaigns"] = _labels.decode(row["campaigns"])
    return shown


def plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """JSON-ready: ids as text (they outgrow a browser's integers), times as ISO 8601."""
    return {
        key: value.isoformat()
        if isinstance(value, datetime)
        else str(value)
        if key.endswith("id") and value is not None
        else value
        for key, value in row.items()
    }
