"""Clocks with pauses and extensions against a reference that lives through every minute."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from router.calendar import Calendar, Weekday
from router.deadlines import Clock, Clocks, Deadlines, Limit, Pause, Reason, State, Unit

MINUTE = timedelta(minutes=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONES = [ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "America/St_Johns")]
EDGES = [
    date(2026, 2, 14), date(2026, 3, 7), date(2026, 3, 28), date(2026, 10, 24), date(2026, 10, 31),
    date(2026, 12, 31), date(2028, 2, 28), date(2028, 12, 30), date(2026, 11, 24),
]  # fmt: skip
CHANGING = {*range(60 + 1, 2 * 60), *range(2 * 60 + 1, 3 * 60)}
"""Minutes of the day that may come twice or never: an office that opens in one of them opens when?"""

Hours = tuple[tuple[time, time], ...]


@dataclass
class World:
    """A city's table, and the same facts in plain sight for the reference."""

    zone: ZoneInfo
    hours: Hours
    week: dict[int, Hours]
    holidays: set[date]
    workdays: set[date]
    special: dict[date, Hours]
    _known: dict[date, Hours] = field(default_factory=dict)

    def table(self) -> Deadlines:
        return Deadlines.model_validate(
            {
                "hours": self.hours,
                "weekday": {list(Weekday)[n]: spans for n, spans in self.week.items()},
                "special": [{"date": d, "hours": spans} for d, spans in self.special.items()],
                "calendar": {
                    "library": "none", "holidays": self.holidays, "workdays": self.workdays,
                },
                "default": {"amount": 1, "unit": "work_days"},
            }
        )  # fmt: skip

    def clocks(self) -> Clocks:
        return Clocks(self.table(), self.zone)

    def spans(self, day: date) -> Hours:
        if day in self.special:
            return self.special[day]
        if day in self.holidays:
            return ()
        if day in self.workdays:
            return self.hours
        return self.week.get(day.weekday(), self.hours if day.weekday() < 5 else ())

    def is_open(self, at: datetime) -> bool:
        local = at.astimezone(self.zone)
        spans = self._known.setdefault(local.date(), self.spans(local.date()))
        return any(opens <= local.time() < closes for opens, closes in spans)


