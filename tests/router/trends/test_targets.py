"""How a target stands, by measure; what its owners report; and the task when it lags."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from town import ZONE

from hub.city import City
from router.tasks import TaskKind, TaskRole, Tasks
from router.trends.book import CaseRefusedError, Said, TargetBook
from router.trends.catalogue import Unit
from router.trends.days import Period
from router.trends.lagging import TargetWatch
from router.trends.numbers import Numbers
from router.trends.progress import Seen, State, base_spans, progress
from router.trends.tally import Tally
from router.trends.targets import Around, Target, Targets, load_targets
from store.db import Database, Tx
from store.errors import ConfigError, ConflictError, RejectedError
from store.numbers import case_no
from store.tables import T

TODAY = date(2026, 11, 24)
LINE = {"id": "t", "campaign": "traffic", "title": "目标", "owner": "transport", "year": 2026, "due": date(2026, 12, 31)}  # fmt: skip
COUNT = {"unit": "个", "goal": 20}
CAP = {"indicator": "items", "better": "down", "goal": 1000}
RATE = {"indicator": "on_time_rate", "goal": 0.9}
HOURS = {"indicator": "work_median", "better": "down", "goal": 24}
LESS = {"indicator": "items", "better": "down", "reduce_by": 0.1}
STEPS = {"milestones": [{"name": "甲", "due": date(2026, 3, 31)}, {"name": "乙", "due": TODAY}]}
LATE = {"due": date(2026, 10, 31)}


def target(**more: Any) -> Target:
    return Target.model_validate({**LINE, **more})


NOW = datetime(2026, 11, 24, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("measure", "seen", "today", "state", "words"),
    [
        # reported counts, against the calendar: 328 of 365 days have passed, a tenth is let pass
        (COUNT, Seen(20), TODAY, "done", "完成 100%"),
        (COUNT, Seen(16), TODAY, "on_track", "完成 80%，按时间应完成 90%"),
        (COUNT, Seen(15), TODAY, "behind", "完成 75%，按时间应完成 90%"),
        (COUNT, Seen(), TODAY, "behind", "尚未上报"),
        (COUNT, Seen(), date(2026, 1, 5), "on_track", "尚未上报"),
        (COUNT, Seen(), date(2025, 12, 31), "on_track", "尚未开始"),
        (COUNT, Seen(19), date(2027, 1, 1), "overdue", "完成 95%"),
        (COUNT, Seen(19), date(2026, 12, 31), "on_track", "完成 95%"),
        (COUNT | LATE, Seen(), TODAY, "overdue", "到期未上报"),
        (COUNT | LATE, Seen(20, reported_on=date(2026, 11, 2)), TODAY, "done", "逾期完成（2026-11-02）"),
        (COUNT | LATE, Seen(20, reported_on=date(2026, 10, 31)), TODAY, "done", "完成 100%"),
        # milestones: done by the end of their day
        (STEPS, Seen(1), TODAY, "on_track", "完成 1 步，应完成 1 步；下一步“乙”，2026-11-24 前"),
        (STEPS, Seen(0), TODAY, "behind", "下一步“甲”"),
        (STEPS, Seen(1), date(2026, 11, 25), "behind", "应完成 2 步"),
        (STEPS, Seen(2), TODAY, "done", "完成 2 步"),
        (STEPS, Seen(1), date(2027, 1, 1), "overdue", "完成 1 步"),
        # a percentage or a time must be right each day, and is done on the last
        (RATE, Seen(0.9, unit=Unit.PERCENT), TODAY, "on_track", "已达到"),
        (RATE, Seen(0.899, unit=Unit.PERCENT), TODAY, "behind", "未达到"),
        (RATE, Seen(0.9, unit=Unit.PERCENT), date(2027, 1, 1), "done", "已达到"),
        (RATE, Seen(0.5, unit=Unit.PERCENT), date(2027, 1, 1), "overdue", "未达到"),
        (RATE, Seen(unit=Unit.PERCENT), TODAY, "unknown", "尚无可计算的数据"),
        (HOURS, Seen(24.0, unit=Unit.HOURS), TODAY, "on_track", "已达到"),
        (HOURS, Seen(30.0, unit=Unit.HOURS), TODAY, "behind", "未达到"),
        # a cap is used up with the calendar
        (CAP, Seen(998), TODAY, "on_track", "已占上限的 100%，时间已过 90%"),
        (CAP, Seen(600), date(2026, 6, 30), "behind", "已占上限的 60%"),
        (CAP, Seen(1001), TODAY, "behind", "时间已过 90%，已超过上限"),
        (CAP, Seen(1000), date(2027, 1, 1), "done", "100%"),
        (CAP, Seen(1001), date(2027, 1, 1), "overdue", "100%"),
        (CAP, Seen(), TODAY, "unknown", "尚无数据"),
        (CAP | {"goal": 0}, Seen(1), TODAY, "behind", "零发生"),
        (CAP | {"goal": 0}, Seen(0), TODAY, "on_track", "零发生"),
        # less than in the same days of the year before
        (LESS, Seen(90, 100), TODAY, "on_track", "2025 年同期 100 件，减 10.0%"),
        (LESS, Seen(91, 100), TODAY, "behind", "减 9.0%"),
        (LESS, Seen(110, 100), date(2027, 1, 1), "overdue", "增 10.0%"),
        (LESS, Seen(90, 100), date(2027, 1, 1), "done", "减 10.0%"),
        (LESS, Seen(90), TODAY, "unknown", "2025 年同期没有数据，无法比较"),
        (LESS, Seen(90, 0), TODAY, "unknown", "2025 年同期为 0，无法比较"),
        (LESS, Seen(None, 100), TODAY, "unknown", "今年尚无数据"),
        (LESS, Seen(8, 10, since=date(2026, 10, 1)), TODAY, "on_track", "自 2026-10-01 起有可比数据"),
        # an indicator that must grow
        ({"indicator": "closed", "goal": 100}, Seen(85), TODAY, "on_track", "完成 85%"),
        ({"indicator": "closed", "goal": 100}, Seen(), TODAY, "unknown", "今年尚无数据"),
    ],
)  # fmt: skip
def test_state_and_words(
    measure: dict[str, Any], seen: Seen, today: date, state: str, words: str
) -> None:
    told = progress(target(**measure), seen, today)
    assert (told.state, words in told.words) == (state, True), told
    assert told.share is None or 0 <= told.share <= 1


@pytest.mark.parametrize(
    ("measure", "seen", "share", "due_share", "shown", "goal_shown"),
    [
        (COUNT, Seen(5), 0.25, 328 / 365, "5 个", "20 个"),
        (COUNT, Seen(40), 1.0, 328 / 365, "40 个", "20 个"),
        (STEPS, Seen(1), 0.5, 0.5, "1 步", "2 步"),
        (RATE, Seen(0.45, unit=Unit.PERCENT), 0.5, None, "45.0%", "不低于 90.0%"),
        (HOURS, Seen(48.0, unit=Unit.HOURS), 0.5, None, "48.0 小时", "不超过 24.0 小时"),
        (CAP, Seen(500), 0.5, 328 / 365, "500 件", "不超过 1,000 件"),
        (LESS, Seen(180, 100), 0.5, None, "180 件", "较 2025 年同期下降 10%"),
    ],
)
def test_shares_and_what_is_shown(
    measure: dict[str, Any],
    seen: Seen,
    share: float,
    due_share: float | None,
    shown: str,
    goal_shown: str,
) -> None:
    told = progress(target(**measure), seen, TODAY)
    assert (told.share, told.due_share) == (pytest.approx(share), pytest.approx(due_share))
    assert (told.shown, told.goal_shown) == (shown, goal_shown)


@pytest.mark.parametrize(
    ("first", "begins"),
    [
        (None, None),
        (date(2025, 11, 25), None),
        (date(2025, 10, 1), date(2026, 10, 1)),
        (date(2020, 1, 1), date(2026, 1, 1)),
    ],
)
def test_only_days_of_both_years_are_compared(first: date | None, begins: date | None) -> None:
    found = base_spans(target(**LESS), Period(date(2026, 1, 1), TODAY), first)
    assert (found[0].start if found else None) == begins
    assert found is None or found[1].end == date(2025, 11, 24)


def test_a_leap_day_is_compared_with_the_day_before() -> None:
    one = target(**LESS, year=2028, due=date(2028, 12, 31))
    found = base_spans(one, Period(date(2028, 1, 1), date(2028, 2, 29)), date(2020, 1, 1))
    assert found is not None
    assert found[1].end == date(2027, 2, 28)


BOOK = Targets.model_validate(
    {
        "target": [
            LINE | COUNT | {"helpers": ["bohai"]},
            LINE | STEPS | {"id": "steps"},
            LINE | LESS | {"id": "less", "label": "litter"},
            LINE | RATE | {"id": "rate", "owner": "urban_enforcement"},
        ]
    }
)


class Shelf:
    """A book over a city's database; ``file`` puts one case with its item and order there."""

    def __init__(self, db: Database, city: City) -> None:
        self.db, self.now, self.numbered = db, NOW, count(1)
        places = city.directory.places
        self.numbers = Numbers(db, city.catalogue, places, zone=ZONE, clock=lambda: self.now)
        self.book = TargetBook(db, self.numbers, BOOK, city.directory, clock=lambda: self.now)
        self.watch = TargetWatch(db, self.book, self.numbers, clock=lambda: self.now)
        self.tasks = Tasks(db, lambda: self.now)

    async def file(
        self, at: datetime, department: str = "transport", area: str = "", **order: Any
    ) -> str:
        """A case about litter; its number."""
        key = int(at.strftime("%Y%m%d")) * 10_000_000 + next(self.numbered)
        labels = {"kind": "complaint", "problems": '["litter"]', "area": area, "urgency": "normal", "decision": "auto"}  # fmt: skip
        rows: Mapping[Any, dict[str, Any]] = {
            T.items: {"id": key, "channel": "app", "channel_id": str(key), "content_sha": "x", "text": "x", "author_key": "a", "received_at": at, "posted_at": at, "sealed": b"", "key": b"k"},
            T.verdicts: labels | {"item_id": key, "revision": 1, "model": "m", "trust": 0.9, "at": at},
            T.cases: labels | {"id": key, "case_no": case_no("DH", key), "status": "handling", "channel": "app", "confidence": 0.9, "department": department, "suggested": department, "rule": "r", "received_at": at},
            T.case_items: {"item_id": key, "case_id": key},
            T.work_orders: {"id": key * 10, "case_id": key, "department": department, "lead": True, "status": "signed", "seq": 1, "dispatched_at": at, "due_at": at + timedelta(hours=50)} | order,
        }  # fmt: skip

        async def work(tx: Tx) -> None:
            for table, row in rows.items():
                await tx.insert(table, [row])

        await self.db.write(work)
        return case_no("DH", key)

    async def settle(self) -> None:
        await Tally(self.db, ZONE, clock=lambda: self.now).settle()

    async def standing(self, target: str) -> Any:
        return (await self.book.standings([self.book.one(target)]))[0]

    async def open(self) -> list[str]:
        return [row["note"] for row in await self.tasks.open(TaskRole.SUPERVISOR)]


