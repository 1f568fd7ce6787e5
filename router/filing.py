"""What a verdict asks the city to do, as rows: pure, so that a replay gives the same cases.

Complaints and requests become cases; so do inquiries, for the service window. A trustworthy verdict
about something the city's offices do is filed and dispatched at once, by the model's name; all else
waits at the desk. Praise and chatter the model is sure of are kept and never dispatched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from router.deadlines import Deadlines
from router.departments import Area
from router.rules import Matter, Route, Router
from router.workflow import CaseStatus, Verb
from store.model import Decision, Kind, NoticeRef, Record
from store.numbers import case_no
from store.outbox import record

SUMMARY = 80
"""Characters of a message shown in a queue row."""

ORDERS = 100
"""Work orders one case may have in its life; a work order's id is case id × this + sequence."""


@dataclass(frozen=True, slots=True)
class Understood:
    """An item with its verdict, as the router reads them."""

    item_id: int
    channel: str
    title: str
    text: str
    address: str
    received_at: datetime
    replayed: bool
    kind: str
    problems: Sequence[str]
    campaigns: Sequence[str]
    urgency: str
    decision: str
    hint: str
    trust: float
    model: str
    area: str = ""
    point: str = ""
    teach: float = 0.0


@dataclass
class Filing:
    """Rows to insert, by table, and records to publish."""

    cases: list[dict[str, Any]] = field(default_factory=list)
    case_items: list[dict[str, Any]] = field(default_factory=list)
    work_orders: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    notices: list[Record] = field(default_factory=list)


class Filer:
    """Turns understood items into cases."""

    def __init__(
        self,
        *,
        router: Router,
        deadlines: Deadlines,
        zone: ZoneInfo,
        prefix: str,
        clock: Callable[[], datetime],
    ) -> None:
        self.router = router
        self.deadlines = deadlines
        self.zone = zone
        self.prefix = prefix
        self.clock = clock

    def file_all(self, understood: Sequence[Understood]) -> Filing:
        """The rows for a batch."""
        filing = Filing()
        for one in understood:
            if needs_case(one):
                self._file(one, filing)
        return filing

    def due_at(self, one: Understood, start: datetime) -> datetime:
        """When the case must be done if its clock starts at ``start``."""
        limit = self.deadlines.limit_of(kind=one.kind, problems=one.problems, urgency=one.urgency)
        return self.deadlines.due_at(start, limit, self.zone)

    def _file(self, one: Understood, filing: Filing) -> None:
        case_id = one.item_id
        text = f"{one.title}\n{one.text}" if one.title else one.text
        area = self.router.directory.areas.get(one.area)
        route = self.router.route(
            Matter(
                kind=one.kind,
                problems=one.problems,
                campaigns=one.campaigns,
                urgency=one.urgency,
                channel=one.channel,
                hint=one.hint,
                text=text,
                area=area,
            )
        )
        at = one.received_at if one.replayed else self.clock()
        sent = one.decision == Decision.AUTO and route.lead != self.router.directory.out_of_scope
        due_at = self.due_at(one, at)
        orders = (
            order_rows(case_id, route.lead, route.support, seq=1, due_at=due_at, at=at)
            if sent
            else []
        )
        case = self._case_row(one, area, route, text)
        if sent:
            case |= {"status": CaseStatus.DISPATCHED, "version": 3, "department": route.lead}
            case |= {"decision_seq": len(orders), "filed_at": at, "dispatched_at": at}
        filing.cases.append(case | {"due_at": due_at})
        filing.case_items.append({"item_id": one.item_id, "case_id": case_id})
        filing.work_orders.extend(orders)
        filing.notices.extend(assigned(order) for order in orders)
        filing.events.extend(_history(case_id, sent=sent, model=one.model, note=route.rule, at=at))

    def _case_row(
        self, one: Understood, area: Area | None, route: Route, text: str
    ) -> dict[str, Any]:
        """A case that waits at the desk."""
        return {
            "id": one.item_id,
            "case_no": case_no(self.prefix, one.item_id),
            "status": CaseStatus.RECEIVED,
            "version": 1,
            "channel": one.channel,
            "kind": one.kind,
            "problems": _json(one.problems),
            "campaigns": _json(one.campaigns),
            "urgency": one.urgency,
            "decision": one.decision,
            "confidence": one.trust,
            "department": "",
            "suggested": route.lead,
            "rule": route.rule,
            "area": area.id if area else "",
            "point": one.point if area else "",
            "teach": one.teach,
            "summary": text.replace("\n", " ")[:SUMMARY],
            "items": 1,
            "decision_seq": 0,
            "received_at": one.received_at,
            "filed_at": None,
            "dispatched_at": None,
            "replayed": one.replayed,
        }


def needs_case(one: Understood) -> bool:
    """Whether somebody has to answer, or a person has to look."""
    return one.decision == Decision.DESK or one.kind not in {Kind.PRAISE, Kind.CHATTER}


def order_rows(
    case_id: int, lead: str, support: Sequence[str], *, seq: int, due_at: datetime, at: datetime
) -> list[dict[str, Any]]:
    """One work order a department, the lead's first; numbers go on from ``seq``."""
    return [
        {
            "id": case_id * ORDERS + seq + n,
            "case_id": case_id,
            "department": department,
            "lead": n == 0,
            "status": "assigned",
            "seq": seq + n,
            "due_at": due_at,
            "dispatched_at": at,
        }
        for n, department in enumerate((lead, *support))
    ]


def assigned(order: dict[str, Any], change: str = "assigned") -> Record:
    """The notice that a work order was given to its department, or taken back."""
    seq = order["seq"] * 2 - (change == "assigned")
    ref = NoticeRef(order["id"], order["department"], change, seq)
    return record(f"{order['id']}:{change}", str(order["case_id"]), ref)


def event_row(
    case_id: int, verb: Verb, before: str, after: str, *, actor: str, note: str, at: datetime
) -> dict[str, Any]:
    """One line of a case's history."""
    row = {"case_id": case_id, "verb": verb, "before": before, "after": after}
    return {**row, "actor": actor, "note": note, "at": at}


def _history(
    case_id: int, *, sent: bool, model: str, note: str, at: datetime
) -> list[dict[str, Any]]:
    s = CaseStatus
    steps = [(Verb.RECEIVE, "", s.RECEIVED)]
    if sent:
        steps += [(Verb.FILE, s.RECEIVED, s.FILED), (Verb.DISPATCH, s.FILED, s.DISPATCHED)]
    return [
        event_row(case_id, verb, before, after, actor=model, note=note, at=at)
        for verb, before, after in steps
    ]


def _json(labels: Sequence[str]) -> str:
    return msgspec.json.encode(labels).decode()