def of_day(minutes: int) -> time:
    return time(minutes // 60, minutes % 60)


def spans(minutes: Sequence[int]) -> Hours:
    times = [of_day(m) for m in sorted(minutes)]
    return tuple(zip(times[::2], times[1::2], strict=True))


MINUTES = st.integers(0, 24 * 60 - 1).filter(lambda m: m not in CHANGING)
SOME = st.sampled_from([2, 4, 6]).flatmap(
    lambda n: st.lists(MINUTES, min_size=n, max_size=n, unique=True)
)
HOURS = SOME.map(spans)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[World, datetime]:
    """A city and a moment near an edge: midnight, a lunch, a change of clocks, a year's end."""
    edge = draw(st.sampled_from(EDGES))
    near = [edge + timedelta(days=n) for n in range(-3, 12)]
    marks = draw(st.lists(st.sampled_from("     hws"), min_size=15, max_size=15))
    closed = st.just(())
    hours = draw(HOURS)
    world = World(
        zone=draw(st.sampled_from(ZONES)),
        hours=hours,
        week=draw(st.dictionaries(st.integers(4, 6), st.one_of(closed, HOURS), max_size=2)),
        holidays={d for d, mark in zip(near, marks, strict=True) if mark == "h"},
        workdays={d for d, mark in zip(near, marks, strict=True) if mark == "w"},
        special={
            d: draw(st.one_of(closed, HOURS))
            for d, mark in zip(near, marks, strict=True)
            if mark == "s"
        },
    )
    closing = st.sampled_from(hours).map(lambda span: span[1].hour * 60 + span[1].minute)
    moment = draw(st.one_of(MINUTES, st.just(0), closing))
    start = datetime.combine(edge, of_day(moment), world.zone)
    return world, start.astimezone(draw(st.sampled_from([UTC, world.zone])))


@dataclass
class Legs:
    """A limit and its extensions in plain minutes: (runs day and night, how many)."""

    parts: list[tuple[bool, int]]

    def clock(self, start: datetime, pauses: Sequence[Pause] = ()) -> Clock:
        first, *extra = [
            Limit(amount=n / 60, unit=Unit.URGENT_HOURS if urgent else Unit.WORK_HOURS)
            for urgent, n in self.parts
        ]
        return Clock(start, first, tuple(pauses), tuple(extra))


def live(world: World, clock: Clock, legs: Legs, now: datetime) -> tuple[int, datetime | None]:
    """Minutes run until ``now``, and when the limit was used up if it was: one minute at a time."""
    at, left, ran, due = clock.start.astimezone(UTC), [n for _, n in legs.parts], 0, None
    gone = [(p.since.astimezone(UTC), p.until and p.until.astimezone(UTC)) for p in clock.pauses]
    while at < now:
        part = next((i for i, n in enumerate(left) if n), len(left) - 1)
        stands = any(a <= at and (b is None or at < b) for a, b in gone)
        if not stands and (legs.parts[part][0] or world.is_open(at)):
            ran += 1
            left[part] = max(0, left[part] - 1)
            if due is None and not any(left):
                due = at + MINUTE
        at += MINUTE
    return ran, due


LEGS = st.lists(st.tuples(st.booleans(), st.integers(1, 700)), min_size=1, max_size=3).map(Legs)
LATER = st.one_of(st.integers(0, 2000), st.integers(2000, 6 * 24 * 60)).map(lambda n: n * MINUTE)
GAPS = st.lists(
    st.tuples(
        st.integers(-600, 5000),
        st.one_of(st.none(), st.integers(0, 3000), st.integers(0, 300)),
        st.sampled_from(list(Reason)),
    ),
    max_size=3,
)


def pauses_of(start: datetime, gaps: list[tuple[int, int | None, Reason]]) -> list[Pause]:
    base = start.astimezone(UTC)
    return [
        Pause(base + a * MINUTE, None if n is None else base + (a + n) * MINUTE, reason)
        for a, n, reason in gaps
    ]


def plus(at: datetime, delta: timedelta) -> datetime:
    """Real time later: adding to a local time would jump with its clocks."""
    return (at.astimezone(UTC) + delta).astimezone(at.tzinfo)


@settings(max_examples=80, deadline=None)
@given(worlds(), LEGS, GAPS, LATER)
def test_clocks_agree_with_living_through_every_minute(
    setting: tuple[World, datetime],
    legs: Legs,
    gaps: list[tuple[int, int | None, Reason]],
    later: timedelta,
) -> None:
    world, start = setting
    clock = legs.clock(start, pauses_of(start, gaps))
    now, clocks = plus(start, later), world.clocks()
    ran, due = live(world, clock, legs, now)
    assert clocks.elapsed_s(clock, now) == ran * 60
    told = clocks.due_at(clock)
    if due is None:
        assert told is None or told.astimezone(UTC) > now
    else:
        assert told is not None
        assert told.astimezone(UTC) == due
        assert told.tzinfo is start.tzinfo


@settings(max_examples=40, deadline=None)
@given(worlds(), st.integers(0, 59), st.integers(1, 4000))
def test_seconds_count_too(setting: tuple[World, datetime], second: int, amount: int) -> None:
    world, start = setting
    start = plus(start, timedelta(seconds=second))
    due = world.table().due_at(start, Limit(amount=amount / 3600, unit=Unit.WORK_HOURS), world.zone)
    at, left, end = start.astimezone(UTC), amount, start.astimezone(UTC) + timedelta(hours=5)
    while left and at < end:
        left -= world.is_open(at)
        at += timedelta(seconds=1)
    if left:
        assert due.astimezone(UTC) > end
    else:
        assert due.astimezone(UTC) == at


@settings(deadline=None)
@given(worlds(), LEGS, GAPS, LATER, LATER)
def test_what_ran_and_what_is_left_make_the_limit_and_only_grow(
    setting: tuple[World, datetime],
    legs: Legs,
    gaps: list[tuple[int, int | None, Reason]],
    first: timedelta,
    second: timedelta,
) -> None:
    world, start = setting
    clock, clocks = legs.clock(start, pauses_of(start, gaps)), world.clocks()
    one, two = (plus(start, d) for d in sorted((first, second)))
    assert clocks.limit_s(clock) == sum(n for _, n in legs.parts) * 60
    assert clocks.elapsed_s(clock, one) + clocks.left_s(clock, one) == clocks.limit_s(clock)
    assert clocks.elapsed_s(clock, one) <= clocks.elapsed_s(clock, two)
    real = (two.astimezone(UTC) - one.astimezone(UTC)).total_seconds()
    assert clocks.elapsed_s(clock, two) - clocks.elapsed_s(clock, one) <= real
    due = clocks.due_at(clock)
    if due is not None:
        assert clocks.left_s(clock, due) == 0
        assert clocks.left_s(clock, plus(due, -MINUTE)) > 0


@settings(deadline=None)
@given(worlds(), LEGS, GAPS, st.integers(0, 3000), st.integers(0, 3000), LATER)
def test_a_pause_in_two_halves_is_one_pause(
    setting: tuple[World, datetime],
    legs: Legs,
    gaps: list[tuple[int, int | None, Reason]],
    before: int,
    after: int,
    later: timedelta,
) -> None:
    world, start = setting
    others = pauses_of(start, gaps)
    whole = pauses_of(start, [(100, before + after, Reason.SUSPENSION)])
    halves = pauses_of(
        start, [(100 + before, after, Reason.SUSPENSION), (100, before, Reason.EXTENSION)]
    )
    clocks, now = world.clocks(), plus(start, later)
    one, two = legs.clock(start, [*others, *whole]), legs.clock(start, [*halves, *others])
    assert clocks.due_at(one) == clocks.due_at(two)
    assert clocks.elapsed_s(one, now) == clocks.elapsed_s(two, now)
    assert clocks.state(one, now) == clocks.state(two, now)


@settings(deadline=None)
@given(
    worlds(), st.booleans(), st.integers(1, 700), st.integers(1, 700), GAPS, LATER, st.booleans()
)
def test_an_extension_adds_exactly_its_amount(
    setting: tuple[World, datetime],
    urgent: bool,  # noqa: FBT001
    amount: int,
    more: int,
    gaps: list[tuple[int, int | None, Reason]],
    later: timedelta,
    other: bool,  # noqa: FBT001
) -> None:
    world, start = setting
    clocks, now, pauses = world.clocks(), plus(start, later), pauses_of(start, gaps)
    clock = Legs([(urgent, amount)]).clock(start, pauses)
    extra = Legs([(urgent is other, more)]).clock(start).limit
    longer = clock.extended(extra)
    assert clocks.limit_s(longer) == clocks.limit_s(clock) + more * 60
    if extra.unit is clock.limit.unit:
        assert clocks.left_s(longer, now) == clocks.left_s(clock, now) + more * 60
        together = Legs([(urgent, amount + more)]).clock(start, pauses)
        assert clocks.due_at(longer) == clocks.due_at(together)
    elif clocks.left_s(clock, now) > 0:
        assert clocks.left_s(longer, now) == clocks.left_s(clock, now) + more * 60
    due, end = clocks.due_at(clock), clocks.due_at(longer)
    assert end is None or (due is not None and due.astimezone(UTC) < end.astimezone(UTC))


@given(worlds(), st.integers(1, 700), st.integers(0, 600), st.integers(0, 3000))
@settings(deadline=None)
def test_a_pause_moves_an_urgent_clock_by_its_length(
    setting: tuple[World, datetime], amount: int, since: int, length: int
) -> None:
    world, start = setting
    assume(since < amount)
    clock = Legs([(True, amount)]).clock(start)
    stood = replace(clock, pauses=tuple(pauses_of(start, [(since, length, Reason.SUSPENSION)])))
    due, later = world.clocks().due_at(clock), world.clocks().due_at(stood)
    assert due is not None
    assert later is not None
    assert later.astimezone(UTC) - due.astimezone(UTC) == length * MINUTE


@settings(deadline=None)
@given(worlds(), LEGS, GAPS, LATER)
def test_overdue_is_after_due_unless_paused(
    setting: tuple[World, datetime],
    legs: Legs,
    gaps: list[tuple[int, int | None, Reason]],
    later: timedelta,
) -> None:
    world, start = setting
    clock, clocks, now = (
        legs.clock(start, pauses_of(start, gaps)),
        world.clocks(),
        plus(start, later),
    )
    state, due = clocks.state(clock, now), clocks.due_at(clock)
    stands = any(
        p.since.astimezone(UTC) <= now and (p.until is None or now < p.until.astimezone(UTC))
        for p in clock.pauses
    )
    late = due is not None and now.astimezone(UTC) > due.astimezone(UTC)
    assert (state is State.PAUSED) == stands
    assert (state is State.OVERDUE) == (late and not stands)


def test_a_span_counts_once_when_its_hour_comes_twice_or_never() -> None:
    night = Deadlines.model_validate(CITY | {"hours": [["02:15", "02:45"], ["04:00", "05:00"]]})
    berlin = ZoneInfo("Europe/Berlin")
    for day in (date(2026, 10, 25), date(2026, 3, 29)):
        worked = night.model_copy(
            update={"calendar": Calendar(library="none", workdays=frozenset({day}))}
        )
        midnight = datetime.combine(day, time(), berlin)
        assert worked.worked_us(midnight, midnight + timedelta(days=1), berlin) == 90 * 60e6


CITY: dict[str, Any] = {
    "hours": [["08:00", "12:00"], ["14:00", "18:00"]],
    "default": {"amount": 1, "unit": "work_days"},
}


def city(**change: Any) -> Clocks:
    return Clocks(Deadlines.model_validate(CITY | change), SHANGHAI)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=SHANGHAI)


