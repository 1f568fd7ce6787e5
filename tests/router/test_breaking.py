"""What a case goes through when people change their minds, ask too much, or come too late."""

from datetime import timedelta
from typing import Any

import pytest

from router.deadlines import Limit, Unit
from router.deciding import Labels
from router.tasks import TaskRole
from router.workflow import Verb
from store.errors import ConflictError, RejectedError, WorkflowError
from store.learned import decisions
from store.tables import T

HOURS = Limit(amount=2, unit=Unit.WORK_HOURS)
CHOSEN = Labels("complaint", ("litter",), (), "urgent")


async def command(town: Any, name: str, case: int, **more: Any) -> int:
    """A command of the desk at the case's present version."""
    version, group = (await town.row(case)).version, town.commands
    of = group.undoing if name == "undo" else group.joining if name in {"merge", "unmerge"} else group.cases  # fmt: skip
    more |= {} if name == "undo" else {"note": more.get("note", "x")}
    done: int = await getattr(of, name)(case, version=version, actor="wang", **more)
    return done


async def closed(town: Any, case: int) -> Any:
    order = await town.done(case, "transport")
    await command(town, "close", case)
    return order


async def test_learning_never_sees_a_decision_that_was_taken_back(town: Any) -> None:
    case = await town.case()
    await town.dispatch(case, "transport", labels=CHOSEN)
    await command(town, "undo", case)
    assert await decisions(town.db) == []


async def test_what_was_decided_before_the_one_taken_back_holds_again(town: Any) -> None:
    case = await town.case()
    order = await town.sent(case, "transport", labels=CHOSEN)
    [first] = await decisions(town.db)
    await town.act(order, Verb.RETURN_ORDER, "x", reason="duty")
    await town.dispatch(case, "real_estate")
    await command(town, "undo", case)
    assert await decisions(town.db) == [first]
    assert [one.state for one in await town.rows(T.returns)] == ["open"]


async def test_undone_closing_puts_back_check_and_watch(town: Any) -> None:
    case = await town.case()
    await town.done(case, "transport")
    before = await town.row(case)
    await command(town, "close", case)
    await command(town, "undo", case)
    after = await town.row(case)
    changed = {k for k in after._mapping if after._mapping[k] != before._mapping[k]}
    assert changed == {"version"}
    assert [one.stage for one in await town.rows(T.answers)] == ["dispatched"]
    with pytest.raises(WorkflowError):
        await command(town, "undo", case)


async def test_the_desk_is_watched_again_where_a_case_comes_back_to_it(town: Any) -> None:
    case, other = await town.case(), await town.case(1)
    watched = town.planner.timekeeper.stage_due_at
    await command(town, "merge", case, into=other)
    town.clock.forward(hours=1)
    await command(town, "unmerge", case)
    assert (await town.row(case)).stage_due_at == watched("dispatch", town.clock())
    await command(town, "end", case, verb=Verb.DECLINE)
    town.clock.forward(hours=1)
    await command(town, "reopen", case, reason="mistake")
    assert (await town.row(case)).stage_due_at == watched("dispatch", town.clock())


async def test_a_request_that_went_away_is_no_task_any_more(town: Any) -> None:
    case = await town.case()
    order = await town.sent(case, "transport")
    await town.act(order, Verb.SIGN)
    await town.ask(order, "extension", HOURS)
    assert [one["kind"] for one in await town.commands.tasks.open(TaskRole.DISPATCHER)]
    await town.act(order, Verb.HANDLE, "x")
    assert await town.commands.tasks.open(TaskRole.DISPATCHER) == []


async def test_discontent_after_a_second_closing_is_a_task_again(town: Any) -> None:
    case = await town.case()
    order = await closed(town, case)
    said = {"actor": "citizen", "solved": "unsolved", "satisfied": "dissatisfied", "via": "page"}
    for _ in range(2):
        await town.commands.cases.follow_up(case, **said)
        [task] = await town.commands.tasks.open(TaskRole.DISPATCHER)
        await town.commands.tasks.done(task["id"], actor="wang", role=TaskRole.DISPATCHER)
        await town.commands.cases.follow_up(case, **said)
        assert await town.commands.tasks.open(TaskRole.DISPATCHER) == []
        await command(town, "reopen", case, reason="unsolved")
        await town.act(order, Verb.HANDLE, "x")
        await command(town, "close", case)


@pytest.mark.parametrize("verb", ["verify", "reopen"])
async def test_only_the_last_dispatch_is_sent_back(town: Any, verb: str) -> None:
    case = await town.case()
    lead = await town.sent(case, "transport", support=("real_estate",), joint=True)
    helper = (await town.orders(case))[1]
    await town.act(helper, Verb.SIGN)
    await town.act(helper, Verb.HANDLE, "x")
    await town.act(lead, Verb.RETURN_ORDER, "x", reason="duty")
    await town.done(case, "urban_enforcement")
    if verb == "verify":
        await command(town, "verify", case, passed=False)
    else:
        await command(town, "close", case)
        await command(town, "reopen", case, reason="unsolved")
    found = {one.department: one.status for one in await town.orders(case)}
    assert found == {"transport": "returned", "real_estate": "handled", "urban_enforcement": "signed"}  # fmt: skip


