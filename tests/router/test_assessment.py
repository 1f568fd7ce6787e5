"""A small month counted by hand; what freezing keeps; where months begin."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ledger import ZONE, Ledger, at

from hub.city import City
from router.assessment import ALL, By, Part, Row, Units, points, score, shown, standings
from router.clocking import write_clock
from router.deadlines import Clock, Clocks, Limit, Pause, Reason, Unit
from router.departments import Community, Directory
from router.indicators import Assessment, Indicator
from router.months import Month, cut_off, month_of, read_month
from router.reckoning import Reckoner
from store.config import load, validate
from store.db import Database
from store.errors import ConfigError, RejectedError

ROOT = Path(__file__).parent.parent.parent
NOVEMBER = Month(2026, 11)
COUNTED = at("2026-12-03 06:00")
A, B = "urban_enforcement", "housing_construction"

Make = Callable[..., Reckoner]


@pytest.fixture(scope="module")
def assessment() -> Assessment:
    return load(ROOT / "configs" / "assessment.toml", Assessment)


@pytest.fixture
def make(db: Database, city: City, assessment: Assessment, clock: Any) -> Make:
    clock.now = COUNTED

    def made(**more: Any) -> Reckoner:
        kept = assessment.model_copy(update=more)
        clocks = Clocks(city.deadlines, ZONE)
        units = Units(city.directory)
        return Reckoner(db=db, assessment=kept, units=units, clocks=clocks, zone=ZONE, clock=clock)

    return made


def plain_cases(book: Ledger) -> None:
    """1 in time; 2 late in the last second of November; 3 due as December begins; 4 due as November begins, reworked."""
    book.case(1, status="closed", area="bohai")
    book.order(
        1, A, at("2026-11-09 10:00"), at("2026-11-10 10:00"), status="handled", rule="r1",
        sign_due_at=at("2026-11-09 12:00"), signed_at=at("2026-11-09 12:00"), handled_at=at("2026-11-09 15:00"),
    )  # fmt: skip
    book.event(1, "handle", at("2026-11-09 15:00"), 101)
    book.event(1, "verify_pass", at("2026-11-10 09:00"))
    book.event(1, "close", at("2026-11-11 09:00"))
    book.rated(1, 1, "satisfied", "solved", at("2026-11-12 09:00"))
    book.case(2, area="bohai")
    book.order(
        2, A, at("2026-11-28 10:00"), at("2026-11-30 23:59:59"), status="handled", rule="r1",
        sign_due_at=at("2026-11-28 12:00"), signed_at=at("2026-11-28 11:00"), handled_at=at("2026-12-01 10:00"),
    )  # fmt: skip
    book.case(3, area="bohai")
    book.order(
        3, A, at("2026-11-28 10:00"), at("2026-12-01 00:00"), rule="r1",
        sign_due_at=at("2026-11-28 12:00"), signed_at=at("2026-11-28 11:00"),
    )  # fmt: skip
    book.case(4, area="bohai")
    book.order(
        4, A, at("2026-10-31 21:00"), at("2026-11-01 00:00"), status="handled", reworks=1,
        signed_at=at("2026-10-31 21:30"), handled_at=at("2026-11-03 21:00"),
    )  # fmt: skip
    book.event(4, "handle", at("2026-10-31 22:00"), 401)
    book.event(4, "verify_fail", at("2026-11-02 09:00"), 401)
    book.event(4, "handle", at("2026-11-03 21:00"), 401)
    book.event(4, "verify_pass", at("2026-11-04 09:00"))


def returned_cases(book: Ledger) -> None:
    """5 returned and accepted, then done by B; 6 returned by B and refused, then overdue; 7 undone."""
    book.case(5, status="closed", area="bohai")
    first = book.order(
        5, A, at("2026-11-12 10:00"), at("2026-11-13 10:00"), status="returned", rule="r1",
        sign_due_at=at("2026-11-12 12:00"), ended_at=at("2026-11-12 11:00"),
    )  # fmt: skip
    book.returned(5, first, "accepted", at("2026-11-12 11:00"), at("2026-11-12 14:00"))
    book.order(
        5, B, at("2026-11-12 14:00"), at("2026-11-13 14:00"), status="handled",
        sign_due_at=at("2026-11-12 16:00"), signed_at=at("2026-11-12 15:00"), handled_at=at("2026-11-13 00:00"),
    )  # fmt: skip
    book.event(5, "handle", at("2026-11-13 00:00"), 502)
    book.event(5, "verify_pass", at("2026-11-13 09:00"))
    book.event(5, "close", at("2026-11-13 10:00"))
    book.rated(5, 5, "dissatisfied", "unsolved", at("2026-11-14 09:00"))
    book.case(6, area="minzhu")
    first = book.order(
        6, B, at("2026-11-16 10:00"), at("2026-11-17 10:00"), status="returned", rule="r1",
        sign_due_at=at("2026-11-16 12:00"), signed_at=at("2026-11-16 11:00"), ended_at=at("2026-11-16 15:00"),
    )  # fmt: skip
    book.returned(6, first, "refused", at("2026-11-16 15:00"), at("2026-11-16 16:00"))
    again = book.order(
        6, B, at("2026-11-16 16:00"), at("2026-11-17 16:00"),
        sign_due_at=at("2026-11-17 09:00"), signed_at=at("2026-11-17 08:30"),
    )  # fmt: skip
    book.urged(6, again, "red", at("2026-11-17 12:00"))
    book.urged(6, again, "urge", at("2026-11-18 09:00"))
    book.urged(6, None, "order", at("2026-11-20 09:00"))
    book.case(7, area="minzhu")
    book.order(
        7, B, at("2026-11-16 16:00"), at("2026-11-17 16:00"), status="withdrawn", rule="r1",
        sign_due_at=at("2026-11-17 09:00"), ended_at=at("2026-11-16 16:00:05"),
    )  # fmt: skip
    book.event(7, "dispatch", at("2026-11-16 16:00"))
    book.event(7, "undo", at("2026-11-16 16:00:05"))


def other_cases(book: Ledger) -> None:
    """8 stands suspended; 9 joint, extended, two citizens' ratings; 10 is case 1 again."""
    book.case(8, status="suspended", area="minzhu")
    limit, stood = Limit(amount=1, unit=Unit.WORK_DAYS), at("2026-11-18 11:00")
    clock = Clock(at("2026-11-18 10:00"), limit, (Pause(stood, None, Reason.SUSPENSION),))
    book.order(
        8, B, at("2026-11-18 10:00"), at("2026-11-19 10:00"), clock=write_clock(clock),
        sign_due_at=at("2026-11-18 12:00"), signed_at=at("2026-11-18 10:30"),
    )  # fmt: skip
    book.event(8, "suspend", stood)
    book.case(9, status="closed", area="bohai", joint=True, items=3)
    book.order(
        9, A, at("2026-11-15 10:00"), at("2026-11-17 10:00"), status="handled", extensions=1,
        sign_due_at=at("2026-11-15 12:00"), signed_at=at("2026-11-15 13:00"), handled_at=at("2026-11-16 10:00"),
    )  # fmt: skip
    book.order(
        9, B, at("2026-11-15 10:00"), at("2026-11-16 10:00"), status="handled", lead=False,
        sign_due_at=at("2026-11-15 12:00"), signed_at=at("2026-11-15 11:00"), handled_at=at("2026-11-17 10:00"),
    )  # fmt: skip
    book.event(9, "handle", at("2026-11-16 10:00"), 901)
    book.event(9, "handle", at("2026-11-17 10:00"), 902)
    book.event(9, "verify_pass", at("2026-11-18 09:00"))
    book.event(9, "close", at("2026-11-18 10:00"))
    book.rated(9, 9, "fair", "partly", at("2026-11-19 09:00"))
    book.rated(90, 9, "none", "solved", at("2026-11-19 09:00"))
    book.case(10, relapse_of=1, received_at=at("2026-11-20 08:00"))
    book.order(
        10, B, at("2026-11-20 10:00"), at("2026-11-21 10:00"), status="handled",
        sign_due_at=at("2026-11-20 12:00"), signed_at=at("2026-11-20 11:00"), handled_at=at("2026-11-20 12:00"),
    )  # fmt: skip


