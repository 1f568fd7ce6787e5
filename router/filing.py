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

import msgspec

from router.deadlines import Stage
from router.departments import Area
from router.ledger import Act, Step, event_row, notice
from router.planning import Plan, Planner
from router.rules import Matter
from router.workflow import CaseStatus, Verb
from store.model import Decision, Kind, Record
from store.numbers import case_no

SUMMARY = 80
"""Characters of a message shown in a queue row."""


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
    wanted_at: datetime | None = None


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
        planner: Planner,
        prefix: str,
        clock: Callable[[], datetime],
        hold_s: float = 0.0,
    ) -> None:
        self.planner = planner
        self.prefix = prefix
        self.clock = clock
        self.hold_s = hold_s

    def file_all(self, understood: Sequence[Understood]) -> Filing:
        """The rows for a batch."""
        filing = Filing()
        for one in understood:
            if needs_case(one):
                self._file(one, filing)
        return filing

    def _file(self, one: Understood, filing: Filing) -> None:
        case_id = one.item_id
        directory = self.planner.rules.directory
        text = f"{one.title}\n{one.text}" if one.title else one.text
        area = directory.areas.get(one.area)
        at = one.received_at if one.replayed else self.clock()
        matter = Matter(
            kind=one.kind,
            problems=one.problems,
            campaigns=one.campaigns,
            urgency=one.urgency,
            channel=one.channel,
            hint=one.hint,
            text=text,
            area=area,
            point=one.point if area else "",
            at=one.received_at.astimezone(self.planner.timekeeper.zone),
        )
        plan = self.planner.plan(matter, at, one.wanted_at)
        case = self._case_row(one, area, plan, text) | {"due_at": self.planner.due_at(plan, at)}
        if one.decision == Decision.AUTO and plan.lead != directory.out_of_scope:
            self._send(one, plan, case, at, filing)
        filing.cases.append(case)
        filing.case_items.append({"item_id": one.item_id, "case_id": case_id})
        filing.events.extend(_history(one, filing, at=at))

    def _send(
        self, one: Understood, plan: Plan, case: dict[str, Any], at: datetime, filing: Filing
    ) -> None:
        """Dispatched at once: work orders, notices, and what the case keeps of it. A recording is not chased."""
        orders = self.planner.orders(plan, one.item_id, seq=1, at=at, hold_s=self.hold_s)
        if one.replayed:
            for order in orders:
                order["watch_at"] = None
        case |= {"status": CaseStatus.DISPATCHED, "version": 2 + len(orders)}
        case |= {"department": plan.lead, "joint": plan.joint, "stage_due_at": None}
        case |= {"decision_seq": len(orders), "notices": len(orders)}
        case |= {"filed_at": at, "dispatched_at": at}
        case["promise_at"] = self.planner.timekeeper.promise_at(at, case["due_at"])
        leaves_at = orders[0]["leaves_at"].timestamp()
        filing.work_orders.extend(orders)
        filing.notices.extend(
            notice(order, "assigned", n, leaves_at) for n, order in enumerate(orders, 1)
        )

    def _case_row(
        self, one: Understood, area: Area | None, plan: Plan, text: str
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
            "suggested": plan.lead,
            "rule": plan.rule,
            "area": area.id if area else "",
            "point": one.point if area else "",
            "teach": one.teach,
            "summary": text.replace("\n", " ")[:SUMMARY],
            "items": 1,
            "decision_seq": 0,
            "notices": 0,
            "joint": False,
            "received_at": one.received_at,
            "filed_at": None,
            "dispatched_at": None,
            "wanted_at": one.wanted_at,
            "promise_at": None,
            "stage_due_at": None
            if one.replayed
            else self.planner.timekeeper.stage_due_at(Stage.DISPATCH, one.received_at),
            "replayed": one.replayed,
        }


def needs_case(one: Understood) -> bool:
    """Whether somebody has to answer, or a person has to look."""
    asked = one.decision == Decision.DESK or one.kind not in {Kind.PRAISE, Kind.CHATTER}
    return asked or one.wanted_at is not None


def _history(one: Understood, filing: Filing, *, at: datetime) -> list[dict[str, Any]]:
    """What the model did: received, and where it was sure filed and dispatched to each office."""
    s, case = CaseStatus, filing.cases[-1]
    steps = [Step(Verb.RECEIVE, "", s.RECEIVED, note=case["rule"])]
    if case["status"] == s.DISPATCHED:
        steps.append(Step(Verb.FILE, s.RECEIVED, s.FILED, note=case["rule"]))
        orders = filing.work_orders[-case["decision_seq"] :]
        for n, order in enumerate(orders):
            before = s.DISPATCHED if n else s.FILED
            steps.append(
                Step(Verb.DISPATCH, before, s.DISPATCHED, order["id"], note=order["department"])
            )
    act = Act(one.model, at)
    return [event_row(one.item_id, step, act, version=n) for n, step in enumerate(steps, 1)]


def _json(labels: Sequence[str]) -> str:
    return msgspec.json.encode(labels).decode()
