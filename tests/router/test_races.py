"""Commands at once: nobody loses an update silently, and nothing but the hub's own errors comes out."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import test_walks as walks

from router.clocking import clock_of, until
from router.deadlines import Limit, Unit
from router.supervision import Schedule
from router.supervisor import build_supervisor
from router.workflow import Verb
from store.errors import ConflictError, RejectedError
from store.numbers import count_up
from store.tables import T

TWO_HOURS = Limit(amount=2, unit=Unit.WORK_HOURS)


def before_the_case_is_read(town: Any, monkeypatch: pytest.MonkeyPatch, first: Callable[[], Awaitable[Any]]) -> None:  # fmt: skip
    """Let ``first`` happen, and be over, the next time a command reads its case."""
    read = town.ledger.case
    waiting = [first]

    async def case(*args: Any, **more: Any) -> Any:
        while waiting:
            await waiting.pop()()
        return await read(*args, **more)

    monkeypatch.setattr(town.ledger, "case", case)


async def test_a_clock_moved_meanwhile_is_not_written_over(
    town: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if town.db.is_sqlite:
        pytest.skip("one writer at a time")
    case = await town.case()
    order = await town.sent(case, "transport")
    wanted = town.clock() + timedelta(days=3)

    async def instruct() -> None:
        version = (await town.row(case)).version
        await town.commands.cases.instruct(
            case, version=version, actor="wang", wanted_at=wanted, note="市领导交办"
        )

    before_the_case_is_read(town, monkeypatch, instruct)
    await town.ask(order, "extension", TWO_HOURS)
    clock = clock_of((await town.order(case))._mapping)
    assert clock.limit == until(town.clock(), wanted)


async def test_items_joined_to_a_case_move_along_when_it_is_joined_at_once(town: Any) -> None:
    for n in range(0, 30, 3):
        first, middle, last = [await town.case(n + k) for k in range(3)]
        merge = town.commands.joining.merge
        await asyncio.gather(
            merge(first, into=middle, version=1, actor="wang", note=""),
            merge(middle, into=last, version=1, actor="li", note=""),
        )
        held = await town.rows(T.case_items, T.case_items.c.item_id.in_([first, middle, last]))
        assert {one.case_id for one in held} == {last}
        assert (await town.row(last)).items == 3


async def test_crowd_on_one_case_leaves_right_books(town: Any) -> None:
    walk = walks.Walk(town, 5)
    cases = [await town.case(n) for n in range(3)]
    await town.db.write(lambda tx: count_up(tx, "20261124", 500, is_sqlite=town.db.is_sqlite))
    names = ["onward", *walk.often]

    async def one(name: str, case: Any) -> None:
        try:
            await getattr(walk, name)(case, cases)
        except (ConflictError, RejectedError):
            return

    for round_ in range(12):
        rows = [await town.row(case) for case in cases]
        dice = random.Random(round_)
        crowd = [one(dice.choice(names), dice.choice(rows)) for _ in range(20)]
        await asyncio.gather(*crowd)
        town.clock.forward(seconds=dice.choice([1, 9, 3600]))
        for case in await town.rows(T.cases):
            await walks.check_history(town, case)
            await walks.check_orders(town, case)
        items = await town.rows(T.case_items)
        counted = await walks.voices(town, items)
        assert {row.id: row.items for row in await town.rows(T.cases)} == counted


async def test_offices_of_one_case_at_once_are_each_heard_or_told(town: Any) -> None:
    case = await town.case()
    await town.sent(case, "transport", support=("real_estate", "urban_enforcement"), joint=True)
    orders = await town.orders(case)
    for verb in (Verb.SIGN, Verb.HANDLE):
        done = await asyncio.gather(
            *(town.act(order, verb, "已办") for order in orders), return_exceptions=True
        )
        assert not [one for one in done if isinstance(one, BaseException)]
    assert (await town.row(case)).status == "handled"


async def test_two_hubs_sweep_while_people_work(town: Any, outbox: Any, city: Any) -> None:
    walk = walks.Walk(town, 3)
    cases = [await town.case(n) for n in range(4)]
    for case in cases:
        await town.sent(case, "transport", support=("real_estate",), joint=True)
    hubs = [
        build_supervisor(
            db=town.db, outbox=outbox, schedule=Schedule(city.ladder, city.deadlines, town.planner.timekeeper.zone),
            names=city.directory.names, superiors=city.directory.chain, clock=town.clock,
        )
        for _ in range(2)
    ]  # fmt: skip

    async def one(name: str, case: Any) -> None:
        try:
            await getattr(walk, name)(case, cases)
        except (ConflictError, RejectedError):
            return

    for _ in range(25):
        town.clock.forward(hours=7)
        rows = [await town.row(case) for case in cases]
        names = [walk.dice.choice(["progress", "ask", "answer", "onward"]) for _ in rows]
        work = [one(name, row) for name, row in zip(names, rows, strict=True)]
        await asyncio.gather(*(hub.sweep(town.clock()) for hub in hubs), *work)
    papers = await town.rows(T.supervisions)
    numbers = sorted(one.number for one in papers if one.level == "urge" and one.number)
    assert sorted(numbers, key=len) == [
        f"敦城督催〔2026〕{n}号" for n in range(1, len(numbers) + 1)
    ]
    assert numbers
    for case in await town.rows(T.cases):
        told = [one for one in await town.rows(T.log, T.log.c.topic == "notices") if one.key == str(case.id)]  # fmt: skip
        seqs = [msgspec.json.decode(one.payload)["seq"] for one in told]
        assert sorted(seqs) == list(range(1, case.notices + 1))
        await walks.check_orders(town, case)
