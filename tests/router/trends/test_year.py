"""A simulated year told correctly: planted bursts found where and when they were, a season is none, a rumor is a topic."""

import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from year import PROBLEMS, TODAY, ZONE, Plan, fill

from desk.trends.notes import notes
from hub.city import City
from hub.trends import Trends
from router.trends.days import Period, number
from router.trends.numbers import Ask
from store.db import Database
from store.tables import T

NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=ZONE)


@pytest.fixture
def plan(db: Database) -> Plan:
    """The whole year; on PostgreSQL its last months, with what was planted in them."""
    whole = Plan()
    if db.is_sqlite:
        return whole
    first = TODAY - timedelta(days=149)
    return Plan(days=150, bursts=tuple(one for one in whole.bursts if one.start > first))


@pytest.fixture
async def year(db: Database, city: City, plan: Plan) -> Trends:
    """The hub's trends over the filled year, counted."""
    await fill(db, plan)
    trends = Trends(db, city, ZONE, channels={}, clock=lambda: NOW)
    await trends.tally.settle()
    return trends


async def test_a_year_is_told_as_it_was(year: Trends, plan: Plan, db: Database) -> None:
    first = TODAY - timedelta(days=plan.days - 1)
    whole = await year.numbers.daily(Ask("items", Period(first, TODAY)), "label", PROBLEMS)
    for label in PROBLEMS:
        for n, told in enumerate(whole[label]):
            day = first + timedelta(days=n)
            planted = sum(k for (one, _, on), k in plan.counts.items() if (one, on) == (label, day))
            assert told == planted, (label, day)

    for day in (TODAY - timedelta(days=back) for back in range(plan.days // 15 * 14 - 56, -1, -14)):
        await year.bursts.look(day, 15)
    async with db.read() as conn:
        kept = (await conn.execute(select(T.bursts).order_by(T.bursts.c.excess.desc()))).all()
    left = {(row.label, row.area): row for row in reversed(kept)}
    for burst in plan.bursts:
        row = left.pop((burst.label, burst.area))
        late = (
            date(row.start_day // 10_000, row.start_day // 100 % 100, row.start_day % 100)
            - burst.start
        )
        assert -2 <= late.days <= 1, burst
        assert row.excess >= 0.6 * burst.extra * burst.days
        assert row.voices >= 3
        assert msgspec.json.decode(row.why)["area"] == burst.area
    rumor = [row for (label, area), row in left.items() if area == "minzhu" and label == "*"]
    others = [row for row in left.values() if row not in rumor]
    assert len(others) <= 5, [(row.label, row.area, row.start_day) for row in others]
    assert not any(row.area == "*" and row.label in {"litter", "stalls"} for row in others)

    before = len(kept)
    for _ in range(2):
        await year.bursts.look(TODAY, 8)
    async with db.read() as conn:
        assert len((await conn.execute(select(T.bursts))).all()) == before

    await rumor_is_told(year, plan, db)


async def rumor_is_told(year: Trends, plan: Plan, db: Database) -> None:
    """What goes round without a label is a topic, and says since when."""
    await year.finder.run()
    async with db.read() as conn:
        topics = (await conn.execute(select(T.topics).order_by(T.topics.c.score.desc()))).all()
    assert 1 <= len(topics) <= 3
    topic = topics[0]
    assert "天桥" in topic.name or "扶手" in topic.name
    told = msgspec.json.decode(topic.told)
    rumors = sum((4, 9, 12, 8))
    assert rumors * 0.8 <= told["count"] <= rumors * 1.2
    assert number(plan.rumor) - 10 <= topic.first_day <= number(plan.rumor)


async def test_a_dump_of_old_messages_counts_by_its_own_dates_and_is_no_burst(
    db: Database, city: City
) -> None:
    await fill(db, Plan(days=120, bursts=(), rumor=TODAY + timedelta(days=9)))
    trends = Trends(db, city, ZONE, channels={}, clock=lambda: NOW)
    await trends.tally.settle()
    span = Period(TODAY - timedelta(days=89), TODAY)
    before = (await trends.numbers.daily(Ask("items", span)))["*"]
    assert await trends.bursts.look(TODAY) == []
    old = Plan(
        days=60, scale=2, bursts=(), rumor=TODAY, seed=2, first=200_000,
        until=TODAY - timedelta(days=15), arrived=NOW,
    )  # fmt: skip
    many = await fill(db, old)
    await trends.tally.settle()
    after = (await trends.numbers.daily(Ask("items", span)))["*"]
    assert sum(after) - sum(before) == many > 1_000
    assert after[-15:] == before[-15:]
    assert await trends.bursts.look(TODAY) == []
    said = await notes(db, span, {})
    assert said
    assert all("补录" in one for one in said)


async def test_an_empty_city_and_one_message_are_told(db: Database, city: City) -> None:
    trends = Trends(db, city, ZONE, channels={}, clock=lambda: NOW)
    assert await trends.bursts.look(TODAY) == []
    await trends.finder.run()
    few = Plan(days=1, scale=0.4, bursts=(), rumor=TODAY + timedelta(days=9), seed=3)
    count = await fill(db, few)
    await trends.tally.settle()
    figure = await trends.numbers.figure(Ask("items", Period(TODAY, TODAY)))
    assert figure.numerator == count > 0
    assert await trends.bursts.look(TODAY) == []
