"""What a department's inbox asks the database: every question is bound to its office, ``scope``.

An order is an office's own once it can not be undone any more (``leaves_at``), while it is open and after
the office has handled it. What it gave back or what was taken away is not its own any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from desk.rows import plain
from router.commands import office_may
from router.workflow import OPEN_ORDER, OrderStatus
from store.db import Database
from store.errors import RejectedError
from store.tables import T

SOON = timedelta(hours=24)
"""How near its due time an order is in 即将超期; those past it stay there."""

PAGE = 50
MOST = 200
LONGEST_SEARCH = 100

_o, _c, _i = T.work_orders.c, T.cases.c, T.items.c
_labels = msgspec.json.Decoder(list[str])
_any = msgspec.json.Decoder()

SHOWN = (*OPEN_ORDER, OrderStatus.HANDLED)
_RETURN = T.returns.c
REFUSED = exists().where(
    _RETURN.case_id == _o.case_id,
    _RETURN.department == _o.department,
    _RETURN.state == "refused",
)
"""The desk gave the case to this office again after its return."""


@dataclass(frozen=True)
class View:
    """``name`` is what the screen calls it, ``at`` what it is sorted by."""

    name: str
    where: Callable[[datetime], ColumnElement[bool]]
    at: Any
    newest_first: bool = False


VIEWS: Mapping[str, View] = MappingProxyType(
    {
        "sign": View("待签收", lambda _: _o.status == OrderStatus.ASSIGNED, _o.due_at),
        "doing": View("办理中", lambda _: _o.status == OrderStatus.SIGNED, _o.due_at),
        "soon": View(
            "即将超期",
            lambda now: and_(_o.status.in_(OPEN_ORDER), _o.due_at <= now + SOON),
            _o.due_at,
        ),
        "back": View(
            "被退回",
            lambda _: and_(_o.status.in_(OPEN_ORDER), or_(_o.reworks > 0, REFUSED)),
            _o.due_at,
        ),
        "done": View(
            "已办结", lambda _: _o.status == OrderStatus.HANDLED, _o.handled_at, newest_first=True
        ),
    }
)
SEARCHED = View("全部", lambda _: _o.status.in_(SHOWN), _o.dispatched_at, newest_first=True)
"""All of an office's own, for a search without a view."""


def own(scope: str, now: datetime) -> list[ColumnElement[bool]]:
    """What makes an order one of office ``scope``, for every question the inbox asks."""
    left = or_(_o.leaves_at.is_(None), _o.leaves_at <= now)
    return [_o.department == scope, left, _o.status.in_(SHOWN)]


async def own_order(conn: AsyncConnection, order_id: int, *, scope: str, now: datetime) -> Any:
    """Case, status and key holder of the office's own order; RejectedError when it has no such order."""
    statement = select(_o.id, _o.case_id, _o.status).where(_o.id == order_id, *own(scope, now))
    found = (await conn.execute(statement)).first()
    if found is None:
        msg = "desk: no such work order of this department; look again"
        raise RejectedError(msg, reason="order")
    return found


async def counts(db: Database, scope: str, now: datetime) -> dict[str, int]:
    """How many orders each view holds."""
    columns = [func.count().filter(view.where(now)).label(key) for key, view in VIEWS.items()]
    async with db.read() as conn:
        row = (await conn.execute(select(*columns).where(*own(scope, now)))).one()
    return dict(row._mapping)


async def mark(db: Database, scope: str, now: datetime) -> tuple[Any, ...]:
    """Changes whenever something an office sees in its list does."""
    s = T.supervisions.c
    orders = (
        select(func.count(), func.coalesce(func.sum(_c.version), 0))
        .join(T.cases, _c.id == _o.case_id)
        .where(*own(scope, now), _o.status.in_(OPEN_ORDER))
    )
    papers = select(func.count()).where(s.state == "issued", s.addressee == scope)
    async with db.read() as conn:
        return (*(await conn.execute(orders)).one(), (await conn.execute(papers)).scalar_one())


async def page(
    db: Database,
    scope: str,
    now: datetime,
    *,
    view: str,
    q: str = "",
    after: str = "",
    limit: int = PAGE,
) -> tuple[list[dict[str, Any]], str]:
    """One page of a view (of everything, without one) and the cursor of the next, empty at the end.

    RejectedError for an unknown view or a cursor that is none.
    """
    if view and view not in VIEWS:
        msg = f"desk: view: {view[:20]} is unknown; choose one of {', '.join(VIEWS)}"
        raise RejectedError(msg, reason="view")
    chosen = VIEWS.get(view, SEARCHED)
    statement = _rows().where(*own(scope, now), chosen.where(now))
    if q:
        statement = statement.where(_says(q[:LONGEST_SEARCH]))
    if after:
        statement = statement.where(_behind(chosen, after))
    order = (chosen.at, _o.id)
    statement = statement.order_by(*(one.desc() if chosen.newest_first else one for one in order))
    async with db.read() as conn:
        found = (await conn.execute(statement.limit(limit + 1))).mappings().all()
    rows = found[:limit]
    if len(found) <= limit:
        return [shown(row) for row in rows], ""
    return [shown(row) for row in rows], f"{rows[-1][chosen.at.name].isoformat()}|{rows[-1]['id']}"


