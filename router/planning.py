"""Who gets a case and until when: the rules' answer, or a person's, as work orders with running clocks.

Pure. Filing (the router's own) and the desk's dispatch both plan here, so that they never differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from router.clocking import Timekeeper, until
from router.deadlines import Limit, Stage
from router.rules import Matter, Router
from router.workflow import OrderStatus
from store.errors import RejectedError

ORDERS = 100
"""Above the work orders one case may have in its life; a work order's id is case id × this + sequence."""

DESK = "desk"
"""Stands for the rule where a person chose otherwise."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Lead (牵头单位) and support (责任单位), the rule that said so, and how long each has.

    ``joint`` (联合执法): the case is handled when all have handled, not when the lead has.
    """

    lead: str
    support: tuple[str, ...]
    rule: str
    limit: Limit
    support_limit: Limit
    joint: bool = False


class Planner:
    """Plans by one city's rules, limits and hours."""

    def __init__(self, rules: Router, timekeeper: Timekeeper) -> None:
        self.rules = rules
        self.timekeeper = timekeeper

    def adopt(self, rules: Router, timekeeper: Timekeeper) -> None:
        """Plan by these from now on; clocks that run keep their limits."""
        self.rules = rules
        self.timekeeper = timekeeper

    def plan(self, matter: Matter, at: datetime, wanted_at: datetime | None = None) -> Plan:
        """What the rules say of a matter dispatched at ``at``; a leader's date goes before all limits."""
        route, deadlines = self.rules.route(matter), self.timekeeper.deadlines
        limit = route.limit_of(matter, deadlines)
        helping = route.support_limit_of(matter, deadlines)
        if wanted_at is not None and wanted_at > at:
            limit = helping = until(at, wanted_at)
        joint = route.joint and bool(route.support)
        return Plan(route.lead, route.support, route.rule, limit, helping, joint=joint)

    def chosen(
        self,
        matter: Matter,
        at: datetime,
        wanted_at: datetime | None,
        *,
        lead: str,
        support: Sequence[str] | None,
        joint: bool | None,
    ) -> Plan:
        """What a person chose. The rules fill in what they did not say where they name the same lead."""
        ruled = self.plan(matter, at, wanted_at)
        agreed = ruled.lead == lead
        helped = support if support is not None else ruled.support if agreed else ()
        others = tuple(dict.fromkeys(one for one in helped if one != lead))
        together = joint if joint is not None else agreed and ruled.joint
        rule = ruled.rule if agreed else DESK
        return Plan(
            lead, others, rule, ruled.limit, ruled.support_limit, joint=together and bool(others)
        )

    def orders(
        self, plan: Plan, case_id: int, *, seq: int, at: datetime, hold_s: float = 0.0
    ) -> list[dict[str, Any]]:
        """One work order a department, the lead's first; numbers go on from ``seq``.

        RejectedError when the case would have more orders than it has numbers.
        """
        if seq + len(plan.support) >= ORDERS:
            msg = f"router: a case has under {ORDERS} work orders in its life; choose fewer offices"
            raise RejectedError(msg, reason="orders")
        rows = []
        for n, department in enumerate((plan.lead, *plan.support)):
            timed = self.timekeeper.start(at, plan.support_limit if n else plan.limit)
            rows.append(
                {
                    "id": case_id * ORDERS + seq + n,
                    "case_id": case_id,
                    "department": department,
                    "lead": n == 0,
                    "status": OrderStatus.ASSIGNED,
                    "seq": seq + n,
                    "rule": plan.rule,
                    "dispatched_at": at,
                    "leaves_at": at + timedelta(seconds=hold_s),
                    **timed,
                }
            )
        return rows

    def desk_due_at(self, case: Mapping[str, Any], at: datetime) -> datetime | None:
        """Until when the desk must send a case that comes back to it at ``at``; never for a recording."""
        return None if case["replayed"] else self.timekeeper.stage_due_at(Stage.DISPATCH, at)

    def due_at(self, plan: Plan, at: datetime) -> datetime:
        """When the lead must be done if its clock starts at ``at``."""
        return self.timekeeper.deadlines.due_at(at, plan.limit, self.timekeeper.zone)
