"""What a changed rule would move: counted right, named by case number, and nothing written."""

import argparse
import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select

from hub.city import City
from hub.cli import parser
from hub.commands.dryrun import dry_run, lines
from router.dryrun import EXAMPLES, Past, compare, past
from router.rules import Matter, Router, Rules
from store.db import Database, Tx
from store.errors import ConfigError
from store.migrate import migrate
from store.tables import T

ZONE = ZoneInfo("Asia/Shanghai")
CONFIGS = Path(__file__).parent.parent.parent / "configs"
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def router(city: City, *rules: dict[str, Any]) -> Router:
    values = [{"name": f"r{n}", "why": "w", **rule} for n, rule in enumerate(rules)]
    return Router(Rules.model_validate({"rule": values}), city.directory)


def matter(**more: Any) -> Matter:
    values: dict[str, Any] = {
        "kind": "complaint", "problems": ("litter",), "campaigns": (), "urgency": "normal",
        "channel": "app", "hint": "", "text": "", "area": None,
    }  # fmt: skip
    return Matter(**(values | more))


def same(n: int, decided: str = "", **more: Any) -> Past:
    return Past(f"DH{n}", matter(**more), matter(**more), decided)


OLD = {"when": {"problems": ["litter"]}, "lead": "transport"}
NEW = {"when": {"problems": ["litter"]}, "lead": "real_estate"}


def test_moves_are_counted_from_where_to_where(city: City) -> None:
    old, new = router(city, OLD), router(city, {**NEW, "when": {"words": ["楼"]}}, OLD)
    matters = [
        same(1, text="楼道"),
        same(2, text="路口"),
        same(3, text="楼下"),
        same(4, problems=()),
    ]
    moves = compare(old, new, matters, deadlines=city.deadlines)
    assert (moves.items, moves.moved, moves.support) == (4, 2, 0)
    assert dict(moves.offices) == {("transport", "real_estate"): 2}
    assert dict(moves.rules) == {("r0", "r1"): 1}
    assert [(one.case_no, one.office, one.new_office) for one in moves.examples] == [
        ("DH1", "transport", "real_estate"),
        ("DH3", "transport", "real_estate"),
    ]


def test_agreement_with_what_people_decided(city: City) -> None:
    old, new = router(city, OLD), router(city, {**NEW, "when": {"words": ["楼"]}}, OLD)
    matters = [
        same(1, "real_estate", text="楼道"),
        same(2, "transport", text="楼下"),
        same(3, "transport", text="路口"),
        same(4, "township", text="楼上"),
        same(5, text="楼梯"),
    ]
    moves = compare(old, new, matters, deadlines=city.deadlines)
    assert (moves.decided, moves.before, moves.after) == (4, 2, 2)
    assert (moves.gained, moves.lost) == (["DH1"], ["DH2"])


def test_support_limits_and_urgency_are_counted_apart(city: City) -> None:
    day = {"deadline": {"amount": 9, "unit": "work_days"}}
    old = router(city, OLD)
    new = router(city, {**OLD, **day, "support": ["public_security"], "joint": True})
    urgent = Past("DH2", matter(), matter(urgency="urgent"))
    moves = compare(
        old, new, [same(1), urgent], deadlines=city.deadlines
    )  # no rule outlasts urgency
    assert (moves.moved, moves.support, moves.deadline, moves.urgency) == (0, 2, 1, 1)
    again = compare(old, old, [same(1)], deadlines=city.deadlines, into=moves)
    assert (again.items, again.deadline) == (3, 1)


def test_what_asks_for_no_case_before_or_after(city: City) -> None:
    old = router(city, OLD)
    gone, come = Past("DH1", matter(), None), Past("", None, matter())
    moves = compare(old, old, [gone, come, Past("", None, None)], deadlines=city.deadlines)
    assert moves.items == moves.moved == 2
    assert dict(moves.offices) == {("transport", "(no case)"): 1, ("(no case)", "transport"): 1}
    assert [one.case_no for one in moves.examples] == ["DH1"]


def test_examples_and_lists_are_few(city: City) -> None:
    matters = [same(n, "transport") for n in range(50)]
    moves = compare(router(city, OLD), router(city, NEW), matters, deadlines=city.deadlines)
    assert len(moves.examples) == len(moves.lost) == EXAMPLES
    assert (moves.before, moves.after) == (50, 0)
    told = "\n".join(lines(moves, city.directory.names, 30))
    assert "50 matters of the last 30 days: 50 would go to another office" in told
    assert "市交通运输局 → 市房产局" in told
    assert "100.0% → 0.0%" in told


def test_the_territory_is_that_of_the_new_directory(city: City) -> None:
    values = city.directory.model_dump()
    fewer = type(city.directory).model_validate(
        values | {"area": values["area"][1:], "community": []}
    )
    rules = Rules.model_validate(
        {"rule": [{"name": "r", "why": "w", "when": {}, "lead": "subdistrict"}]}
    )
    old, new = Router(rules, city.directory), Router(rules, fewer)
    area = city.directory.areas["bohai"]
    moves = compare(old, new, [same(1, area=area)], deadlines=city.deadlines)
    assert dict(moves.offices) == {("bohai", "subdistrict"): 1}