def _rows() -> Select[Any]:
    photos = select(func.count()).where(T.order_photos.c.order_id == _o.id).scalar_subquery()
    return (
        select(
            _o.id, _o.case_id, _o.status, _o.lead, _o.due_at, _o.sign_due_at, _o.dispatched_at, _o.signed_at,
            _o.handled_at, _o.reworks, _o.extensions, _c.case_no, _c.version, _c.joint, _c.final, _c.urgency,
            _c.problems, _c.area, _c.summary, _c["items"], _c.wanted_at, _c.status.label("case_status"),
            _i.title, _i.address, REFUSED.label("refused"), photos.label("photos"),
        )
        .join(T.cases, _c.id == _o.case_id)
        .join(T.items, _i.id == _o.case_id)
    )  # fmt: skip


def _says(q: str) -> ColumnElement[bool]:
    """Whether text, title, place or number of the case hold these characters."""
    fields = (_i.text, _i.title, _i.address, _c.case_no)
    return or_(*(field.icontains(q, autoescape=True) for field in fields))


def _behind(view: View, after: str) -> ColumnElement[bool]:
    at_text, _, number = after.partition("|")
    try:
        at, last = datetime.fromisoformat(at_text), int(number[:18])
        if at.tzinfo is None:
            raise ValueError(at_text)
        at = at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        msg = "desk: after: no cursor of this list; begin without one"
        raise RejectedError(msg, reason="after") from error
    if view.newest_first:
        return or_(view.at < at, and_(view.at == at, _o.id < last))
    return or_(view.at > at, and_(view.at == at, _o.id > last))


def shown(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row of the list, with what the office may do now."""
    told = plain(row)
    told["problems"] = _labels.decode(row["problems"])
    words = [word for word, _ in office_may(row["status"], row["case_status"], lead=row["lead"])]
    gone = {"return"} if row["final"] else set()
    told["may"] = [word for word in words if word not in gone]
    return told


async def detail(db: Database, scope: str, now: datetime, order_id: int) -> dict[str, Any]:
    """One of the office's own orders with all the office may know; RejectedError when it has none such."""
    async with db.read() as conn:
        await own_order(conn, order_id, scope=scope, now=now)
        statement = _rows().add_columns(_i.text, _c.point).where(_o.id == order_id)
        row = (await conn.execute(statement)).mappings().one()
        told = shown(row)
        verdict = select(T.verdicts.c.reasons).where(T.verdicts.c.item_id == row["case_id"])
        reasons = (await conn.execute(verdict)).scalar()
        told["reasons"] = _any.decode(reasons) if reasons else []
        told["events"] = await _listed(conn, _of_order(T.events, order_id))
        told["requests"] = await _listed(conn, _requests(order_id))
        told["returns"] = await _listed(conn, _returns(row["case_id"], scope))
        told["supervisions"] = await _listed(conn, _papers(order_id, scope))
        told["photos"] = await _listed(conn, photos_of(order_id))
        answers = (await conn.execute(_told(row["case_id"]))).all()
        told["told"] = {one.state: one.many for one in answers}
    return told


async def _listed(conn: AsyncConnection, statement: Select[Any]) -> list[dict[str, Any]]:
    return [plain(row) for row in (await conn.execute(statement.limit(MOST))).mappings()]


def _of_order(table: Any, order_id: int) -> Select[Any]:
    return select(table).where(table.c.order_id == order_id).order_by(table.c.id)


def _requests(order_id: int) -> Select[Any]:
    q = T.requests.c
    columns = (q.what, q.note, q.amount, q.unit, q.state, q.asked_at, q.answered_at, q.answer)
    return select(*columns).where(q.order_id == order_id).order_by(q.id)


def _returns(case_id: int, scope: str) -> Select[Any]:
    r = _RETURN
    columns = (r.reason, r.note, r.proposed, r.state, r.at, r.judged_at)
    return select(*columns).where(r.case_id == case_id, r.department == scope).order_by(r.id)


def _papers(order_id: int, scope: str) -> Select[Any]:
    s = T.supervisions.c
    columns = (s.number, s.level, s.title, s.at, s.reply_by, s.state, s.reply)
    return select(*columns).where(s.order_id == order_id, s.addressee == scope).order_by(s.id)


def photos_of(order_id: int) -> Select[Any]:
    """The photos of one order, without their content."""
    p = T.order_photos.c
    columns = (p.n, p.stage, p.width, p.height, p.at)
    return select(*columns).where(p.order_id == order_id).order_by(p.n)


def _told(case_id: int) -> Select[Any]:
    """How many answers to the case's citizens are in which state."""
    a, ci = T.answers.c, T.case_items.c
    items = select(ci.item_id).where(ci.case_id == case_id)
    return select(a.state, func.count().label("many")).where(a.item_id.in_(items)).group_by(a.state)
