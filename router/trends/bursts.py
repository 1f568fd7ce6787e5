"""突增: which series rose above what was to be expected of them. Pure; numpy only, all series at once.

Each day is compared with what was expected of it ``guard`` days before (``expecting``). Counts are made even by their
normal score: the deviate whose tail is the chance of so many items or more, a negative binomial's, at the middle of its
step (mid-p: Lancaster 1961). Where items are many that is nearly Anscombe's square root (1948); where they are few it
keeps one limit true for all sizes. Scores are smoothed over days (EWMA: Roberts 1959; that it beats the C1 to C3 of
EARS: Xu et al., sim.3197). A day is flagged when that leaves its limit, or when the day alone is too much by chance.
Limits were set by simulation: tests/bench/bursts.py, docs/bursts.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import betainc, ndtr, ndtri

from router.trends.expecting import Floats, expect
from store.config import Strict

Flags: TypeAlias = NDArray[np.bool_]

SURE = 1e-12
"""The least chance that is told apart from none."""

BACK, PAUSE = 6, 1
"""Most days a burst began before it was flagged, and days of quiet that do not end it."""


class BurstSettings(Strict):
    """``[bursts]`` of ``configs/trends.toml``.

    ``smoothing`` is the weight of the day in the smoothed score, ``limit`` is in standard deviations of that; the last
    ``guard`` days are not yet part of what is expected. ``same_day`` is the chance below which a day is flagged alone;
    ``history`` the days before anything is. ``false_discovery`` is the share of a day's bursts that may be chance. A
    burst needs ``voices`` (a citizen on a case counts once) of ``citizens``.
    """

    smoothing: float = Field(default=0.2, gt=0, le=1)
    guard: int = Field(default=3, ge=1, le=28)
    limit: float = Field(default=2.95, gt=0, le=10)
    same_day: float = Field(default=1e-4, gt=0, lt=1)
    history: int = Field(default=28, ge=14, le=365)
    false_discovery: float = Field(default=0.02, gt=0, le=1)
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


def judge(
    counts: Floats, weekdays: Sequence[int], settings: BurstSettings, *, since: int = 0
) -> Judged:
    """Compare each day of each series with what was expected of it.

    ``weekdays`` are 0 to 6, one a day. ``since`` is the first day on which anybody listened: days before it are not
    days of nothing, and ``history`` begins there.
    """
    heard = counts[:, since:]
    told = expect(heard, weekdays[since:], guard=settings.guard)
    variance = told.mean * told.spread
    alone = beyond(heard, told.mean, variance)
    middle = (alone + beyond(heard + 1, told.mean, variance)) / 2
    away = smoothed(-ndtri(np.clip(middle, SURE, 1 - SURE)), settings.smoothing)
    flagged = ((away > settings.limit) | (alone < settings.same_day)) & (heard > told.mean)
    half = 2 * np.sqrt(variance)
    p = np.minimum(1.0, 2 * np.minimum(ndtr(-away), alone))
    of_all = partial(_from_day, since=since, history=settings.history)
    return Judged(
        expected=of_all(told.mean, np.nan),
        lower=of_all(np.maximum(told.mean - half, 0), np.nan),
        upper=of_all(told.mean + half, np.nan),
        p=of_all(p, np.nan),
        flagged=of_all(flagged, 0.0) > 0,
    )


def _from_day(values: Floats | Flags, nothing: float, *, since: int, history: int) -> Floats:
    """Values of the days since, as values of all days: ``nothing`` where the past is too short."""
    made = np.pad(values.astype(float), ((0, 0), (since, 0)))
    made[:, : since + history] = nothing
    return made


def smoothed(scores: Floats, weight: float) -> Floats:
    """The exponentially weighted mean of each day and those before, in its own standard deviations when steady."""
    steady = np.sqrt(weight / (2 - weight))
    made, now = np.empty_like(scores), np.zeros(scores.shape[0])
    for t in range(scores.shape[1]):
        now = now + weight * (scores[:, t] - now)
        made[:, t] = now / steady
    return made


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
    above = counts > (judged.expected + judged.upper) / 2
    made = [
        _run(int(one), start, end, counts, judged)
        for one in np.nonzero(found.any(1))[0]
        for first, last in spans(judged.flagged[one])
        if found[one, first : last + 1].any()
        for start, end in [_trimmed(first, last, above[one])]
    ]
    return sorted(made, key=lambda run: (-run.excess, run.series, run.start))


def spans(flagged: Flags) -> list[tuple[int, int]]:
    """First and last day of each run of flagged days of one series."""
    days = np.nonzero(flagged)[0]
    if not len(days):
        return []
    parts = np.split(days, np.nonzero(np.diff(days) > 1 + PAUSE)[0] + 1)
    return [(int(part[0]), int(part[-1])) for part in parts]


def _trimmed(first: int, last: int, above: Flags) -> tuple[int, int]:
    """The span from the first to the last day that rose: at most ``BACK`` days longer, never empty."""
    start, end = first, last
    while start > max(first - BACK, 0) and above[start - 1]:
        start -= 1
    while end > start and not above[end]:
        end -= 1
    return start, end


def _run(series: int, start: int, end: int, counts: Floats, judged: Judged) -> Run:
    inside = (series, slice(start, end + 1))
    observed, expected = counts[inside].sum(), judged.expected[inside].sum()
    return Run(series, start, end, float(observed), float(expected))