@pytest.fixture
def shelf(db: Database, city: City) -> Shelf:
    return Shelf(db, city)


async def test_the_newest_report_counts_and_none_is_lost(shelf: Shelf) -> None:
    number = await shelf.file(NOW)
    first = await shelf.book.report("t", Said("15", "在建", number), actor="x", office="transport")
    assert (await shelf.standing("t")).progress.state is State.BEHIND
    shelf.now += timedelta(days=1)
    said = Said(" 17 ", "", f"{number}，{number.lower()}", first)
    await shelf.book.report("t", said, actor="y")
    told = await shelf.standing("t")
    assert (told.progress.state, told.progress.value) == (State.ON_TRACK, 17)
    assert (told.report.actor, list(told.report.cases.values())) == ("y", [number])
    history = await shelf.book.history("t")
    assert [(one.value, one.actor) for one in history] == [(17, "y"), (15, "x")]
    async with shelf.db.read() as conn:
        rows = (await conn.execute(select(T.audit).order_by(T.audit.c.id))).all()
    assert [(row.act, row.target, row.note) for row in rows] == [
        ("target.report", "target:t", "0 → 15；佐证 1 件"),
        ("target.report", "target:t", "15 → 17；佐证 1 件"),
    ]


WRONG = [
    ("none", "", Said("1"), "target"),
    ("t", "urban_enforcement", Said("1"), "target"),
    ("t", "", Said(""), "value"),
    ("t", "", Said("-1"), "value"),
    ("t", "", Said("nan"), "value"),
    ("t", "", Said("inf"), "value"),
    ("t", "", Said("1e10"), "value"),
    ("steps", "", Said("3"), "value"),
    ("steps", "", Said("0.5"), "value"),
    ("t", "", Said("1", "字" * 1001), "note"),
    ("rate", "", Said("", " "), "note"),
    ("t", "", Said("1", "", "DH1"), "cases"),
    ("t", "", Said("1", "", "DH2026112400000010"), "cases"),
    ("t", "", Said("1", "", " ".join(case_no("DH", 202611240000000 + n) for n in range(51))), "cases"),
    ("t", "", Said("1", "", case_no("DH", 202611240000077)), "cases"),
]  # fmt: skip


