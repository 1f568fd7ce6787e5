"""Certain joins happen by themselves, once, whatever the order of messages; people's cases are left alone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert, select, update

from router.duplicates import ACTOR, PATIENCE, JoinWorker
from router.grouping import Finder
from router.matching import Facts
from router.matters import Grouping
from router.similarity import Matcher
from router.spots import Name, Spots
from store.config import load
from store.db import Database
from store.errors import ConflictError
from store.model import ItemRef, Record
from store.outbox import record
from store.tables import T

ROOT = Path(__file__).parent.parent.parent
AT = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
NAMES = {"林业家属院": Name("林业家属院", "compound"), "林业小区": Name("林业家属院", "compound")}
SAID, AGAIN = "林业家属院3号楼垃圾桶满了没人收", "您好，林业小区三号楼的垃圾桶满了，太臭了，请处理"
OTHER = "林业家属院3号楼垃圾桶坏了没人管"


class Commands:
    """Keeps what it is told to do and does as much of it as the worker looks at."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.given: list[tuple[str, int, int]] = []
        self.notes: list[str] = []
        self.refuses = False

    async def merge(
        self, case_id: int, *, into: int, version: int | None, actor: str, note: str
    ) -> int:
        return await self._do("merge", case_id, into, actor, note, version)

    async def relapse(
        self, case_id: int, *, of: int, actor: str, note: str, version: int | None = None
    ) -> int:
        return await self._do("relapse", case_id, of, actor, note, version)

    async def _do(
        self, verb: str, case_id: int, other: int, actor: str, note: str, version: int | None
    ) -> int:
        assert actor == ACTOR
        assert version == 1
        if self.refuses:
            msg = "router: case was changed by somebody else; look again"
            raise ConflictError(msg)
        self.given.append((verb, case_id, other))
        self.notes.append(note)
        c = T.cases.c

        async def work(tx: Any) -> None:
            changed = {"status": "merged"} if verb == "merge" else {"relapse_of": other}
            await tx.run(update(T.cases).where(c.id == case_id).values(version=2, **changed))
            await tx.run(insert(T.events).values(**event(case_id, verb, actor)))

        await self._db.write(work)
        return 2


def event(case_id: int, verb: str, actor: str) -> dict[str, Any]:
    return {
        "case_id": case_id, "verb": verb, "before": "", "after": "", "actor": actor, "note": "", "at": AT,
    }  # fmt: skip


def make(number: int, text: str, **more: Any) -> Facts:
    values: dict[str, Any] = {
        "at": AT, "area": "minzhu", "channel": "app", "problems": frozenset({"litter"}), "author": f"k{number}",
    }  # fmt: skip
    return Facts(id=number, text=text, **(values | more))


@pytest.fixture
def commands(db: Database) -> Commands:
    return Commands(db)


@pytest.fixture
def worker(db: Database, commands: Commands, clock: Callable[[], datetime]) -> JoinWorker:
    settings = load(ROOT / "configs" / "grouping.toml", Grouping)
    finder = Finder(db, Matcher(settings, Spots(NAMES), {}), T.case_keys)
    return JoinWorker(db=db, finder=finder, cases=commands, clock=clock)


async def tell(db: Database, *messages: Facts, filed: bool = True, **case: Any) -> None:
    """Messages that were classified, and, where ``filed``, their cases."""
    encode = msgspec.json.encode
    items, verdicts, cases = [], [], []
    for f in messages:
        problems = encode(sorted(f.problems)).decode()
        items.append(
            {
                "id": f.id, "channel": f.channel, "channel_id": str(f.id), "content_sha": "", "title": "",
                "text": f.text, "author_key": f.author, "posted_at": f.at, "received_at": f.at, "sealed": b"",
            }
        )  # fmt: skip
        labels = {"problems": problems, "urgency": "normal", "decision": "desk", "area": f.area}
        verdicts.append(
            {"item_id": f.id, "revision": 1, "model": "m@1", "kind": "complaint", "trust": 0.9, "at": AT}
            | labels
        )  # fmt: skip
        values = {"status": "received", "version": 1, "kind": "complaint", "closed_at": f.closed_at}
        cases.append(
            {
                "id": f.id, "case_no": str(f.id), "channel": f.channel, "confidence": 0.9, "department": "",
                "suggested": "", "rule": "", "received_at": f.at,
            }
            | values | labels | case
        )  # fmt: skip

    async def work(tx: Any) -> None:
        await tx.run(insert(T.items), items)
        await tx.run(insert(T.verdicts), verdicts)
        if filed:
            await tx.run(insert(T.cases), cases)
            tx.touched.add("desk")

    await db.write(work)


def records(*ids: int) -> list[Record]:
    return [record(f"v{n}", str(n), ItemRef(item_id=n, revision=1)) for n in ids]


@pytest.mark.parametrize("batches", [[[1, 2]], [[1], [2]], [[2], [1]]], ids=str)
async def test_two_duplicates_meet_in_any_order(
    db: Database, worker: JoinWorker, commands: Commands, batches: list[list[int]]
) -> None:
    await tell(db, make(1, SAID), make(2, AGAIN), make(3, OTHER))
    for ids in batches:
        assert await worker.prepare(records(*ids)) == []
    await worker.prepare(records(3))
    assert commands.given == [("merge", 2, 1)]
    assert "同一地点：林业家属院3号楼" in commands.notes[0]
    for ids in (*batches, [3]):
        await worker.prepare(records(*ids))
    assert len(commands.given) == 1