@pytest.fixture
async def month(db: Database) -> None:
    book = Ledger()
    for part in (plain_cases, returned_cases, other_cases):
        part(book)
    await book.write(db)


def numbers(rows: list[Row], unit: str) -> dict[str, tuple[float, float]]:
    return {r.indicator: (r.numerator, r.denominator) for r in rows if r.unit == unit}


OF_A = {
    "timely": (2, 4),  # due: 1 2 4 9; 2 is late, 4's last result is late
    "signed": (3, 4),  # to sign: 1 2 3 9; 9 late, 5 went before it had to sign
    "closed": (2, 4),  # 1 9
    "returned": (1, 5),  # 5 of the dispatches 1 2 3 5 9
    "refused": (0, 5),
    "rework": (1, 3),  # checked: 1 4 9
    "extended": (1, 4),
    "repeat": (0, 5),
    "ledger": (0, 0),
    "satisfied": (2, 2),  # satisfied, fair; "none" is no mark
    "voted": (2, 4),  # closed cases 1 and 9 have one and three citizens
    "solved": (2, 3),
    "documents": (0, 0),
    "hours": (5 + 72 + 72 + 24, 4),
}
OF_B = {
    "timely": (2, 4),  # due: 5 6 9 10; 6 not handled, 9 late
    "signed": (6, 6),
    "closed": (2, 4),
    "returned": (0, 6),
    "refused": (1, 6),
    "rework": (0, 2),  # checked: 5 9
    "extended": (0, 4),
    "repeat": (1, 6),
    "ledger": (1, 0),
    "satisfied": (0, 1),
    "voted": (1, 1),
    "solved": (0, 1),
    "documents": (2, 0),  # the red lamp is none
    "hours": (10 + 48 + 2, 3),
}


