"""The queue of the desk: its views, filters, order and pages. Row scope is in every query, not in the page.

Statuses stand in the statements as they are: partial indexes of both databases need that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    text,
    true,
)

from desk.order import KEYS, ORDERS, Order, read, write
from desk.rows import labelled
from desk.walking import WINDOW, Walk
from router.workflow import FINAL, CaseStatus
from store.columns import Utc
from store.db import Database, among
from store.errors import RejectedError
from store.model import Decision, Kind
from store.tables import T

MOST = 200
"""Rows of one page."""

SOON = timedelta(hours=2)
COUNTED = 10_000
"""Ended cases are counted up to here; the screen then says 1万+."""

S = CaseStatus
WAITING = (S.RECEIVED, S.FILED)
SENT = (S.DISPATCHED, S.HANDLING, S.SUSPENDED)
OPEN = tuple(status for status in S if status not in FINAL)
ENDED = tuple(status for status in S if status in FINAL)
BY_NUMBER = frozenset({"newest", "oldest"})
TALK = tuple(kind for kind in Kind if not kind.is_actionable and kind is not Kind.INQUIRY)

Condition = ColumnElement[bool]
C = T.cases.c


class Asker(NamedTuple):
    """Who asks and when: what a view may depend on. ``scope``: the only areas they see; none: all."""

    user: str
    now: datetime
    out_of_scope: str = ""
    scope: Collection[str] | None = None

    @property
    def soon(self) -> datetime:
        """Until when what is due is due soon."""
        return self.now + SOON


@dataclass(frozen=True)
class Filters:
    """What the address of the page narrows a view by; empty: not at all."""

    problem: str = ""
    campaign: str = ""
    area: str = ""
    channel: str = ""
    urgency: str = ""
    department: str = ""
    claimed: str = ""


class View(NamedTuple):
    """A view's name on screen, the statuses it holds, what else must be true of a case, its order."""

    name: str
    statuses: tuple[CaseStatus, ...]
    also: Callable[[Asker], Condition]
    sort: str


def _all(_: Asker) -> Condition:
    return true()


def _awake(asker: Asker) -> Condition:
    return or_(C.snoozed_until.is_(None), C.snoozed_until <= asker.now)


def _snoozed(asker: Asker) -> Condition:
    return C.snoozed_until > asker.now


def _unsure(asker: Asker) -> Condition:
    return and_(C.decision == Decision.DESK, _awake(asker))


def _mine(asker: Asker) -> Condition:
    k = T.claims.c
    held = select(k.case_id).where(k.user == asker.user, k.kept, k.until > asker.now)
    return C.id.in_(held)


def _soon(asker: Asker) -> Condition:
    return and_(_awake(asker), or_(C.stage_due_at < asker.soon, C.due_at < asker.soon))


def _alike(asker: Asker) -> Condition:
    return and_(C.alike.is_(True), _awake(asker))


def _returned(asker: Asker) -> Condition:
    return and_(C.returns > 0, _awake(asker))


def _outside(asker: Asker) -> Condition:
    return and_(or_(C.suggested == asker.out_of_scope, C.kind.in_(TALK)), _awake(asker))


VIEWS: Mapping[str, View] = {
    "waiting": View("待派遣", WAITING, _awake, "danger"),
    "mine": View("我认领的", OPEN, _mine, "danger"),
    "soon": View("2 小时内到期", OPEN, _soon, "due"),
    "unsure": View("低置信度", WAITING, _unsure, "teach"),
    "alike": View("疑似重复", WAITING, _alike, "danger"),
    "returned": View("退回件", WAITING, _returned, "danger"),
    "outside": View("不属本系统", WAITING, _outside, "oldest"),
    "snoozed": View("暂缓", WAITING, _snoozed, "due"),
    "sent": View("已派遣", SENT, _all, "newest"),
    "done": View("待核查", (S.HANDLED,), _all, "oldest"),
    "closed": View("已办结", ENDED, _all, "newest"),
    "all": View("全部诉求", tuple(S), _all, "newest"),
}
"""``unsure`` holds what the classifier left to a person, first what their labels would teach most."""

