"""考核 by arithmetic alone: facts and indicators in, rows of numerators, denominators, scores and ranks out.

A row is one indicator of one unit. By ``department`` a unit is the office of the order; by ``territory`` the
subdistrict or township (and the community, where the directory has it) of the case; by ``rule`` the
routing rule that sent it. A case is one matter to its territory however many offices share it, so there
only the lead's orders count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from router.departments import Directory
from router.facts import OrderFacts
from router.indicators import Indicator, Show
from router.planning import DESK

ALL = "*"
"""The unit that is the whole city."""


class By(StrEnum):
    """What a month is told by."""

    DEPARTMENT = "department"
    TERRITORY = "territory"
    RULE = "rule"


class Part(StrEnum):
    """Which orders of a ratio."""

    NUMERATOR = "numerator"
    DENOMINATOR = "denominator"


@dataclass(frozen=True, slots=True)
class Row:
    """One indicator of one unit. ``denominator`` is 0 where there is none."""

    by: str
    unit: str
    indicator: str
    numerator: float
    denominator: float


@dataclass(frozen=True, slots=True)
class Standing:
    """What a unit's weighted indicators come to, 0 to 100, and its place among units of its ``group``.

    ``score`` is None without any weighted value; ``rank`` None when not scored or too few orders.
    """

    unit: str
    group: str
    score: float | None
    rank: int | None


class Units:
    """Which units an order counts for, and what they are called and compared with."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._territories = {office.id for office in (*directory.area, *directory.inner)}

    def of(self, by: By, facts: OrderFacts) -> tuple[str, ...]:
        """The units the order counts for, the whole city last; none when it does not count ``by`` that."""
        if by is By.DEPARTMENT:
            return facts.department, ALL
        if by is By.RULE:
            return facts.rule, ALL
        return (*self._places(facts.area), ALL) if facts.lead else ()

    def _places(self, area: str) -> tuple[str, ...]:
        """The territory and those it is within."""
        if area not in self._territories:
            return (area,)
        above = (one for one in self._directory.chain(area) if one in self._territories)
        return area, *above

    def name(self, by: By, unit: str) -> str:
        """What people call it."""
        if unit in _NAMED.get(by, {}):
            return _NAMED[by][unit]
        return "全市" if unit == ALL else self._directory.names.get(unit, unit)

    def group(self, by: By, unit: str) -> str:
        """Units of one group are ranked against each other; the whole city and what has no name are not."""
        if unit in {ALL, "", DESK}:
            return ""
        if by is By.RULE:
            return "rule"
        if unit not in self._territories:
            return "department"
        return f"territory{len(self._places(unit))}"


_NAMED: Mapping[By, Mapping[str, str]] = {
    By.TERRITORY: {"": "地点不明"},
    By.RULE: {DESK: "人工派遣", "": "规则不明"},
}


def assess(
    facts: Iterable[OrderFacts], indicators: Sequence[Indicator], units: Units
) -> dict[By, list[Row]]:
    """Every indicator of every unit that has an order in ``facts``, and of the whole city."""
    tally = Tally(indicators, units)
    tally.add(facts)
    return {by: tally.rows(by) for by in By}


class Tally:
    """Numerators and denominators that grow with the facts they are given; memory by units, not by orders."""

    def __init__(self, indicators: Sequence[Indicator], units: Units) -> None:
        self._indicators = indicators
        self._units = units
        self._sums: dict[By, dict[str, list[list[float]]]] = {
            by: defaultdict(lambda: [[0.0, 0.0] for _ in indicators]) for by in By
        }
        for by in By:
            self._sums[by][ALL]  # the city has its rows even when nothing happened

    def add(self, facts: Iterable[OrderFacts]) -> None:
        """Count more orders."""
        for one in facts:
            parts = [(i.numerator(one), i.denominator(one)) for i in self._indicators]
            if not any(above or below for above, below in parts):
                continue
            for by in By:
                for unit in self._units.of(by, one):
                    for sums, (above, below) in zip(self._sums[by][unit], parts, strict=True):
                        sums[0] += above
                        sums[1] += below

    def rows(self, by: By) -> list[Row]:
        """What was counted, by unit and in the indicators' order; the whole city first."""
        return [
            Row(by, unit, indicator.id, above, below)
            for unit, sums in sorted(self._sums[by].items(), key=lambda item: _first(item[0]))
            for indicator, (above, below) in zip(self._indicators, sums, strict=True)
        ]


def value(indicator: Indicator, row: Row) -> float | None:
    """The ratio, or the number; None (“—”) for a ratio over nothing."""
    if not indicator.is_ratio:
        return row.numerator
    return row.numerator / row.denominator if row.denominator else None


def shown(indicator: Indicator, row: Row) -> str:
    """The value as people read it."""
    found = value(indicator, row)
    if found is None:
        return "—"
    if indicator.show is Show.PERCENT:
        return f"{found:.1%}"
    return f"{found:.1f}" if indicator.show is Show.HOURS else plain(found)


def plain(number: float) -> str:
    """A count without decimals, other numbers with one."""
    return f"{number:.0f}" if number.is_integer() else f"{number:.1f}"


def points(indicator: Indicator, found: float) -> float:
    """The share of its weight a value earns, 0 to 1.

    High is better: value / target, at most 1. Low is better: 1 up to the target, then
    1 − (value − target) / (1 − target), at least 0. Without a target it is 1, or 0 where low is better.
    """
    if indicator.better == "high":
        return min(1.0, found / (1.0 if indicator.target is None else indicator.target))
    target = indicator.target or 0.0
    return min(1.0, max(0.0, 1 - (found - target) / (1 - target)))


def score(
    indicators: Mapping[str, Indicator], rows: Mapping[str, Row], *, score_from: float = 0.0
) -> float | None:
    """100 × Σ weight × points / Σ weight, over the weighted indicators of one unit that have a value.

    None where these bear less than the share ``score_from`` of all weight: little of the unit was seen.
    """
    earned = total = 0.0
    for name, indicator in indicators.items():
        found = value(indicator, rows[name])
        if indicator.weight and found is not None:
            earned += indicator.weight * points(indicator, found)
            total += indicator.weight
    enough = score_from * sum(indicator.weight for indicator in indicators.values())
    return 100 * earned / total if total and total >= enough else None


def standings(
    by: By,
    rows: Sequence[Row],
    indicators: Mapping[str, Indicator],
    units: Units,
    *,
    rank_from: int,
    score_from: float = 0.0,
) -> list[Standing]:
    """Score and rank of every unit; equal scores (to a hundredth) share a rank and the next is skipped."""
    by_unit: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        by_unit[row.unit][row.indicator] = row
    scored: list[tuple[str, str, float | None, bool]] = []
    for unit, mine in by_unit.items():
        weighed = (row.denominator for name, row in mine.items() if indicators[name].weight)
        group = units.group(by, unit)
        points_ = score(indicators, mine, score_from=score_from)
        scored.append((unit, group, points_, max(weighed, default=0) >= rank_from))
    better: dict[str, list[float]] = defaultdict(list)
    for _, group, points_, enough in scored:
        if group and enough and points_ is not None:
            better[group].append(round(points_, 2))
    return [
        Standing(unit, group, points_, _rank(points_, better[group]) if group and enough else None)
        for unit, group, points_, enough in scored
    ]


def _rank(points_: float | None, others: Sequence[float]) -> int | None:
    return None if points_ is None else 1 + sum(one > round(points_, 2) for one in others)


def _first(unit: str) -> tuple[bool, str]:
    return unit != ALL, unit
