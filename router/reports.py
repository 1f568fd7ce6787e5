"""A month's rows as the database keeps them and as people read them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from router.assessment import ALL, By, Part, Row, Standing, Units, shown, standings, value
from router.indicators import Assessment, Indicator
from router.months import Month

SETTINGS = "settings"
"""``by`` of the row that holds, as ``formula``, the configuration a month was frozen with."""


@dataclass(frozen=True, slots=True)
class Kept:
    """When a month was frozen, and the definitions that held."""

    at: datetime
    assessment: Assessment


def keep(
    month: Month, counted: Mapping[By, Sequence[Row]], assessment: Assessment, at: datetime
) -> list[dict[str, Any]]:
    """The rows to freeze, the configuration's first."""
    kept = Row(SETTINGS, ALL, ALL, 0.0, 0.0)
    formulas = {one.id: one.formula for one in assessment.indicator}
    formulas[kept.indicator] = assessment.model_dump_json()
    return [
        {
            "month": str(month),
            "by": row.by,
            "unit": row.unit,
            "indicator": row.indicator,
            "numerator": row.numerator,
            "denominator": row.denominator,
            "formula": formulas[row.indicator],
            "frozen_at": at,
        }
        for row in (kept, *(row for by in By for row in counted[by]))
    ]


@dataclass(frozen=True, slots=True)
class Cell:
    """One number. ``value`` is None, shown as —, for a ratio over nothing."""

    indicator: str
    numerator: float
    denominator: float
    value: float | None
    shown: str


@dataclass(frozen=True, slots=True)
class Line:
    """One unit: its place among its like, and its numbers in the indicators' order."""

    name: str
    standing: Standing
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A month by one kind of unit, counted at ``at``; it changes no more when it ``is_frozen``."""

    month: Month
    by: By
    is_frozen: bool
    at: datetime
    indicators: tuple[Indicator, ...]
    lines: tuple[Line, ...]

    def link(self, line: Line, cell: Cell, part: Part) -> dict[str, str]:
        """The parameters by which the cases behind a number are asked for."""
        return {
            "month": str(self.month),
            "by": self.by.value,
            "unit": line.standing.unit,
            "indicator": cell.indicator,
            "part": part.value,
        }


def as_dict(report: Report) -> dict[str, Any]:
    """The report as JSON has it; times in ISO 8601."""
    told = {"id", "name", "formula", "show", "better", "weight", "target"}
    return {
        "month": str(report.month),
        "by": report.by.value,
        "frozen": report.is_frozen,
        "at": report.at.isoformat(),
        "indicators": [one.model_dump(mode="json", include=told) for one in report.indicators],
        "units": [
            {
                "unit": line.standing.unit,
                "name": line.name,
                "score": line.standing.score,
                "rank": line.standing.rank,
                "numbers": {
                    cell.indicator: {
                        "numerator": cell.numerator,
                        "denominator": cell.denominator,
                        "value": cell.value,
                    }
                    for cell in line.cells
                },
            }
            for line in report.lines
        ],
    }


def make_report(
    month: Month,
    by: By,
    rows: Sequence[Row],
    assessment: Assessment,
    units: Units,
    *,
    at: datetime,
    is_frozen: bool,
) -> Report:
    """The whole city first, then units by group, rank and id."""
    indicators = assessment.indicators
    placed = standings(
        by,
        rows,
        indicators,
        units,
        rank_from=assessment.rank_from,
        score_from=assessment.score_from,
    )
    found: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        found[row.unit][row.indicator] = row
    lines = [
        Line(
            units.name(by, standing.unit),
            standing,
            tuple(
                _cell(indicator, found[standing.unit][indicator.id])
                for indicator in assessment.indicator
            ),
        )
        for standing in sorted(placed, key=_place)
    ]
    return Report(month, by, is_frozen, at, assessment.indicator, tuple(lines))


def _cell(indicator: Indicator, row: Row) -> Cell:
    return Cell(
        indicator.id,
        row.numerator,
        row.denominator,
        value(indicator, row),
        shown(indicator, row),
    )


def _place(one: Standing) -> tuple[bool, str, int, str]:
    return one.unit != ALL, one.group, one.rank or 1_000_000, one.unit


@dataclass(frozen=True, slots=True)
class Change:
    """How a recount differs from what was frozen: (numerator, denominator) of each, None where it had no row."""

    by: str
    unit: str
    indicator: str
    frozen: tuple[float, float] | None
    now: tuple[float, float] | None


def changes(frozen: Iterable[Row], counted: Iterable[Row]) -> list[Change]:
    """Every number that differs, by unit and indicator."""
    before, after = _numbers(frozen), _numbers(counted)
    return [
        Change(*key, before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key, (0.0, 0.0)) != after.get(key, (0.0, 0.0))
    ]


def _numbers(rows: Iterable[Row]) -> dict[tuple[str, str, str], tuple[float, float]]:
    return {
        (str(row.by), row.unit, row.indicator): (row.numerator, row.denominator) for row in rows
    }