_COLUMNS = (
    C.id, C.case_no, C.status, C.version, C.channel, C.kind, C.problems, C.campaigns, C.urgency, C.decision,
    C.confidence, C.department, C.suggested, C.area, C.summary, C.received_at, C.due_at, C.stage_due_at,
    C.snoozed_until, C["items"], C.joint, C.returns, C.teach, *KEYS,
)  # fmt: skip


class Page(NamedTuple):
    """Rows of a view and the cursor of the next page; "" after the last."""

    rows: list[dict[str, Any]]
    next: str


def held(statuses: Collection[CaseStatus], *, by_number: bool = False) -> Condition:
    """The status is one of these, as words of the statement. ``by_number`` keeps SQLite, which would else sort a
    million rows it found by status, to reading them by number."""
    listed = ", ".join(f"'{status}'" for status in statuses)
    return cast("Condition", text(f"{'+' if by_number else ''}cases.status IN ({listed})"))


def inside(scope: Collection[str] | None) -> list[Condition]:
    """The case lies in one of these areas; anywhere without them."""
    return [] if scope is None else [C.area.in_(sorted(scope))]


def _order(view: View, sort: str) -> str:
    """The order asked for, or the view's own; a million ended cases are only walked by number."""
    wanted = sort or view.sort
    walked = bool({*view.statuses} & {*ENDED})
    return "newest" if walked and wanted in ORDERS and wanted not in BY_NUMBER else wanted


def _narrowed(
    filters: Filters, asker: Asker, areas: Mapping[str, Collection[str]]
) -> list[Condition]:
    """All filters that are set. ``areas`` says which places lie in one."""
    k = T.claims.c
    claims = select(k.case_id).where(k.user == filters.claimed, k.until > asker.now)
    wanted = {
        "problem": C.problems.contains(f'"{filters.problem}"', autoescape=True),
        "campaign": C.campaigns.contains(f'"{filters.campaign}"', autoescape=True),
        "area": C.area.in_(sorted(areas.get(filters.area, {filters.area}))),
        "channel": C.channel == filters.channel,
        "urgency": C.urgency == filters.urgency,
        "department": C.department == filters.department,
        "claimed": C.id.in_(claims),
    }
    return [one for name, one in wanted.items() if getattr(filters, name)]


