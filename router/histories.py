"""The case histories that matter to one month, page by page: memory for one page, whatever the month held."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from router.facts import (
    CaseHistory,
    Document,
    Happening,
    Order,
    Rating,
    Return,
    effective,
)
from router.months import Span
from router.workflow import Verb
from store.db import Database, among
from store.tables import T

PAGE = 500
"""Cases read at a time."""

_VERBS = (
    Verb.DISPATCH,
    Verb.UNDO,
    Verb.SUSPEND,
    Verb.RESUME,
    Verb.HANDLE,
    Verb.VERIFY_PASS,
    Verb.VERIFY_FAIL,
    Verb.CLOSE,
)
"""Lines of a history that facts are derived from."""

_ORDER = (
    "id",
    "case_id",
    "department",
    "lead",
    "status",
    "rule",
    "clock",
    "extensions",
    "due_at",
    "sign_due_at",
    "dispatched_at",
    "signed_at",
    "handled_at",
    "ended_at",
)


async def histories(
    db: Database, span: Span, *, documents: Sequence[str], recordings: bool
) -> AsyncIterator[list[CaseHistory]]:
    """Every case something of which falls in ``span`` or stands open in it, by growing id.

    ``documents`` are the levels of supervision that count; without ``recordings`` replayed cases are left
    out. Each page is one snapshot; pages are not of one moment.
    """
    after = 0
    while True:
        async with db.read() as conn:
            page = (await conn.execute(_cases(span, after, recordings))).all()
            if not page:
                return
            read = _Reader(conn, [row.id for row in page], is_sqlite=db.is_sqlite)
            found = await read.histories(page, documents)
        yield found
        after = page[-1].id


def _cases(span: Span, after: int, recordings: bool) -> Any:  # noqa: FBT001 - private
    c = T.cases.c
    statement = select(
        c.id, c.status, c.area, c.joint, c["items"], c.received_at, c.relapse_of
    ).where(c.id > after, _matters(span))
    if not recordings:
        statement = statement.where(~c.replayed)
    return statement.order_by(c.id).limit(PAGE)


def _matters(span: Span) -> ColumnElement[bool]:
    """An order still owed or due from the month on, something that happened in it, or an open return."""
    o, r = T.work_orders.c, T.returns.c
    owed = exists().where(
        o.case_id == T.cases.c.id,
        o.dispatched_at < span.end,
        or_(
            o.due_at >= span.start,
            o.sign_due_at >= span.start,
            o.status.in_(("assigned", "signed")),
        ),
    )
    opened = T.cases.c.id.in_(select(r.case_id).where(r.state == "open", r.at < span.end))
    happened = (_in_month(table, span) for table in (T.events, T.ratings, T.supervisions))
    return or_(owed, opened, *happened)


def _in_month(table: Table, span: Span) -> ColumnElement[bool]:
    c = table.c
    return exists().where(c.case_id == T.cases.c.id, c.at >= span.start, c.at < span.end)


class _Reader:
    """All rows of some cases, each table asked once."""

    def __init__(self, conn: AsyncConnection, ids: Sequence[int], *, is_sqlite: bool) -> None:
        self._conn = conn
        self._ids = ids
        self._is_sqlite = is_sqlite

    async def histories(self, page: Sequence[Any], documents: Sequence[str]) -> list[CaseHistory]:
        o, e, r, v, s = (
            T.work_orders.c,
            T.events.c,
            T.returns.c,
            T.ratings.c,
            T.supervisions.c,
        )
        orders = await self._by_case(o.case_id, [o[name] for name in _ORDER], o.id)
        events = await self._by_case(
            e.case_id, [e.order_id, e.version, e.verb, e.at], e.id, e.verb.in_(_VERBS)
        )
        returns = await self._by_case(r.case_id, [r.order_id, r.state, r.at, r.judged_at], r.id)
        ratings = await self._by_case(v.case_id, [v.solved, v.satisfied, v.at], v.item_id)
        papers = await self._by_case(
            s.case_id, [s.order_id, s.at], s.id, s.level.in_(documents), s.state != "skipped"
        )
        closed = await self._closed([row.relapse_of for row in page if row.relapse_of])
        return [
            CaseHistory(
                id=row.id,
                status=row.status,
                area=row.area,
                joint=bool(row.joint),
                items=row.items,
                received_at=row.received_at,
                earlier_closed_at=_before(closed[row.relapse_of], row.received_at),
                orders=[Order(*one) for one in orders[row.id]],
                happened=[Happening(*one) for one in events[row.id]],
                returns=[Return(*one) for one in returns[row.id]],
                ratings=[Rating(*one) for one in ratings[row.id]],
                documents=[Document(*one) for one in papers[row.id]],
            )
            for row in page
        ]

    async def _by_case(
        self,
        case_id: ColumnElement[Any],
        columns: Sequence[ColumnElement[Any]],
        order: ColumnElement[Any],
        *where: ColumnElement[bool],
        ids: Sequence[int] = (),
    ) -> dict[int, list[tuple[Any, ...]]]:
        """The named columns of the rows of the page's cases (or of ``ids``), in ``order``, by case."""
        mine = among(case_id, ids or self._ids, is_sqlite=self._is_sqlite)
        found = await self._conn.execute(
            select(case_id, *columns).where(mine, *where).order_by(order)
        )
        rows: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        for one, *rest in found:
            rows[one].append(tuple(rest))
        return rows

    async def _closed(self, earlier: Sequence[int]) -> dict[int | None, list[datetime]]:
        """When earlier cases were closed, by their ids."""
        closed: dict[int | None, list[datetime]] = defaultdict(list)
        if earlier:
            e = T.events.c
            columns = [e.order_id, e.version, e.verb, e.at]
            lines = await self._by_case(e.case_id, columns, e.id, e.verb.in_(_VERBS), ids=earlier)
            for case_id, rows in lines.items():
                told = effective([Happening(*one) for one in rows])
                closed[case_id] = [one.at for one in told if one.verb == Verb.CLOSE]
        return closed


def _before(closed: Iterable[datetime], at: datetime) -> datetime | None:
    return max((one for one in closed if one <= at), default=None)
