"""A day's calls: never too many, most of them used, by night fewer."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.connectors.weibo.budget import Budget, Limits, Spent, day_of, next_day, next_hour

LIMITS = Limits(calls=100, reserve=4, min_interval_s=300)
MIDNIGHT = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
"""00:00 in Beijing."""


def at(hour: float) -> datetime:
    return MIDNIGHT + timedelta(hours=hour)


def live(budget: Budget, start: datetime, until: datetime, polls: list[tuple[int, bool]]) -> int:
    """Poll as told, over and over, whenever the budget says so; the calls made."""
    now, made, turn = start, 0, 0
    while now < until:
        calls, news = polls[turn % len(polls)]
        took = 0
        for _ in range(calls):
            if not budget.may_poll(now):
                break
            budget.count(now)
            took += 1
        if took:
            budget.polled(took, news=news)
        made += took
        turn += 1
        now += timedelta(seconds=budget.wait_s(now))
    return made


POLLS = st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(polls=POLLS, hour=st.floats(0, 23.9), calls=st.integers(6, 300), reserve=st.integers(0, 5))
def test_never_more_than_allowed_in_any_day(
    polls: list[tuple[int, bool]], hour: float, calls: int, reserve: int
) -> None:
    budget = Budget(Limits(calls, reserve, 60))
    assert live(budget, at(hour), at(24), polls) <= calls - reserve
    assert live(budget, at(24), at(48), polls) <= calls - reserve


@settings(max_examples=60, deadline=None)
@given(
    polls=st.lists(st.tuples(st.integers(1, 6), st.sampled_from([True])), min_size=1, max_size=20)
)
def test_busy_day_uses_the_calls(polls: list[tuple[int, bool]]) -> None:
    budget = Budget(LIMITS)
    assert 0.8 * 96 <= live(budget, at(0), at(24), polls) <= 96


@settings(max_examples=60, deadline=None)
@given(polls=POLLS, hour=st.floats(0, 23.9))
def test_never_sooner_than_allowed_nor_past_midnight_by_more(
    polls: list[tuple[int, bool]], hour: float
) -> None:
    budget = Budget(LIMITS)
    live(budget, at(0), at(hour), polls)
    wait = budget.wait_s(at(hour))
    assert 300 <= wait <= max(300.0, (at(24) - at(hour)).total_seconds() + 1)


def test_asks_more_when_there_is_news_and_by_day() -> None:
    busy, quiet = Budget(LIMITS, Spent(news=1.0)), Budget(LIMITS, Spent(news=0.0))
    assert busy.wait_s(at(10)) * 1.6 < quiet.wait_s(at(10))
    assert busy.wait_s(at(7)) * 2 < busy.wait_s(at(3))
    assert busy.wait_s(at(23.5)) <= 1800


@pytest.mark.parametrize("news", [0.0, 1.0])
def test_night_does_not_reach_into_the_morning(news: float) -> None:
    budget = Budget(LIMITS, Spent(news=news))
    assert 0.1 * 3600 < budget.wait_s(at(6.9)) <= 0.1 * 3600 + budget.wait_s(at(7)) + 60


def test_busy_day_is_not_spent_before_the_evening() -> None:
    budget = Budget(LIMITS)
    live(budget, at(0), at(20), [(3, True)])
    assert budget.may_poll(at(20))
    assert budget.wait_s(at(20)) <= 3600


def test_large_budget_is_bounded_by_the_interval() -> None:
    assert Budget(Limits(50_000, 4, 300)).wait_s(at(3)) == 300


def test_used_up_waits_for_midnight_and_keeps_the_reserve() -> None:
    budget = Budget(LIMITS)
    for _ in range(96):
        budget.count(at(9))
    assert (budget.may_poll(at(9)), budget.may_reply(at(9))) == (False, True)
    assert budget.wait_s(at(9)) == 15 * 3600
    for _ in range(4):
        budget.count(at(9))
    assert not budget.may_reply(at(23))
    assert (budget.left(at(23)), budget.left(at(24))) == (0, 100)
    assert budget.may_poll(at(24))


def test_blocked_until_told() -> None:
    budget = Budget(LIMITS)
    budget.block(at(10))
    assert not budget.may_poll(at(9.5))
    assert not budget.may_reply(at(9.5))
    assert budget.wait_s(at(9)) == 3600
    assert budget.may_poll(at(10))


def test_day_begins_in_beijing() -> None:
    now = datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC)
    assert day_of(now) == "2026-11-24"
    assert next_day(now) == datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
    assert day_of(next_day(now)) == "2026-11-25"
    assert next_hour(now) == datetime(2026, 11, 24, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "used", "expected"),
    [("2026-11-24", 9, 9), ("2026-11-24", 3, 5), ("2026-11-23", 50, 5), ("", 0, 5)],
)
def test_correction_only_adds(day: str, used: int, expected: int) -> None:
    budget = Budget(LIMITS, Spent(day="2026-11-24", used=5))
    budget.correct(day, used)
    assert budget.left(at(1)) == 100 - expected


def test_long_texts_leave_half_for_polls() -> None:
    budget = Budget(LIMITS)
    while budget.may_complete(at(0)):
        budget.count(at(0))
    assert budget.left(at(0)) == 4 + 48
    assert budget.may_complete(at(12))
