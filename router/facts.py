"""What is true of a work order in one month, as the assessment (考核) counts it.

Pure: rows in, facts out. An order is owed in the month in which its due time falls; whatever happens to
it (dispatch, return, check, rating, document) counts in the month in which it happens. A dispatch
that was undone never happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields, replace
from datetime import datetime, timedelta

from router.clocking import read_clock, until
from router.deadlines import Clock, Clocks
from router.months import Span
from router.workflow import CaseStatus


@dataclass(frozen=True, slots=True)
class Order:
    """The columns of a work order that are read here, in this order. ``clock`` is its text."""

    id: int
    case_id: int
    department: str
    lead: bool
    status: str
    rule: str
    clock: str
    extensions: int
    due_at: datetime
    sign_due_at: datetime | None
    dispatched_at: datetime
    signed_at: datetime | None
    handled_at: datetime | None
    ended_at: datetime | None

    @property
    def gone_at(self) -> datetime | None:
        """When the office lost it: returned or taken back."""
        return self.ended_at if self.status in {"returned", "withdrawn"} else None

    @property
    def done_at(self) -> datetime | None:
        """When its last result came, unless it was sent back to work since."""
        return (self.handled_at or self.ended_at) if self.status == "handled" else None


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a case's history; without an order it concerns the whole case."""

    order_id: int | None
    version: int
    verb: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Return:
    """退单: ``state`` is open, accepted or refused."""

    order_id: int
    state: str
    at: datetime
    judged_at: datetime | None


@dataclass(frozen=True, slots=True)
class Rating:
    """回访: what one citizen said of the result."""

    solved: str
    satisfied: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Document:
    """A document of supervision of a level that counts; without an order it goes to the one that answers."""

    order_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class CaseHistory:
    """All that is known of one case. ``earlier_closed_at`` is when the case it repeats had been closed."""

    id: int
    status: str
    area: str
    joint: bool
    items: int
    received_at: datetime
    earlier_closed_at: datetime | None
    orders: Sequence[Order]
    happened: Sequence[Happening]
    returns: Sequence[Return] = ()
    ratings: Sequence[Rating] = ()
    documents: Sequence[Document] = ()


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What is true of one order in one month; what conditions and sums of indicators may name.

    Booleans: ``dispatched`` in the month; ``due`` 应结: its due time is in the month and past, its clock did
    not stand then and the office still had it; ``handled`` by now; ``on_time`` that not after its due
    time; ``closed`` its case, by now; ``closed_in_month``; ``sign_due`` and ``signed_on_time`` likewise for
    signing; ``returned`` in the month, ``return_accepted`` or ``return_refused`` judged in the month,
    ``return_open`` not judged yet; ``withdrawn`` taken back in the month; a result ``checked``
    核查 in the month, ``reworked`` the check failed; ``extended`` 延期 ever; ``suspended`` 挂账 when the month
    ended; ``repeat`` its case came back within the window; ``lead``, ``joint`` 联合执法; ``rated``; ``urged`` 督办.

    Numbers, of the one order that answers for its case: ``items`` citizens of a case closed in the month and
    ``voted`` those of them who rated by now; of ratings given in the month ``ratings`` (with 满意 or 未评价),
    ``marks`` (with a mark), ``satisfied``, ``fair``, ``dissatisfied``, ``answers`` (on 解决), ``solved``, ``partly``,
    ``unsolved``. Of any order: ``documents`` 督办 in the month; ``hours`` its clock had run when handled.
    """

    order_id: int
    case_id: int
    department: str
    area: str
    rule: str
    lead: bool
    joint: bool
    repeat: bool
    dispatched: bool
    due: bool
    handled: bool
    on_time: bool
    closed: bool
    closed_in_month: bool
    sign_due: bool
    signed_on_time: bool
    returned: bool
    return_accepted: bool
    return_refused: bool
    return_open: bool
    withdrawn: bool
    checked: bool
    reworked: bool
    extended: bool
    suspended: bool
    rated: bool
    urged: bool
    items: int = 0
    voted: int = 0
    ratings: int = 0
    marks: int = 0
    satisfied: int = 0
    fair: int = 0
    dissatisfied: int = 0
    answers: int = 0
    solved: int = 0
    partly: int = 0
    unsolved: int = 0
    documents: int = 0
    hours: float = 0.0


FLAGS = frozenset(one.name for one in fields(OrderFacts) if one.type == "bool")
"""Facts that hold or do not."""

AMOUNTS = frozenset(one.name for one in fields(OrderFacts) if one.default is not MISSING)
"""Facts that are added up."""


@dataclass(frozen=True, slots=True)
class Counting:
    """How facts are derived: the month, the moment of counting, the window of a repeat, the city's clocks."""

    span: Span
    now: datetime
    window: timedelta
    clocks: Clocks


