"""Random histories: the assessment equals a slow recount from what happened, step by step."""

import random
from collections import Counter, defaultdict
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ledger import ZONE, Ledger, at
from stories import ACTS, ITEMS, NOW, Plan, Story, tell

from hub.city import City
from router.assessment import ALL, By, Units, assess
from router.deadlines import Clocks
from router.facts import Counting, facts_of
from router.months import Month
from router.reckoning import Reckoner
from store.db import Database

MONTH = Month(2026, 11)
BEGIN, END = at("2026-11-01 00:00"), at("2026-12-01 00:00")
STEP = st.tuples(st.integers(0, len(ACTS) - 1), st.integers(1, 100), st.integers(0, 11))
PLANS = st.lists(
    st.tuples(st.integers(0, 900), st.lists(STEP, max_size=30)), min_size=1, max_size=5
)
Sums = dict[tuple[str, str], list[float]]
Log = list[dict[str, Any]]


def inside(when: datetime) -> bool:
    return BEGIN <= when < END


def of(log: Log, *verbs: str) -> Log:
    return [e for e in log if e["verb"] in verbs]


def happened(log: Log) -> Log:
    """The log without closings that were undone."""
    kept: Log = []
    for e in log:
        if e["verb"] == "undo" and kept[-1]["verb"] == "close":
            del kept[-2:]
        else:
            kept.append(e)
    return kept


class Recount:
    """(department, indicator) → [numerator, denominator], from the log alone."""

    def __init__(self, stories: list[Story]) -> None:
        self.sums: Sums = defaultdict(lambda: [0.0, 0.0])
        for story in stories:
            self.log = happened(story.log)
            self.undone = {one for e in of(self.log, "undo") for one in e["undone"]}
            given = [e for e in of(self.log, "dispatch") if e["order"] not in self.undone]
            for start in given:
                self._order(start)
            self._citizens(given)

    def add(self, indicator: str, numerator: float, denominator: float) -> None:
        for unit in (self.department, ALL):
            self.sums[unit, indicator][0] += numerator
            self.sums[unit, indicator][1] += denominator

    def _order(self, start: dict[str, Any]) -> None:
        self.start, self.department = start, start["department"]
        self.mine = [e for e in self.log if e["order"] == start["order"]]
        left = of(self.mine, "return_order", "withdraw")
        self.gone = left[0]["at"] if left else None
        self.cases = [
            e
            for e in self.log
            if e["order"] is None
            and e["at"] >= start["at"]
            and (self.gone is None or e["at"] <= self.gone)
        ]
        for part in (self._due, self._signing, self._returns, self._checks, self._stock):
            part()

    def _done(self) -> datetime | None:
        """When the last result came, unless a check of the lead's failed after it."""
        results = of(self.mine, "handle")
        if not results or self.gone is not None:
            return None
        failed = of(self.mine, "verify_fail")
        last = self.log.index(results[-1])
        return None if any(self.log.index(e) > last for e in failed) else results[-1]["at"]

    def _due(self) -> None:
        due, done = [e["due"] for e in self.mine if "due" in e][-1], self._done()
        stops = of(self.cases, "suspend", "resume")
        stands = stops and stops[-1]["verb"] == "suspend" and stops[-1]["at"] <= due
        if not inside(due) or (self.gone is not None and self.gone <= due):
            return
        if stands and done is None:
            return
        self.add("timely", done is not None and done <= due, 1)
        self.add("closed", bool(of(self.log, "close")), 1)
        self.add("extended", bool(of(self.mine, "extend")), 1)
        if done is not None:
            ran = done - self.start["at"] - self._stood(done)
            self.add("hours", ran.total_seconds() / 3600, 1)

    def _stood(self, until: datetime) -> timedelta:
        stood, began = timedelta(), None
        for e in of(self.log, "suspend", "resume"):
            if e["verb"] == "suspend":
                began = e["at"]
            elif began is not None and began >= self.start["at"]:
                stood += min(e["at"], until) - min(began, until)
        return stood

    def _signing(self) -> None:
        due = self.start["at"] + timedelta(hours=3)
        signed = [e["at"] for e in of(self.mine, "sign")]
        if inside(due) and (signed or self.gone is None or self.gone > due):
            self.add("signed", bool(signed) and signed[0] <= due, 1)

    def _returns(self) -> None:
        if inside(self.start["at"]):
            for indicator in ("returned", "refused", "repeat"):
                self.add(indicator, 0, 1)
        for back in of(self.mine, "return_order"):
            later = of(self.log[self.log.index(back) :], "dispatch")
            again = next((e for e in later if e["order"] not in self.undone), None)
            if again is not None and inside(again["at"]):
                same = again["department"] == self.department
                self.add("refused" if same else "returned", 1, 0)

    def _checks(self) -> None:
        results = of(self.mine, "handle")
        passed = [
            e for e in of(self.cases, "verify_pass") if results and results[0]["at"] <= e["at"]
        ]
        checks = [e for e in passed + of(self.mine, "verify_fail") if inside(e["at"])]
        if checks:
            self.add("rework", bool(of(checks, "verify_fail")), 1)

    def _stock(self) -> None:
        stops = [e for e in of(self.cases, "suspend", "resume") if e["at"] < END]
        stood = stops and stops[-1]["verb"] == "suspend"
        if stood and (self.gone is None or self.gone >= END):
            self.add("ledger", 1, 0)
        self.add("documents", sum(inside(e["at"]) for e in of(self.mine, "urge")), 0)

    def _citizens(self, given: Log) -> None:
        lost = {e["order"] for e in of(self.log, "return_order", "withdraw")}
        kept = [e for e in given if e["lead"] and e["order"] not in lost]
        if not kept:
            return
        self.department = kept[-1]["department"]
        rates = of(self.log, "rate")
        now = [e for e in rates if inside(e["at"])]
        said, solved = Counter(e["satisfied"] for e in now), Counter(e["solved"] for e in now)
        closed = any(inside(e["at"]) for e in of(self.log, "close"))
        self.add("satisfied", said["satisfied"] + said["fair"], len(now) - said["none"])
        self.add("solved", solved["solved"], len(now) - solved[""])
        self.add("voted", closed * sum(e["satisfied"] != "none" for e in rates), closed * ITEMS)


