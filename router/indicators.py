"""What a city measures its offices by (``configs/assessment.toml``): conditions over facts, and their words for people.

An indicator's numerator counts the orders that meet ``where`` and ``count``; its denominator those that meet
``where`` and ``of``. With ``sum`` or ``over`` the named amounts of those orders are added up instead. Without
``of`` and ``over`` it is a plain number. There is no expression language: a condition is a fact and true or false.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Literal

from pydantic import Field, model_validator

from router.facts import AMOUNTS, FLAGS, OrderFacts
from store.config import Strict

Conditions = dict[str, bool]


class Show(StrEnum):
    """How a value is written."""

    PERCENT = "percent"
    NUMBER = "number"
    HOURS = "hours"


class Indicator(Strict):
    """指标. ``formula`` is its definition in words (口径); ``weight`` and ``target`` are shares of the score.

    ``better`` says which way is good; ``target`` is the value from which nothing more is gained.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    name: str = Field(min_length=1)
    formula: str = Field(min_length=1)
    show: Show = Show.PERCENT
    better: Literal["high", "low"]
    weight: float = Field(default=0.0, ge=0, le=100)
    target: float | None = Field(default=None, ge=0, le=1)
    where: Conditions = {}
    count: Conditions = {}
    of: Conditions | None = None
    sum: tuple[str, ...] = ()
    over: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _countable(self) -> Indicator:
        for name in (*self.where, *self.count, *(self.of or {})):
            if name not in FLAGS:
                msg = f"{self.id}: {name} is no fact; one of {', '.join(sorted(FLAGS))}"
                raise ValueError(msg)
        for name in (*self.sum, *self.over):
            if name not in AMOUNTS:
                msg = f"{self.id}: {name} is no amount; one of {', '.join(sorted(AMOUNTS))}"
                raise ValueError(msg)
        self._readable()
        return self

    def _readable(self) -> None:
        if self.show is Show.PERCENT and not self.is_ratio:
            msg = f'{self.id}: a percentage needs of or over; add one, or show = "number"'
            raise ValueError(msg)
        if self.show is not Show.PERCENT and (self.weight or self.target is not None):
            msg = f"{self.id}: only a percentage can have weight or target; remove them"
            raise ValueError(msg)
        if self.better == "low" and self.target == 1:
            msg = f"{self.id}: target = 1 leaves nothing to lose; lower it"
            raise ValueError(msg)
        if self.better == "high" and self.target == 0:
            msg = f"{self.id}: target = 0 leaves nothing to gain; raise it"
            raise ValueError(msg)

    @property
    def is_ratio(self) -> bool:
        """Whether it has a denominator."""
        return self.of is not None or bool(self.over)

    def numerator(self, facts: OrderFacts) -> float:
        """What one order adds to the numerator."""
        return _measure(facts, self.where, self.count, self.sum)

    def denominator(self, facts: OrderFacts) -> float:
        """What one order adds to the denominator; nothing when there is none."""
        return _measure(facts, self.where, self.of or {}, self.over) if self.is_ratio else 0.0


def _measure(
    facts: OrderFacts, where: Mapping[str, bool], more: Mapping[str, bool], amounts: tuple[str, ...]
) -> float:
    for conditions in (where, more):
        for name, wanted in conditions.items():
            if getattr(facts, name) is not wanted:
                return 0.0
    return float(sum(getattr(facts, name) for name in amounts)) if amounts else 1.0


class Freeze(Strict):
    """When a month is fixed: on ``day`` of the next month, at ``hour`` of the city's clock."""

    day: int = Field(default=3, ge=1, le=28)
    hour: int = Field(default=6, ge=0, le=23)


class Assessment(Strict):
    """``configs/assessment.toml``.

    ``repeat_days``: a case that returns within so many days after closing repeats it. ``rank_from``: an
    office with fewer orders in every weighted denominator is scored but not ranked; ``score_from``: one whose
    indicators with a value bear a smaller share of all weight is not scored. ``documents`` are the
    levels of supervision that count; ``count_recordings``: whether replayed messages do.
    """

    repeat_days: float = Field(default=30, gt=0, le=3650)
    rank_from: int = Field(default=5, ge=1)
    score_from: float = Field(default=0.5, ge=0, le=1)
    documents: tuple[str, ...] = ("urge", "order", "circular")
    count_recordings: bool = True
    freeze: Freeze = Freeze()
    indicator: tuple[Indicator, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> Assessment:
        ids = [one.id for one in self.indicator]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            msg = f"indicator {twice[0]} is there twice; remove one"
            raise ValueError(msg)
        return self

    @cached_property
    def indicators(self) -> dict[str, Indicator]:
        """Indicators by id, in order."""
        return {one.id: one for one in self.indicator}