async def put(db: Database, n: int, at: datetime, *, case: int = 0, **verdict: Any) -> int:
    """An item with its verdict and, unless it asks for none, its case; the item's id."""
    item_id = int(at.astimezone(ZONE).strftime("%Y%m%d")) * 10_000_000 + n
    said: dict[str, Any] = {
        "revision": 1, "model": "m", "kind": "complaint", "urgency": "normal", "decision": "auto",
        "trust": 0.9, "problems": '["litter"]', "area": "bohai", "point": "渤海街道办事处", "at": at,
    } | verdict  # fmt: skip
    item = {"id": item_id, "channel": "app", "channel_id": str(n), "content_sha": "x"}
    item |= {"text": "夜里的垃圾", "received_at": at, "sealed": b""}
    row = {
        "id": item_id, "case_no": f"DH{n}", "status": "dispatched", "channel": "app",
        "kind": "complaint", "urgency": "normal", "decision": "auto", "confidence": 0.9,
        "department": "transport", "suggested": "transport", "rule": "r", "received_at": at,
    }  # fmt: skip
    kept = said["kind"] != "praise"

    async def work(tx: Tx) -> None:
        await tx.run(insert(T.items).values(**item))
        await tx.run(insert(T.verdicts).values(item_id=item_id, **said))
        if kept:
            if not case:
                await tx.run(insert(T.cases).values(**row))
            await tx.run(insert(T.case_items).values(item_id=item_id, case_id=case or item_id))

    await db.write(work)
    return item_id


async def decide(db: Database, item_id: int, department: str) -> None:
    row = {"item_id": item_id, "confirmed": False, "kind": "complaint", "urgency": "normal"}
    row |= {"department": department, "actor": "a", "model": "m", "at": NOW}
    await db.write(lambda tx: tx.run(insert(T.corrections).values(**row)))


async def read(db: Database, city: City, **more: Any) -> list[Past]:
    values: dict[str, Any] = {"since": NOW - timedelta(days=30), "zone": ZONE, **more}
    pages = past(db, city.directory, **values)
    return [one async for page in pages for one in page]


async def test_items_of_the_last_days_are_read_in_pages(db: Database, city: City) -> None:
    await put(db, 1, NOW - timedelta(days=31))
    ids = [await put(db, n, NOW - timedelta(days=30 - n)) for n in range(2, 7)]
    await put(db, 7, NOW, case=ids[0])
    await put(db, 8, NOW, kind="praise")
    await decide(db, ids[1], "real_estate")
    found = await read(db, city, page=2)
    assert [one.case_no for one in found] == ["DH2", "DH3", "DH4", "DH5", "DH6", "DH2", ""]
    assert [one.decided for one in found[:3]] == ["", "real_estate", ""]
    assert found[-1].was is None
    first = found[0].was
    assert first is not None
    assert first == found[0].now
    assert (first.text, first.point, first.problems) == (
        "夜里的垃圾",
        "渤海街道办事处",
        ("litter",),
    )
    assert first.area is city.directory.areas["bohai"]
    assert first.at is not None
    assert first.at.hour == 9


async def test_messages_may_be_understood_anew(db: Database, city: City) -> None:
    await put(db, 1, NOW)
    await put(db, 2, NOW, kind="praise")
    columns = {"kind": "request", "problems": '["pets"]', "campaigns": "[]", "urgency": "urgent"}

    async def judge(texts: Sequence[str]) -> list[dict[str, Any]]:
        assert texts == ["夜里的垃圾"] * 2
        return [columns | {"decision": "auto", "dept_hint": "transport"} for _ in texts]

    found = await read(db, city, judge=judge)
    assert [one.was and one.was.problems for one in found] == [("litter",), None]
    assert [one.now and one.now.problems for one in found] == [("pets",), ("pets",)]
    assert found[0].now is not None
    assert (found[0].now.urgency, found[0].now.hint) == ("urgent", "transport")


def arguments(data: Path, *more: str) -> argparse.Namespace:
    return parser().parse_args(["dry-run", "--data", str(data), "--configs", str(CONFIGS), *more])


async def dump(db: Database) -> list[Any]:
    async with db.read() as conn:
        tables = [t for t in vars(T).values() if hasattr(t, "c")]
        return [tuple(row) for t in tables for row in await conn.execute(select(t))]


async def test_the_command_works_beside_a_running_hub_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = Database(f"sqlite:///{tmp_path / 'minsheng.db'}")
    await db.open()  # exclusive, as the hub has it
    await migrate(db)
    now = datetime.now(UTC)
    await decide(db, await put(db, 1, now, dept_hint="transport"), "real_estate")
    await put(db, 2, now, dept_hint="urban_enforcement", problems='["stalls"]')
    before = await dump(db)
    routing = tmp_path / "routing.toml"
    changed = """
[[rule]]
name = "night"
why = "夜里的垃圾"
when = { words = ["夜里"], problems = ["litter"] }
lead = "real_estate"
[[rule.example]]
text = "夜里倒垃圾"
problems = ["litter"]
expect = "real_estate"
"""
    routing.write_text(changed + (CONFIGS / "routing.toml").read_text("utf-8"), "utf-8")
    args = arguments(tmp_path, "--routing", str(routing), "--json")
    assert await asyncio.to_thread(dry_run, args) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["offices"] == [{"from": "transport", "to": "real_estate", "count": 1}]
    assert told["rules"] == [{"from": "learned", "to": "night", "count": 1}]
    assert (told["items"], told["decided"], told["before"], told["after"]) == (2, 1, 0, 1)
    assert told["gained"] == ["DH1"]
    assert "垃圾" not in json.dumps(told, ensure_ascii=False)
    assert await asyncio.to_thread(dry_run, arguments(tmp_path)) == 0
    assert "2 matters of the last 30 days: 0 would go" in capsys.readouterr().out
    assert await dump(db) == before
    await db.close()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--days", "0"], "--days must be at least 1"),
        (["--model", "nothing"], "nothing"),
        (["--routing", "missing.toml"], "missing.toml is missing"),
        ([], "is not there; give the hub's own folder"),
    ],
)
def test_what_can_not_be_done_is_said(tmp_path: Path, more: list[str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        dry_run(arguments(tmp_path, *more))