def rounded(sums: Sums) -> Sums:
    return {key: [round(v, 4) for v in both] for key, both in sums.items() if any(both)}


def counted(stories: list[Story], city: City) -> Sums:
    how = Counting(MONTH.span(ZONE), NOW, timedelta(days=30), Clocks(city.deadlines, ZONE))
    facts = [one for story in stories for one in facts_of(story.case(), how)]
    rows = assess(facts, city.assessment.indicator, Units(city.directory))[By.DEPARTMENT]
    return {(r.unit, r.indicator): [r.numerator, r.denominator] for r in rows}


@settings(deadline=None, max_examples=200)
@given(plan=PLANS)
def test_random_months_equal_the_slow_recount(plan: Plan, city: City) -> None:
    stories = tell(plan)
    assert rounded(counted(stories, city)) == rounded(Recount(stories).sums)


def write_down(story: Story, book: Ledger) -> None:
    case = story.case()
    book.case(case.id, status=case.status, items=ITEMS, received_at=case.received_at)
    for order in case.orders:
        row = asdict(order)
        for name in ("id", "case_id", "department", "dispatched_at", "due_at"):
            del row[name]
        made = book.order(case.id, order.department, order.dispatched_at, order.due_at, **row)
        assert made == order.id
    for e in story.log:
        unread = e["verb"] in {"rate", "urge", "due", "withdraw"}
        book.event(case.id, "other" if unread else e["verb"], e["at"], e["order"])
    for back in case.returns:
        book.returned(case.id, back.order_id, back.state, back.at, back.judged_at)
    for n, rating in enumerate(case.ratings):
        book.rated(case.id * 100 + n, case.id, rating.satisfied, rating.solved, rating.at)
    for paper in case.documents:
        book.urged(case.id, paper.order_id, "urge", paper.at)


async def test_random_months_in_the_database_equal_the_slow_recount(
    db: Database, city: City
) -> None:
    """More cases than a page; the loader leaves out nothing that counts."""
    r = random.Random(6)
    plan = [
        (
            r.randrange(900),
            [(r.randrange(len(ACTS)), r.randrange(1, 60), r.randrange(12)) for _ in range(20)],
        )
        for _ in range(700)
    ]
    stories, book = tell(plan), Ledger()
    for story in stories:
        write_down(story, book)
    await book.write(db)
    reckoner = Reckoner(
        db=db,
        assessment=city.assessment,
        units=Units(city.directory),
        clocks=Clocks(city.deadlines, ZONE),
        zone=ZONE,
        clock=lambda: NOW,
    )
    rows = (await reckoner.count(MONTH, city.assessment))[By.DEPARTMENT]
    found = {(r.unit, r.indicator): [r.numerator, r.denominator] for r in rows}
    expected = rounded(Recount(stories).sums)
    assert rounded(found) == expected
    assert {name for _, name in expected} == set(city.assessment.indicators)
