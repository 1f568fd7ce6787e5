"""Chronic places: what counts, who is in charge, and one alarm for each relapse."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from speaking import ZONE, City

from router.charges import Charge, Charges, Covers, Level
from router.spots import Name, Spots
from router.trends.places import Gathered, PlaceLedger, Standing, Visit, ledger, relapses
from router.trends.series import spot_labels
from store.db import Database
from store.tables import T

AT = datetime(2026, 11, 1, tzinfo=UTC)
WINDOW = timedelta(days=30)
SINCE = (20261002, 20260803, 20251101)
SPOTS = Spots(
    {
        "翰章广场": Name("翰章广场", "landmark"),
        "广场": Name("翰章广场", "landmark"),
        "民主街": Name("民主街", "street"),
        "丹江街道": Name("丹江街道", "subdistrict"),
        "市政大院": Name("市政大院", "landmark"),
    }
)


def case(days: float, closed: float | None = None, **more: Any) -> Standing:
    """A case received ``days`` before ``AT``, closed so many days after that."""
    received = AT - timedelta(days=days)
    ended = None if closed is None else received + timedelta(days=closed)
    own = {"problems": ("litter",), "relapse_of": None} | more
    return Standing(
        case_no=f"N{days}",
        is_open=ended is None,
        received_at=received,
        closed_at=ended,
        **own,
    )


@pytest.mark.parametrize(
    ("text", "address", "expected"),
    [
        ("翰章广场地砖翘了", "", ("spot:翰章广场",)),
        ("广场路灯不亮", "", ("spot:翰章广场",)),
        ("翰章广场旁边民主街积水", "", ("spot:翰章广场",)),
        ("民主街积水", "", ("spot:民主街",)),
        ("积水没人管", "丹江街道民主街12号", ("spot:民主街",)),
        ("丹江街道没人管", "", ()),
        ("幸福里小区没人管", "", ()),
        ("路灯不亮", "市政大院", ()),
        ("", "", ()),
    ],
)
def test_series_of_places(text: str, address: str, expected: Sequence[str]) -> None:
    assert spot_labels(SPOTS, text, address, ("市政大院",)) == tuple(expected)


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        ({1: case(50, 5), 2: case(20)}, [(2, 1)]),
        ({1: case(50, 5), 2: case(15)}, [(2, 1)]),
        ({1: case(50, 5), 2: case(14.9)}, []),
        ({1: case(50, 5), 2: case(46)}, []),
        ({1: case(50), 2: case(20)}, []),
        ({1: case(50, 5, problems=("pets",)), 2: case(20)}, []),
        ({1: case(50, 5, problems=("pets", "litter")), 2: case(20)}, [(2, 1)]),
        ({1: case(50, 5, problems=()), 2: case(20, problems=())}, []),
        ({2: case(20, relapse_of=9)}, [(2, 9)]),
        ({1: case(50, 1), 2: case(40, 1), 3: case(30)}, [(2, 1), (3, 2)]),
    ],
    ids=[
        "came back", "on the last day", "too late", "before it was closed", "never closed", "of another problem",
        "one in common", "of no problem", "linked by a person", "again and again",
    ],
)  # fmt: skip
def test_what_a_relapse_is(cases: dict[int, Standing], expected: list[tuple[int, int]]) -> None:
    assert [(one.case_id, one.earlier) for one in relapses("x", cases, WINDOW)] == expected


def visits(place: str, *days: int, first: int = 1) -> list[Visit]:
    return [Visit(place, n, n, day, f"a{n % 2}") for n, day in enumerate(days, first)]


def test_the_ledger_lists_places_that_come_back() -> None:
    cases = {
        n: case(10 * n, 1 if n % 2 else None, problems=(f"p{n}",), area="bohai" if n != 2 else "")
        for n in range(1, 9)
    }
    said = [
        *visits("甲", 20261030, 20261001, 20260801),
        *visits("乙", 20261030, 20261029, first=4),
        *visits("丙", 20261030, 20261029, 20261028, first=6),
        Visit("丙", 99, 6, 20261030, "other"),
    ]
    charge = Charge(level=Level.UNIT, holder="某单位", office="o", covers=Covers(places=("丙",)))
    area = Charge(level=Level.LEADER, holder="包片领导", covers=Covers(areas=("bohai",)))
    listed = ledger(
        Gathered(said, cases),
        since=SINCE,
        window=timedelta(0),
        charges=Charges(charge=(charge, area)),
    )
    assert [(one.name, one.counts, one.voices, one.open) for one in listed] == [
        ("丙", (3, 3, 3), 4, 2),
        ("甲", (1, 2, 3), 3, 1),
    ]
    assert [one.owners for one in listed] == [(charge, area), (area,)]
    assert listed[0].cases == (6, 7, 8)
    assert listed[1].problems == {"p1": 1, "p2": 1, "p3": 1}
    assert listed[1].last_closed_at == cases[1].closed_at


def test_a_place_of_one_relapse_is_listed_first() -> None:
    cases = {n: case(9 - n, problems=()) for n in range(1, 7)}
    cases |= {7: case(20, 2), 8: case(10)}
    said = [*visits("甲", *[20261030] * 6), *visits("乙", 20261012, 20261022, first=7)]
    listed = ledger(Gathered(said, cases), since=SINCE, window=WINDOW, charges=Charges())
    assert [(one.name, len(one.relapses)) for one in listed] == [("乙", 1), ("甲", 0)]


def test_an_empty_city_has_no_places() -> None:
    assert ledger(Gathered(), since=SINCE, window=WINDOW, charges=Charges()) == []


@pytest.fixture
async def city(db: Database, clock: Any) -> City:
    return City(db, clock)


async def test_each_relapse_is_one_alarm(city: City) -> None:
    places = PlaceLedger(city.db, charges=Charges(), repeat_days=30, zone=ZONE, clock=city.clock)
    old = {"status": "closed", "closed_at": city.clock() - timedelta(days=100)}
    await city.hear("翰章广场垃圾成堆", 101, **old)
    await city.hear("翰章广场又是垃圾", 90)
    new = {"status": "closed", "closed_at": city.clock() - timedelta(days=10)}
    earlier = await city.hear("翰章广场垃圾没人收", 12, **new)
    case_id = await city.hear("翰章广场还是垃圾成堆", 1)
    await city.settle()
    assert await places.run() == 600.0
    await places.run()
    (task,) = await city.rows(T.tasks)
    assert (task.kind, task.role, task.case_id) == ("place_relapsed", "supervisor", case_id)
    assert task.note == f"翰章广场，上次案件 N{earlier}"
    at, (place,) = await places.current()
    assert at == city.clock()
    assert (place.name, place.counts) == ("翰章广场", (2, 2, 4))
    assert [one.case_id for one in place.relapses] == [case_id - 2, case_id]


async def test_the_ledger_is_ten_minutes_old_at_most(city: City) -> None:
    places = PlaceLedger(city.db, charges=Charges(), repeat_days=30, zone=ZONE, clock=city.clock)
    assert await places.current() == (city.clock(), [])
    began = city.clock()
    await city.hear_all([("翰章广场没人管", 1)] * 3)
    await city.settle()
    city.clock.forward(minutes=9)
    assert await places.current() == (began, [])
    city.clock.forward(minutes=1)
    at, listed = await places.current()
    assert (at, [one.name for one in listed]) == (city.clock(), ["翰章广场"])