async def test_what_can_not_be_reported(shelf: Shelf) -> None:
    for key, office, said, reason in WRONG:
        with pytest.raises(RejectedError, match=r"^router: .*; ") as refused:
            await shelf.book.report(key, said, actor="x", office=office)
        assert refused.value.reason == reason, said
    async with shelf.db.read() as conn:
        for table in (T.target_reports, T.audit):
            assert (await conn.execute(select(func.count()).select_from(table))).scalar() == 0


EVIDENCE: list[tuple[str, str, dict[str, Any], str, bool]] = [
    ("transport", "", {}, "transport", True),
    ("transport", "", {}, "", True),
    ("urban_enforcement", "", {}, "", False),
    ("urban_enforcement", "", {}, "transport", False),
    ("transport", "", {}, "bohai", False),
    ("urban_enforcement", "bohai_community", {}, "bohai", True),
    ("urban_enforcement", "bohai", {}, "", True),
    ("urban_enforcement", "bohai", {}, "transport", False),
    ("transport", "", {"status": "returned"}, "transport", False),
    ("transport", "", {"leaves_at": NOW + timedelta(seconds=5)}, "transport", False),
]
"""Whose order a case is, where, who reports, and whether it is evidence."""


async def test_evidence_is_of_the_office_that_reports(shelf: Shelf) -> None:
    seen = 0
    for department, area, order, office, fits in EVIDENCE:
        number = await shelf.file(NOW, department, area, **order)
        said = Said("1", "", number, seen)
        if fits:
            seen = await shelf.book.report("t", said, actor="x", office=office)
            continue
        with pytest.raises(CaseRefusedError, match="is no case of this office; ") as refused:
            await shelf.book.report("t", said, actor="x", office=office)
        assert refused.value.number == number


