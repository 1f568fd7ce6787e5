"""How well bursts are found: simulated series with weekdays and spread, against three other methods in the same run.

Run from the project's root: ``python tests/bench/bursts.py [--seed N]``. A false alarm is a run of flagged days in a series
without a shock, counted per series and 30 days from its 57th day on. A shock is three standard deviations of a day, five days
long, and begins after 56 to 120 days, on any weekday; it is found when one of the five is flagged. It is simulated twice:
as so many items more (rounded at random, so that they are so many on average), and as a higher mean of what comes by chance.
Goals at means 0.5, 3 and 20 a day: at most 0.05 false alarms, at least 0.95 of shocks found. No control over many series here:
that only lowers both. What can be found at most is told by a method that knows the truth: a CUSUM of the likelihood ratio
(Page 1954), its limit set to 0.05 false alarms in the same series.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import nbinom

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from router.trends.bursts import BurstSettings, judge, runs

WEEK = np.array((1.15, 1.1, 1.05, 1.0, 1.0, 0.85, 0.85))
SERIES, DAYS, FROM, SHOCK = 2_000, 150, 56, 5
GOAL, FOUND = 0.05, 0.95
SETTINGS = BurstSettings()
CASES = (
    ("Poisson", 1.0, 0.0),
    ("variance 1.3 x mean", 1.3, 0.0),
    ("variance 2 x mean", 2.0, 0.0),
    ("1.3 and a year of +-40 %", 1.3, 0.4),
)


def means(mean: float, rng: np.random.Generator, season: float) -> Any:
    """Expected items of each day."""
    day = np.arange(DAYS)
    swing = 1 + season * np.cos(2 * np.pi * (day + rng.integers(0, 365, (SERIES, 1))) / 365)
    return mean * WEEK[day % 7] / WEEK.mean() * swing


def draw(rng: np.random.Generator, mu: Any, spread: float) -> Any:
    """Poisson, or negative binomial of variance ``spread`` times the mean."""
    return rng.poisson(mu if spread == 1 else rng.gamma(mu / (spread - 1), spread - 1)).astype(
        float
    )


def ours(counts: Any) -> Any:
    return judge(counts, [int(day % 7) for day in range(counts.shape[1])], SETTINGS).flagged


def moving(counts: Any, days: int, gap: int, limit: float) -> Any:
    """A day beyond mean and ``limit`` standard deviations of so many days before it."""
    flagged = np.zeros(counts.shape, dtype=bool)
    for t in range(days + gap, counts.shape[1]):
        past = counts[:, t - days - gap : t - gap]
        flagged[:, t] = counts[:, t] > past.mean(1) + limit * np.maximum(past.std(1, ddof=1), 0.5)
    return flagged


def plain_ewma(counts: Any) -> Any:
    """λ = 0.4, three standard deviations of the 28 days before, no weekdays, no root."""
    flagged = np.zeros(counts.shape, dtype=bool)
    smooth = counts[:, 0]
    for t in range(1, counts.shape[1]):
        past = counts[:, max(t - 28, 0) : t]
        smooth = 0.6 * smooth + 0.4 * counts[:, t]
        flagged[:, t] = smooth > past.mean(1) + 3 * 0.5 * np.maximum(past.std(1), 0.5)
    return flagged


METHODS: dict[str, Callable[[Any], Any]] = {
    "ours": ours,
    "EARS C2": lambda counts: moving(counts, 7, 2, 3.0),
    "z-score 28 d": lambda counts: moving(counts, 28, 0, 3.0),
    "plain EWMA": plain_ewma,
}


def cusum(counts: Any, mu: Any, more: float, spread: float) -> Any:
    """The sum of the log likelihood ratio of ``more`` items in the mean, never below nothing."""
    wide = max(spread, 1.001)
    odds = 1 / wide
    ratio = nbinom.logpmf(counts, (mu + more) / (wide - 1), odds)
    ratio -= nbinom.logpmf(counts, mu / (wide - 1), odds)
    sums, now = np.empty_like(ratio), np.zeros(len(ratio))
    for t in range(ratio.shape[1]):
        now = np.maximum(now + ratio[:, t], 0)
        sums[:, t] = now
    return sums


def alarms(flagged: Any) -> float:
    """Runs of flagged days, per series and 30 days."""
    late = flagged[:, FROM:]
    begins = late & ~np.concatenate([flagged[:, FROM - 1 : FROM], late[:, :-1]], 1)
    return float(begins.sum() / late.shape[0] / (late.shape[1] / 30))


class Trial:
    """Series of one mean and spread, quiet and with both kinds of shock."""

    def __init__(self, seed: int, mean: float, spread: float, season: float) -> None:
        rng = np.random.default_rng(seed)
        self.mu, self.spread, self.more = (
            means(mean, rng, season),
            spread,
            3 * math.sqrt(spread * mean),
        )
        self.quiet = draw(rng, self.mu, spread)
        self.days = rng.integers(FROM, 121, (SERIES, 1)) + np.arange(SHOCK)
        exact = np.floor(self.more + rng.random((SERIES, SHOCK)))
        chance = draw(rng, np.full((SERIES, SHOCK), self.more), spread)
        self.shocked = [self._with(extra) for extra in (exact, chance)]

    def _with(self, extra: Any) -> Any:
        counts = self.quiet.copy()
        counts[np.arange(SERIES)[:, None], self.days] += extra
        return counts

    def found(self, flagged: Any) -> float:
        """Share of shocks with a flagged day."""
        return float(np.take_along_axis(flagged, self.days, 1).any(1).mean())

    def told(self, method: Callable[[Any], Any]) -> tuple[float, float, float]:
        """False alarms, and both shares found."""
        exact, chance = (self.found(method(counts)) for counts in self.shocked)
        return alarms(method(self.quiet)), exact, chance

    def most(self) -> tuple[float, float, float]:
        """The same of the method that knows the truth."""
        sums, *shocked = (
            cusum(one, self.mu, self.more, self.spread) for one in (self.quiet, *self.shocked)
        )
        limit = next(one for one in np.arange(2, 12, 0.05) if alarms(sums > one) <= GOAL)
        exact, chance = (self.found(one > limit) for one in shocked)
        return alarms(sums > limit), exact, chance


def pace(seed: int) -> str:
    """How long 1,000 series take, and what is told of them though nothing happened."""
    rng = np.random.default_rng(seed)
    counts = draw(rng, means(2.0, rng, 0.2)[:1_000, :120], 1.3)
    began = time.perf_counter()
    judged = judge(counts, [day % 7 for day in range(120)], SETTINGS)
    many = runs(counts, judged, SETTINGS, since=60)
    took = time.perf_counter() - began
    return (
        f"1,000 series of 120 days: {took:.3f} s; told in 60 days of no shock: {len(many)} bursts"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20_261_126)
    seed = parser.parse_args().seed
    print(f"seed {seed}; {SERIES} series of {DAYS} days; false alarms per series and 30 days,")
    print("shocks found: so many items more / a mean so much higher", flush=True)
    print(f"  {'':<26}" + "".join(f"{f'mean {mean:g}':>24}" for mean in (0.5, 3, 20)))
    missed = []
    for title, spread, season in CASES:
        trials = {mean: Trial(seed, mean, spread, season) for mean in (0.5, 3.0, 20.0)}
        print(title)
        for name, method in METHODS.items():
            told = {mean: trial.told(method) for mean, trial in trials.items()}
            print(f"  {name:<26}" + "".join(_shown(one) for one in told.values()), flush=True)
            if name == "ours":
                missed += [
                    f"{title}, mean {mean:g}"
                    for mean, (false, exact, _) in told.items()
                    if false > GOAL or exact < FOUND
                ]
        print(f"  {'who knows the truth':<26}" + "".join(_shown(t.most()) for t in trials.values()))
    print(f"goals missed (items more): {'; '.join(missed) or 'none'}")
    print(pace(seed))


def _shown(told: tuple[float, float, float]) -> str:
    return f"{told[0]:>10.3f} {told[1]:6.1%}/{told[2]:6.1%}"


if __name__ == "__main__":
    main()
