"""When steps of supervision come: by the order's clock, each once, never while it stands, seldom or often."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.deadlines import Clock, Deadlines, Limit, Pause, Reason, Unit
from router.ladder import RANK, Ladder, Level
from router.supervision import Entry, Plan, Schedule, State, Watched, mark_of, read_mark
from store.config import load

CONFIGS = Path(__file__).parents[2] / "configs"
ZONE = ZoneInfo("Asia/Shanghai")
LADDER = load(CONFIGS / "supervision.toml", Ladder)
SCHEDULE = Schedule(LADDER, load(CONFIGS / "deadlines.toml", Deadlines), ZONE)
START = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)  # a Monday, eight in the morning
WEEK = Limit(amount=5, unit=Unit.WORK_DAYS)
URGENT = Limit(amount=2, unit=Unit.URGENT_HOURS)
DAY = timedelta(days=1)


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=ZONE)


def watched(limit: Limit = WEEK, *pauses: Pause, start: datetime = START, **more: object) -> Watched:  # fmt: skip
    clock = Clock(start, limit, pauses)
    due = SCHEDULE.clocks.due_at(replace(clock, pauses=())) or start
    values: dict[str, object] = {"due_at": due, "clock": clock, "round": 0, "is_open": True}
    return Watched(**(values | more))  # type: ignore[arg-type]


ABOVE = 3
"""Offices above one: community, subdistrict, city."""


class Office:
    """Stands for the database: keeps what a look did, never answers."""

    def __init__(self, order: Watched, schedule: Schedule = SCHEDULE) -> None:
        self.order, self.schedule = order, schedule
        self.entries: list[Entry] = []
        self.sent: list[tuple[str, datetime]] = []

    def look(self, now: datetime) -> Plan:
        plan = self.schedule.due_steps(self.order, self.entries, now)
        for entry in plan.replaced:
            self._set(entry, State.SUPERSEDED)
        for step in plan.skipped:
            self._add(step.level, State.SKIPPED, now)
        if plan.step is not None:
            self.sent.append((plan.step.level, now))
            state = State.ISSUED if plan.step.document else State.TOLD
            self._add(plan.step.level, state, now)
        if plan.climbing is not None:
            self._set(plan.climbing, State.CLIMBED)
            if plan.climbing.rung < ABOVE:
                self.sent.append((f"{plan.climbing.level}↑", now))
                self._add(plan.climbing.level, State.ISSUED, now, plan.climbing.rung + 1)
        return plan

    def levels(self) -> list[str]:
        return [level for level, _ in self.sent]

    def _set(self, entry: Entry, state: State) -> None:
        self.entries[self.entries.index(entry)] = replace(entry, state=state)

    def _add(self, level: Level, state: State, now: datetime, rung: int = 0) -> None:
        step = next(s for s in self.schedule.ladder.step if s.level is level)
        within = step.reply_within
        by = self.schedule.deadlines.due_at(now, within, ZONE) if within else None
        number = f"{level}{rung}" if state is State.ISSUED else ""
        self.entries.append(
            Entry(len(self.entries), level, self.order.round, rung, state, now, by, "a", number)
        )


def moments(order: Watched) -> dict[str, str]:
    found = SCHEDULE.moments(order)
    return {step.level: f"{at.astimezone(ZONE):%m-%d %H:%M}" for step, at in found}


def test_steps_come_by_the_working_clock() -> None:
    assert moments(watched()) == {
        "yellow": "11-25 12:00", "red": "11-26 18:00", "urge": "11-30 18:00", "order": "12-02 18:00",
        "circular": "12-04 18:00",
    }  # fmt: skip


def test_after_an_urgent_limit_the_days_are_working_days() -> None:
    order = watched(URGENT, start=local("11-27 20:00"))
    assert moments(order) == {
        "yellow": "11-27 21:00", "red": "11-27 21:36", "urge": "11-30 18:00", "order": "12-02 18:00",
        "circular": "12-04 18:00",
    }  # fmt: skip


def test_a_pause_moves_what_is_ahead_of_it_even_after_the_due_time() -> None:
    pause = Pause(local("12-01 08:00"), local("12-02 08:00"), Reason.SUSPENSION)
    assert moments(watched(WEEK, pause))["urge"] == "11-30 18:00"
    assert moments(watched(WEEK, pause))["order"] == "12-03 18:00"


def test_an_endless_pause_keeps_steps_off() -> None:
    order = watched(WEEK, Pause(local("11-26 08:00"), None, Reason.SUSPENSION))
    assert list(moments(order)) == ["yellow"]
    assert SCHEDULE.due_steps(order, [], local("11-27 08:00")) == Plan()
    assert SCHEDULE.next_look(order, [], local("11-27 08:00")) is None


def test_while_a_pause_with_an_end_lasts_the_next_look_is_its_end() -> None:
    ends = local("11-27 08:00")
    order = watched(WEEK, Pause(local("11-26 08:00"), ends, Reason.SUSPENSION))
    assert SCHEDULE.next_look(order, [], local("11-26 09:00")) == ends


def test_an_order_without_a_clock_has_documents_and_no_lamps() -> None:
    order = watched(clock=None, due_at=local("11-27 18:00"))
    assert list(moments(order)) == ["urge", "order", "circular"]
    assert moments(order)["urge"] == "11-30 18:00"


def test_an_order_that_ended_is_looked_at_no_more() -> None:
    order = watched(is_open=False)
    assert SCHEDULE.due_steps(order, [], local("12-30 08:00")) == Plan()
    assert SCHEDULE.next_look(order, [], local("12-30 08:00")) is None


def test_a_leaders_day_before_the_limit_is_the_limit() -> None:
    order = watched(wanted_at=local("11-24 18:00"))
    assert moments(order) == {
        "yellow": "11-23 14:48", "red": "11-24 09:36", "order": "11-25 18:00", "circular": "11-27 18:00"
    }  # fmt: skip
    assert SCHEDULE.due_at(order) == local("11-24 18:00")


def test_a_leaders_day_before_work_begins_is_kept_as_time_passes() -> None:
    order = watched(wanted_at=local("11-23 07:00"), start=START - timedelta(hours=2))
    assert SCHEDULE.due_at(order) == local("11-23 07:00")


def test_a_clock_that_started_after_the_leaders_day_keeps_its_limit() -> None:
    assert SCHEDULE.due_at(watched(wanted_at=START)) == local("11-27 18:00")


def test_a_leaders_day_after_the_limit_changes_the_ladder_only() -> None:
    order = watched(wanted_at=local("12-30 18:00"))
    assert SCHEDULE.due_at(order) == local("11-27 18:00")
    assert "urge" not in moments(order)


def test_an_order_without_clock_takes_the_earlier_day() -> None:
    order = watched(clock=None, due_at=local("11-27 18:00"), wanted_at=local("11-25 18:00"))
    assert moments(order) == {"order": "11-26 18:00", "circular": "11-30 18:00"}


def test_an_extension_is_part_of_the_limit_whose_shares_count() -> None:
    order = watched()
    assert order.clock is not None
    longer = replace(order, clock=order.clock.extended(Limit(amount=5, unit=Unit.WORK_DAYS)))
    assert moments(longer)["yellow"] == "11-27 18:00"
    mixed = replace(order, clock=order.clock.extended(Limit(amount=40, unit=Unit.URGENT_HOURS)))
    assert moments(mixed)["yellow"] == "11-27 18:00", "half of forty hours of work and forty others"
    assert moments(mixed)["red"] == "11-28 18:00"


def test_after_an_outage_one_document_a_day_from_the_lowest_and_no_lamps() -> None:
    office = Office(watched())
    first = office.look(local("12-14 09:00"))
    assert [step.level for step in first.skipped] == ["yellow", "red"]
    for hour in range(24 * 7):
        office.look(local("12-14 09:01") + timedelta(hours=hour))
    ladder = [level for level in office.levels() if "↑" not in level]
    assert ladder == ["urge", "order", "circular"]
    times = [at for _, at in office.sent[:3]]
    assert times[1] - times[0] >= DAY
    assert times[2] - times[1] >= DAY


def test_late_lamps_tell_the_highest_and_record_the_other() -> None:
    office = Office(watched())
    plan = office.look(local("11-27 09:00"))
    assert (plan.step.level if plan.step else "", [s.level for s in plan.skipped]) == ("red", ["yellow"])  # fmt: skip


def test_an_unanswered_document_climbs_until_the_next_step_takes_its_place() -> None:
    office = Office(watched())
    office.look(local("11-30 18:00"))
    assert office.look(local("12-01 17:59")).climbing is None
    assert office.look(local("12-01 18:00")).climbing is not None
    plan = office.look(local("12-02 18:00"))
    assert plan.step is not None
    assert (plan.step.level, [entry.rung for entry in plan.replaced]) == ("order", [1])
    assert plan.climbing is None


def test_an_answer_ends_the_climb_but_not_the_ladder() -> None:
    office = Office(watched())
    office.look(local("11-30 18:00"))
    office.entries[-1] = replace(office.entries[-1], state=State.ANSWERED)
    assert office.look(local("12-02 17:00")) == Plan()
    assert SCHEDULE.next_look(office.order, office.entries, local("12-02 17:00")) == local("12-02 18:00")  # fmt: skip
    step = office.look(local("12-02 18:00")).step
    assert step is not None
    assert step.level is Level.ORDER


def test_a_new_round_begins_anew_and_lets_old_documents_rest() -> None:
    office = Office(watched())
    office.look(local("11-30 18:00"))
    assert office.order.clock is not None
    office.order = replace(
        office.order, round=1, clock=office.order.clock.extended(Limit(amount=5, unit=Unit.WORK_DAYS))
    )  # fmt: skip
    plan = office.look(local("12-01 18:00"))
    assert [entry.level for entry in plan.replaced] == ["urge"]
    assert plan.step is not None
    assert plan.step.level is Level.YELLOW
    office.look(local("12-07 18:00"))
    assert office.levels() == ["urge", "yellow", "urge"]


def test_a_pause_that_was_refused_repeats_nothing() -> None:
    office = Office(watched())
    office.look(local("11-30 18:00"))
    assert office.order.clock is not None
    pause = Pause(local("12-01 08:00"), local("12-01 16:00"), Reason.EXTENSION)
    office.order = replace(office.order, clock=replace(office.order.clock, pauses=(pause,)))
    assert office.look(local("12-01 16:00")).step is None


def test_a_step_the_city_adds_below_what_is_out_is_only_recorded() -> None:
    office = Office(watched(), Schedule(LADDER.model_copy(update={"step": LADDER.step[-1:]}), SCHEDULE.deadlines, ZONE))  # fmt: skip
    office.look(local("12-04 18:00"))
    office.schedule = SCHEDULE
    plan = office.look(local("12-04 18:01"))
    assert plan.step is None
    assert [s.level for s in plan.skipped] == ["yellow", "red", "urge", "order"]


@pytest.mark.parametrize(("round_", "rung"), [(0, 0), (2, 0), (0, 3), (11, 12)])
def test_marks_are_read_as_they_are_written(round_: int, rung: int) -> None:
    assert read_mark(mark_of(20261124000000101, round_, Level.URGE, rung)) == (round_, rung)


limits = st.builds(Limit, amount=st.floats(0.5, 60), unit=st.sampled_from(Unit))
hours = st.integers(0, 24 * 40)


@st.composite
def orders(draw: st.DrawFn) -> Watched:
    start = START + timedelta(hours=draw(st.integers(0, 200)))
    pauses, at = [], start
    for _ in range(draw(st.integers(0, 3))):
        at += timedelta(hours=draw(st.integers(1, 100)))
        until = at + timedelta(hours=draw(st.integers(0, 60)))
        pauses.append(Pause(at, until, Reason.SUSPENSION))
        at = until
    clock = Clock(start, draw(limits), tuple(pauses), tuple(draw(st.lists(limits, max_size=2))))
    wanted = draw(st.none() | hours.map(lambda h: start + timedelta(hours=h)))
    return Watched(start, clock, 0, is_open=True, wanted_at=wanted)


@st.composite
def ladders(draw: st.DrawFn) -> Schedule:
    papers = draw(st.lists(st.integers(1, 60), min_size=3, max_size=3, unique=True))
    unit = draw(st.sampled_from(Unit))
    shares = sorted(draw(st.lists(st.floats(0.05, 1), min_size=2, max_size=2, unique=True)))
    after = [Limit(amount=n, unit=unit) for n in sorted(papers)]
    given_: list[dict[str, object]] = [{"share": share} for share in shares] + [
        {"after": a} for a in after
    ]
    step = tuple(s.model_copy(update=more) for s, more in zip(LADDER.step, given_, strict=True))
    apart = Limit(amount=draw(st.floats(0.5, 20)), unit=draw(st.sampled_from(Unit)))
    changed = LADDER.model_copy(update={"step": step, "apart": apart})
    return Schedule(changed, SCHEDULE.deadlines, ZONE)


def numbered(office: Office) -> list[str]:
    return [level for level in office.levels() if level in {"urge", "order", "circular"}]


@settings(deadline=None)
@given(orders(), ladders(), st.lists(hours, max_size=40))
def test_any_moments_issue_each_level_once_in_order_in_time_and_never_while_it_stands(
    order: Watched, schedule: Schedule, looks: list[int]
) -> None:
    office = Office(order, schedule)
    assert order.clock is not None
    due = dict(schedule.moments(order))
    times = {step.level: at for step, at in due.items()}
    for hour in sorted(looks):
        now = order.clock.start + timedelta(hours=hour)
        before = len(office.sent)
        office.look(now)
        new = office.sent[before:]
        assert len(new) <= 1
        if new:
            assert not any(pause.covers(now) for pause in order.clock.pauses)
            assert times[Level(new[0][0].rstrip("↑"))] <= now
    own = [Level(level) for level in office.levels() if "↑" not in level]
    assert [RANK[level] for level in own] == sorted({RANK[level] for level in own})
    marks = [(entry.level, entry.rung) for entry in office.entries]
    assert len(marks) == len(set(marks))


@settings(deadline=None)
@given(orders(), ladders(), st.integers(100, 720))
def test_seldom_or_often_the_same_documents_go_out_and_every_level_is_on_record(
    order: Watched, schedule: Schedule, every: int
) -> None:
    assert order.clock is not None
    eager, lazy = Office(order, schedule), Office(order, schedule)
    now: datetime | None = order.clock.start
    for _ in range(60):
        if now is None:
            break
        eager.look(now)
        following = schedule.next_look(order, eager.entries, now)
        assert following is None or following > now
        now = following
    for n in range(12):
        lazy.look(order.clock.start + timedelta(hours=9000 + (700 + every) * n))
    expected = [
        step.level for step in schedule.ladder.steps(instructed=order.wanted_at is not None)
    ]
    assert numbered(eager) == [level for level in expected if RANK[level] >= RANK[Level.URGE]]
    assert numbered(lazy) == numbered(eager)
    for office in (eager, lazy):
        assert {entry.level for entry in office.entries} == set(expected)