DAY = Clock(at("24T09:00"), Limit(amount=1, unit=Unit.WORK_DAYS))


def test_a_suspended_clock_stands_and_runs_again() -> None:
    clock = DAY.paused(at("24T11:00"), Reason.SUSPENSION)
    assert city().due_at(clock) is None
    assert city().state(clock, at("24T10:59")) is State.GREEN
    assert city().state(clock, at("24T11:00")) is State.PAUSED
    assert city().state(clock, at("30T11:00")) is State.PAUSED
    assert city().elapsed_s(clock, at("30T11:00")) == 2 * 3600
    clock = clock.resumed(at("26T08:00"))
    assert city().state(clock, at("26T08:00")) is State.GREEN
    assert city().due_at(clock) == at("26T16:00")
    assert city().state(clock, at("26T10:00")) is State.YELLOW
    assert city().state(clock, at("26T16:01")) is State.OVERDUE
    assert clock.resumed(at("28T08:00")) == clock


def test_paused_goes_before_overdue_and_does_not_undo_it() -> None:
    clock = DAY.paused(at("26T11:00"), Reason.SUSPENSION)
    assert city().state(clock, at("26T10:59")) is State.OVERDUE
    assert city().state(clock, at("26T12:00")) is State.PAUSED
    assert city().due_at(clock) == at("25T09:00")
    assert city().left_s(clock, at("27T12:00")) < 0
    assert city().state(clock.resumed(at("27T12:00")), at("27T12:00")) is State.OVERDUE


