"""突增: which series rose above what was to be expected of them. Pure; numpy only, all series at once.

Each day is compared with an expectation that was fixed ``guard`` days before, so that a burst does not hide
itself: a level that follows slowly (exponential smoothing), times the share of the weekday, shrunk towards none.
Counts are made even by the square root (Anscombe 1948), divided by the spread the series showed, and smoothed over
days (EWMA: Roberts 1959; that it beats the C1 to C3 of EARS: Xu et al., sim.3197). A day is flagged when that leaves
its limit, or when the day alone is too much for a negative binomial. What was too much enters the level only up to the
upper bound: a burst does not spoil the expectation, and a level that stays becomes normal in some weeks. Limits were
set by simulation: tests/bench/bursts.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import betainc, ndtr

from store.config import Strict

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

LEAST = 0.05
"""Items a day below which nothing is expected."""

FIRST = 14
"""Days whose mean the level begins with."""

SPREAD_STEP, WEEK_STEP, WEEK_PRIOR = 0.02, 0.02, 8.0
"""How fast spread and weekdays are learned, and how many items speak for all weekdays being alike."""

WIDEST = 4.0
"""The most times the variance may be of the mean."""

FEW, MANY = 0.5, 20.0
"""Items a day between which the limit goes from ``limit_few`` to ``limit_many``."""


class BurstSettings(Strict):
    """``[bursts]`` of ``configs/trends.toml``. Limits are in standard deviations of the smoothed deviation.

    ``same_day`` is the chance below which a day is flagged alone; ``history`` the days before anything is.
    ``false_discovery`` is the share of a day's bursts that may be chance. A burst needs ``voices`` (a citizen on a
    case counts once) of ``citizens``.
    """

    smoothing: float = Field(default=0.4, gt=0, le=1)
    level: float = Field(default=0.05, gt=0, lt=1)
    guard: int = Field(default=6, ge=1, le=28)
    limit_few: float = Field(default=2.5, gt=0, le=10)
    limit_many: float = Field(default=3.0, gt=0, le=10)
    same_day: float = Field(default=1e-5, gt=0, lt=1)
    history: int = Field(default=28, ge=14, le=365)
    false_discovery: float = Field(default=0.05, gt=0, le=1)
    voices: int = Field(default=3, ge=1)
    citizens: int = Field(default=2, ge=1)


@dataclass(frozen=True, slots=True)
class Judged:
    """Arrays of series by days; nan, and never flagged, where the past is too short. ``p`` is one-sided."""

    expected: Floats
    lower: Floats
    upper: Floats
    p: Floats
    flagged: Flags


def judge(counts: Floats, weekdays: Sequence[int], settings: BurstSettings) -> Judged:
    """Compare each day of each series with what was expected of it. ``weekdays`` are 0 to 6, one a day."""
    series, days = counts.shape
    made = {name: np.full((series, days), np.nan) for name in ("expected", "spread", "smooth")}
    state = _Past(counts, settings)
    smooth = np.zeros(series)
    for t in range(days):
        expected, spread = state.expect(t, weekdays[t])
        even = 2 * (np.sqrt(counts[:, t] + 0.375) - np.sqrt(expected + 0.375)) / np.sqrt(spread)
        smooth = (1 - settings.smoothing) * smooth + settings.smoothing * even
        made["expected"][:, t], made["spread"][:, t], made["smooth"][:, t] = (
            expected,
            spread,
            smooth,
        )
        state.learn(t, weekdays[t], counts[:, t], expected, spread)
    return _verdict(counts, made, settings)


class _Past:
    """Level, weekdays and spread of all series as they stood after each day."""

    def __init__(self, counts: Floats, settings: BurstSettings) -> None:
        series = counts.shape[0]
        self._settings = settings
        level = np.maximum(
            counts[:, :FIRST].mean(1) if counts.shape[1] else np.zeros(series), LEAST
        )
        self._kept = [(level, np.ones((series, 7)), np.full(series, 1.2))]
        self._seen, self._owed = np.zeros((series, 7)), np.zeros((series, 7))

    def expect(self, t: int, weekday: int) -> tuple[Floats, Floats]:
        """What day ``t`` should bring, and its variance as a multiple of that, as known ``guard`` days before."""
        level, week, spread = self._kept[max(t - self._settings.guard, 0)]
        return np.maximum(level * week[:, weekday], LEAST), spread

    def learn(self, t: int, weekday: int, count: Floats, expected: Floats, spread: Floats) -> None:
        """Take in day ``t``, no more of it than could be expected."""
        level, week, wide = self._kept[-1]
        credible = np.minimum(count, expected + 3 * np.sqrt(spread * expected) + 1)
        step = max(self._settings.level, 1 / (t + 2))
        level = np.maximum(level + step * (credible / week[:, weekday] - level), LEAST / 2)
        self._seen[:, weekday] = (1 - WEEK_STEP) * self._seen[:, weekday] + credible
        self._owed[:, weekday] = (1 - WEEK_STEP) * self._owed[:, weekday] + level
        ratio = (self._seen + WEEK_PRIOR) / (self._owed + WEEK_PRIOR)
        week = ratio / ratio.mean(1, keepdims=True)
        away = np.minimum((credible - expected) ** 2 / np.maximum(expected, 0.3), 9.0)
        wide = np.clip(wide + SPREAD_STEP * (away - wide), 1.0, WIDEST)
        self._kept.append((level, week, wide))


def _verdict(counts: Floats, made: dict[str, Floats], settings: BurstSettings) -> Judged:
    expected, spread = made["expected"], made["spread"]
    steady = np.sqrt(settings.smoothing / (2 - settings.smoothing))
    away = made["smooth"] / steady
    alone = beyond(
        counts, expected, spread * expected * (1 + settings.level / (2 - settings.level))
    )
    flagged = ((away > limit(expected, settings)) | (alone < settings.same_day)) & (
        counts > expected
    )
    half = 2 * np.sqrt(spread * expected)
    young = np.arange(counts.shape[1]) < settings.history
    for values in (expected, half):
        values[:, young] = np.nan
    p = np.minimum(1.0, 2 * np.minimum(1 - ndtr(away), alone))
    return Judged(expected, np.maximum(expected - half, 0), expected + half, p, flagged & ~young)


def limit(expected: Floats, settings: BurstSettings) -> Floats:
    """How many standard deviations are too much for a series of this size."""
    share = (np.log(np.clip(expected, FEW, MANY)) - np.log(FEW)) / (np.log(MANY) - np.log(FEW))
    return np.asarray(settings.limit_few + share * (settings.limit_many - settings.limit_few))


def beyond(count: Floats, mean: Floats, variance: Floats) -> Floats:
    """The chance of ``count`` or more of a negative binomial of this mean and variance (1 % above it at least)."""
    spread = np.maximum(variance / mean, 1.01)
    size = mean / (spread - 1)
    whole = np.maximum(count, 1e-9)
    return np.asarray(np.where(count > 0, betainc(whole, size, 1 - 1 / spread), 1.0))


def discoveries(p: Floats, share: float) -> Flags:
    """Which of many chances are none, so that at most ``share`` are wrong (Benjamini and Hochberg 1995)."""
    order = np.argsort(p)
    ranked = p[order] <= share * np.arange(1, len(p) + 1) / max(len(p), 1)
    kept = np.zeros(len(p), dtype=bool)
    if ranked.any():
        kept[order[: int(np.nonzero(ranked)[0].max()) + 1]] = True
    return kept


@dataclass(frozen=True, slots=True)
class Run:
    """A burst of one series: indices of its first and last day, and what it brought beside what was expected."""

    series: int
    start: int
    end: int
    observed: float
    expected: float

    @property
    def excess(self) -> float:
        """Items beyond the expected; what bursts are ranked by."""
        return self.observed - self.expected


def runs(counts: Floats, judged: Judged, settings: BurstSettings, *, since: int = 0) -> list[Run]:
    """Bursts with a flagged day from ``since`` on that is a discovery among all series, by excess.

    A day's pause does not end a burst. It begins and ends with days that are more than a standard deviation above
    expectation: the smoothing notices a day late, and remembers a day too long.
    """
    found = np.zeros_like(judged.flagged)
    for t in range(since, counts.shape[1]):
        found[:, t] = judged.flagged[:, t] & discoveries(judged.p[:, t], settings.false_discovery)
    made = []
    for one in np.nonzero(found.any(1))[0]:
        made += _spans(int(one), found[one], counts[one], judged, settings.guard)
    return sorted(made, key=lambda run: (-run.excess, run.series, run.start))


def _spans(series: int, found: Flags, counts: Floats, judged: Judged, guard: int) -> list[Run]:
    spans: list[tuple[int, int]] = []
    days = judged.flagged[series] | found
    for t in np.nonzero(days)[0]:
        if spans and t - spans[-1][1] <= 2:  # noqa: PLR2004 - one quiet day between
            spans[-1] = (spans[-1][0], int(t))
        else:
            spans.append((int(t), int(t)))
    above = counts > (judged.expected[series] + judged.upper[series]) / 2
    runs_ = []
    for first, last in spans:
        if not found[first : last + 1].any():
            continue
        start, end = first, last
        while start > 0 and first - start < guard and above[start - 1]:
            start -= 1
        while end > start and not above[end]:
            end -= 1
        inside = slice(start, end + 1)
        expected = float(np.nansum(judged.expected[series][inside]))
        runs_.append(Run(series, start, end, float(counts[inside].sum()), expected))
    return runs_
