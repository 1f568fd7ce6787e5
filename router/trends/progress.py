"""How a target of the responsibility book stands (完成、正常、滞后、逾期): pure arithmetic on what is known of it.

A count grows over the year, so it is held against the share of the year that has passed; a percentage or a time must
be right each day; a reduction is held against the same days of its base year.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from router.trends.catalogue import Unit
from router.trends.days import Period
from router.trends.numbers import show
from router.trends.targets import Measure, Target

SLACK = 0.1
"""Share of the way a target may be behind the calendar unsaid, unless the book says another."""


class State(StrEnum):
    """What people call how a target stands."""

    DONE = "done"
    ON_TRACK = "on_track"
    BEHIND = "behind"
    OVERDUE = "overdue"
    UNKNOWN = "unknown"


STATE_NAMES: Mapping[State, str] = MappingProxyType(
    {
        State.DONE: "完成",
        State.ON_TRACK: "正常",
        State.BEHIND: "滞后",
        State.OVERDUE: "逾期",
        State.UNKNOWN: "暂无数据",
    }
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a target: the values of its indicator now and in its base year, or what was reported and when.

    ``unit`` is the indicator's; ``since`` the first day compared, where the base year begins later than its first day.
    """

    value: float | None = None
    base: float | None = None
    unit: Unit = Unit.PIECES
    since: date | None = None
    reported_on: date | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """``share`` is how much of the goal there is (of a cap: how much is used up), ``due_share`` what the calendar asks
    for where it asks; both 0 to 1. ``words`` say why."""

    state: State
    value: float | None
    goal: float | None
    share: float | None
    due_share: float | None
    shown: str
    goal_shown: str
    words: str


@dataclass(frozen=True, slots=True)
class _Case:
    """A target on a day."""

    target: Target
    seen: Seen
    today: date
    slack: float

    @property
    def is_over(self) -> bool:
        return self.today > self.target.due

    @property
    def elapsed(self) -> float:
        """The share of its days that has passed, today included."""
        length = (self.target.due - self.target.start).days + 1
        return min(max((self.today - self.target.start).days + 1, 0) / length, 1.0)

    def settled(self, *, is_met: bool) -> State:
        """Of what is right or wrong each day: only its last day decides."""
        if self.is_over:
            return State.DONE if is_met else State.OVERDUE
        return State.ON_TRACK if is_met else State.BEHIND

    def grown(self, share: float, due_share: float) -> State:
        """Of what grows up to its goal."""
        if share >= 1:
            return State.DONE
        if self.is_over:
            return State.OVERDUE
        return State.BEHIND if share + self.slack < due_share else State.ON_TRACK

    def show(self, value: float | None) -> str:
        """A value in words, with its unit."""
        if self.target.indicator:
            unit = "" if self.seen.unit is Unit.PERCENT else f" {self.seen.unit}"
            return show(value, self.seen.unit) + (unit if value is not None else "")
        return "—" if value is None else f"{value:,.10g} {self.target.unit or '步'}"


def progress(target: Target, seen: Seen, today: date, slack: float = SLACK) -> Progress:
    """How it stands on a day of the city's calendar."""
    case = _Case(target, seen, today, slack)
    if today < target.start:
        goal = target.goal
        return Progress(State.ON_TRACK, None, goal, None, 0.0, "—", case.show(goal), "尚未开始")
    return _RULES[_kind(target, seen.unit)](case)


def span(target: Target, today: date) -> Period:
    """The days its indicator is asked of; ``today`` is not before its year."""
    return Period(target.start, min(today, target.due))


def base_spans(target: Target, now: Period, first: date | None) -> tuple[Period, Period] | None:
    """The same days of this and of the base year, those of which there are numbers (from ``first`` on); none: none."""
    years = target.year - target.base_year
    base = Period(_shifted(now.start, -years), _shifted(now.end, -years))
    if first is None or first > base.end:
        return None
    begin = max(base.start, first)
    return Period(_shifted(begin, years), now.end), Period(begin, base.end)


