"""What each day of many series should bring, learned from the days before it. Pure; numpy only, all series at once.

The level follows by exponential smoothing, the quicker the more a day says of it (the gain of a random walk's Kalman
filter goes with the root of mean over variance). A weekday is its share of the level, drawn towards none while few
items speak for it. The spread is the variance as a multiple of the mean, drawn towards ``SPREAD`` at first. A day is
taken in only as far as it is within ``CREDIBLE`` standard deviations: a burst does not spoil what follows, and a level
that stays becomes normal in some weeks. All constants were set by simulation (tests/bench/bursts.py, docs/trials.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

LEAST = 0.05
"""Items a day below which nothing is expected."""

FIRST = 14
"""Days whose mean the level begins with."""

SLOWEST, QUICKEST, QUICKER = 0.03, 0.2, 0.05
"""Gain of the level: ``QUICKER`` times the root of mean over variance, within these."""

WEEK_STEP, WEEK_PRIOR = 0.02, 8.0
"""How fast weekdays are learned, and how many items speak for their being alike."""

SPREAD, WIDEST = 1.5, 60.0
"""Variance over mean before anything is known of it, and at most."""

SPREAD_STEP, SPREAD_DAYS, SPREAD_ITEMS = 0.02, 20, 0.5
"""How fast the spread is learned; how many days its first value weighs; a day of so many items says half as much."""

SCANT = 0.3
"""Items a day below which a day tells the spread no less."""

CREDIBLE, STRAY = 2.0, 4.0
"""Standard deviations of a day beyond which the level, and the spread, do not believe it."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Arrays of series by days: items, and their variance over them, with what the level itself may be off."""

    mean: Floats
    spread: Floats


@dataclass(frozen=True, slots=True)
class _State:
    """What is known of all series after a day; ``week`` is series by weekdays, the rest one value a series."""

    level: Floats
    gain: Floats
    week: Floats
    spread: Floats

    def of(self, weekday: int) -> tuple[Floats, Floats]:
        """Expected items of such a day, and variance over mean."""
        unsure = 1 + self.gain / (2 - self.gain)
        return np.maximum(self.level * self.week[:, weekday], LEAST), self.spread * unsure


def expect(counts: Floats, weekdays: Sequence[int], *, guard: int) -> Expected:
    """What each day should bring as known ``guard`` days before; ``weekdays`` are 0 to 6, one a day.

    The first ``FIRST`` days are told from themselves.
    """
    series, days = counts.shape
    mean, spread = np.empty((series, days)), np.empty((series, days))
    weekly = _Weekdays(series)
    known = [_first(counts)]
    for t, weekday in enumerate(weekdays):
        told, wide = known[max(t - guard, 0)].of(weekday)
        mean[:, t], spread[:, t] = told, wide
        deviation = np.sqrt(wide * told)
        believed = np.minimum(counts[:, t], told + CREDIBLE * deviation + 1)
        strayed = np.minimum(counts[:, t], told + STRAY * deviation + 1) - told
        last = known[-1]
        gain = _gain(last)
        level = last.level + gain * (believed - last.level * last.week[:, weekday])
        level = np.maximum(level, LEAST / 2)
        week = weekly.learn(weekday, believed, level)
        known.append(_State(level, gain, week, _spread(last, t, strayed, told)))
    return Expected(mean, spread)


def _first(counts: Floats) -> _State:
    """What is known before the first day: nothing but the mean of the first days."""
    series, days = counts.shape
    level = np.maximum(counts[:, :FIRST].mean(1), LEAST) if days else np.full(series, LEAST)
    one = np.ones(series)
    return _State(level, SLOWEST * one, np.ones((series, 7)), SPREAD * one)


class _Weekdays:
    """Items that came on each weekday, and that would have come were all weekdays alike; old ones count less."""

    def __init__(self, series: int) -> None:
        self._came, self._owed = np.zeros((series, 7)), np.zeros((series, 7))

    def learn(self, weekday: int, came: Floats, owed: Floats) -> Floats:
        """Take in a day; the share of each weekday, one on average."""
        for sums, items in ((self._came, came), (self._owed, owed)):
            sums[:, weekday] = (1 - WEEK_STEP) * sums[:, weekday] + items
        share = (self._came + WEEK_PRIOR) / (self._owed + WEEK_PRIOR)
        return np.asarray(share / share.mean(1, keepdims=True))


def _gain(last: _State) -> Floats:
    """How much of a day the level takes over."""
    return np.clip(QUICKER * np.sqrt(last.level / last.spread), SLOWEST, QUICKEST)


def _spread(last: _State, t: int, strayed: Floats, mean: Floats) -> Floats:
    """Variance over mean after day ``t`` strayed so far; a day of few items says little of it."""
    step = max(SPREAD_STEP, 1 / (t + SPREAD_DAYS)) / (1 + SPREAD_ITEMS / last.level)
    found = strayed**2 / np.maximum(mean, SCANT)
    return np.asarray(np.clip(last.spread + step * (found - last.spread), 1.0, WIDEST))