async def test_a_third_joins_what_the_second_was_joined_to(
    db: Database, worker: JoinWorker, commands: Commands
) -> None:
    await tell(db, make(1, SAID), make(2, AGAIN), make(3, SAID))
    await worker.prepare(records(1, 2, 3))
    assert {(verb, case) for verb, case, _ in commands.given} == {("merge", 2), ("merge", 3)}
    assert all(into < case for _, case, into in commands.given)


@pytest.mark.parametrize(
    ("case", "orders", "joined"),
    [
        ({}, [], True),
        ({"status": "filed"}, [], False),
        ({"status": "handling"}, [], False),
        ({"status": "closed"}, [], False),
        ({"kind": "inquiry"}, [], False),
        ({"status": "dispatched"}, [AT + timedelta(minutes=2)], True),
        ({"status": "dispatched"}, [AT], False),
        ({"status": "dispatched"}, [None], False),
        ({"status": "dispatched"}, [AT + timedelta(minutes=2), AT], False),
    ],
)
async def test_only_what_nobody_works_on_is_joined(
    db: Database,
    worker: JoinWorker,
    commands: Commands,
    case: dict[str, Any],
    orders: list[datetime | None],
    *,
    joined: bool,
) -> None:
    await tell(db, make(1, SAID))
    await tell(db, make(2, AGAIN), **case)
    rows = [
        {
            "id": 200 + n, "case_id": 2, "department": "d", "lead": not n, "status": "assigned", "seq": n,
            "due_at": AT, "dispatched_at": AT, "leaves_at": leaves,
        }
        for n, leaves in enumerate(orders)
    ]  # fmt: skip

    async def work(tx: Any) -> None:
        await tx.insert(T.work_orders, rows)

    await db.write(work)
    await worker.prepare(records(1, 2))
    assert bool(commands.given) is joined


@pytest.mark.parametrize("verb", ["return_order", "unmerge", "extend"])
async def test_what_a_person_has_touched_is_left_alone(
    db: Database, worker: JoinWorker, commands: Commands, verb: str
) -> None:
    await tell(db, make(1, SAID), make(2, AGAIN))

    async def work(tx: Any) -> None:
        await tx.run(insert(T.events).values(**event(2, verb, "desk")))

    await db.write(work)
    await worker.prepare(records(1, 2))
    assert commands.given == []


async def test_a_case_a_person_has_labeled_is_left_alone(
    db: Database, worker: JoinWorker, commands: Commands
) -> None:
    await tell(db, make(1, SAID), make(2, AGAIN))
    row = {
        "item_id": 2, "confirmed": True, "kind": "complaint", "urgency": "normal", "department": "", "actor": "desk",
        "model": "m@1", "at": AT,
    }  # fmt: skip

    async def work(tx: Any) -> None:
        await tx.run(insert(T.corrections).values(**row))

    await db.write(work)
    await worker.prepare(records(1, 2))
    assert commands.given == []


async def test_what_came_back_is_linked_once(
    db: Database, worker: JoinWorker, commands: Commands
) -> None:
    days = timedelta(days=1)
    old = make(1, SAID, at=AT - 30 * days, closed_at=AT - 20 * days)
    declined = replace(old, id=2)
    await tell(db, old, status="closed")
    await tell(db, declined, status="declined")
    await tell(db, make(3, AGAIN), make(4, OTHER))
    for _ in range(2):
        await worker.prepare(records(1, 2, 3, 4))
    assert commands.given == [("relapse", 3, 1)]


async def test_a_command_refused_stops_nothing(
    db: Database, worker: JoinWorker, commands: Commands
) -> None:
    await tell(db, make(1, SAID), make(2, AGAIN))
    commands.refuses = True
    await worker.prepare(records(1, 2))
    assert commands.given == []
    commands.refuses = False
    await worker.prepare(records(1, 2))
    assert commands.given == [("merge", 2, 1)]


async def test_cases_not_filed_yet_are_waited_for(
    db: Database, worker: JoinWorker, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tell(db, make(1, SAID))
    await tell(db, make(2, AGAIN), filed=False)
    waited: list[float] = []

    async def wait(_heard: Any, timeout_s: float) -> bool:
        waited.append(timeout_s)
        async with db.read() as conn:
            assert (await conn.execute(select(T.case_keys.c.key).limit(1))).first() is not None
        await _file(db, 2)
        return True

    monkeypatch.setattr(db.pulse, "wait", wait)
    await worker.prepare(records(1, 2))
    assert len(waited) == 1
    assert commands.given == [("merge", 2, 1)]


async def _file(db: Database, number: int) -> None:
    c = T.cases.c

    async def work(tx: Any) -> None:
        row = dict((await tx.run(select(T.cases).where(c.id == 1))).mappings().one())
        await tx.run(insert(T.cases).values(row | {"id": number, "case_no": str(number)}))

    await db.write(work)


async def test_a_case_that_never_comes_is_not_waited_for(
    db: Database, worker: JoinWorker, commands: Commands, clock: Any
) -> None:
    await tell(db, make(1, SAID), filed=False)
    clock.forward(seconds=PATIENCE.total_seconds() + 1)
    await worker.prepare(records(1))
    assert commands.given == []
