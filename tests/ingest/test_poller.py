"""The poller: cursor after durability, sweeps, alarms, pauses; on both databases."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, ClassVar

import pytest
from sqlalchemy import select

from ingest.admit import Admission
from ingest.poller import Poller
from ingest.protocol import Failure, Health, Page, Parsed, Payload
from store.db import Database
from store.dead import DeadLetters
from store.errors import RejectedError, TransientError
from store.model import Item
from store.tables import T


class Source:
    """A scripted source: each poll takes the next list of pages; an exception is raised in its place."""

    kind: ClassVar[str] = "source"
    lists_always: ClassVar[bool] = True

    def __init__(self, *polls: Sequence[Any]) -> None:
        self.channel = "forum"
        self.polls = list(polls)
        self.asked: list[tuple[str, bool]] = []
        self.restored: list[str] = []
        self.warning = ""

    async def pages(self, cursor: str, *, sweep: bool) -> AsyncIterator[Page]:
        self.asked.append((cursor, sweep))
        for step in self.polls.pop(0) if self.polls else ():
            if isinstance(step, Exception):
                raise step
            following, posts = step
            payload = None if posts is None else Payload(json.dumps(posts).encode())
            yield Page(payload, following)

    def parse(self, payload: Payload) -> Parsed:
        posts = json.loads(payload.body)
        good = [Item(channel="forum", channel_id=p, text=f"post {p}") for p in posts if p[0] != "!"]
        gone = [p[1:] for p in posts if p.startswith("!gone")]
        bad = [Failure(p, p.encode(), "ingest: forum: bad") for p in posts if p.startswith("!bad")]
        return Parsed(good, bad, gone)

    def wait_s(self) -> float:
        return 100.0

    def health(self) -> Health:
        return Health(budget=100, budget_left=7, warning=self.warning)

    def save(self) -> str:
        return f"saved {len(self.asked)}"

    def restore(self, saved: str) -> None:
        self.restored.append(saved)


@pytest.fixture
def poller(db: Database, admission: Admission, clock: Callable[[], Any]) -> Poller:
    return Poller(db=db, admission=admission, clock=clock)


async def row_of(db: Database) -> Any:
    async with db.read() as conn:
        return (await conn.execute(select(T.sources))).one()


async def test_cursor_moves_page_by_page_after_the_items(poller: Poller, db: Database) -> None:
    source = Source(
        [("c1", ["a", "b"]), ("c2", ["c"]), TransientError("forum: away")], [("c3", ["d"])]
    )
    polling = await poller.poll(source)
    assert [h.outcome for h in polling.heard] == ["admitted"] * 3
    row = await row_of(db)
    assert (row.cursor, row.failures, row.last_error, row.heard) == ("c2", 1, "forum: away", 3)
    await poller.poll(source)
    assert source.asked == [("", False), ("c2", False)]
    row = await row_of(db)
    assert (row.cursor, row.failures, row.last_error, row.heard) == ("c3", 0, "", 4)


async def test_one_bad_post_is_kept_and_stops_nothing(
    poller: Poller, db: Database, dead: DeadLetters
) -> None:
    await poller.poll(Source([("c", ["a", "!bad1", "b"])]))
    assert [one.source_key for one in await dead.list()] == ["!bad1"]
    assert (await row_of(db)).heard == 2


async def test_two_empty_lists_in_a_row_are_an_alarm_and_content_ends_it(
    poller: Poller, db: Database
) -> None:
    source = Source([("1", ["a"])], [("2", [])], [("3", [])], [("4", ["a"])], [("5", [])])
    alerts = []
    for _ in range(5):
        await poller.poll(source)
        alerts.append((await row_of(db)).alert)
    assert alerts == ["", "", "empty", "", ""]


async def test_unchanged_source_is_not_empty(poller: Poller, db: Database) -> None:
    source = Source([("1", ["a"])], *[[("1", None)] for _ in range(5)])
    for _ in range(6):
        await poller.poll(source)
    assert (await row_of(db)).alert == ""


async def test_changed_layout_is_an_alarm_until_it_is_read_again(
    poller: Poller, db: Database
) -> None:
    changed = RejectedError("ingest: forum: no threads on the page", reason="layout")
    source = Source([("1", ["a"])], [changed], [TransientError("x")], [("2", ["b"])])
    alerts = []
    for _ in range(4):
        await poller.poll(source)
        alerts.append((await row_of(db)).alert)
    assert alerts == ["", "layout", "layout", ""]


async def test_pause_doubles_with_failures_and_keeps_what_the_source_said(poller: Poller) -> None:
    away = [[TransientError("x")] for _ in range(9)]
    told = [TransientError("x", retry_after_s=9_999)]
    source = Source(*away, told, [("1", ["a"])])
    waits = [(await poller.poll(source)).wait_s for _ in range(11)]
    assert waits == [100, 200, 400, 800, 1600, 3200, 3600, 3600, 3600, 9_999, 100]


async def test_once_a_day_the_last_days_are_read_again(
    poller: Poller, db: Database, clock: Any
) -> None:
    source = Source(*[[("c", ["a"])] for _ in range(5)])
    for hours in (0, 12, 13, 1, 24):
        clock.forward(hours=hours)
        await poller.poll(source)
    assert [sweep for _, sweep in source.asked] == [False, False, True, False, True]


async def test_what_vanished_at_the_source_is_marked(poller: Poller, db: Database) -> None:
    await poller.poll(Source([("1", ["gone1", "b"])], [("2", ["!gone1"])]))
    source = Source([("2", ["!gone1"])])
    await poller.poll(source)
    async with db.read() as conn:
        rows = (await conn.execute(select(T.items.c.channel_id, T.items.c.gone_at))).all()
    assert {row.channel_id: row.gone_at is not None for row in rows} == {"gone1": True, "b": False}


async def test_budget_warning_and_state_are_kept_for_the_next_process(
    poller: Poller, db: Database, admission: Admission, clock: Any
) -> None:
    source = Source([("1", ["a"])], [("1", ["a"])])
    source.warning = "令牌还有2天到期"
    await poller.poll(source)
    row = await row_of(db)
    assert (row.budget, row.budget_left, row.warning) == (100, 7, "令牌还有2天到期")
    assert (row.next_at - clock()).total_seconds() == 100
    other = Source([("1", ["a"])])
    await Poller(db=db, admission=admission, clock=clock).poll(other)
    assert other.restored == ["saved 1"]


async def test_defect_of_a_connector_is_shown_and_tried_again(poller: Poller, db: Database) -> None:
    polling = await poller.poll(Source([ZeroDivisionError("secret words")]))
    row = await row_of(db)
    assert "ZeroDivisionError" in row.last_error
    assert "secret" not in row.last_error
    assert polling.wait_s == 100