async def test_a_doubled_click_is_one_report(shelf: Shelf) -> None:
    said = Said("3")
    await shelf.book.report("t", said, actor="x")
    with pytest.raises(ConflictError, match="look again"):
        await shelf.book.report("t", said, actor="x")
    assert len(await shelf.book.history("t")) == 1


async def test_figures_are_of_the_same_days_of_both_years(shelf: Shelf) -> None:
    for year, days in ((2025, range(1, 11)), (2026, range(1, 10))):
        for day in days:
            await shelf.file(datetime(year, 1, day, 4, tzinfo=UTC))
    await shelf.file(datetime(2025, 12, 1, 4, tzinfo=UTC))
    await shelf.settle()
    told = await shelf.standing("less")
    assert (told.progress.value, told.progress.goal) == (9, 9)
    assert told.progress.state is State.ON_TRACK
    assert told.query == "indicator=items&from=2026-01-01&to=2026-11-24&label=litter"
    assert told.base_query == "indicator=items&from=2025-01-01&to=2025-11-24&label=litter"


async def test_a_first_year_says_that_there_is_nothing_to_compare_with(shelf: Shelf) -> None:
    empty = await shelf.standing("less")
    assert (empty.progress.state, empty.base_query) == (State.UNKNOWN, "")
    await shelf.file(datetime(2025, 12, 20, 4, tzinfo=UTC))
    await shelf.file(datetime(2026, 5, 5, 4, tzinfo=UTC))
    await shelf.settle()
    first = (await shelf.standing("less")).progress
    assert (first.state, first.value) == (State.UNKNOWN, 1)
    assert first.words == "2025 年同期没有数据，无法比较"


