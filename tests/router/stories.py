"""Cases as they go, told twice: as the rows that commands leave, and as a log of what happened."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ledger import at

from router.clocking import write_clock
from router.deadlines import Clock, Limit, Reason, Unit
from router.facts import CaseHistory, Document, Happening, Order, Rating, Return

DEPARTMENTS = ("urban_enforcement", "housing_construction", "transport")
NOW = at("2026-12-03 06:00")
RECEIVED = at("2026-10-27 00:00")
LONG = Limit(amount=999, unit=Unit.URGENT_HOURS)
OPEN = ("assigned", "signed")
ITEMS = 9
READ = {"dispatch", "undo", "handle", "suspend", "resume", "verify_pass", "verify_fail", "close"}


@dataclass
class Story:
    """One case as it goes, both as rows (what commands leave) and as a log (what happened)."""

    id: int
    t: datetime
    status: str = "filed"
    orders: list[Order] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)
    ratings: list[Rating] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    clocks: dict[int, Clock] = field(default_factory=dict)
    held: list[Return] = field(default_factory=list)

    def note(self, verb: str, order: int | None = None, **more: Any) -> None:
        self.log.append({"verb": verb, "order": order, "at": self.t, **more})

    def change(self, order: Order, **more: Any) -> None:
        self.orders[self.orders.index(order)] = replace(order, **more)

    @property
    def lead(self) -> Order | None:
        return next((o for o in self.orders if o.lead and o.gone_at is None), None)

    def dispatch(self, choice: int) -> None:
        if self.lead is not None:
            return
        lead = DEPARTMENTS[choice % 3]
        support = [DEPARTMENTS[(choice + 1) % 3]] if choice % 2 else []
        self.held = self.returns
        self.returns = [
            replace(r, state=self.judged(r, lead), judged_at=self.t) if r.state == "open" else r
            for r in self.returns
        ]
        for n, department in enumerate((lead, *support)):
            one = self.id * 100 + len(self.orders) + 1
            due, sign_due = self.t + timedelta(hours=20 + choice), self.t + timedelta(hours=3)
            self.clocks[one] = Clock(self.t, LONG)
            self.orders.append(
                Order(
                    id=one,
                    case_id=self.id,
                    department=department,
                    lead=n == 0,
                    status="assigned",
                    rule="",
                    clock="",
                    extensions=0,
                    due_at=due,
                    sign_due_at=sign_due,
                    dispatched_at=self.t,
                    signed_at=None,
                    handled_at=None,
                    ended_at=None,
                )
            )
            self.note("dispatch", one, department=department, lead=n == 0, due=due)
        self.status = "dispatched"

    def judged(self, returned: Return, lead: str) -> str:
        was = next(o.department for o in self.orders if o.id == returned.order_id)
        return "refused" if was == lead else "accepted"

    def undo(self, _: int) -> None:
        last = self.log[-1] if self.log else {"verb": ""}
        if last["verb"] == "dispatch":
            self.returns = self.held
            gone = []
            for order in [o for o in self.orders if o.dispatched_at == last["at"]]:
                self.change(order, status="withdrawn", ended_at=self.t)
                gone.append(order.id)
            self.note("undo", undone=gone)
            self.status = "filed"
        elif last["verb"] == "close":
            self.note("undo", undone=[])
            self.status = "handled"

    def sign(self, choice: int) -> None:
        for order in self.orders[choice % 2 :]:
            if order.status == "assigned":
                self.change(order, status="signed", signed_at=self.t)
                self.note("sign", order.id)
                return

    def give_back(self, _: int) -> None:
        lead = self.lead
        if lead is None or lead.status not in OPEN or self.status == "suspended":
            return
        self.change(lead, status="returned", ended_at=self.t)
        self.returns.append(Return(lead.id, "open", self.t, None))
        self.note("return_order", lead.id)
        for order in [o for o in self.orders if o.status in OPEN]:
            self.change(order, status="withdrawn", ended_at=self.t)
            self.note("withdraw", order.id)
        self.status = "filed"

    def handle(self, choice: int) -> None:
        if self.status == "suspended":
            return
        for order in self.orders[choice % 2 :]:
            if order.status == "signed":
                self.change(order, status="handled", handled_at=self.t)
                self.note("handle", order.id)
                return

    def check(self, choice: int) -> None:
        lead = self.lead
        if lead is None or lead.status != "handled" or self.status == "closed":
            return
        if choice % 3 == 0:
            for order in [o for o in self.orders if o.status == "handled"]:
                self.change(order, status="signed", handled_at=None)
                self.note("verify_fail", order.id)
        else:
            self.note("verify_pass")
            self.note("close")
            self.status = "closed"

    def stand(self, _: int) -> None:
        if self.status == "suspended":
            self.status = "handling"
            for order in [o for o in self.orders if o.status in OPEN]:
                clock = self.clocks[order.id]
                due = order.due_at + (self.t - clock.pauses[-1].since)
                self.clocks[order.id] = clock.resumed(self.t)
                self.change(order, due_at=due)
                self.note("due", order.id, due=due)
            self.note("resume")
        elif self.lead is not None and self.lead.status == "signed" and self.status != "closed":
            self.status = "suspended"
            for order in [o for o in self.orders if o.status in OPEN]:
                self.clocks[order.id] = self.clocks[order.id].paused(self.t, Reason.SUSPENSION)
            self.note("suspend")

    def extend(self, choice: int) -> None:
        lead = self.lead
        if lead is None or lead.status != "signed" or self.status == "suspended":
            return
        due = lead.due_at + timedelta(hours=choice)
        self.change(lead, due_at=due, extensions=lead.extensions + 1)
        self.note("extend", lead.id)
        self.note("due", lead.id, due=due)

    def rate(self, choice: int) -> None:
        if self.status != "closed":
            return
        satisfied = ("satisfied", "fair", "dissatisfied", "none")[choice % 4]
        solved = ("solved", "partly", "unsolved", "")[choice % 3 if choice % 4 else 3]
        self.ratings.append(Rating(solved, satisfied, self.t))
        self.note("rate", satisfied=satisfied, solved=solved)

    def urge(self, choice: int) -> None:
        if self.lead is not None:
            self.documents.append(Document(self.lead.id if choice % 2 else None, self.t))
            self.note("urge", self.lead.id)

    def case(self) -> CaseHistory:
        told = [
            Happening(e["order"], n, e["verb"], e["at"])
            for n, e in enumerate(self.log, 1)
            if e["verb"] in READ
        ]
        return CaseHistory(
            id=self.id,
            status=self.status,
            area="",
            joint=False,
            items=ITEMS,
            received_at=RECEIVED,
            earlier_closed_at=None,
            orders=[replace(o, clock=write_clock(self.clocks[o.id])) for o in self.orders],
            happened=told,
            returns=self.returns,
            ratings=self.ratings,
            documents=self.documents,
        )


ACTS = (
    Story.dispatch, Story.undo, Story.sign, Story.sign, Story.give_back, Story.handle, Story.handle,
    Story.check, Story.stand, Story.extend, Story.rate, Story.urge, Story.dispatch,
)  # fmt: skip
Plan = list[tuple[int, list[tuple[int, int, int]]]]
"""For each case: hours from 28 October to its dispatch, then (act, hours later, choice)."""


def tell(plan: Plan) -> list[Story]:
    """The cases after all their steps."""
    stories = []
    for n, (late, steps) in enumerate(plan, start=1):
        story = Story(n, at("2026-10-28 00:00") + timedelta(hours=late))
        story.dispatch(late)
        for act, hours, choice in steps:
            if ACTS[act] is not Story.undo:
                story.t += timedelta(hours=hours)
            if story.t < NOW:
                ACTS[act](story, choice)
        stories.append(story)
    return stories