async def test_month_counted_by_hand(month: None, make: Make, assessment: Assessment) -> None:
    counted = await make().count(NOVEMBER, assessment)
    by = counted[By.DEPARTMENT]
    assert {row.unit for row in by} == {A, B, ALL}
    assert numbers(by, A) == OF_A
    assert numbers(by, B) == OF_B
    whole = {one: (OF_A[one][0] + OF_B[one][0], OF_A[one][1] + OF_B[one][1]) for one in OF_A}
    assert numbers(by, ALL) == whole


async def test_territory_counts_a_joint_case_once(
    month: None, make: Make, assessment: Assessment
) -> None:
    by = (await make().count(NOVEMBER, assessment))[By.TERRITORY]
    assert numbers(by, "bohai")["timely"] == (3, 5)  # due: 1 2 4 5 9; in time: 1 5 9
    assert numbers(by, "minzhu")["timely"] == (0, 1)
    assert numbers(by, "")["repeat"] == (1, 1)
    assert numbers(by, ALL)["timely"] == (4, 7)


async def test_rules_are_measured_by_returns(
    month: None, make: Make, assessment: Assessment
) -> None:
    by = (await make().count(NOVEMBER, assessment))[By.RULE]
    assert numbers(by, "r1")["returned"] == (1, 5)  # sent 1 2 3 5 6; 7 was undone
    assert numbers(by, "r1")["refused"] == (1, 5)


async def test_every_number_opens_its_cases(month: None, make: Make) -> None:
    reckoner = make()
    report = await reckoner.report(NOVEMBER, By.DEPARTMENT)
    assert not report.is_frozen
    line = next(one for one in report.lines if one.standing.unit == A)
    cell = next(one for one in line.cells if one.indicator == "timely")
    assert cell.shown == "50.0%"
    link = report.link(line, cell, Part.DENOMINATOR)
    assert link == {
        "month": "2026-11",
        "by": "department",
        "unit": A,
        "indicator": "timely",
        "part": "denominator",
    }

    async def cases(part: Part, unit: str = A, indicator: str = "timely") -> list[int]:
        return await reckoner.cases_of(NOVEMBER, By.DEPARTMENT, unit, indicator, part)

    assert await cases(Part.NUMERATOR) == [1, 9]
    assert await cases(Part.DENOMINATOR) == [1, 2, 4, 9]
    assert await cases(Part.NUMERATOR, ALL, "documents") == [6]
    assert await cases(Part.DENOMINATOR, ALL, "documents") == []
    with pytest.raises(RejectedError, match="indicator is unknown"):
        await cases(Part.NUMERATOR, A, "beauty")