class Queue:
    """Pages and counts. ``areas``: every place an area of the directory holds, itself among them."""

    def __init__(
        self, db: Database, areas: Mapping[str, Collection[str]], *, window: int = WINDOW
    ) -> None:
        self._db = db
        self._window = window
        self.areas = areas

    async def page(
        self,
        view: str,
        asker: Asker,
        filters: Filters,
        *,
        sort: str = "",
        after: str = "",
        limit: int = MOST,
        ids: Sequence[int] | None = None,
    ) -> Page:
        """Rows of a view in its order, or in ``sort``; ``ids`` asks for these cases alone.

        RejectedError for a view, order or cursor nobody knows.
        """
        chosen = VIEWS.get(view)
        name = _order(chosen, sort) if chosen else ""
        if chosen is None or name not in ORDERS:
            msg = f"desk: {'view' if chosen is None else 'sort'}: unknown; choose one of the page"
            raise RejectedError(msg, reason="view")
        order = ORDERS[name]
        walk = self._walk(chosen, order, asker, filters, ids)
        key = read(order, after) if after else None
        async with self._db.read() as conn:
            rows, edge = await walk.page(conn, after=key, limit=min(limit, MOST))
        return Page([_shown(row) for row in rows], write(edge) if edge else "")

    def _walk(
        self, view: View, order: Order, asker: Asker, filters: Filters, ids: Sequence[int] | None
    ) -> Walk:
        """The rows of a view and how they are to be read."""
        ended = bool({*view.statuses} & {*ENDED})
        walked = held(view.statuses, by_number=ended and ids is None and self._db.is_sqlite)
        holds = walked if len(view.statuses) < len(S) else true()
        narrow = [*inside(asker.scope), *_narrowed(filters, asker, self.areas)]
        if ids is not None:
            narrow.append(among(C.id, ids, is_sqlite=self._db.is_sqlite))
        return Walk(
            select(*_COLUMNS).where(holds, view.also(asker)),
            order,
            tuple(narrow),
            holds if ended and ids is None else None,
            self._window,
        )

    async def passing(self, asker: Asker, filters: Filters, ids: Sequence[int]) -> list[int]:
        """Those of these cases that pass the filters, the newest first."""
        narrow = (*inside(asker.scope), *_narrowed(filters, asker, self.areas))
        if not narrow:
            return sorted(ids, reverse=True)
        these = among(C.id, ids, is_sqlite=self._db.is_sqlite)
        async with self._db.read() as conn:
            rows = await conn.execute(select(C.id).where(these, *narrow).order_by(C.id.desc()))
            return list(rows.scalars())

    async def newest(
        self, asker: Asker, filters: Filters, *, below: int | None, limit: int
    ) -> tuple[list[int], int | None]:
        """Numbers of the newest cases that pass the filters, under ``below``, and where to go on; none at the end."""
        narrow = (*inside(asker.scope), *_narrowed(filters, asker, self.areas))
        walk = Walk(select(C.id), ORDERS["newest"], narrow, true(), self._window)
        after = None if below is None else (below,)
        async with self._db.read() as conn:
            rows, edge = await walk.page(conn, after=after, limit=limit)
        return [row["id"] for row in rows], edge[0] if edge else None

    def _ended(self, asker: Asker) -> Subquery:
        """Ended cases, up to ``COUNTED``; for a scope those among the city's newest of a window."""
        if asker.scope is None:
            return select(C.id).where(held(ENDED)).limit(COUNTED + 1).subquery()
        walked = held(ENDED, by_number=self._db.is_sqlite)
        newest = (
            select(C.id, C.area).where(walked).order_by(C.id.desc()).limit(self._window).subquery()
        )
        return select(newest.c.id).where(newest.c.area.in_(sorted(asker.scope))).subquery()

    async def counts(self, asker: Asker) -> dict[str, int]:
        """How many cases each view holds; ended ones not beyond ``COUNTED``."""
        among_open = _SUMS.where(*inside(asker.scope))
        given = {
            "user": asker.user,
            "now": asker.now,
            "soon": asker.soon,
            "outside": asker.out_of_scope,
        }
        ended = select(func.count()).select_from(self._ended(asker))
        async with self._db.read() as conn:
            found = dict((await conn.execute(among_open, given)).mappings().one())
            found["closed"] = (await conn.execute(ended)).scalar_one()
        found["all"] += found["closed"]
        return {name: int(found[name]) for name in VIEWS}


class _Named(NamedTuple):
    """An ``Asker`` of whom only the names of what is known are given: for a statement made once."""

    user: Any = bindparam("user")
    now: Any = bindparam("now", type_=Utc())
    soon: Any = bindparam("soon", type_=Utc())
    out_of_scope: Any = bindparam("outside")


def _sums() -> Select[Any]:
    """How many open cases each view holds."""
    asker = cast("Asker", _Named())
    of_open = {name: view for name, view in VIEWS.items() if not {*view.statuses} & {*ENDED}}
    sums = (
        func.coalesce(func.sum(case((and_(held(v.statuses), v.also(asker)), 1), else_=0)), 0).label(name)
        for name, v in of_open.items()
    )  # fmt: skip
    return select(*sums, func.count().label("all")).select_from(T.cases).where(held(OPEN))


_SUMS = _sums()


def _shown(row: Mapping[Any, Any]) -> dict[str, Any]:
    return labelled({key: value for key, value in row.items() if key not in {"rank", "due"}})
