"""What each kind of bulletin contains, in order: a table of its parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from desk.reports import news, overall, pressing, ranked, stories
from desk.reports.making import Making

Section = Callable[[Making], Awaitable[None]]


class PlanName(StrEnum):
    """Kinds of bulletins."""

    EXPRESS = "express"
    MONTHLY = "monthly"
    SUPERVISION = "supervision"
    JOINT = "joint"
    ANNUAL = "annual"
    CASES = "cases"


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts of one kind. ``stories``: an editor chooses typical cases for it."""

    name: str
    sections: tuple[Section, ...]
    stories: bool = False


PLANS: dict[PlanName, Plan] = {
    PlanName.EXPRESS: Plan(
        "快报",
        (
            overall.overview, overall.carriers, overall.course, ranked.problems, ranked.channels, news.bursts,
            news.topics, overall.closing,
        ),
    ),
    PlanName.MONTHLY: Plan(
        "月报",
        (
            overall.overview, overall.indicators, overall.carriers, overall.lateness, overall.course, ranked.problems,
            ranked.campaigns, ranked.channels, ranked.areas, ranked.units, news.bursts, news.topics, overall.closing,
        ),
    ),
    PlanName.SUPERVISION: Plan(
        "督查通报",
        (
            overall.overview, overall.lateness, pressing.overdue, pressing.circulars, ranked.units, overall.closing,
        ),
    ),
    PlanName.JOINT: Plan(
        "联席会议材料",
        (
            overall.overview, overall.indicators, overall.carriers, overall.lateness, overall.course, ranked.problems,
            ranked.campaigns, ranked.areas, ranked.units, pressing.overdue, pressing.circulars, news.bursts,
            overall.closing,
        ),
    ),
    PlanName.ANNUAL: Plan(
        "年度述评",
        (
            overall.overview, overall.indicators, overall.carriers, overall.lateness, overall.course, ranked.problems,
            ranked.campaigns, ranked.channels, ranked.areas, ranked.units, news.bursts, news.topics, overall.closing,
        ),
    ),
    PlanName.CASES: Plan("典型案例", (stories.column,), stories=True),
}  # fmt: skip
