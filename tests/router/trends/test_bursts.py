"""Bursts are found where they are, and only there."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.trends.bursts import BurstSettings, Judged, beyond, discoveries, judge, runs, spans
from router.trends.expecting import Floats, expect

SETTINGS = BurstSettings()
DAYS = 120
WEEK = np.array((1.15, 1.1, 1.05, 1.0, 1.0, 0.85, 0.85))
WEEKDAYS = [day % 7 for day in range(DAYS)]


def judged(counts: object, since: int = 0) -> Judged:
    """One series or many, whose first day is a Monday."""
    rows = np.atleast_2d(np.asarray(counts, dtype=float))
    return judge(rows, [day % 7 for day in range(rows.shape[1])], SETTINGS, since=since)


def drawn(mean: float, *, series: int = 500, spread: float = 1.3, seed: int = 3) -> Floats:
    """Series with weekdays and more spread than chance alone."""
    mu = np.tile(mean * WEEK[np.arange(DAYS) % 7] / WEEK.mean(), (series, 1))
    rng = np.random.default_rng(seed)
    return rng.poisson(rng.gamma(mu / (spread - 1), spread - 1)).astype(float)


def flat(level: float, **days: float) -> Floats:
    """The same each day but for the days that are named, as ``d100=9``."""
    counts = np.full(DAYS, level)
    for day, count in days.items():
        counts[int(day[1:])] = count
    return counts


CALM = {
    "nothing ever": flat(0),
    "one item": flat(0, d110=1),
    "two items in a day": flat(0, d110=2),
    "always the same": flat(4),
    "many, always the same": flat(300),
    "only on Mondays": np.where(np.arange(DAYS) % 7 == 0, 12.0, 0.0),
    "none on weekends": np.where(np.arange(DAYS) % 7 < 5, 8.0, 0.0),
    "a year's cycle": np.round(20 * (1 + 0.4 * np.sin(2 * np.pi * np.arange(DAYS) / 365))),
    "doubles in four months": np.round(20 * (1 + np.arange(DAYS) / DAYS)),
    "falls silent": np.where(np.arange(DAYS) < 80, 9.0, 0.0),
    "a day of nothing": flat(9, d100=0),
}


@pytest.mark.parametrize("counts", CALM.values(), ids=CALM.keys())
def test_what_is_usual_is_no_burst(counts: Floats) -> None:
    assert not judged(counts).flagged.any()


RISES = {
    "a day, out of nothing": (flat(0, d100=5), 100, 100),
    "a day": (flat(3, d100=16), 100, 100),
    "a day among many": (flat(300, d100=420), 100, 100),
    "three days": (flat(3, d100=11, d101=11, d102=11), 100, 102),
    "a pause within": (flat(2, d100=12, d101=2, d102=12), 100, 102),
    "slowly": (flat(3, d100=6, d101=8, d102=9, d103=10, d104=10), 100, 104),
    "a Monday too many": (
        np.where(np.arange(DAYS) % 7 == 0, 12.0, 0.0) + flat(0, d105=24),
        105,
        105,
    ),
    "remembered too long": (
        flat(20, d100=60, d101=60, d102=60, d103=23, d104=23),
        100,
        102,
    ),
    "still going on": (np.where(np.arange(DAYS) < 117, 3.0, 12.0), 117, 119),
    "a dump of old items told on one day": (flat(5, d100=50_000), 100, 100),
}


@pytest.mark.parametrize(("counts", "start", "end"), RISES.values(), ids=RISES.keys())
def test_a_rise_is_one_burst_from_its_first_to_its_last_day(
    counts: Floats, start: int, end: int
) -> None:
    (run,) = runs(counts[None], judged(counts), SETTINGS)
    assert (run.series, run.start, run.end) == (0, start, end)
    assert run.observed == counts[start : end + 1].sum()
    usual = np.median(counts[counts > 0]) if start == end == 105 else np.median(counts)
    assert run.expected == pytest.approx(max(usual, 0.05) * (end - start + 1), rel=0.35)
    assert run.excess == run.observed - run.expected


@pytest.mark.parametrize("level", [2.0, 20.0])
def test_a_lasting_level_becomes_normal_and_the_old_one_is_no_burst(level: float) -> None:
    more = level + math.ceil(3 * math.sqrt(level))
    days = np.arange(DAYS)
    told = judged(np.where((days >= 60) & (days < 100), more, level)).flagged[0]
    assert told[60:66].any()
    assert not told[60 + 28 :].any()


@pytest.mark.parametrize(("level", "most"), [(1.0, 2.0), (20.0, 1.6)])
def test_a_burst_does_not_hide_the_next(level: float, most: float) -> None:
    """Of a week of four times as many, expectations take over little; four weeks on, the same is found again."""
    days = np.arange(DAYS)
    rises = ((days >= 60) & (days < 67)) | ((days >= 95) & (days < 102))
    counts = np.where(rises, 4 * level, level)
    told = judged(counts)
    assert np.nanmax(told.expected[0, :95]) < most * level
    assert len(runs(counts[None], told, SETTINGS)) == 2


def test_a_short_past_says_nothing() -> None:
    told = judged(flat(3, d20=90))
    for values in (told.expected, told.lower, told.upper, told.p):
        assert np.isnan(values[0, : SETTINGS.history]).all()
        assert np.isfinite(values[0, SETTINGS.history :]).all()
    assert not told.flagged[0, : SETTINGS.history].any()
    for days in (0, 1, 13, 28):
        short = judged(np.arange(days))
        assert short.expected.shape == (1, days)
        assert np.isnan(short.expected).all()
        assert not short.flagged.any()


@pytest.mark.parametrize("since", [0, 50, 90, 119, 120])
def test_the_past_begins_when_somebody_listened(since: int) -> None:
    """A hub's first weeks are no burst after months of nothing; those after them are judged as if there was no before."""
    counts = np.where(np.arange(DAYS) < since, 0.0, 6.0 + np.arange(DAYS) % 3)
    told = judged(counts, since)
    assert np.isnan(told.expected[0, : since + SETTINGS.history]).all()
    assert not told.flagged.any()
    alone = judge(counts[None, since:], WEEKDAYS[since:], SETTINGS)
    np.testing.assert_array_equal(told.expected[:, since:], alone.expected)
    if 0 < since < 90:
        assert judged(counts).flagged.any()


