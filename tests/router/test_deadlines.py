"""Working-time arithmetic against a slow, obvious reference: step by step through the minutes."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.calendar import Calendar, Weekday
from router.deadlines import Clock, Clocks, Deadlines, Limit, Stage, State, Unit
from store.config import load, validate
from store.errors import ConfigError

ZONE = ZoneInfo("Asia/Shanghai")
LIMITS = load(Path(__file__).parent.parent.parent / "configs" / "deadlines.toml", Deadlines)


def days(month: int, *numbers: int) -> set[date]:
    return {date(2026, month, number) for number in numbers}


# The State Council's notice for 2026, copied by hand.
HOLIDAYS = (
    days(1, 1, 2, 3) | days(2, *range(15, 24)) | days(4, 4, 5, 6) | days(5, *range(1, 6))
    | days(6, 19, 20, 21) | days(9, 25, 26, 27) | days(10, *range(1, 8))
)  # fmt: skip
WORKDAYS = days(1, 4) | days(2, 14, 28) | days(5, 9) | days(9, 20) | days(10, 10)


@lru_cache(maxsize=100_000)
def is_worked(minute: datetime) -> bool:
    day = minute.date()
    if day in HOLIDAYS or (day.weekday() >= 5 and day not in WORKDAYS):
        return False
    return 8 <= minute.hour < 12 or 14 <= minute.hour < 18


def test_the_library_knows_the_notice_for_2026() -> None:
    every = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    assert {d for d in every if LIMITS.calendar.exception(d) is False} == HOLIDAYS
    assert {d for d in every if LIMITS.calendar.exception(d) is True} == WORKDAYS


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


PLAIN: dict[str, Any] = {
    "hours": [["08:00", "12:00"], ["14:00", "18:00"]],
    "default": {"amount": 1, "unit": "work_days"},
}


def special(day: str, *span: str) -> dict[str, Any]:
    return {"date": day, "hours": [list(span)] if span else []}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hours": [["12:00", "08:00"]]}, "ascending"),
        ({"default": {"amount": -1, "unit": "work_hours"}}, "default.amount"),
        ({"default": {"amount": 1, "unit": "fortnights"}}, "default.unit"),
        ({"calendar": {"holidays": ["2026-01-01"], "workdays": ["2026-01-01"]}}, "both a holiday"),
        ({"typo": 1}, "typo: unknown key; remove it"),
        ({"hours": [["08:00", "12:00"], ["11:00", "18:00"]]}, "hours: .*11:00 follows 12:00"),
        ({"hours": [["08:00", "12:00"], ["12:00", "18:00"]]}, "hours: .*do not touch"),
        ({"hours": []}, "hours: "),
        ({"hours": [["08:00Z", "12:00Z"]]}, "hours: .*without a zone"),
        ({"weekday": {"friday": [["12:00", "08:00"]]}}, "weekday.friday: .*ascending"),
        ({"weekday": {"frieday": []}}, "weekday.frieday"),
        (
            {"weekday": {day: [] for day in list(Weekday)[:5]}},
            "no day from monday to friday has hours; give",
        ),
        ({"special": [special("2026-12-31", "12:00", "08:00")]}, "special.0.hours: .*ascending"),
        ({"special": [special("2026-12-31")] * 2}, "special: 2026-12-31 is listed twice; remove"),
        (
            {"special": [special("2026-12-31")], "calendar": {"holidays": ["2026-12-31"]}},
            "special: 2026-12-31 is in calendar.holidays",
        ),
        ({"calendar": {"holidays": ["2026-01-01"] * 2}}, "calendar.holidays: .*listed twice"),
        ({"calendar": {"holidays": ["2026-02-30"]}}, "calendar.holidays"),
        ({"calendar": {"years": [2027]}}, "calendar: .*holidays has no day of 2027; list them"),
        ({"calendar": {"library": "france"}}, "calendar.library"),
        ({"problem": {"litter": {"amount": 0, "unit": "work_days"}}}, "problem.litter.amount"),
        ({"problem": {"litter": {"amount": float("nan"), "unit": "work_days"}}}, "litter.amount"),
        ({"stage": {"sing": {"amount": 1, "unit": "work_days"}}}, "stage.sing"),
        ({"stage": {"sign": {"amount": 1, "unit": "hours"}}}, "stage.sign.unit"),
        ({"promise": {"amount": -1, "unit": "work_days"}}, "promise.amount"),
        ({"shares": {"yellow": 0.9}}, "shares: .*must be less than red"),
    ],
)
def test_wrong_file_names_the_key(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=f"deadlines.toml: .*{message}") as caught:
        validate(PLAIN | change, Deadlines, "deadlines.toml")
    assert "\n" not in str(caught.value)


def city(**change: Any) -> Deadlines:
    return validate(PLAIN | change, Deadlines, "deadlines.toml")


def hours(amount: float) -> Limit:
    return Limit(amount=amount, unit=Unit.WORK_HOURS)


def test_a_city_overrides_single_days_of_the_library() -> None:
    table = city(calendar={"holidays": ["2026-10-08"], "workdays": ["2026-10-01"]})
    assert table.hours_on(date(2026, 10, 1)) == table.hours
    assert table.hours_on(date(2026, 10, 2)) == ()  # as the library has it
    assert table.hours_on(date(2026, 10, 8)) == ()
    assert table.due_at(at("2026-10-08T08:00"), hours(1), ZONE) == at("2026-10-09T09:00")


def test_a_year_listed_whole_is_not_asked_of_the_library() -> None:
    calendar = Calendar(years=frozenset({2026}), holidays=frozenset({date(2026, 1, 1)}))
    assert calendar.exception(date(2026, 10, 1)) is None
    assert calendar.exception(date(2026, 1, 1)) is False
    assert calendar.exception(date(2025, 10, 1)) is False


def test_weekdays_and_special_days_have_hours_of_their_own() -> None:
    half = [["08:00", "12:00"]]
    table = city(
        weekday={"friday": half, "saturday": [["09:00", "10:00"]]},
        special=[special("2026-10-02", "10:00", "11:00"), special("2026-11-24")],
    )
    short = ((time(8), time(12)),)
    assert table.hours_on(date(2026, 11, 27)) == short  # a Friday
    assert table.hours_on(date(2026, 11, 28)) == ((time(9), time(10)),)
    assert table.hours_on(date(2026, 11, 29)) == ()
    assert table.hours_on(date(2026, 10, 10)) == table.hours  # a Saturday worked in full
    assert table.hours_on(date(2026, 10, 2)) == ((time(10), time(11)),)  # special before holiday
    assert table.hours_on(date(2026, 11, 24)) == ()
    assert table.due_at(at("2026-11-27T11:00"), hours(2.5), ZONE) == at("2026-11-30T08:30")


def test_an_unknown_year_is_a_gap_and_counts_weekdays() -> None:
    first, last = date(2026, 12, 1), date(2200, 1, 1)
    gaps = LIMITS.calendar.gaps(first, last)
    assert 2026 not in gaps
    assert 2199 in gaps
    assert LIMITS.hours_on(date(2199, 10, 1)) == LIMITS.hours  # a Tuesday
    assert LIMITS.hours_on(date(2199, 10, 5)) == ()  # a Saturday
    notice = LIMITS.notices(first, last)[-1]
    assert notice.startswith("deadlines.toml: calendar: the public holidays of 2200 are not known")
    assert "add 2200 to calendar.years" in notice
    listed = Calendar(years=frozenset({2200}), holidays=frozenset({date(2200, 1, 1)}))
    assert listed.gaps(date(2200, 1, 1), last) == ()
    assert Calendar(library="none").gaps(date(2026, 1, 1), date(2027, 1, 1)) == (2026, 2027)


def test_a_single_day_of_the_table_does_not_hide_a_gap() -> None:
    calendar = Calendar(holidays=frozenset({date(2199, 10, 1)}))
    assert calendar.gaps(date(2199, 1, 1), date(2199, 1, 1)) == (2199,)


def test_urgent_hours_are_real_hours_when_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 3, 29, 1, 30, tzinfo=berlin)
    due = LIMITS.due_at(start, Limit(amount=2, unit=Unit.URGENT_HOURS), berlin)
    assert due.isoformat() == "2026-03-29T04:30:00+02:00"
    assert due.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=2)


def test_due_is_told_in_the_zone_of_the_start() -> None:
    due = LIMITS.due_at(datetime(2026, 11, 24, 1, tzinfo=UTC), hours(1), ZONE)
    assert due.isoformat() == "2026-11-24T02:00:00+00:00"


@pytest.mark.parametrize(
    ("start", "amount", "promised"),
    [
        ("2026-11-24T09:00", 1, "2026-11-24T18:00"),
        ("2026-11-24T09:00", 8, "2026-11-25T18:00"),
        ("2026-11-24T10:00", 6, "2026-11-24T18:00"),  # due as the day ends: that day
        ("2026-11-24T12:00", 0.5, "2026-11-24T18:00"),
    ],
)
def test_the_promise_is_the_end_of_a_working_day(start: str, amount: float, promised: str) -> None:
    assert LIMITS.promise_at(at(start), hours(amount), ZONE) == at(promised)


def test_an_urgent_promise_in_the_night_is_the_end_of_the_next_working_day() -> None:
    limit = Limit(amount=2, unit=Unit.URGENT_HOURS)
    assert LIMITS.promise_at(at("2026-11-27T17:30"), limit, ZONE) == at("2026-11-30T18:00")
    assert LIMITS.promise_at(at("2026-10-03T09:00"), limit, ZONE) == at("2026-10-08T18:00")


def test_a_promise_of_its_own_is_never_before_the_handling_limit() -> None:
    table = city(promise={"amount": 2, "unit": "work_days"})
    start = at("2026-11-24T08:00")
    assert table.promise_at(start, hours(1), ZONE) == at("2026-11-25T18:00")
    assert table.promise_at(start, hours(30), ZONE) == at("2026-11-27T18:00")


def test_stages_have_limits_of_their_own() -> None:
    table = city(stage={"sign": {"amount": 2, "unit": "work_hours"}})
    start = at("2026-11-24T11:00")
    assert table.stage_due_at(Stage.SIGN, start, ZONE) == at("2026-11-24T15:00")
    assert table.stage_due_at(Stage.CHECK, start, ZONE) is None


DAY = Clock(at("2026-11-24T09:00"), Limit(amount=1, unit=Unit.WORK_DAYS))


@pytest.mark.parametrize(
    ("now", "state", "left_h"),
    [
        ("2026-11-24T08:00", State.GREEN, 8),
        ("2026-11-24T14:59", State.GREEN, 4 + 1 / 60),
        ("2026-11-24T15:00", State.YELLOW, 4),
        ("2026-11-24T17:23", State.YELLOW, 1 + 37 / 60),
        ("2026-11-24T17:24", State.RED, 1.6),
        ("2026-11-24T23:00", State.RED, 1),
        ("2026-11-25T09:00", State.RED, 0),
        ("2026-11-25T09:01", State.OVERDUE, -1 / 60),
        ("2026-11-27T09:00", State.OVERDUE, -16),
    ],
)
def test_lamps(now: str, state: State, left_h: float) -> None:
    assert Clocks(city(), ZONE).state(DAY, at(now)) is state
    assert Clocks(city(), ZONE).left_s(DAY, at(now)) == pytest.approx(left_h * 3600)


def test_overdue_in_the_evening_although_no_work_has_passed() -> None:
    clock = Clock(at("2026-11-24T14:00"), Limit(amount=4, unit=Unit.WORK_HOURS))
    assert Clocks(city(), ZONE).state(clock, at("2026-11-24T18:00")) is State.RED
    assert Clocks(city(), ZONE).state(clock, at("2026-11-24T18:01")) is State.OVERDUE


def test_shares_are_the_citys() -> None:
    clocks = Clocks(city(shares={"yellow": 0.1, "red": 0.25}), ZONE)
    assert clocks.state(DAY, at("2026-11-24T10:00")) is State.YELLOW
    assert clocks.state(DAY, at("2026-11-24T11:00")) is State.RED


def test_days_are_as_long_as_the_citys_hours() -> None:
    short = Clocks(city(hours=[["09:00", "12:00"]]), ZONE)
    assert short.limit_s(DAY) == 3 * 3600
    assert short.due_at(DAY) == at("2026-11-24T12:00")


def test_a_changed_limit_meets_new_dispatches_only() -> None:
    def limits(amount: int) -> Deadlines:
        return city(problem={"litter": {"amount": amount, "unit": "work_hours"}})

    def dispatched(deadlines: Deadlines) -> Clock:
        of = deadlines.limit_of(kind="complaint", problems=["litter"], urgency="normal")
        return Clock(DAY.start, of)

    old, new = limits(2), limits(1)
    clock = dispatched(old)
    assert Clocks(new, ZONE).due_at(clock) == at("2026-11-24T11:00")
    assert Clocks(new, ZONE).due_at(dispatched(new)) == at("2026-11-24T10:00")
