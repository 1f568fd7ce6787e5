"""Words find cases: through joined citizens, behind filters, page after page, and never beyond the asker's areas."""

from datetime import UTC, datetime
from typing import Any

import pytest

from desk.queue import Asker, Filters, Queue
from desk.searching import FEW, Searching
from store.db import Database
from store.errors import RejectedError
from store.search import Indexer, mark
from store.tables import T

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
ASKER = Asker("wang", NOW)
FIRST = 202611240000001
TEXTS = [
    "化粪池满了，粪水流到楼道",
    "江滨公园的狗不拴绳",
    "楼道里堆满杂物",
    "公园北门的狗追人",
    "路灯坏了",
]


@pytest.fixture
async def searched(db: Database) -> Searching:
    async def work(tx: Any) -> None:
        for n, text in enumerate(TEXTS):
            item = {
                "channel": "app",
                "channel_id": str(n),
                "content_sha": "x",
                "title": "",
                "text": text,
            }
            await tx.insert(
                T.items, [item | {"id": FIRST + n, "received_at": NOW, "sealed": b"x", "key": b"k"}]
            )
            case = {
                "case_no": f"DH{n}",
                "channel": "app",
                "kind": "complaint",
                "urgency": "normal",
                "decision": "desk",
            }
            case |= {
                "status": "closed" if n == 3 else "received",
                "area": f"area{n % 2}",
                "suggested": "a",
                "rule": "r",
            }
            row = {"id": FIRST + n, "confidence": 0.5, "department": "", "received_at": NOW}
            await tx.insert(T.cases, [case | row])
            await tx.insert(
                T.case_items, [{"item_id": FIRST + n, "case_id": FIRST + (0 if n == 4 else n)}]
            )
            await mark(tx, [FIRST + n])

    await db.write(work)
    await Indexer(db).sweep()
    return Searching(db, Queue(db, {}))


async def found(searched: Searching, words: str, asker: Asker = ASKER, **filters: str) -> list[int]:
    page = await searched.page(words, asker, Filters(**filters))
    return [int(row["id"]) - FIRST for row in page.rows]


LOOKED_FOR = {
    "狗": [3, 1], "楼道": [2, 0], "公园 狗": [3, 1], "江滨公园": [1], "路灯": [0], "公园的狗": [1], "园北": [3], "没有这个": [],
    '"*" NEAR( -': [], "': --": [], "ｌ": [], "粪" * 5000: [],
}  # fmt: skip


async def test_words_are_found_where_they_stand(searched: Searching) -> None:
    assert {words: await found(searched, words) for words in LOOKED_FOR} == LOOKED_FOR


async def test_filters_and_areas_hold(searched: Searching) -> None:
    assert await found(searched, "狗", area="area0") == []
    assert await found(searched, "狗", ASKER._replace(scope=["area0"])) == []
    assert await found(searched, "楼道", ASKER._replace(scope=["area0"])) == [2, 0]


@pytest.mark.parametrize("few", [FEW, 1])
async def test_pages_of_rare_and_common_words_are_the_same(
    searched: Searching, db: Database, few: int
) -> None:
    searched = Searching(db, Queue(db, {}), few=few)
    first = await searched.page("楼道", ASKER, Filters(), limit=1)
    second = await searched.page("楼道", ASKER, Filters(), limit=1, after=first.next)
    assert [int(one.rows[0]["id"]) - FIRST for one in (first, second)] == [2, 0]
    rest = (
        await searched.page("楼道", ASKER, Filters(), limit=1, after=second.next)
        if second.next
        else None
    )
    assert rest is None or rest.rows == []


@pytest.mark.parametrize("after", ["x", "1" * 30, "-1"])
async def test_a_strange_cursor_is_refused(searched: Searching, after: str) -> None:
    with pytest.raises(RejectedError, match="after"):
        await searched.page("狗", ASKER, Filters(), after=after)