def test_no_series_is_no_burst() -> None:
    none = np.empty((0, DAYS))
    told = judge(none, WEEKDAYS, SETTINGS)
    assert told.expected.shape == none.shape
    assert runs(none, told, SETTINGS) == []


def test_weekdays_are_learned() -> None:
    """Within 6 % of the truth after four months, at three items a day."""
    told = expect(drawn(3.0), WEEKDAYS, guard=3).mean[:, -7:].mean(0)
    truth = 3.0 * WEEK / WEEK.mean()
    np.testing.assert_allclose(told, np.roll(truth, -(DAYS % 7)), rtol=0.06)


@pytest.mark.parametrize("spread", [1.05, 1.5, 3.0])
def test_spread_is_learned(spread: float) -> None:
    """And some more: what the expectation itself was off by."""
    told = expect(drawn(20.0, spread=spread), WEEKDAYS, guard=3).spread[:, -1].mean()
    assert spread < told < 1.15 * spread + 0.3


def test_the_band_holds_most_days() -> None:
    counts = drawn(3.0)
    told = judged(counts)
    seen = np.isfinite(told.expected)
    inside = (counts >= told.lower) & (counts <= told.upper)
    assert 0.93 <= inside[seen].mean() <= 0.98


@pytest.mark.parametrize(
    ("count", "mean", "chance"),
    [(0, 2.0, 1.0), (1, 2.0, 1 - math.exp(-2)), (3, 2.0, 1 - 5 * math.exp(-2)), (1, 0.05, 0.0488)],
)
def test_chance_of_a_day_is_nearly_poisson_without_spread(
    count: float, mean: float, chance: float
) -> None:
    told = beyond(np.array([float(count)]), np.array([mean]), np.array([mean]))
    assert told[0] == pytest.approx(chance, rel=0.02)


def test_chance_of_a_day_with_spread() -> None:
    """Geometric: a negative binomial of size one, mean 2, variance 6, has (2/3)^n of n or more."""
    n = np.arange(1.0, 9.0)
    np.testing.assert_allclose(beyond(n, np.full(8, 2.0), np.full(8, 6.0)), (2 / 3) ** n)


@pytest.mark.parametrize(
    ("p", "kept"),
    [
        ([], []),
        ([0.2], [False]),
        ([0.04], [True]),
        ([0.03, 0.04, 0.9], [False, False, False]),
        ([0.9, 0.03, 0.001, 0.02], [False, True, True, True]),
        ([math.nan, 0.01, math.nan], [False, True, False]),
    ],
)
def test_discoveries_by_hand(p: list[float], kept: list[bool]) -> None:
    """At 0.05 the k-th least of m chances must be at most 0.05 k / m."""
    assert discoveries(np.array(p, dtype=float), 0.05).tolist() == kept