async def test_what_was_undone_never_happened(db: Database, make: Make) -> None:
    """A closing undone closes nothing, and its check checked nothing; the second one stands."""
    book = Ledger()
    book.case(1)
    order = book.order(
        1, A, at("2026-11-09 10:00"), at("2026-11-10 10:00"), status="handled", handled_at=at("2026-11-09 15:00"),
    )  # fmt: skip
    book.event(1, "dispatch", at("2026-11-09 10:00"), order)
    book.event(1, "handle", at("2026-11-09 15:00"), order)
    for verb in ("verify_pass", "close"):
        book.event(1, verb, at("2026-11-10 09:00:00"))
    book.event(1, "undo", at("2026-11-10 09:00:05"))
    await book.write(db)
    reckoner = make()
    rows = (await reckoner.count(NOVEMBER, reckoner.assessment))[By.DEPARTMENT]
    undone = numbers(rows, A)
    assert undone["voted"] == (0, 0)
    assert undone["rework"] == (0, 0)
    assert undone["timely"] == (1, 1)
    book.event(1, "verify_fail", at("2026-11-10 09:30"), order)
    book.event(1, "handle", at("2026-11-10 09:40"), order)
    for verb in ("verify_pass", "close"):
        book.event(1, verb, at("2026-11-10 09:50"))
    await book.write(db)
    rows = (await reckoner.count(NOVEMBER, reckoner.assessment))[By.DEPARTMENT]
    assert numbers(rows, A)["voted"] == (0, 1)
    assert numbers(rows, A)["rework"] == (1, 1)


async def test_time_that_stood_is_not_the_offices(db: Database, make: Make) -> None:
    """More time was asked for and never answered: done after the old due time is in time, not done is not owed."""
    book = Ledger()
    limit, asked = Limit(amount=24, unit=Unit.URGENT_HOURS), at("2026-11-10 08:00")
    clock = Clock(at("2026-11-09 10:00"), limit, (Pause(asked, None, Reason.EXTENSION),))
    for case, more in enumerate(
        ({}, {"status": "handled", "handled_at": at("2026-11-11 10:00")}), start=1
    ):
        book.case(case)
        book.order(
            case,
            A,
            at("2026-11-09 10:00"),
            at("2026-11-10 10:00"),
            clock=write_clock(clock),
            **more,
        )
    await book.write(db)
    reckoner = make()
    rows = (await reckoner.count(NOVEMBER, reckoner.assessment))[By.DEPARTMENT]
    assert numbers(rows, A)["timely"] == (1, 1)
    assert numbers(rows, A)["hours"] == (22, 1)


async def test_repeat_is_one_only_within_the_window(month: None, make: Make) -> None:
    closed_to_received = 9  # days, less an hour
    for days, repeats in ((closed_to_received, 1), (closed_to_received - 1, 0)):
        reckoner = make(repeat_days=days)
        rows = (await reckoner.count(NOVEMBER, reckoner.assessment))[By.DEPARTMENT]
        assert numbers(rows, B)["repeat"] == (repeats, 6)


async def test_recordings_may_be_left_out(db: Database, make: Make) -> None:
    book = Ledger()
    book.case(1, replayed=True)
    book.order(1, A, at("2026-11-09 10:00"), at("2026-11-10 10:00"))
    await book.write(db)
    for counted, due in ((True, 1), (False, 0)):
        reckoner = make(count_recordings=counted)
        rows = (await reckoner.count(NOVEMBER, reckoner.assessment))[By.DEPARTMENT]
        assert numbers(rows, ALL)["timely"] == (0, due)


async def test_month_that_runs_owes_only_what_is_past(db: Database, make: Make, clock: Any) -> None:
    book = Ledger()
    book.case(1)
    book.order(1, A, at("2026-11-09 10:00"), at("2026-11-10 10:00"))
    await book.write(db)
    reckoner = make()
    for now, due in (("2026-11-10 09:59", 0), ("2026-11-10 10:00", 1)):
        clock.now = at(now)
        rows = (await reckoner.count(NOVEMBER, reckoner.assessment))[By.DEPARTMENT]
        assert numbers(rows, ALL)["timely"] == (0, due)


async def test_nothing_is_never_a_hundred_percent(make: Make) -> None:
    report = await make().report(NOVEMBER, By.DEPARTMENT)
    (line,) = report.lines
    assert line.name == "全市"
    assert line.standing.score is None
    shown_ = {cell.indicator: cell.shown for cell in line.cells}
    assert shown_.pop("ledger") == shown_.pop("documents") == "0"
    assert set(shown_.values()) == {"—"}