def facts_of(case: CaseHistory, how: Counting) -> list[OrderFacts]:
    """The facts of each order of the case that was not undone."""
    orders = [order for order in case.orders if not _undone(order, case.happened)]
    case = replace(case, orders=orders, happened=effective(case.happened))
    return [_facts(order, case, how) for order in orders]


def effective(happened: Sequence[Happening]) -> list[Happening]:
    """The history without commands that were undone: the lines of the moment just before each undoing."""
    undoing = {one.version - 1 for one in happened if one.verb == "undo"}
    undone = {one.at for one in happened if one.version in undoing}
    return [one for one in happened if one.at not in undone and one.verb != "undo"]


def _undone(order: Order, happened: Sequence[Happening]) -> bool:
    """Whether its dispatch was undone: named by the event, or taken back by the case's at that moment."""
    return order.status == "withdrawn" and any(
        one.verb == "undo"
        and (order.id == one.order_id or (one.order_id is None and one.at == order.ended_at))
        for one in happened
    )


def _facts(order: Order, case: CaseHistory, how: Counting) -> OrderFacts:
    span, done_at, clock = how.span, order.done_at, _clock(order)
    mine = [one for one in case.happened if _concerns(one, order)]
    checks = [one for one in _checks(mine) if span.has(one.at)]
    returns = [one for one in case.returns if one.order_id == order.id]
    documents = sum(
        span.has(one.at) and _addressed(one, case.orders) == order.id for one in case.documents
    )
    counts = _ratings(order, case, span)
    return OrderFacts(
        order_id=order.id,
        case_id=case.id,
        department=order.department,
        area=case.area,
        rule=order.rule,
        lead=order.lead,
        joint=case.joint,
        repeat=_repeats(case, how.window),
        dispatched=span.has(order.dispatched_at),
        due=_owed(order, clock, how),
        handled=done_at is not None,
        on_time=done_at is not None and (done_at <= order.due_at or _stood(order, clock)),
        closed=case.status == CaseStatus.CLOSED,
        closed_in_month=order.gone_at is None and span.has(_closed_at(case, span)),
        sign_due=_sign_owed(order, how),
        signed_on_time=_signed(order),
        returned=any(span.has(one.at) for one in returns),
        return_accepted=any(one.state == "accepted" and span.has(one.judged_at) for one in returns),
        return_refused=any(one.state == "refused" and span.has(one.judged_at) for one in returns),
        return_open=any(one.state == "open" and one.at < span.end for one in returns),
        withdrawn=order.status == "withdrawn" and span.has(order.ended_at),
        checked=bool(checks),
        reworked=any(one.verb == "verify_fail" for one in checks),
        extended=order.extensions > 0,
        suspended=_on_ledger(mine, span),
        rated=counts["marks"] > 0,
        urged=documents > 0,
        documents=documents,
        hours=0.0 if done_at is None else how.clocks.elapsed_s(clock, done_at) / 3600,
        **counts,
    )


def _concerns(one: Happening, order: Order) -> bool:
    """Whether a line of the history is about the order: it names it, or the case while the office had it."""
    if one.order_id is not None:
        return one.order_id == order.id
    gone = order.gone_at
    return order.dispatched_at <= one.at and (gone is None or one.at <= gone)


