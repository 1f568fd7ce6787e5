"""Views, filters, order and pages of the queue, on both databases; nobody sees beyond their areas."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from desk.order import ORDERS
from desk.queue import VIEWS, Asker, Filters, Queue
from store.db import Database
from store.errors import RejectedError
from store.tables import T

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
PLACES = {"bohai": frozenset({"bohai", "bohai_north"}), "minzhu": frozenset({"minzhu"})}
FIRST = 202611240000001


def row(n: int, **more: Any) -> dict[str, Any]:
    given = {
        "id": FIRST + n, "case_no": f"DH{n}", "status": "received", "channel": "app", "kind": "complaint", "problems": '["litter"]',
        "urgency": "normal", "decision": "desk", "confidence": 0.5, "department": "", "suggested": "urban", "rule": "r",
        "area": "bohai", "summary": f"第{n}件", "teach": n / 10, "received_at": NOW - timedelta(hours=n),
        "due_at": NOW + timedelta(hours=5 + n),
    }  # fmt: skip
    return given | more


CASES = [
    row(0, urgency="emergency"), row(1, decision="auto"), row(2, snoozed_until=NOW + timedelta(hours=1), due_at=NOW),
    row(3, snoozed_until=NOW), row(4, returns=2, area="minzhu"), row(5, suggested="outside"), row(6, kind="praise"),
    row(7, status="dispatched", department="water", due_at=NOW + timedelta(hours=1)), row(8, status="handled"),
    row(9, status="closed"), row(10, status="merged"), row(11, alike=True, area="bohai_north", problems='["pets"]'),
    row(12, status="suspended"), row(13, stage_due_at=NOW - timedelta(hours=1)), row(14, urgency="urgent", channel="forum"),
]  # fmt: skip


@pytest.fixture
async def queue(db: Database) -> Queue:
    async def work(tx: Any) -> None:
        for one in CASES:
            await tx.run(insert(T.cases).values(**one))
        claim = {"user": "wang", "kept": True, "since": NOW, "until": NOW + timedelta(seconds=9)}
        await tx.run(insert(T.claims).values(case_id=FIRST + 1, **claim))
        await tx.run(insert(T.claims).values(case_id=FIRST + 5, **claim | {"until": NOW}))

    await db.write(work)
    return Queue(db, PLACES)


def numbers(page: Any) -> list[int]:
    return [int(one["id"]) - FIRST for one in page.rows]


ASKER = Asker("wang", NOW, "outside")

SHOWN = {
    "waiting": [0, 14, 1, 3, 4, 5, 6, 11, 13],
    "mine": [1],
    "soon": [13, 7],
    "unsure": [14, 13, 11, 6, 5, 4, 3, 0],
    "alike": [11],
    "returned": [4],
    "outside": [5, 6],
    "snoozed": [2],
    "sent": [12, 7],
    "done": [8],
    "closed": [10, 9],
    "all": list(range(14, -1, -1)),
}


async def test_views_hold_what_they_say_in_their_order(queue: Queue) -> None:
    found = {view: numbers(await queue.page(view, ASKER, Filters())) for view in VIEWS}
    assert found == SHOWN


async def test_counts_are_those_of_the_views(queue: Queue) -> None:
    assert await queue.counts(ASKER) == {view: len(found) for view, found in SHOWN.items()}


NARROWED = [
    ({"problem": "pets"}, [11]),
    ({"problem": "pet"}, []),
    ({"problem": "%"}, []),
    ({"campaign": "streets"}, []),
    ({"area": "bohai_north"}, [11]),
    ({"area": "bohai"}, [0, 14, 1, 3, 5, 6, 11, 13]),
    ({"area": "nowhere"}, []),
    ({"channel": "forum"}, [14]),
    ({"urgency": "emergency"}, [0]),
    ({"department": "water"}, []),
    ({"claimed": "wang"}, [1]),
    ({"area": "minzhu", "problem": "litter"}, [4]),
]


async def test_filters_narrow_the_view(queue: Queue) -> None:
    found = [
        (one, numbers(await queue.page("waiting", ASKER, Filters(**one)))) for one, _ in NARROWED
    ]
    assert found == NARROWED


async def test_only_the_areas_of_the_asker_are_seen(queue: Queue) -> None:
    mine = ASKER._replace(scope=PLACES["minzhu"])
    pages = {view: await queue.page(view, mine, Filters()) for view in VIEWS}
    assert {one["area"] for page in pages.values() for one in page.rows} == {"minzhu"}
    assert await queue.counts(mine) == {view: len(page.rows) for view, page in pages.items()}
    assert not (await queue.page("all", mine, Filters(area="bohai"))).rows


async def test_pages_have_no_gap_and_no_repeat_while_rows_move(queue: Queue, db: Database) -> None:
    for sort in ORDERS:
        whole = numbers(await queue.page("waiting", ASKER, Filters(), sort=sort))
        got, after = [], ""
        while not got or after:
            page = await queue.page("waiting", ASKER, Filters(), sort=sort, after=after, limit=2)
            got += numbers(page)
            after = page.next
            if len(got) == 4:
                await move(db, got[0], "closed")
        assert (sort, got) == (sort, whole)
        await move(db, got[0], "received")


async def move(db: Database, n: int, status: str) -> None:
    moved = update(T.cases).where(T.cases.c.id == FIRST + n).values(status=status)
    await db.write(lambda tx: tx.run(moved))


async def test_a_rare_filter_is_looked_for_window_by_window(queue: Queue, db: Database) -> None:
    """A page may be empty, but its cursor leads on until all was looked at."""
    narrow = Queue(db, PLACES, window=4)
    for sort in ("newest", "oldest"):
        got, pages, after = [], 0, ""
        while not pages or after:
            wanted = Filters(channel="forum")
            page = await narrow.page("all", ASKER, wanted, sort=sort, after=after, limit=2)
            got += numbers(page)
            pages, after = pages + 1, page.next
        assert (sort, got, pages) == (sort, [14], 4)


async def test_ended_cases_are_ordered_by_number_whatever_is_asked(queue: Queue) -> None:
    assert numbers(await queue.page("closed", ASKER, Filters(), sort="teach")) == [10, 9]
    assert numbers(await queue.page("closed", ASKER, Filters(), sort="oldest")) == [9, 10]


async def test_cases_asked_for_by_number_are_those_the_view_still_holds(queue: Queue) -> None:
    ids = [FIRST + n for n in (0, 9, 14, 99)]
    assert numbers(await queue.page("waiting", ASKER, Filters(), ids=ids)) == [0, 14]
    assert numbers(await queue.page("waiting", ASKER, Filters(), ids=[])) == []


STRANGE: list[dict[str, Any]] = [
    {"view": "nothing"}, {"sort": "luck"}, {"after": "?"}, {"after": "WzFd"}, {"after": "WyJhIiwiYiJd"},
    {"after": "WyIyMDI2LTExLTI0VDAyOjAwOjAwIiwxXQ=="}, {"view": "all", "after": "WzllOTld"},
    {"view": "all", "after": "WzE4NDQ2NzQ0MDczNzA5NTUxNjE2XQ=="},
]  # fmt: skip


async def test_what_nobody_knows_is_refused(queue: Queue) -> None:
    for asked in STRANGE:
        with pytest.raises(RejectedError, match=r"desk: (view|sort|after)"):
            await queue.page(filters=Filters(), asker=ASKER, **{"view": "soon", **asked})