async def test_a_report_on_a_measured_target_changes_no_figure(shelf: Shelf) -> None:
    await shelf.book.report("rate", Said("1", "系统升级致延误"), actor="x")
    told = await shelf.standing("rate")
    assert (told.progress.value, told.progress.state) == (None, State.UNKNOWN)
    assert told.report.note == "系统升级致延误"


async def test_one_task_a_month_until_it_is_right_again(shelf: Shelf) -> None:
    await shelf.book.report("steps", Said("1"), actor="x")
    for _ in range(2):
        assert await shelf.watch.run() > 0
    assert await shelf.open() == ["滞后：目标（尚未上报）"]
    shelf.now = datetime(2026, 12, 1, 1, tzinfo=UTC)
    await shelf.watch.run()
    assert len(await shelf.open()) == 3  # both lag in December
    await shelf.book.report("steps", Said("2", seen=1), actor="x")
    await shelf.watch.run()
    assert await shelf.open() == ["滞后：目标（尚未上报）"] * 2
    await shelf.book.report("t", Said("20"), actor="x")
    await shelf.watch.run()
    assert await shelf.open() == []
    async with shelf.db.read() as conn:
        kinds = set((await conn.execute(select(T.tasks.c.kind))).scalars())
    assert kinds == {TaskKind.TARGET_BEHIND}


async def test_an_overdue_target_is_told_for_a_month_after_its_day(shelf: Shelf) -> None:
    shelf.now = datetime(2027, 1, 5, 1, tzinfo=UTC)
    await shelf.watch.run()
    assert sorted(await shelf.open()) == ["逾期：目标（到期未上报）"] * 2
    shelf.now = datetime(2027, 2, 5, 1, tzinfo=UTC)
    await shelf.watch.run()
    assert len(await shelf.open()) == 2


async def test_a_case_that_is_erased_is_evidence_no_more(shelf: Shelf) -> None:
    number = await shelf.file(NOW)
    await shelf.book.report("t", Said("1", "", number), actor="x")
    ids = update(T.target_reports).values(cases="[7]")
    await shelf.db.write(lambda tx: tx.run(ids))
    assert (await shelf.standing("t")).report.cases == {}


FILE = (Path(__file__).parents[3] / "configs" / "targets.toml").read_text(encoding="utf-8")


def around(city: City) -> Around:
    return Around(city.taxonomy, city.topics, city.directory, city.catalogue)


def test_the_book_that_comes_along_has_every_campaign(city: City) -> None:
    assert {one.campaign for one in city.targets.target} - {""} == set(city.taxonomy.campaigns)
    assert {str(one.measure) for one in city.targets.target} == {"indicator", "count", "milestones"}
    assert len(city.targets.of_year(2026)) == len(city.targets.target)
    assert city.targets.of_year(2027) == ()


