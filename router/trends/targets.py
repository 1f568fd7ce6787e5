"""The yearly responsibility book (目标责任书), ``configs/targets.toml``: what each campaign or topic is to come to.

A target has one measure: an indicator of the catalogue, a count its owner reports, or milestones. Nothing here asks
the database; ``router.trends.progress`` says how a target stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from router.departments import Directory
from router.lines import Lines
from router.trends.catalogue import Catalogue, Unit
from router.trends.days import Period
from router.trends.sums import Ask, dimensions_of
from router.trends.topics import SERIES, Topics
from store.config import Strict, Taxonomy, load
from store.errors import ConfigError
from store.tables_trends import ALL

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
FILTERS = ("label", "area", "department")
"""What an indicator of a target may be narrowed to."""


class Measure(StrEnum):
    """How the value of a target is known."""

    INDICATOR = "indicator"
    COUNT = "count"
    MILESTONES = "milestones"


class Milestone(Strict):
    """A step of a target and its last day."""

    name: Name
    due: date


class Target(Strict):
    """One line of the book. ``owner`` (责任单位) and ``helpers`` (配合单位) are offices; ``due`` its last day.

    ``goal`` of a percentage is a share of 1. ``reduce_by`` is the share by which the value must be below that of the
    same days of ``baseline_year``, the year before when it is 0.
    """

    id: Id
    campaign: str = ""
    topic: str = ""
    title: Name
    owner: str
    helpers: tuple[str, ...] = ()
    year: int = Field(ge=2000, le=2999)
    due: date
    indicator: str = ""
    label: str = ALL
    area: str = ALL
    department: str = ALL
    better: Literal["up", "down"] = "up"
    goal: float | None = Field(default=None, ge=0, le=1e9)
    baseline_year: int = 0
    reduce_by: float = Field(default=0.0, ge=0, lt=1)
    unit: str = Field(default="", max_length=12)
    milestones: tuple[Milestone, ...] = Field(default=(), max_length=24)

    @model_validator(mode="after")
    def _whole(self) -> Target:
        for is_wrong, said in _faults(self):
            if is_wrong:
                msg = f"{self.id}: {said}"
                raise ValueError(msg)
        return self

    @property
    def measure(self) -> Measure:
        """Which of the three it has."""
        if self.indicator:
            return Measure.INDICATOR
        return Measure.MILESTONES if self.milestones else Measure.COUNT

    @property
    def start(self) -> date:
        """The first day that counts."""
        return date(self.year, 1, 1)

    @property
    def base_year(self) -> int:
        """The year ``reduce_by`` compares with."""
        return self.baseline_year or self.year - 1

    @property
    def offices(self) -> tuple[str, ...]:
        """Who may report on it: the owner first."""
        return (self.owner, *self.helpers)

    def ask(self, period: Period) -> Ask:
        """The question of its indicator over some days."""
        return Ask(self.indicator, period, self.label, self.area, department=self.department)


def _faults(one: Target) -> Iterator[tuple[bool, str]]:
    """Each rule a target may break, with what to do."""
    measures = sum(map(bool, (one.indicator, one.unit, one.milestones)))
    dues = [step.due for step in one.milestones]
    measured, reduced = bool(one.indicator), bool(one.reduce_by)
    yield bool(one.campaign) == bool(one.topic), "give exactly one of campaign, topic"
    yield measures != 1, "give exactly one of indicator, unit, milestones"
    yield one.due.year != one.year, f"due: {one.due} is not in {one.year}; correct due or year"
    yield len(set(one.offices)) != len(one.offices), "helpers: an office is there twice; remove it"
    yield bool(one.milestones) and one.goal is not None, "goal: milestones have none; remove it"
    yield reduced and not measured, "reduce_by: needs an indicator; add it or remove reduce_by"
    yield reduced and one.goal is not None, "give either goal or reduce_by"
    yield reduced and one.better == "up", 'reduce_by: needs better = "down"; add it'
    yield (
        not one.milestones and not reduced and one.goal is None,
        "goal: missing; add it" + (" or reduce_by" if measured else ""),
    )
    yield one.better == "up" and one.goal == 0, "goal: 0 is reached at once; give more"
    yield one.better == "down" and not measured, "better: only an indicator can go down; remove it"
    yield (
        bool(one.baseline_year) and not (reduced and 2000 <= one.baseline_year < one.year),  # noqa: PLR2004 - as year
        f"baseline_year: needs reduce_by and a year before {one.year}; correct it",
    )
    narrowed = next((name for name in FILTERS if getattr(one, name) != ALL), "")
    yield bool(narrowed) and not measured, f"{narrowed}: needs an indicator; remove it"
    yield dues != sorted(dues), "milestones: not in the order of their due; sort them"
    yield (
        bool(dues) and not (one.start <= dues[0] and dues[-1] <= one.due),
        f"milestones: not within {one.start} to {one.due}; correct their due",
    )


class Targets(Strict):
    """``configs/targets.toml``. ``slack``: the share of the way a target may be behind the calendar unsaid."""

    slack: float = Field(default=0.1, ge=0, lt=1)
    target: tuple[Target, ...] = ()

    def of_year(self, year: int) -> tuple[Target, ...]:
        """The book of one year."""
        return tuple(one for one in self.target if one.year == year)

    @property
    def years(self) -> tuple[int, ...]:
        """Years there are books of, the newest first."""
        return tuple(sorted({one.year for one in self.target}, reverse=True))


@dataclass(frozen=True)
class Around:
    """What targets may name: the other files of the city."""

    taxonomy: Taxonomy
    topics: Topics
    directory: Directory
    catalogue: Catalogue

    @property
    def series(self) -> Collection[str]:
        """Labels whose items are counted."""
        named = [SERIES + one.id for one in self.topics.topic]
        return {*self.taxonomy.problems, *self.taxonomy.campaigns, *self.taxonomy.kinds, *named}

    @property
    def offices(self) -> Collection[str]:
        """Offices that answer: not the duties that territories fill, nor what is out of scope."""
        names, none = set(self.directory.names), {self.directory.out_of_scope}
        return names - none - self.directory.territorial


def load_targets(path: Path, around: Around) -> Targets:
    """Read ``targets.toml``, where there is one.

    Raises:
        ConfigError: an id used twice, a strange name, an indicator that tells no past year or knows no such filter.
    """
    if not path.exists():
        return Targets()
    targets = load(path, Targets)
    lines = Lines(path.read_text(encoding="utf-8"))
    seen: set[str] = set()
    for n, one in enumerate(targets.target):
        said = next((words for is_wrong, words in _strange(one, around, seen) if is_wrong), "")
        if said:
            raise ConfigError(f"config: {path.name}: {lines.say('target', n)}{one.id}: {said}")
        seen.add(one.id)
    return targets


def _strange(one: Target, around: Around, seen: Collection[str]) -> Iterator[tuple[bool, str]]:
    """What a target names that is not there, with what to do."""
    yield one.id in seen, "id: used twice; give it another"
    campaigns = around.taxonomy.campaigns
    topics = {topic.id for topic in around.topics.topic}
    yield (
        bool(one.campaign) and one.campaign not in campaigns,
        f"campaign: {one.campaign} is no campaign of taxonomy.toml; correct it",
    )
    yield (
        bool(one.topic) and one.topic not in topics,
        f"topic: {one.topic} is not in topics.toml; correct it",
    )
    stranger = next((office for office in one.offices if office not in around.offices), "")
    yield (
        bool(stranger),
        f"owner, helpers: {stranger} is no office of departments.toml that answers; name another",
    )
    yield from _asks(one, around)


def _asks(one: Target, around: Around) -> Iterator[tuple[bool, str]]:
    """What is wrong with the question a target asks of the catalogue."""
    if not one.indicator:
        return
    indicator = around.catalogue.by_id.get(one.indicator)
    if indicator is None:
        yield True, f"indicator: {one.indicator} is not in indicators.toml; correct it"
        return
    yield bool(indicator.stands), f"indicator: {one.indicator} tells only now; choose one of a time"
    known = {
        "label": around.series,
        "area": around.directory.places,
        "department": around.directory.names,
    }
    for name, values in known.items():
        value = getattr(one, name)
        is_open = value == ALL
        yield (
            not is_open and name not in dimensions_of(indicator),
            f"{name}: {one.indicator} is not told by it; remove it",
        )
        yield not is_open and value not in values, f"{name}: {value} is unknown; correct it"
    over = indicator.unit is Unit.PERCENT and (one.goal or 0) > 1
    yield over, "goal: a percentage is a share of 1; write 0.9 for 90%"
