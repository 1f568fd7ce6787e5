"""Candidates are found in the database by the keys their cases are kept under."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from router.grouping import BEST, KEYS, Finder
from router.matching import Facts
from router.matters import Grouping
from router.similarity import Matcher
from router.spots import Name, Spots
from store.config import load
from store.db import Database
from store.errors import ConfigError
from store.tables import T

ROOT = Path(__file__).parent.parent.parent
AT = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
NAMES = {
    "林业家属院": Name("林业家属院", "compound"),
    "林业小区": Name("林业家属院", "compound"),
    "新华路": Name("新华路", "street"),
    "民主街道": Name("民主街道", "subdistrict"),
}
WORDS = (
    "垃圾桶满了好几天没人清运，味道特别大，苍蝇乱飞，请尽快派人处理一下，老人孩子都没法出门，谢谢"
)


def make(number: int, text: str, **more: Any) -> Facts:
    values: dict[str, Any] = {
        "at": AT, "area": "minzhu", "point": "林业社区居民委员会", "channel": "app",
        "problems": frozenset({"litter"}), "author": f"k{number}",
    }  # fmt: skip
    return Facts(id=number, text=text, **(values | more))


@pytest.fixture
async def finder(db: Database) -> Finder:
    settings = load(ROOT / "configs" / "grouping.toml", Grouping)
    return Finder(db, Matcher(settings, Spots(NAMES), {}), T.case_keys)


async def keep(db: Database, finder: Finder, cases: list[Facts]) -> None:
    """Store cases as filing does, and the keys they are found by."""
    items = [
        {
            "id": f.id, "channel": f.channel, "channel_id": str(f.id), "content_sha": "", "title": f.title,
            "text": f.text, "author_key": f.author, "lat": f.here and f.here[0], "lon": f.here and f.here[1],
            "url": f.url, "thread": f.thread, "posted_at": f.at, "received_at": f.at, "sealed": b"", "key": None,
        }
        for f in cases
    ]  # fmt: skip
    rows = [
        {
            "id": f.id, "case_no": str(f.id), "status": "received", "version": 1, "channel": f.channel,
            "kind": "complaint", "problems": '["litter"]', "campaigns": "[]", "urgency": "normal",
            "decision": "desk", "confidence": 0.9, "department": "", "suggested": "", "rule": "", "area": f.area,
            "point": f.point, "received_at": f.at, "closed_at": f.closed_at,
        }
        for f in cases
    ]  # fmt: skip
    keys = [{"case_id": f.id, "key": key} for f in cases for key in finder.keys_of(f)]

    async def work(tx: Any) -> None:
        for table, values in ((T.items, items), (T.cases, rows), (T.case_keys, keys)):
            await tx.insert(table, values)

    await db.write(work)


async def test_the_best_come_first_and_none_of_itself(db: Database, finder: Finder) -> None:
    await keep(
        db,
        finder,
        [
            make(1, "林业家属院3号楼" + WORDS),
            make(2, "林业家属院垃圾成山"),
            make(3, "林业家属院5号楼" + WORDS),
            make(4, "新华路" + WORDS, area="bohai", point=""),
        ],
    )
    new = make(5, "林业小区三号楼" + WORDS)
    await keep(db, finder, [new])
    found = await finder.find(new, AT)
    assert [(m.case_id, m.certain) for m in found] == [(1, True), (2, False)]


@pytest.mark.parametrize(
    ("case", "new"),
    [
        ({"text": "门口" + WORDS, "area": ""}, {"text": "请转：门口" + WORDS, "area": ""}),
        (
            {"text": "太脏了", "here": (43.3640, 128.2300), "area": ""},
            {"text": "太脏了啊", "here": (43.3641, 128.2302), "area": ""},
        ),
        (
            {"text": "脏", "url": "https://forum.example/7"},
            {"text": "臭", "url": "https://forum.example/7"},
        ),
        ({"text": "脏乱差", "thread": "p7"}, {"text": "又来", "thread": "p7"}),
        ({"text": "林业家属院好脏"}, {"text": "林业小区没人扫"}),
        ({"text": "太脏了", "author": "k"}, {"text": "太脏了呢", "author": "k", "point": ""}),
    ],
    ids=["copy", "coordinates", "link", "thread", "name", "author"],
)
async def test_each_kind_of_key_finds(
    db: Database, finder: Finder, case: dict[str, Any], new: dict[str, Any]
) -> None:
    await keep(db, finder, [make(1, **{"point": "", **case})])
    assert [m.case_id for m in await finder.find(make(2, **{"point": "", **new}), AT)] == [1]


async def test_a_cell_s_border_is_no_border(db: Database, finder: Finder) -> None:
    steps = [(43.3640 + n * 0.0004, 128.2300 + n * 0.0004) for n in range(12)]
    for number, here in enumerate(steps, 1):
        await keep(db, finder, [make(number, "太脏了", here=here, area="", point="", author="")])
    for number, (lat, lon) in enumerate(steps, 1):
        near = make(99, "太脏了", here=(lat + 0.0002, lon - 0.0002), area="", point="", author="")
        assert number in [m.case_id for m in await finder.find(near, AT)]


async def test_closed_cases_are_relapses_until_forgotten(db: Database, finder: Finder) -> None:
    days = timedelta(days=1)
    await keep(
        db,
        finder,
        [
            make(1, "林业家属院3号楼" + WORDS, at=AT - 2 * days, closed_at=AT - days),
            make(2, "林业家属院3号楼" + WORDS, at=AT - 101 * days, closed_at=AT - 100 * days),
        ],
    )
    found = await finder.find(make(3, "林业家属院3号楼" + WORDS), AT)
    assert [(m.case_id, m.relapse, m.certain) for m in found] == [(1, True, False)]


async def test_the_newest_of_many_are_compared(db: Database, finder: Finder) -> None:
    await keep(db, finder, [make(n, "林业家属院垃圾") for n in range(1, 301)])
    found = await finder.find(make(999, "林业家属院垃圾"), AT)
    assert len(found) == BEST
    assert [m.case_id for m in found] == list(range(300, 300 - BEST, -1))


async def test_a_message_that_says_nothing_finds_nothing(db: Database, finder: Finder) -> None:
    nothing = make(2, "。", area="", author="", problems=frozenset())
    assert finder.keys_of(nothing) == ()
    assert await finder.find(nothing, AT) == []


async def test_keys_are_few_and_name_nobody(finder: Finder) -> None:
    full = make(
        1,
        "林业家属院与幸福小区之间新华路" + WORDS,
        here=(43.36, 128.23),
        problems=frozenset({"litter", "sewage", "pets"}),
        url="https://forum.example/1",
        thread="p1",
        author="secret",
    )
    keys = finder.keys_of(full)
    assert len(keys) == len(set(keys)) == KEYS
    assert not [key for key in keys if "secret" in key or "forum" in key]


async def test_keys_stay_what_they_were(finder: Finder) -> None:
    """They are kept in the database: a library that changes them must not pass unseen."""
    one = make(1, "林业家属院垃圾没人收", here=(43.3640, 128.2300), author="k")
    assert finder.keys_of(one) == (
        "w|7f97580c7c5cf55786",
        "t|0|e9c99d0e662980ae4d",
        "t|1|e3e64e874cf10bb315",
        "t|2|6b006db9dfd6c47386",
        "s|litter|林业家属院",
        "c|litter|19287:41464",
        "a|litter|minzhu|林业社区居民委员会",
    )
    assert finder.keys_of(one) == finder.keys_of(replace(one, id=2))


def test_settings_name_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "grouping.toml"
    path.write_text("radius = 3", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"radius: unknown key"):
        load(path, Grouping)