async def test_orders_of_a_case_never_take_the_numbers_of_the_next(town: Any) -> None:
    case = await town.case()
    offices = [one for one in town.planner.rules.directory.names if one != "transport"]
    with pytest.raises(RejectedError, match="orders"):
        for _ in range(100):
            await town.dispatch(case, "transport", support=offices[:9])
            await command(town, "undo", case)
    assert max(order.id for order in await town.orders(case)) < (case + 1) * 100


async def told(town: Any) -> list[str]:
    """What citizens are told, in the order in which it leaves."""
    return [one.stage for one in sorted(await town.rows(T.answers), key=lambda a: (a.due_at, a.id))]


async def test_joined_while_held_nobody_is_told_of_a_dispatch_that_never_left(town: Any) -> None:
    case, other = await town.case(), await town.case(1)
    await town.dispatch(case, "transport")
    await command(town, "merge", case, into=other)
    assert await told(town) == ["merged"]


async def test_reopened_while_held_nobody_is_told_that_it_is_closed(town: Any) -> None:
    case = await town.case()
    await closed(town, case)
    await command(town, "reopen", case, reason="mistake")
    assert await told(town) == ["dispatched"]


@pytest.mark.parametrize("years", [2, 900, 7970])
async def test_a_leaders_day_too_far_off_is_refused(town: Any, years: int) -> None:
    case = await town.case()
    wanted_at = town.clock() + timedelta(days=365 * years)
    with pytest.raises(RejectedError) as caught:
        await command(town, "instruct", case, wanted_at=wanted_at)
    assert caught.value.reason == "deadline"


async def test_a_day_far_off_from_another_door_is_filed_all_the_same(town: Any) -> None:
    case = await town.case(wanted_at=town.clock() + timedelta(days=4000), decision="auto", hint="transport")  # fmt: skip
    assert (await town.row(case)).wanted_at == town.clock() + timedelta(days=4000)


async def test_support_that_is_called_again_was_refused(town: Any) -> None:
    case = await town.case()
    lead = await town.sent(case, "transport", support=("real_estate",))
    helper = (await town.orders(case))[1]
    await town.act(helper, Verb.RETURN_ORDER, "x", reason="duty")
    await town.act(lead, Verb.RETURN_ORDER, "x", reason="duty")
    await town.dispatch(case, "urban_enforcement", support=("real_estate",))
    judged = {one.department: one.state for one in await town.rows(T.returns)}
    assert judged == {"transport": "accepted", "real_estate": "refused"}


async def test_a_reason_is_kept_with_returns_only(town: Any) -> None:
    case = await town.case()
    order = await town.sent(case, "transport")
    await town.act(order, Verb.SIGN, reason="\0duty")
    assert [one.reason for one in await town.history(case)][-1] == ""


async def test_suspension_is_asked_for_once(town: Any) -> None:
    case = await town.case()
    order = await town.sent(case, "transport")
    await town.act(order, Verb.SIGN)
    await town.ask(order, "suspension", None)
    with pytest.raises(RejectedError) as caught:
        await town.ask(order, "suspension", None)
    assert caught.value.reason == "asked"


async def test_undo_is_refused_once_the_order_has_left_whatever_the_bounds_are_now(town: Any, city: Any) -> None:  # fmt: skip
    case = await town.case()
    await town.sent(case, "transport")
    town.commands.adopt(city.lifecycle.model_copy(update={"undo_s": 600}))
    with pytest.raises(ConflictError, match="too late"):
        await command(town, "undo", case)


async def test_a_leaders_day_answers_who_asked_for_more_time(town: Any) -> None:
    case = await town.case()
    order = await town.sent(case, "transport")
    number = await town.ask(order, "extension", HOURS)
    wanted_at = town.clock() + timedelta(days=3)
    await command(town, "instruct", case, wanted_at=wanted_at)
    assert [one.state for one in await town.rows(T.requests)] == ["lapsed"]
    with pytest.raises(ConflictError):
        await town.commands.requests.answer(number, actor="wang", granted=True, note="")
    assert (await town.order(case)).due_at == wanted_at


async def test_parted_while_the_closing_is_held_nobody_of_it_is_told_of_the_closing(town: Any) -> None:  # fmt: skip
    case, other = await town.case(), await town.case(1)
    await command(town, "merge", case, into=other)
    await closed(town, other)
    await command(town, "unmerge", case)
    closing = [one.item_id for one in await town.rows(T.answers) if one.stage == "closed"]
    assert closing == [other]
