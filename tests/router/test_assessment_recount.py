"""Random histories: the assessment equals a slow recount from what happened, step by step."""

import random
from dataclasses import asdict
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from ledger import ZONE, Ledger, at
from recount import Recount, Sums, Told, rounded
from stories import ACTS, ITEMS, NOW, Plan, Story, tell

from hub.city import City
from router.assessment import By, Units, assess
from router.deadlines import Clocks
from router.facts import Counting, facts_of
from router.months import Month
from router.reckoning import Reckoner
from store.db import Database

MONTH = Month(2026, 11)
BEGIN, END = at("2026-11-01 00:00"), at("2026-12-01 00:00")
STEP = st.tuples(st.integers(0, len(ACTS) - 1), st.integers(1, 100), st.integers(0, 11))
PLANS = st.lists(
    st.tuples(st.integers(0, 900), st.lists(STEP, max_size=40)), min_size=1, max_size=5
)


def recounted(stories: list[Story]) -> Sums:
    return Recount([Told(story.log, ITEMS) for story in stories], BEGIN, END).sums


def counted(stories: list[Story], city: City) -> Sums:
    how = Counting(MONTH.span(ZONE), NOW, timedelta(days=30), Clocks(city.deadlines, ZONE))
    facts = [one for story in stories for one in facts_of(story.case(), how)]
    rows = assess(facts, city.assessment.indicator, Units(city.directory))
    return {
        (r.by, r.unit, r.indicator): [r.numerator, r.denominator] for by in By for r in rows[by]
    }


@settings(deadline=None, max_examples=200)
@given(plan=PLANS)
def test_random_months_equal_the_slow_recount(plan: Plan, city: City) -> None:
    stories = tell(plan)
    assert rounded(counted(stories, city)) == rounded(recounted(stories))


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
            [(r.randrange(len(ACTS)), r.randrange(1, 30), r.randrange(12)) for _ in range(40)],
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
    rows = await reckoner.count(MONTH, city.assessment)
    found = {
        (r.by, r.unit, r.indicator): [r.numerator, r.denominator] for by in By for r in rows[by]
    }
    expected = rounded(recounted(stories))
    assert rounded(found) == expected
    assert {name for _, _, name in expected} == set(city.assessment.indicators)