async def test_month_is_frozen_once(month: None, db: Database, make: Make, clock: Any) -> None:
    reckoner = make()
    for by in By:
        before = await reckoner.report(NOVEMBER, by)
        assert before.at == COUNTED
    assert await reckoner.freeze(NOVEMBER) == (COUNTED, True)
    frozen = {by: await reckoner.report(NOVEMBER, by) for by in By}
    assert frozen[By.RULE].is_frozen
    assert frozen[By.RULE].lines == before.lines
    assert await reckoner.drift(NOVEMBER) == []
    clock.forward(days=1)
    book = Ledger()
    book.case(11)
    book.order(11, A, at("2026-11-03 10:00"), at("2026-11-04 10:00"))
    await book.write(db)
    assert await reckoner.freeze(NOVEMBER) == (COUNTED, False)
    changed = make(repeat_days=1, indicator=reckoner.assessment.indicator[:1])
    assert {by: await changed.report(NOVEMBER, by) for by in By} == frozen
    clock.forward(days=1)
    drifted = {
        one.indicator: (one.frozen, one.now)
        for one in await changed.drift(NOVEMBER)
        if one.by == By.DEPARTMENT and one.unit == A
    }
    assert drifted["timely"] == ((2, 4), (2, 5))
    assert drifted["returned"] == ((1, 5), (1, 6))
    assert "repeat" in drifted  # counted with the window of the day it was frozen
    assert drifted["repeat"] == ((0, 5), (0, 6))
    assert "ledger" not in drifted


async def test_two_hubs_freeze_one_month_once(month: None, make: Make, db: Database) -> None:
    one, other = make(), make()
    rows = await one.count(NOVEMBER, one.assessment)
    assert (await one.freeze(NOVEMBER))[1]

    async def never(*_: Any) -> None:
        return None

    other._kept = never  # type: ignore[method-assign,assignment] # it looked before the first had written
    assert await other.freeze(NOVEMBER) == (COUNTED, False)
    report = await one.report(NOVEMBER, By.DEPARTMENT)
    assert len(report.lines) == len({row.unit for row in rows[By.DEPARTMENT]})


async def test_month_is_not_frozen_too_early(make: Make, clock: Any) -> None:
    reckoner = make()
    clock.now = COUNTED - timedelta(microseconds=1)
    with pytest.raises(RejectedError, match="can not be frozen before 2026-12-03 06:00"):
        await reckoner.freeze(NOVEMBER)
    with pytest.raises(RejectedError, match="not frozen"):
        await reckoner.drift(NOVEMBER)


async def test_schedule_catches_up_with_every_month_missed(
    db: Database, make: Make, clock: Any
) -> None:
    reckoner = make()
    assert 0 < await reckoner.monthly() <= 3600
    book = Ledger()
    book.case(1)
    book.order(1, A, at("2026-09-30 23:59"), at("2026-10-02 10:00"))
    await book.write(db)
    clock.now = at("2026-10-03 05:59:30")
    assert await reckoner.monthly() == 60
    clock.now = at("2026-12-31 12:00")
    await reckoner.freeze(Month(2026, 10))
    assert await reckoner.monthly() == 3600
    clock.now = at("2027-01-03 05:30")
    assert await reckoner.monthly() == 1800
    clock.now = at("2027-01-03 06:00")
    await reckoner.monthly()
    frozen = {}
    for month in (Month(2026, 8), Month(2026, 9), Month(2026, 10), Month(2026, 11), Month(2026, 12), Month(2027, 1)):  # fmt: skip
        report = await reckoner.report(month, By.DEPARTMENT)
        frozen[str(month)] = report.is_frozen and report.at
    assert frozen == {
        "2026-08": False,
        "2026-09": at("2026-12-31 12:00"),
        "2026-10": at("2026-12-31 12:00"),
        "2026-11": at("2026-12-31 12:00"),
        "2026-12": at("2027-01-03 06:00"),
        "2027-01": False,
    }


def test_months_begin_at_the_citys_midnight() -> None:
    december = Month(2026, 12)
    assert str(december.following) == "2027-01"
    span = december.span(ZONE)
    assert span.start == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert span.end == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert month_of(datetime(2026, 12, 31, 16, tzinfo=UTC), ZONE) == Month(2027, 1)
    assert cut_off(december, day=3, hour=6, zone=ZONE) == at("2027-01-03 06:00")
    assert read_month("2027-01") == december.following


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "2026-1", "26-11", "2026-11-01", "", "２０２６-11"]
)
def test_month_is_written_in_one_way(text: str) -> None:
    with pytest.raises(RejectedError, match="month"):
        read_month(text)


def indicator(**more: Any) -> Indicator:
    base = {"id": "x", "name": "率", "formula": "口径", "better": "high", "of": {}, "weight": 10}
    return Indicator.model_validate(base | more)


