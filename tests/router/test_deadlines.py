"""Working-time arithmetic against a slow, obvious reference: step by step through the minutes."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.deadlines import Deadlines, Limit, Unit
from store.config import load, validate
from store.errors import ConfigError

ZONE = ZoneInfo("Asia/Shanghai")
LIMITS = load(Path(__file__).parent.parent.parent / "configs" / "deadlines.toml", Deadlines)


@lru_cache(maxsize=100_000)
def is_worked(minute: datetime) -> bool:
    return LIMITS.calendar.is_worked(minute.date()) and any(
        a <= minute.time() < b for a, b in LIMITS.hours
    )


def slow(start: datetime, minutes: int) -> datetime:
    """Count worked minutes one at a time."""
    at = start.astimezone(ZONE)
    while minutes:
        if is_worked(at):
            minutes -= 1
        at += timedelta(minutes=1)
    return at


@settings(max_examples=60, deadline=None)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 11, 30)).map(
        lambda d: d.replace(second=0, microsecond=0, tzinfo=UTC)
    ),
    st.integers(1, 1500),
)
def test_work_hours_agree_with_counting_minutes(start: datetime, minutes: int) -> None:
    due = LIMITS.due_at(start, Limit(amount=minutes / 60, unit=Unit.WORK_HOURS), ZONE)
    assert abs((due - slow(start, minutes)).total_seconds()) < 1


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("start", "amount", "unit", "due"),
    [
        ("2026-11-24T09:00", 2, "work_hours", "2026-11-24T11:00"),
        ("2026-11-24T11:00", 2, "work_hours", "2026-11-24T15:00"),  # lunch does not count
        ("2026-11-27T17:00", 2, "work_hours", "2026-11-30T09:00"),  # nor does a weekend
        ("2026-11-24T03:00", 1, "work_days", "2026-11-24T18:00"),
        ("2026-09-30T17:00", 2, "work_hours", "2026-10-08T09:00"),  # National Day
        ("2026-10-09T17:00", 2, "work_hours", "2026-10-10T09:00"),  # a Saturday that is worked
        ("2026-10-03T23:30", 2, "urgent_hours", "2026-10-04T01:30"),
    ],
)
def test_known_cases(start: str, amount: float, unit: str, due: str) -> None:
    assert LIMITS.due_at(at(start), Limit(amount=amount, unit=Unit(unit)), ZONE) == at(due)


@given(st.integers(1, 200), st.integers(1, 200))
def test_more_time_is_never_due_earlier(a: int, b: int) -> None:
    start = at("2026-09-28T10:17")
    first, second = (
        LIMITS.due_at(start, Limit(amount=x / 4, unit=Unit.WORK_HOURS), ZONE) for x in (a, b)
    )
    assert (first <= second) == (a <= b)


def test_smallest_limit_holds() -> None:
    limit = LIMITS.limit_of(kind="complaint", problems=["pets", "litter"], urgency="normal")
    assert limit == LIMITS.problem["litter"]
    assert LIMITS.limit_of(kind="complaint", problems=[], urgency="normal") == LIMITS.default


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hours": [["12:00", "08:00"]]}, "ascending"),
        ({"default": {"amount": -1, "unit": "work_hours"}}, "default.amount"),
        ({"default": {"amount": 1, "unit": "fortnights"}}, "default.unit"),
        ({"calendar": {"holidays": ["2026-01-01"], "workdays": ["2026-01-01"]}}, "both a holiday"),
        ({"typo": 1}, "unknown key"),
    ],
)
def test_wrong_file_names_the_key(change: dict[str, object], message: str) -> None:
    values = {"hours": [["08:00", "12:00"]], "default": {"amount": 1, "unit": "work_days"}} | change
    with pytest.raises(ConfigError, match=message):
        validate(values, Deadlines, "deadlines.toml")
