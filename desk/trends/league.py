"""排名: offices beside their like, by a formula that is shown; few orders give no place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from router.trends.catalogue import Catalogue
from router.trends.numbers import Figure
from router.trends.sums import NUMBER

Told = Mapping[str, Mapping[str, Figure]]
"""Figures by indicator and office."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of an office with its cases."""

    shown: str
    link: str


@dataclass(frozen=True, slots=True)
class Place:
    """One office. ``rank`` is None with too few orders or nothing to score; ``moved`` is places gained since."""

    id: str
    name: str
    n: int
    score: float | None
    rank: int | None
    moved: int | None
    cells: list[Entry]


@dataclass(frozen=True, slots=True)
class League:
    """A table of offices of one kind. ``formula`` says how the score is made."""

    name: str
    columns: list[str]
    formula: str
    places: list[Place]


def score(office: str, told: Told, weights: Mapping[str, float]) -> float | None:
    """0 to 100: Σ weight × value over the weights of the indicators that have a value; None of none."""
    values = {one: told[one][office].value for one in weights if office in told.get(one, {})}
    kept = {one: value for one, value in values.items() if value is not None}
    weight = sum(weights[one] for one in kept)
    if not weight:
        return None
    return 100 * sum(weights[one] * value for one, value in kept.items()) / weight


def ranks(offices: Sequence[str], told: Told, catalogue: Catalogue) -> dict[str, int]:
    """Places among those with enough orders; equals share one."""
    settings = catalogue.league
    scores = {
        one: round(found, 6)
        for one in offices
        if orders(one, told) >= settings.rank_from
        and (found := score(one, told, settings.weights)) is not None
    }
    return {one: 1 + sum(other > mine for other in scores.values()) for one, mine in scores.items()}


def orders(office: str, told: Told) -> int:
    """Work orders an office was given."""
    figure = told.get("orders", {}).get(office)
    return int(figure.numerator) if figure else 0


def league(
    name: str,
    offices: Sequence[str],
    now: Told,
    before: Told,
    catalogue: Catalogue,
    names: Mapping[str, str],
) -> League:
    """The table: ranked first, the rest by their orders; offices without any are left out."""
    settings = catalogue.league
    places, earlier = ranks(offices, now, catalogue), ranks(offices, before, catalogue)
    shown = [one for one in offices if orders(one, now)]
    shown.sort(key=lambda one: (places.get(one, len(offices) + 1), -orders(one, now), one))
    return League(
        name=name,
        columns=[catalogue.by_id[one].name for one in settings.indicators],
        formula=formula(catalogue),
        places=[
            Place(
                id=one,
                name=names.get(one, one),
                n=orders(one, now),
                score=score(one, now, settings.weights) if one in places else None,
                rank=places.get(one),
                moved=earlier[one] - places[one] if one in places and one in earlier else None,
                cells=[_entry(now[indicator].get(one)) for indicator in settings.indicators],
            )
            for one in shown
        ],
    )


def _entry(figure: Figure | None) -> Entry:
    return Entry("—", "") if figure is None else Entry(figure.shown, NUMBER + figure.ask.query())


def formula(catalogue: Catalogue) -> str:
    """How the score is made, in words."""
    settings = catalogue.league
    parts = " + ".join(
        f"{catalogue.by_id[one].name} {weight:g}%" for one, weight in settings.weights.items()
    )
    return f"综合得分 = {parts}；没有数据的指标不参与，权重按比例分给其余；工单少于 {settings.rank_from} 件不排名"