@pytest.mark.parametrize(
    ("days", "found"),
    [
        ("", []),
        ("....", []),
        ("#", [(0, 0)]),
        ("##..#", [(0, 1), (4, 4)]),
        ("#.#.#", [(0, 4)]),
        (".##.", [(1, 2)]),
    ],
)
def test_spans_by_hand(days: str, found: list[tuple[int, int]]) -> None:
    assert spans(np.array([day == "#" for day in days], dtype=bool)) == found


def test_bursts_are_ranked_by_excess() -> None:
    counts = np.array([flat(0, d100=6), flat(200, d100=300), flat(5, d100=40)])
    assert [run.series for run in runs(counts, judged(counts), SETTINGS)] == [1, 2, 0]


def test_only_bursts_since_a_day_are_told_with_all_their_days() -> None:
    counts = np.array([flat(3, d60=20), flat(3, d99=20, d100=20)])
    (run,) = runs(counts, judged(counts), SETTINGS, since=100)
    assert (run.series, run.start, run.end) == (1, 99, 100)


@pytest.mark.parametrize(("mean", "least"), [(0.5, 0.9), (3.0, 0.95), (20.0, 0.95)])
def test_goals_in_a_small_simulation(mean: float, least: float) -> None:
    """Looser than the goals: 500 series are few. The bench measures them."""
    counts = drawn(mean)
    quiet = judged(counts).flagged[:, 56:]
    begun = quiet[:, 1:] & ~quiet[:, :-1]
    assert begun.sum() / len(quiet) / ((DAYS - 56) / 30) <= 0.06
    rng = np.random.default_rng(4)
    shock = np.floor(3 * math.sqrt(1.3 * mean) + rng.random((len(counts), 5)))
    counts[:, 100:105] += shock
    assert judged(counts).flagged[:, 100:105].any(1).mean() >= least


def test_many_quiet_series_are_told_little_and_shocks_still_are() -> None:
    """A thousand series, ten with a shock of three standard deviations: in 90 days, few bursts of nothing."""
    counts = drawn(3.0, series=1_000)
    counts[:10, 100:105] += math.ceil(3 * math.sqrt(3.9))
    told = judged(counts)
    found = runs(counts, told, SETTINGS)
    assert len({run.series for run in found if run.series < 10 and 99 <= run.end <= 106}) >= 8
    assert sum(run.series >= 10 for run in found) <= 5
    assert told.flagged[10:].any(1).sum() > 50


@pytest.mark.parametrize("mean", [0.5, 3.0, 20.0])
@pytest.mark.parametrize("chance", [0.01, 0.001])
def test_chances_are_not_understated(mean: float, chance: float) -> None:
    p = judged(drawn(mean, series=1_000, seed=5)).p[:, SETTINGS.history :]
    assert 0.1 * chance < (p < chance).mean() <= 1.3 * chance


def test_a_day_below_the_expected_is_never_flagged() -> None:
    told = judged(flat(9, d100=40, d101=40, d102=8))
    assert told.flagged[0, 100:104].tolist() == [True, True, False, False]


series_of_counts = st.lists(
    st.lists(st.integers(0, 30), min_size=60, max_size=60), min_size=2, max_size=5
)


@settings(max_examples=25)
@given(series_of_counts, st.randoms(use_true_random=False))
def test_series_are_judged_each_by_itself(rows: list[list[int]], random: object) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    told, shuffled = judged(rows), judged([rows[n] for n in order])
    for name in ("expected", "lower", "upper", "p", "flagged"):
        np.testing.assert_array_equal(getattr(told, name)[order], getattr(shuffled, name))


@settings(max_examples=25)
@given(series_of_counts, st.integers(28, 59), st.integers(1, 200))
def test_more_items_never_unflag_a_day(rows: list[list[int]], day: int, more: int) -> None:
    """Nor do they make it likelier, nor change what was expected of it."""
    before = judged(rows)
    after = judged([[n + more * (t == day) for t, n in enumerate(row)] for row in rows])
    assert (after.flagged[:, day] >= before.flagged[:, day]).all()
    assert (after.p[:, day] <= before.p[:, day]).all()
    np.testing.assert_array_equal(after.expected[:, : day + 1], before.expected[:, : day + 1])


@settings(max_examples=25)
@given(series_of_counts)
def test_values_make_sense(rows: list[list[int]]) -> None:
    told = judged(rows)
    seen = np.isfinite(told.expected)
    assert (told.lower <= told.expected)[seen].all()
    assert (told.expected <= told.upper)[seen].all()
    assert ((told.p >= 0) & (told.p <= 1))[seen].all()
    assert (np.array(rows)[told.flagged] > told.expected[told.flagged]).all()
