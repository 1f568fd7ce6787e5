"""The same citizen's other cases and what happened nearby, found by keys; nobody sees beyond their areas."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from desk.around import Around
from hub.city import City
from router.grouping import Finder, founded
from router.similarity import Matcher
from store.db import Database, Tx
from store.tables import T

FIRST = 202611240000001
HERE = (43.3710, 128.2310)
ROWS: dict[int, dict[str, Any]] = {
    0: {"author_key": "a", "lat": HERE[0], "lon": HERE[1], "point": "江滨公园"},
    1: {"author_key": "a", "text": "路灯坏了"},
    2: {"author_key": "a", "channel": "forum"},
    3: {"author_key": ""},
    4: {"lat": HERE[0] + 0.0018, "lon": HERE[1], "problems": '["pets"]', "area": "minzhu"},
    5: {"lat": HERE[0] + 0.0030, "lon": HERE[1]},
    6: {"point": "江滨公园", "problems": "[]"},
    7: {"lat": HERE[0], "lon": HERE[1], "days": 100},
}


@pytest.fixture
async def around(db: Database, city: City, clock: Any) -> Around:
    finder = Finder(db, Matcher(city.grouping, city.spots(), city.taxonomy.names), T.case_keys)

    async def work(tx: Tx) -> None:
        for n, more in ROWS.items():
            item, case = _rows(n, clock(), dict(more))
            await tx.insert(T.items, [item])
            await tx.insert(T.cases, [case])

    await db.write(work)
    async with db.read() as conn:
        known = await founded(conn, [_id(n, more.get("days", 0)) for n, more in ROWS.items()])
    keys = [{"key": key, "case_id": one.id} for one in known for key in finder.keys_of(one)]
    await db.write(lambda tx: tx.insert(T.case_keys, keys))
    return Around(db, city.taxonomy.problems, clock=clock)


def _id(n: int, days: int) -> int:
    day = datetime(2026, 11, 24) - timedelta(days=days)
    return int(day.strftime("%Y%m%d")) * 10_000_000 + n + 1


def _rows(n: int, now: datetime, more: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    at = now - timedelta(days=more.pop("days", 0))
    case = {
        "id": _id(n, (now - at).days), "case_no": f"DH{n}", "status": "received", "channel": more.get("channel", "app"),
        "kind": "complaint", "problems": more.pop("problems", '["litter"]'), "urgency": "normal", "decision": "desk",
        "confidence": 0.5, "department": "", "suggested": "a", "rule": "r", "received_at": at,
        "area": more.pop("area", "bohai"), "point": more.pop("point", ""),
    }  # fmt: skip
    item = {
        "id": case["id"], "channel": "app", "channel_id": str(n), "content_sha": "x", "text": f"第{n}件事",
        "received_at": at, "sealed": b"x",
    }  # fmt: skip
    return item | more, case


def numbers(lines: list[dict[str, Any]]) -> list[int]:
    return [int(one["case_no"][2:]) for one in lines]


async def test_the_same_citizen_of_the_same_channel(around: Around) -> None:
    assert numbers((await around.of(FIRST))["citizen"]) == [1]
    assert numbers((await around.of(FIRST + 3))["citizen"]) == []


async def test_nearby_is_within_300_m_or_at_the_same_point_lately(around: Around) -> None:
    near = (await around.of(FIRST))["nearby"]
    assert numbers(near) == [6, 4]
    assert near[0]["distance_m"] is None
    assert near[1]["distance_m"] == pytest.approx(200, abs=3)
    assert near[1]["problems"] == ["pets"]


async def test_only_cases_of_the_areas_are_told(around: Around) -> None:
    found = await around.of(FIRST, {"minzhu"})
    assert (numbers(found["citizen"]), numbers(found["nearby"])) == ([], [4])


async def test_nothing_is_around_a_case_that_is_not(around: Around) -> None:
    assert await around.of(1) == {"citizen": [], "nearby": []}