@pytest.mark.parametrize(
    ("better", "target", "found", "earned"),
    [
        ("high", None, 0.4, 0.4),
        ("high", 0.8, 0.4, 0.5),
        ("high", 0.8, 0.9, 1.0),
        ("low", None, 0.25, 0.75),
        ("low", 0.2, 0.2, 1.0),
        ("low", 0.2, 0.6, 0.5),
        ("low", None, 1.5, 0.0),
    ],
)
def test_points_of_a_value(better: str, target: float | None, found: float, earned: float) -> None:
    assert points(indicator(better=better, target=target), found) == pytest.approx(earned)


def test_little_seen_is_not_scored() -> None:
    many, few = indicator(id="x", weight=30), indicator(id="y", weight=10)
    rows = {"x": Row("department", A, "x", 0, 0), "y": Row("department", A, "y", 9, 10)}
    both = {"x": many, "y": few}
    assert score(both, rows, score_from=0.5) is None
    assert score(both, rows, score_from=0.25) == pytest.approx(90)


def test_rank_is_shared_by_equals_and_needs_enough_orders(city: City) -> None:
    one, two = indicator(id="x", weight=30), indicator(id="y", weight=10)
    told = {
        A: [(9, 10), (0, 0)],  # 90: y has no value and takes no weight
        B: [(9, 10), (9, 10)],  # 90
        "transport": [(8, 10), (4, 10)],  # (30 × 0.8 + 10 × 0.4) / 40 = 70
        "real_estate": [(4, 4), (0, 0)],  # 100, but four orders only
        "bohai": [(1, 10), (0, 0)],  # compared with no department
        ALL: [(31, 44), (13, 20)],
    }
    rows = [
        Row("department", unit, name, *parts)
        for unit, both in told.items()
        for name, parts in zip(("x", "y"), both, strict=True)
    ]
    placed = standings(
        By.DEPARTMENT, rows, {"x": one, "y": two}, Units(city.directory), rank_from=5
    )
    got = {p.unit: (p.score and round(p.score, 6), p.rank) for p in placed}
    assert got == {
        A: (90, 1),
        B: (90, 1),
        "transport": (70, 3),
        "real_estate": (100, None),
        "bohai": (10, 1),
        ALL: (pytest.approx((30 * 31 / 44 + 10 * 13 / 20) / 40 * 100), None),
    }


async def test_community_counts_for_its_subdistrict(db: Database, make: Make, city: City) -> None:
    """And is compared with communities, not with subdistricts."""
    community = Community(id="xinhua", name="新华社区", within="bohai")
    directory = city.directory.model_copy(update={"community": (community,)})
    reckoner = make()
    reckoner.units = units = Units(Directory.model_validate(directory.model_dump()))
    book = Ledger()
    for case, area in ((1, "xinhua"), (2, "bohai"), (3, "minzhu")):
        book.case(case, area=area)
        book.order(case, A, at("2026-11-09 10:00"), at("2026-11-10 10:00"))
    await book.write(db)
    rows = (await reckoner.count(NOVEMBER, reckoner.assessment))[By.TERRITORY]
    due = {row.unit: row.denominator for row in rows if row.indicator == "timely"}
    assert due == {"xinhua": 1, "bohai": 2, "minzhu": 1, ALL: 3}
    groups = [units.group(By.TERRITORY, one) for one in ("xinhua", "bohai", "minzhu")]
    assert groups[0] != groups[1] == groups[2]
    assert units.name(By.TERRITORY, "xinhua") == "新华社区"


def test_value_without_ratio_is_a_number() -> None:
    one = indicator(show="number", of=None, weight=0)
    assert shown(one, Row("department", A, "x", 3.0, 0.0)) == "3"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"count": {"beauty": True}}, "x: beauty is no fact; one of checked, closed"),
        ({"sum": ["beauty"]}, "x: beauty is no amount; one of answers"),
        ({"of": None}, "x: a percentage needs of or over"),
        ({"show": "number"}, "x: only a percentage can have weight"),
        ({"better": "low", "target": 1}, "target = 1 leaves nothing to lose"),
        ({"target": 0}, "target = 0 leaves nothing to gain"),
    ],
)
def test_wrong_indicator_names_its_cure(wrong: dict[str, Any], said: str) -> None:
    base = {"id": "x", "name": "率", "formula": "口径", "better": "high", "of": {}, "weight": 10}
    with pytest.raises(ConfigError, match=said):
        validate({"indicator": [base | wrong]}, Assessment, "assessment.toml")


def test_indicator_is_named_once() -> None:
    base = {"id": "x", "name": "率", "formula": "口径", "better": "high", "of": {}}
    with pytest.raises(ConfigError, match="indicator x is there twice"):
        validate({"indicator": [base, base]}, Assessment, "assessment.toml")
