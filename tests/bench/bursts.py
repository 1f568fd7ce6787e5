"""How well bursts are found: simulated series with weekdays and spread, against three other methods in the same run.

Run from the project's root: ``python tests/bench/bursts.py [--seed N]``. A false alarm is a run of flagged days in a series
without a shock, counted per series and 30 days. A shock adds the least whole number of items that is three standard deviations
of a day, on five days; it is found when one of them is flagged. Goals at means 0.5, 3 and 20 a day: at most 0.05 false alarms,
at least 0.95 of shocks found. No control over many series here: that only lowers both.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from router.trends.bursts import BurstSettings, judge, runs

WEEK = np.array((1.15, 1.1, 1.05, 1.0, 1.0, 0.85, 0.85))
SERIES, DAYS, FROM, SHOCK = 2_000, 180, 60, 5
SETTINGS = BurstSettings()


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


def alarms(flagged: Any) -> float:
    """Runs of flagged days, per series and 30 days."""
    late = flagged[:, FROM:]
    begins = late & ~np.concatenate([flagged[:, FROM - 1 : FROM], late[:, :-1]], 1)
    return float(begins.sum() / late.shape[0] / (late.shape[1] / 30))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20_261_126)
    seed = parser.parse_args().seed
    print(
        f"seed {seed}; false alarms per series and 30 days / shocks found; {SERIES} series of {DAYS} days",
        flush=True,
    )
    print(f"  {'':<26}" + "".join(f"{f'mean {mean:g}':>16}" for mean in (0.5, 3, 20)))
    for title, spread, season in (
        ("Poisson", 1.0, 0.0),
        ("variance 1.3 x mean", 1.3, 0.0),
        ("and season of 40 %", 1.3, 0.4),
    ):
        told: dict[str, list[str]] = {name: [] for name in METHODS}
        for mean in (0.5, 3.0, 20.0):
            rng = np.random.default_rng(seed)
            mu = means(mean, rng, season)
            quiet = draw(rng, mu, spread)
            shocked = quiet.copy()
            shocked[:, -SHOCK - 2 : -2] += math.ceil(3 * math.sqrt(spread * mean))
            for name, method in METHODS.items():
                found = method(shocked)[:, -SHOCK - 2 : -2].any(1).mean()
                told[name].append(f"{alarms(method(quiet)):.3f} /{found:6.1%}")
        print(title)
        for name, values in told.items():
            print(f"  {name:<26}" + "".join(f"{value:>16}" for value in values), flush=True)
    counts = draw(
        np.random.default_rng(seed), means(2.0, np.random.default_rng(seed), 0.2)[:1_000, :120], 1.3
    )
    began = time.perf_counter()
    judged = judge(counts, [day % 7 for day in range(120)], SETTINGS)
    many = runs(counts, judged, SETTINGS, since=60)
    print(
        f"1,000 series of 120 days judged in {time.perf_counter() - began:.3f} s; {len(many)} discoveries in 60 days of no shock"
    )


if __name__ == "__main__":
    main()