def _shifted(day: date, years: int) -> date:
    """The same date of another year; 28 for a 29 February it has not."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _kind(target: Target, unit: Unit) -> str:
    if target.measure is not Measure.INDICATOR:
        return str(target.measure)
    if target.reduce_by:
        return "reduced"
    if unit is not Unit.PIECES:
        return "level"
    return "cap" if target.better == "down" else "count"


def _made(  # one place where a Progress is put together
    case: _Case,
    state: State,
    goal: float | None,
    words: str,
    *,
    share: float | None = None,
    due_share: float | None = None,
    goal_shown: str = "",
) -> Progress:
    value = case.seen.value
    kept = None if share is None else min(max(share, 0.0), 1.0)
    return Progress(
        state, value, goal, kept, due_share, case.show(value), goal_shown or case.show(goal), words
    )


def _unknown(case: _Case, goal_shown: str, words: str) -> Progress:
    return _made(case, State.UNKNOWN, case.target.goal, words, goal_shown=goal_shown)


def _level(case: _Case) -> Progress:
    """A percentage or a time: at least, or at most, its goal."""
    goal, value = float(case.target.goal or 0), case.seen.value
    is_up = case.target.better == "up"
    shown = f"{'不低于' if is_up else '不超过'} {case.show(goal)}"
    if value is None:
        return _unknown(case, shown, "今年尚无可计算的数据")
    is_met = value >= goal if is_up else value <= goal
    share = 1.0 if is_met else (value / goal if is_up else goal / value)
    words = "已达到目标值" if is_met else "未达到目标值"
    return _made(case, case.settled(is_met=is_met), goal, words, share=share, goal_shown=shown)


def _cap(case: _Case) -> Progress:
    """A count that must stay below its goal."""
    goal, value = float(case.target.goal or 0), case.seen.value
    shown = f"不超过 {case.show(goal)}"
    if value is None:
        return _unknown(case, shown, "今年尚无数据")
    allowed = goal if case.is_over else min(goal * (case.elapsed + case.slack), goal)
    used = value / goal if goal else float(value > 0)
    words = f"已占上限的 {used:.0%}，时间已过 {case.elapsed:.0%}" if goal else "目标为零发生"
    words += "，已超过上限" if value > goal else ""
    state = case.settled(is_met=value <= allowed)
    return _made(case, state, goal, words, share=used, due_share=case.elapsed, goal_shown=shown)


def _count(case: _Case) -> Progress:
    """A count of an indicator, or one that is reported, that must reach its goal."""
    goal, value = float(case.target.goal or 0), case.seen.value
    is_reported = case.target.measure is Measure.COUNT
    if value is None and not is_reported:
        return _unknown(case, "", "今年尚无数据")
    share = (value or 0) / goal
    words = f"完成 {share:.0%}，按时间应完成 {case.elapsed:.0%}"
    return _made(
        case, case.grown(share, case.elapsed), goal, _late(case, share, words),
        share=share, due_share=case.elapsed,
    )  # fmt: skip


def _milestones(case: _Case) -> Progress:
    """Steps in their order; each must be done by the end of its day."""
    steps, done = case.target.milestones, int(case.seen.value or 0)
    due = sum(step.due < case.today for step in steps)
    share, due_share = done / len(steps), due / len(steps)
    strict = _Case(case.target, case.seen, case.today, 0.0)
    words = f"完成 {done} 步，应完成 {due} 步"
    if done < len(steps):
        words += f"；下一步“{steps[done].name}”，{steps[done].due} 前"
    return _made(
        case, strict.grown(share, due_share), float(len(steps)), _late(case, share, words),
        share=share, due_share=due_share,
    )  # fmt: skip


def _late(case: _Case, share: float, words: str) -> str:
    """What is said of a reported target besides its arithmetic."""
    if case.target.measure is not Measure.INDICATOR and case.seen.value is None:
        return "到期未上报" if case.is_over else "尚未上报"
    on = case.seen.reported_on
    return f"逾期完成（{on}）" if share >= 1 and on and on > case.target.due else words


def _reduced(case: _Case) -> Progress:
    """Less than in the same days of the base year by a share."""
    target, value, base = case.target, case.seen.value, case.seen.base
    year = f"{target.base_year} 年同期"
    shown = f"较 {year}下降 {target.reduce_by:.0%}"
    if value is None or base is None:
        return _unknown(
            case, shown, f"{year}没有数据，无法比较" if value is not None else "今年尚无数据"
        )
    if not base:
        return _unknown(case, shown, f"{year}为 0，无法比较")
    goal = base * (1 - target.reduce_by)
    change = (value - base) / base
    words = f"{year} {case.show(base)}，{'增' if change > 0 else '减'} {abs(change):.1%}"
    if case.seen.since:
        words += f"（自 {case.seen.since} 起有可比数据）"
    is_met = value <= goal
    share = 1.0 if is_met else goal / value
    return _made(case, case.settled(is_met=is_met), goal, words, share=share, goal_shown=shown)


_RULES: Mapping[str, Callable[[_Case], Progress]] = {
    "level": _level,
    "cap": _cap,
    "count": _count,
    "milestones": _milestones,
    "reduced": _reduced,
}