def test_an_extension_of_urgent_hours_runs_through_the_night() -> None:
    clock = DAY.extended(Limit(amount=20, unit=Unit.URGENT_HOURS))
    assert city().due_at(clock) == at("26T05:00")
    assert city().elapsed_s(clock, at("25T23:00")) == (8 + 14) * 3600


def test_an_extension_begins_the_moment_the_limit_ends() -> None:
    clock = Clock(at("24T14:00"), Limit(amount=4, unit=Unit.WORK_HOURS))
    clock = clock.extended(Limit(amount=3, unit=Unit.URGENT_HOURS))
    assert city().elapsed_s(clock, at("24T20:00")) == (4 + 2) * 3600
    assert city().due_at(clock) == at("24T21:00")


@pytest.mark.parametrize("unit", [Unit.URGENT_HOURS, Unit.WORK_HOURS])
def test_a_pause_from_the_very_end_comes_too_late(unit: Unit) -> None:
    clock = Clock(at("24T14:00"), Limit(amount=4, unit=unit))
    for until in (at("25T10:00"), None):
        pause = Pause(at("24T18:00"), until, Reason.SUSPENSION)
        assert city().due_at(replace(clock, pauses=(pause,))) == at("24T18:00")


def test_a_pause_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="ends before it begins"):
        Pause(at("24T10:00"), at("24T09:59"), Reason.EXTENSION)
    with pytest.raises(ValueError, match="ends before it begins"):
        DAY.paused(at("24T10:00"), Reason.EXTENSION).resumed(at("24T09:00"))
