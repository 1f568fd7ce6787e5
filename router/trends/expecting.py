"""What each day of many series should bring, learned from the days before it. Pure; numpy only, all series at once.

The level follows by exponential smoothing, the quicker the more a day says of it (the gain of a random walk's Kalman filter
goes with the root of mean over variance); a weekday is its share of the level, drawn towards none while few items
speak for it; the spread is the variance as a multiple of the mean, drawn towards ``SPREAD`` at first. A day is taken in only as
far as it is within ``CREDIBLE`` standard deviations: a burst does not spoil what follows, and a level that stays becomes
normal in some weeks. All constants were set by simulation (tests/bench/bursts.py, docs/trials.md).
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

SLOWEST, QUICKEST, QUICKER = 0.03, 0.2, 0.04
"""Gain of the level: ``QUICKER`` times the root of mean over variance, within these."""

WEEK_STEP, WEEK_PRIOR = 0.02, 8.0
"""How fast weekdays are learned, and how many items speak for their being alike."""

SPREAD, WIDEST = 1.5, 60.0
"""Variance over mean before anything is known of it, and at most."""

SPREAD_STEP, SPREAD_DAYS, SPREAD_ITEMS = 0.02, 20, 0.5
"""How fast the spread is learned; how many days its first value weighs; a day of so many items says half as much."""

CREDIBLE, STRAY = 2.0, 4.0
"""Standard deviations of a day beyond which the level, and the spread, do not believe it."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Arrays of series by days: items, and their variance as a multiple of them (with what the level itself may be off)."""

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
    level = np.maximum(counts[:, :FIRST].mean(1), LEAST) if days else np.full(series, LEAST)
    week = np.ones((series, 7))
    known = [_State(level, np.full(series, SLOWEST), week, np.full(series, SPREAD))]
    seen, owed = np.zeros((series, 7)), np.zeros((series, 7))
    for t, weekday in enumerate(weekdays):
        mean[:, t], spread[:, t] = known[max(t - guard, 0)].of(weekday)
        known.append(_learned(known[-1], t, weekday, counts[:, t], (mean[:, t], spread[:, t])))
        believed = _within(counts[:, t], mean[:, t], spread[:, t], CREDIBLE)
        for sums, value in ((seen, believed), (owed, known[-1].level)):
            sums[:, weekday] = (1 - WEEK_STEP) * sums[:, weekday] + value
        ratio = (seen + WEEK_PRIOR) / (owed + WEEK_PRIOR)
        known[-1].week[:] = ratio / ratio.mean(1, keepdims=True)
    return Expected(mean, spread)


def _learned(
    last: _State, t: int, weekday: int, count: Floats, told: tuple[Floats, Floats]
) -> _State:
    """Level and spread after day ``t``; its weekdays are yet to be written."""
    mean, spread = told
    gain = np.clip(QUICKER * np.sqrt(last.level / last.spread), SLOWEST, QUICKEST)
    gain = np.maximum(gain, 1 / (t + 2))
    found = _within(count, mean, spread, CREDIBLE) / last.week[:, weekday]
    level = np.maximum(last.level + gain * (found - last.level), LEAST / 2)
    away = (_within(count, mean, spread, STRAY) - mean) ** 2 / np.maximum(mean, 0.3)
    step = max(SPREAD_STEP, 1 / (t + SPREAD_DAYS)) / (1 + SPREAD_ITEMS / level)
    wide = np.clip(last.spread + step * (away - last.spread), 1.0, WIDEST)
    return _State(level, gain, np.empty_like(last.week), wide)


def _within(count: Floats, mean: Floats, spread: Floats, most: float) -> Floats:
    """The count, or so many standard deviations (and an item) above what was expected."""
    return np.minimum(count, mean + most * np.sqrt(spread * mean) + 1)
