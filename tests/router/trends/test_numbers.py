"""Every figure is what its cases come to, by every filter; comparisons and refusals."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from town import NOW, ZONE, Town, local

from router.trends.behind import Evidence
from router.trends.catalogue import Catalogue, Unit
from router.trends.days import Period, read_period
from router.trends.numbers import Ask, Numbers
from router.trends.parts import bucket, quantile
from router.trends.tally import Tally
from store.config import load
from store.db import Database
from store.errors import RejectedError

ROOT = Path(__file__).parent.parent.parent.parent
CATALOGUE = load(ROOT / "configs" / "indicators.toml", Catalogue)
AREAS = {"bohai": ("bohai", "inner"), "shengli": ("shengli",), "inner": ("inner",)}
MONTH = Period(date(2026, 11, 1), date(2026, 11, 30))
FILTERS: tuple[dict[str, str], ...] = (
    {}, {"area": "bohai"}, {"area": "inner"}, {"area": ""}, {"department": "a"}, {"department": "a", "area": "shengli"},
    {"label": "sewage"}, {"label": "sewage", "channel": "app", "area": "bohai"}, {"label": "complaint"},
)  # fmt: skip


def numbers_of(db: Database) -> Numbers:
    return Numbers(db, CATALOGUE, AREAS, zone=ZONE, clock=lambda: NOW)


async def filled(db: Database, seed: int = 0, acts: int = 200) -> Numbers:
    town = Town(db, seed)
    for _ in range(acts):
        await town.act()
    await Tally(db, ZONE, clock=lambda: NOW).settle()
    return numbers_of(db)


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_figure_is_what_its_cases_come_to(db: Database, seed: int) -> None:
    numbers = await filled(db, seed)
    evidence = Evidence(db, AREAS, clock=lambda: NOW)
    seen = 0.0
    for indicator in CATALOGUE.indicator:
        for filters in FILTERS:
            figure = await numbers.figure(Ask(indicator.id, MONTH).of(**filters))
            if figure.ignored:
                assert set(figure.ignored) <= set(filters)
                continue
            behind = await evidence.of(indicator, figure.ask)
            assert (behind.sum, behind.more) == (figure.numerator, False), (indicator.id, filters)
            if indicator.over:
                under = await evidence.of(indicator, figure.ask, under=True)
                assert under.sum == figure.denominator
            seen += figure.numerator
    assert seen > 300


async def test_numbers_by_day_and_by_what_they_are_told_add_up(db: Database) -> None:
    numbers = await filled(db)
    ask = Ask("items", MONTH)
    city = await numbers.figure(ask)
    days = await numbers.daily(ask)
    assert sum(days["*"]) == city.numerator > 20
    assert len(days["*"]) == 30
    for dimension in ("area", "channel"):
        told = await numbers.by(ask, dimension)
        assert sum(figure.numerator for figure in told.values()) == city.numerator
    areas = await numbers.by(ask, "area")
    assert set(areas) <= {"", "bohai", "shengli"}
    heat = await numbers.cross(ask, "area", "label")
    for area in areas:
        alone = await numbers.figure(ask.of(area=area, label="sewage"))
        assert heat[area, "sewage"].numerator == alone.numerator
    labels = await numbers.daily(ask, "label", ("sewage", "litter", "nothing"))
    assert sum(labels["sewage"]) == (await numbers.figure(ask.of(label="sewage"))).numerator
    assert labels["nothing"] == [0] * 30


async def test_rates_by_office_are_those_of_each(db: Database) -> None:
    numbers = await filled(db, acts=500)
    for name in ("on_time_rate", "work_median", "satisfied_rate"):
        told = await numbers.by(Ask(name, MONTH), "department")
        assert told
        for office, figure in told.items():
            alone = await numbers.figure(Ask(name, MONTH).of(department=office))
            assert (figure.numerator, figure.denominator, figure.value) == (
                alone.numerator,
                alone.denominator,
                alone.value,
            )


async def test_an_empty_city_and_a_year_without_data_say_nothing_rather_than_nought(
    db: Database,
) -> None:
    numbers = numbers_of(db)
    told = (await numbers.compare([Ask("items", MONTH), Ask("on_time_rate", MONTH)]))[0]
    assert (told.now.value, told.now.shown, told.year_ago.shown) == (None, "—", "—")
    numbers = await filled(db)
    items, rate = await numbers.compare([Ask("items", MONTH), Ask("on_time_rate", MONTH)])
    assert items.now.value
    assert (items.before.ask.period, items.year_ago.value) == (
        Period(date(2026, 10, 1), date(2026, 10, 31)),
        None,
    )
    assert rate.now.value is not None
    assert rate.now.shown.endswith("%")


def test_percentiles_are_within_their_accuracy() -> None:
    hours = [0.3 * n**1.7 + 0.05 for n in range(1, 400)]
    start = NOW
    counted: dict[str, int] = {}
    for one in hours:
        name = bucket("turn", start, start + timedelta(hours=one))
        counted[name] = counted.get(name, 0) + 1
    for q in (0.5, 0.9):
        exact = sorted(hours)[int(q * (len(hours) - 1))]
        told = quantile(counted.items(), q)
        assert told is not None
        assert abs(told - exact) / exact <= 0.021
    assert quantile([], 0.5) is None


@pytest.mark.parametrize(
    ("start", "end", "before", "year_ago"),
    [
        ("2026-11-01", "2026-11-30", ("2026-10-01", "2026-10-31"), ("2025-11-01", "2025-11-30")),
        ("2024-02-01", "2024-02-29", ("2024-01-01", "2024-01-31"), ("2023-02-01", "2023-02-28")),
        ("2025-02-01", "2025-02-28", ("2025-01-01", "2025-01-31"), ("2024-02-01", "2024-02-29")),
        ("2026-01-01", "2026-03-31", ("2025-10-01", "2025-12-31"), ("2025-01-01", "2025-03-31")),
        ("2026-11-17", "2026-11-23", ("2026-11-10", "2026-11-16"), ("2025-11-17", "2025-11-23")),
        ("2024-02-29", "2024-02-29", ("2024-02-28", "2024-02-28"), ("2023-02-28", "2023-02-28")),
    ],
)  # fmt: skip
def test_periods_are_compared_with_their_like(
    start: str, end: str, before: tuple[str, str], year_ago: tuple[str, str]
) -> None:
    period = read_period(start, end)
    assert period.previous() == read_period(*before)
    assert period.year_ago() == read_period(*year_ago)


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [("2026-13-01", "2026-11-01", "from"), ("x", "2026-11-01", "from"), ("2026-11-02", "2026-11-01", "to"), ("1999-01-01", "2026-01-01", "from"), ("2001-01-01", "2026-01-01", "to")],
)  # fmt: skip
def test_periods_that_are_none_are_refused(start: str, end: str, field: str) -> None:
    with pytest.raises(RejectedError, match=f"router: {field}: ") as refused:
        read_period(start, end)
    assert refused.value.reason == field


async def test_what_is_unknown_or_can_not_be_told_so_is_refused(db: Database) -> None:
    numbers = numbers_of(db)
    with pytest.raises(RejectedError, match="indicator"):
        await numbers.figure(Ask("nonsense", MONTH))
    with pytest.raises(RejectedError, match="channel: cases is not told by it"):
        await numbers.by(Ask("cases", MONTH), "channel")
    with pytest.raises(RejectedError, match="no count of a day"):
        await numbers.daily(Ask("on_time_rate", MONTH))
    figure = await numbers.figure(Ask("cases", MONTH).of(channel="app", label="sewage"))
    assert figure.ignored == ("label", "channel")


def test_days_are_those_of_the_citys_clock() -> None:
    assert local(NOW.replace(hour=15, minute=59)) == 20261124
    assert local(NOW.replace(hour=16)) == 20261125
    assert CATALOGUE.by_id["turn_median"].unit is Unit.HOURS