def test_a_city_without_a_book(city: City, tmp_path: Path) -> None:
    assert load_targets(tmp_path / "targets.toml", around(city)) == Targets()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('id = "integrity_shops"', 'id = "civility_lessons"', "line {}: civility_lessons: id: used twice; "),
        ('campaign = "integrity"', 'campaign = "honor"', "integrity_shops: campaign: honor is no campaign"),
        ('topic = "street_lamps"', 'topic = "lamps"', "street_lamps_median: topic: lamps is not in topics.toml; "),
        ('campaign = "integrity"', "", "integrity_shops: give exactly one of campaign, topic"),
        ('owner = "market_regulation"', 'owner = "palace"', "palace is no office of departments.toml"),
        ('owner = "market_regulation"', 'owner = "subdistrict"', "subdistrict is no office of"),
        ('["media_center"]', '["out_of_scope"]', "out_of_scope is no office of"),
        ('["media_center"]', '["civilization_office"]', "helpers: an office is there twice; remove it"),
        ('unit = "户"\n', "", "integrity_shops: give exactly one of indicator, unit, milestones"),
        ('unit = "户"', 'unit = "户"\nindicator = "items"', "give exactly one of indicator, unit"),
        ("goal = 100\n", "", "integrity_shops: goal: missing; add it"),
        ("goal = 100\n", "goal = 0\n", "goal: 0 is reached at once; give more"),
        ("goal = 100\n", "goal = -1\n", "goal: Input should be greater"),
        ("goal = 100\n", "goals = 100\n", "goals: unknown key; remove it"),
        ("goal = 100\n", 'goal = 100\nbetter = "down"\n', "only an indicator can go down; remove it"),
        ("goal = 100\n", 'goal = 100\narea = "bohai"\n', "area: needs an indicator; remove it"),
        ("goal = 100\n", "goal = 100\nreduce_by = 0.1\n", "reduce_by: needs an indicator; add it"),
        ("due = 2026-11-30\nunit", "due = 2027-01-31\nunit", "due: 2027-01-31 is not in 2026; correct"),
        ('better = "down"\nreduce_by = 0.1', "reduce_by = 0.1", 'reduce_by: needs better = "down"; add it'),
        ("reduce_by = 0.1\n", "reduce_by = 0.1\ngoal = 5\n", "give either goal or reduce_by"),
        ("reduce_by = 0.1\n", "reduce_by = 0.1\nbaseline_year = 2026\n", "a year before 2026; correct it"),
        ("reduce_by = 0.1\n", "reduce_by = 1\n", "reduce_by: Input should be less than 1"),
        ('label = "litter"', 'label = "liter"', "civility_no_littering: label: liter is unknown; correct it"),
        ('label = "litter"', 'department = "transport"', "department: items is not told by it; remove it"),
        ('indicator = "satisfied_rate"', 'indicator = "joy"', "joy is not in indicators.toml; correct it"),
        ('indicator = "satisfied_rate"', 'indicator = "overdue"', "overdue tells only now; choose one of a time"),
        ("goal = 0.95", "goal = 95", "goal: a percentage is a share of 1; write 0.9 for 90%"),
        ("due = 2026-03-31", "due = 2026-06-30", "milestones: not in the order of their due; sort them"),
        ("due = 2026-03-31", "due = 2025-12-31", "milestones: not within 2026-01-01 to 2026-11-30; "),
        ("slack = 0.1", "slack = 1", "slack: Input should be less than 1"),
    ],
)  # fmt: skip
def test_a_book_that_is_wrong_says_where(
    city: City, tmp_path: Path, old: str, new: str, says: str
) -> None:
    assert old in FILE
    path = tmp_path / "targets.toml"
    path.write_text(FILE.replace(old, new, 1), encoding="utf-8")
    line = FILE[: FILE.index(old)].count("\n")
    with pytest.raises(ConfigError) as wrong:
        load_targets(path, around(city))
    assert str(wrong.value).startswith("config: ")
    assert says.format(line) in str(wrong.value)
    assert "targets.toml: line " in str(wrong.value)
