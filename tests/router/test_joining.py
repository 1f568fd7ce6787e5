"""Joining cases: every citizen is kept and answered, it can be taken back, what ended is linked instead."""

from typing import Any

import pytest
from sqlalchemy import select

from router.workflow import Verb
from store.errors import ConflictError, RejectedError, WorkflowError
from store.tables import T


async def merge(town: Any, case: int, into: int) -> int:
    version = (await town.row(case)).version
    done: int = await town.commands.joining.merge(
        case, into=into, version=version, actor="wang", note="同一事项"
    )
    return done


async def items_of(town: Any, case: int) -> list[int]:
    return [one.item_id for one in await town.rows(T.case_items, T.case_items.c.case_id == case)]


async def test_citizens_move_along_and_are_answered_with_the_other_case(town: Any) -> None:
    first, second = await town.case(0), await town.case(1)
    await merge(town, second, first)
    assert await items_of(town, first) == [first, second]
    rows = {one.id: one for one in await town.rows(T.cases)}
    assert (rows[first].items, rows[second].items) == (2, 0)
    assert (rows[second].status, rows[second].merged_into) == ("merged", first)
    await town.done(first, "transport")
    version = (await town.row(first)).version
    await town.commands.cases.close(first, version=version, actor="wang", note="办结")
    told = {(one.item_id, one.stage) for one in await town.rows(T.answers)}
    assert told == {
        (second, "merged"), (first, "dispatched"), (second, "dispatched"), (first, "closed"), (second, "closed"),
    }  # fmt: skip


async def test_taken_back_each_has_its_own_again(town: Any) -> None:
    cases = [await town.case(n) for n in range(3)]
    await merge(town, cases[0], cases[1])
    await merge(town, cases[1], cases[2])
    assert await items_of(town, cases[2]) == cases
    version = (await town.row(cases[0])).version
    undo = town.commands.joining.unmerge
    await undo(cases[0], version=version, actor="wang", note="不同楼栋")
    assert [await items_of(town, one) for one in cases] == [[cases[0]], [], cases[1:]]
    assert [(await town.row(one)).items for one in cases] == [1, 0, 2]
    assert (await town.row(cases[0])).status == "received"
    await undo(cases[1], version=(await town.row(cases[1])).version, actor="wang", note="")
    assert [await items_of(town, one) for one in cases] == [[one] for one in cases]
    with pytest.raises(WorkflowError):
        await undo(cases[1], version=(await town.row(cases[1])).version, actor="wang", note="")


async def test_taking_back_the_middle_first_leaves_the_others_where_they_are(town: Any) -> None:
    cases = [await town.case(n) for n in range(3)]
    await merge(town, cases[0], cases[1])
    await merge(town, cases[1], cases[2])
    undo = town.commands.joining.unmerge
    await undo(cases[1], version=(await town.row(cases[1])).version, actor="wang", note="")
    assert [await items_of(town, one) for one in cases] == [[], cases[:2], [cases[2]]]
    await undo(cases[0], version=(await town.row(cases[0])).version, actor="wang", note="")
    assert [await items_of(town, one) for one in cases] == [[one] for one in cases]


async def test_what_was_joined_leads_to_the_last_and_never_in_a_circle(town: Any) -> None:
    cases = [await town.case(n) for n in range(3)]
    await merge(town, cases[0], cases[1])
    await merge(town, cases[2], cases[0])
    assert (await town.row(cases[2])).merged_into == cases[1]
    with pytest.raises(RejectedError, match="itself"):
        await merge(town, cases[1], cases[0])


async def test_unsigned_orders_are_taken_back_signed_ones_stay(town: Any) -> None:
    first, second, third = [await town.case(n) for n in range(3)]
    await town.sent(second, "transport")
    await town.deliver()
    await merge(town, second, first)
    assert [o.status for o in await town.orders(second)] == ["withdrawn"]
    assert [d.change for d in await town.deliver()] == ["assigned", "withdrawn"]
    order = await town.sent(third, "transport")
    await town.act(order, Verb.SIGN)
    with pytest.raises(WorkflowError):
        await merge(town, third, first)


async def test_what_has_ended_is_linked_and_both_stay(town: Any) -> None:
    old = await town.case(0)
    await town.done(old, "transport")
    version = (await town.row(old)).version
    await town.commands.cases.close(old, version=version, actor="wang", note="办结")
    town.clock.forward(days=3)
    new = await town.case(1)
    with pytest.raises(RejectedError, match="relapse"):
        await merge(town, new, old)
    relapse = town.commands.joining.relapse
    await relapse(new, of=old, actor="wang", note="又满了")
    assert ((await town.row(new)).relapse_of, (await town.row(new)).status) == (old, "received")
    with pytest.raises(RejectedError, match="only a closed case"):
        await relapse(old, of=new, actor="wang", note="")


async def test_two_who_join_crosswise_end_with_one_case(town: Any) -> None:
    import asyncio

    first, second = await town.case(0), await town.case(1)
    results = await asyncio.gather(
        merge(town, first, second), merge(town, second, first), return_exceptions=True
    )
    failures = [one for one in results if isinstance(one, Exception)]
    assert [type(one) for one in failures] in ([ConflictError], [RejectedError])
    rows = await town.rows(T.cases)
    assert sorted(one.items for one in rows) == [0, 2]
    assert sum(one.merged_into is not None for one in rows) == 1


async def test_the_other_cases_history_names_what_it_took_in(town: Any) -> None:
    first, second = await town.case(0), await town.case(1)
    await merge(town, second, first)
    last = (await town.history(first))[-1]
    assert (last.verb, last.reason, last.note) == (
        "merge",
        "absorbed",
        (await town.row(second)).case_no,
    )
    async with town.db.read() as conn:
        kept = (await conn.execute(select(T.merges))).one()
    assert (kept.case_id, kept.into_id, kept.before) == (second, first, "received")