def _clock(order: Order) -> Clock:
    """Its clock; for an order from before clocks were kept, one that ends at its due time."""
    if order.clock:
        return read_clock(order.clock)
    return Clock(order.dispatched_at, until(order.dispatched_at, order.due_at))


def _checks(mine: Sequence[Happening]) -> list[Happening]:
    """The checks of the order's results: those that name it, and the case's once it had given one."""
    results = [one.at for one in mine if one.verb == "handle" and one.order_id is not None]
    return [
        one
        for one in mine
        if one.verb in {"verify_pass", "verify_fail"}
        and (one.order_id is not None or any(at <= one.at for at in results))
    ]


def _owed(order: Order, clock: Clock, how: Counting) -> bool:
    """Whether the office owed it when it was due, in the month and by now: it had it and the clock ran."""
    due_at, gone = order.due_at, order.gone_at
    if not how.span.has(due_at) or due_at > how.now or (gone is not None and gone <= due_at):
        return False
    return order.done_at is not None or not _stood(order, clock)


def _stood(order: Order, clock: Clock) -> bool:
    """Whether the clock stood at the due time known last and has not run since: that time never came."""
    return any(pause.until is None and pause.since <= order.due_at for pause in clock.pauses)


def _sign_owed(order: Order, how: Counting) -> bool:
    """Whether it had to be signed in the month; one that went before the time to sign was over need not be."""
    due, gone = order.sign_due_at, order.gone_at
    if due is None or not how.span.has(due) or due > how.now:
        return False
    return order.signed_at is not None or gone is None or gone > due


def _signed(order: Order) -> bool:
    due, at = order.sign_due_at, order.signed_at
    return due is not None and at is not None and at <= due


def _repeats(case: CaseHistory, window: timedelta) -> bool:
    closed = case.earlier_closed_at
    return closed is not None and case.received_at - closed <= window


def _on_ledger(mine: Sequence[Happening], span: Span) -> bool:
    """Whether the last suspension before the month's end had not ended by then; a case that stands keeps its orders."""
    last = ""
    for one in mine:
        if one.verb in {"suspend", "resume"} and one.at < span.end:
            last = one.verb
    return last == "suspend"


def _closed_at(case: CaseHistory, span: Span) -> datetime | None:
    """When the case was last closed in the month."""
    closes = [one.at for one in case.happened if one.verb == "close" and span.has(one.at)]
    return closes[-1] if closes else None


def answering(orders: Sequence[Order], at: datetime) -> int | None:
    """The order that answered for the case at ``at``: the newest lead's that its office had then."""
    had = (
        order.id
        for order in orders
        if order.lead
        and order.dispatched_at <= at
        and (order.gone_at is None or order.gone_at > at)
    )
    return max(had, default=None)


def _addressed(one: Document, orders: Sequence[Order]) -> int | None:
    return answering(orders, one.at) if one.order_id is None else one.order_id


def _ratings(order: Order, case: CaseHistory, span: Span) -> dict[str, int]:
    """The numbers of ratings; zero for an order that does not answer for the case."""
    orders = case.orders
    given = [
        one for one in case.ratings if span.has(one.at) and answering(orders, one.at) == order.id
    ]
    closed_at = _closed_at(case, span)
    answers = closed_at is not None and answering(orders, closed_at) == order.id
    return {
        "items": case.items if answers else 0,
        "voted": sum(one.satisfied != "none" for one in case.ratings) if answers else 0,
        "ratings": len(given),
        "marks": sum(one.satisfied != "none" for one in given),
        "answers": sum(one.solved in _SOLVED for one in given),
        **{name: sum(one.satisfied == name for one in given) for name in _SATISFIED},
        **{name: sum(one.solved == name for one in given) for name in _SOLVED},
    }


_SATISFIED = ("satisfied", "fair", "dissatisfied")
_SOLVED = ("solved", "partly", "unsolved")
