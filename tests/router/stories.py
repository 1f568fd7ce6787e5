"""Cases as they go, told twice: as the rows that commands leave, and as a log of what happened."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ledger import at

from router.clocking import write_clock
from router.deadlines import Clock, Limit, Pause, Reason, Unit
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
            self.note(
                "dispatch", one, department=department, lead=n == 0, rule="", area="",
                due=due, sign_due=sign_due,
            )  # fmt: skip
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
            self.returns = self.held
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
        if self.status == "suspended" or self.asked is not None:
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
                given = order.handled_at or self.t
                self.note("verify_fail", order.id)
                self.stood(order, Pause(given, self.t, Reason.CHECK))
                self.change(self.now(order), status="signed", handled_at=None)
        else:
            self.note("verify_pass")
            self.note("close")
            self.status = "closed"
            self.held = self.returns
            self.returns = [
                replace(r, state="accepted", judged_at=self.t) if r.state == "open" else r
                for r in self.returns
            ]

    def now(self, order: Order) -> Order:
        return next(o for o in self.orders if o.id == order.id)

    def stood(self, order: Order, pause: Pause, more: float = 0.0) -> None:
        """The clock stood so long, and then has ``more`` hours."""
        clock = self.clocks[order.id]
        kept = tuple(p for p in clock.pauses if p.until is not None)
        self.clocks[order.id] = replace(clock, pauses=(*kept, pause))
        until = pause.until or self.t
        due = order.due_at + (until - pause.since) + timedelta(hours=more)
        self.change(order, due_at=due)
        self.note("due", order.id, due=due)

    def stand(self, _: int) -> None:
        if self.status == "suspended":
            self.status = "handling"
            self.note("resume")
            for order in [o for o in self.orders if o.status in OPEN]:
                self.stood(order, replace(self.clocks[order.id].pauses[-1], until=self.t))
        elif self.lead is not None and self.lead.status == "signed" and self.status != "closed":
            if self.asked is not None:
                return
            self.status = "suspended"
            for order in [o for o in self.orders if o.status in OPEN]:
                self.clocks[order.id] = self.clocks[order.id].paused(self.t, Reason.SUSPENSION)
            self.note("suspend")

    def extend(self, choice: int) -> None:
        """Ask for more time, or get the answer; handled or returned meanwhile, the request lapses."""
        lead, asked = self.lead, self.asked
        if lead is None or lead.status not in OPEN or self.status == "suspended":
            return
        if asked is None and self.t <= lead.due_at and not self.clocks[lead.id].pauses[-1:]:
            self.clocks[lead.id] = self.clocks[lead.id].paused(self.t, Reason.EXTENSION)
            self.note("ask_extension", lead.id)
        elif asked is not None:
            granted = choice % 3 > 0
            self.note("extend" if granted else "refuse_extension", lead.id)
            self.change(lead, extensions=lead.extensions + granted)
            self.stood(self.now(lead), replace(asked, until=self.t), choice * granted)

    @property
    def asked(self) -> Pause | None:
        """The request for more time that the desk has not answered."""
        lead = self.lead
        pauses = self.clocks[lead.id].pauses if lead is not None else ()
        waiting = pauses[-1:] and pauses[-1].until is None
        return pauses[-1] if waiting and pauses[-1].reason is Reason.EXTENSION else None

    def reopen(self, _: int) -> None:
        """A closed case goes back to whoever gave a result, with a new clock."""
        if self.status != "closed":
            return
        self.status = "handling"
        for order in [o for o in self.orders if o.status == "handled"]:
            self.clocks[order.id], due = Clock(self.t, LONG), self.t + timedelta(hours=30)
            self.change(order, status="signed", handled_at=None, due_at=due)
            self.note("reopen", order.id)
            self.note("due", order.id, due=due)

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
    Story.check, Story.check, Story.stand, Story.extend, Story.extend, Story.rate, Story.urge,
    Story.reopen,
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
