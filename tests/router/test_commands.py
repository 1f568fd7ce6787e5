"""Commands on real cases in both databases: what each does to case, orders, clock, history and citizens."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from router.deadlines import Limit, Unit
from router.workflow import Verb
from store.errors import ConflictError, RejectedError, WorkflowError
from store.tables import T

DAY = Limit(amount=1, unit=Unit.WORK_DAYS)


async def test_dispatch_leaves_after_the_window_and_is_seen_then_only(town: Any) -> None:
    case = await town.case()
    await town.dispatch(case, "transport")
    order = await town.order(case)
    assert order.leaves_at - order.dispatched_at == timedelta(seconds=8.25)
    with pytest.raises(RejectedError, match="no such work order"):
        await town.act(order, Verb.SIGN)
    town.clock.forward(seconds=8.25)
    await town.act(order, Verb.SIGN)
    assert (await town.row(case)).status == "handling"


async def test_undo_puts_everything_back_and_nobody_hears_of_it(town: Any) -> None:
    case = await town.case()
    before = await town.row(case)
    version = await town.dispatch(case, "transport")
    await town.deliver()
    town.clock.forward(seconds=7)
    await town.commands.undoing.undo(case, version=version, actor="wang")
    await town.deliver()
    town.clock.forward(seconds=60)
    assert await town.deliver() == []
    after = await town.row(case)
    changed = {k for k in after._mapping if after._mapping[k] != before._mapping[k]}
    assert changed == {"version", "decision_seq", "notices"}
    assert (await town.order(case)).status == "withdrawn"
    assert [e.verb for e in await town.history(case)] == ["receive", "file", "dispatch", "undo"]
    version = await town.dispatch(case, "real_estate")
    town.clock.forward(seconds=9)
    assert [(d.department, d.change) for d in await town.deliver()] == [("real_estate", "assigned")]


async def test_undo_is_refused_late_to_others_and_after_something_else(town: Any) -> None:
    case = await town.case()
    version = await town.dispatch(case, "transport")
    with pytest.raises(WorkflowError):
        await town.commands.undoing.undo(case, version=version, actor="li")
    town.clock.forward(seconds=8)
    with pytest.raises(ConflictError, match="too late"):
        await town.commands.undoing.undo(case, version=version, actor="wang")
    other = await town.case(1)
    version = await town.commands.cases.end(
        other, version=1, actor="wang", verb=Verb.DECLINE, note="重复"
    )
    await town.commands.undoing.undo(other, version=version, actor="wang")
    assert ((await town.row(other)).status, (await town.row(other)).closed_at) == ("received", None)
    with pytest.raises(WorkflowError):
        await town.commands.undoing.undo(other, version=version + 1, actor="wang")


async def test_return_needs_a_code_comes_in_time_and_is_judged_by_the_next_dispatch(
    town: Any,
) -> None:
    case = await town.case()
    order = await town.sent(case, "transport")
    with pytest.raises(RejectedError, match="choose one of duty"):
        await town.act(order, Verb.RETURN_ORDER, "不属本局", reason="lazy")
    await town.act(order, Verb.RETURN_ORDER, "不属本局", reason="duty")
    assert ((await town.row(case)).status, (await town.row(case)).department) == ("filed", "")
    await town.sent(case, "real_estate")
    kept = (await town.rows(T.returns))[0]
    assert (kept.state, kept.department, kept.reason, kept.judged_by) == (
        "accepted", "transport", "duty", "wang",
    )  # fmt: skip
    late = await town.order(case)
    town.clock.forward(days=3)
    with pytest.raises(RejectedError, match="too late to return"):
        await town.act(late, Verb.RETURN_ORDER, "不属本局", reason="duty")


async def test_same_office_again_refuses_the_return_and_is_the_last_word(town: Any) -> None:
    case = await town.case()
    order = await town.sent(case, "transport")
    await town.act(order, Verb.RETURN_ORDER, "不属本局", reason="duty")
    order = await town.sent(case, "transport")
    assert [r.state for r in await town.rows(T.returns)] == ["refused"]
    assert (await town.history(case))[-1].reason == "final"
    with pytest.raises(RejectedError, match="final"):
        await town.act(order, Verb.RETURN_ORDER, "仍不属本局", reason="duty")


async def test_second_return_raises_a_task_and_ends_the_seesaw(town: Any) -> None:
    case = await town.case()
    for office in ("transport", "real_estate"):
        order = await town.sent(case, office)
        await town.act(order, Verb.RETURN_ORDER, "不属本单位", reason="duty")
    assert [t.kind for t in await town.rows(T.tasks)] == ["return_refused_limit"]
    order = await town.sent(case, "public_security")
    with pytest.raises(RejectedError, match="final"):
        await town.act(order, Verb.RETURN_ORDER, "不属本局", reason="duty")


async def test_extension_is_asked_in_time_stands_meanwhile_and_adds_its_days(town: Any) -> None:
    case = await town.case()
    order = await town.sent(case, "transport")
    number = await town.ask(order, "extension", DAY)
    with pytest.raises(RejectedError, match="asked for already"):
        await town.ask(order, "extension", DAY)
    town.clock.forward(days=1)
    await town.commands.requests.answer(number, actor="wang", granted=True, note="同意")
    after = await town.order(case)
    assert after.extensions == 1
    assert after.due_at - order.due_at == timedelta(days=2)
    assert (await town.row(case)).due_at == after.due_at
    assert [t.done_by for t in await town.rows(T.tasks)] == ["wang"]
    with pytest.raises(ConflictError, match="answered already"):
        await town.commands.requests.answer(number, actor="li", granted=False, note="")


async def test_extension_refused_gives_back_only_the_time_it_waited(town: Any) -> None:
    case = await town.case()
    order = await town.sent(case, "transport")
    number = await town.ask(order, "extension", DAY)
    town.clock.forward(hours=2)
    await town.commands.requests.answer(number, actor="wang", granted=False, note="不同意")
    after = await town.order(case)
    assert (after.extensions, after.due_at - order.due_at) == (0, timedelta(hours=2))


@pytest.mark.parametrize(
    ("limit", "days", "says"),
    [(None, 0, "amount"), (Limit(amount=11, unit=Unit.WORK_DAYS), 0, "at most"), (DAY, 30, "over")],
)
async def test_extension_too_long_or_too_late_is_refused(
    town: Any, limit: Limit | None, days: int, says: str
) -> None:
    order = await town.sent(await town.case(), "transport")
    town.clock.forward(days=days)
    with pytest.raises(RejectedError, match=says):
        await town.ask(order, "extension", limit)


async def test_suspended_case_stands_and_goes_on_where_it_was(town: Any) -> None:
    case = await town.case()
    order = await town.sent(case, "transport")
    await town.act(order, Verb.SIGN)
    number = await town.ask(order, "suspension", None)
    await town.commands.requests.answer(number, actor="wang", granted=True, note="冬季无法施工")
    stood = await town.order(case)
    assert ((await town.row(case)).status, stood.watch_at) == ("suspended", None)
    with pytest.raises(WorkflowError):
        await town.act(order, Verb.HANDLE, "x")
    town.clock.forward(days=7)
    version = (await town.row(case)).version
    await town.commands.cases.resume(case, version=version, actor="wang", note="开春")
    after = await town.order(case)
    assert after.due_at - order.due_at == timedelta(days=7)
    assert after.watch_at == town.clock()


async def test_failed_check_goes_back_and_its_waiting_is_not_the_offices(town: Any) -> None:
    case = await town.case()
    order = await town.done(case, "transport")
    town.clock.forward(hours=1)
    version = (await town.row(case)).version
    with pytest.raises(RejectedError, match="note"):
        await town.commands.cases.verify(case, version=version, actor="wang", passed=False, note="")
    await town.commands.cases.verify(
        case, version=version, actor="wang", passed=False, note="仍有垃圾"
    )
    again = await town.order(case)
    assert (again.status, again.reworks, again.handled_at) == ("signed", 1, None)
    assert again.due_at - order.due_at == timedelta(hours=1)
    assert ((await town.row(case)).status, (await town.row(case)).reworks) == ("handling", 1)
    assert [d.change for d in await town.deliver()][-1] == "reworked"
    await town.act(again, Verb.HANDLE, "已清")
    version = (await town.row(case)).version
    await town.commands.cases.verify(case, version=version, actor="wang", passed=True, note="")
    await town.commands.cases.close(case, version=version + 1, actor="wang", note="办结")
    assert [e.verb for e in await town.history(case)][-3:] == ["handle", "verify_pass", "close"]


async def test_reopening_needs_a_code_comes_in_time_and_starts_a_new_clock(town: Any) -> None:
    case = await town.case()
    order = await town.done(case, "transport")
    version = (await town.row(case)).version
    version = await town.commands.cases.close(case, version=version, actor="wang", note="办结")
    reopen = town.commands.cases.reopen
    town.clock.forward(days=5)
    with pytest.raises(RejectedError, match="choose one of unsolved"):
        await reopen(case, version=version, actor="wang", reason="mood", note="")
    await reopen(case, version=version, actor="wang", reason="unsolved", note="又出现")
    again = await town.order(case)
    assert (again.status, (await town.row(case)).reopens) == ("signed", 1)
    assert again.due_at > town.clock() > order.due_at
    await town.act(again, Verb.HANDLE, "已清")
    version = (await town.row(case)).version
    version = await town.commands.cases.close(case, version=version, actor="wang", note="办结")
    town.clock.forward(days=16)
    with pytest.raises(RejectedError, match="15 days"):
        await reopen(case, version=version, actor="wang", reason="unsolved", note="")


async def test_joint_enforcement_is_done_when_all_are_each_by_its_own_clock(town: Any) -> None:
    case = await town.case()
    await town.sent(case, "urban_enforcement", support=("transport", "public_security"), joint=True)
    lead, second, third = await town.orders(case)
    for order in (lead, second, third):
        await town.act(order, Verb.SIGN)
    await town.act(lead, Verb.HANDLE, "已整治")
    assert (await town.row(case)).status == "handling"
    await town.act(second, Verb.HANDLE, "已清运")
    await town.act(third, Verb.RETURN_ORDER, "不涉及治安", reason="duty")
    assert (await town.row(case)).status == "handled"
    assert [o.status for o in await town.orders(case)] == ["handled", "handled", "returned"]
    assert [t.kind for t in await town.rows(T.tasks)] == ["support_returned"]


async def test_lead_of_a_common_case_ends_it_for_those_who_helped(town: Any) -> None:
    case = await town.case()
    order = await town.sent(case, "urban_enforcement", support=("transport",), joint=False)
    await town.act(order, Verb.SIGN)
    await town.act(order, Verb.HANDLE, "已整治")
    assert [o.status for o in await town.orders(case)] == ["handled", "withdrawn"]


async def test_leaders_instruction_sets_the_day(town: Any) -> None:
    case = await town.case()
    await town.sent(case, "transport")
    wanted = datetime(2026, 11, 29, 4, 0, tzinfo=UTC)
    version = (await town.row(case)).version
    instruct = town.commands.cases.instruct
    with pytest.raises(RejectedError, match="past"):
        await instruct(case, version=version, actor="wang", wanted_at=town.clock(), note="交办")
    await instruct(case, version=version, actor="wang", wanted_at=wanted, note="市领导交办")
    assert (await town.order(case)).due_at == wanted
    assert ((await town.row(case)).due_at, (await town.row(case)).wanted_at) == (wanted, wanted)


async def test_instruction_before_the_dispatch_holds_for_its_orders(town: Any) -> None:
    case = await town.case()
    wanted = datetime(2026, 11, 28, 4, 0, tzinfo=UTC)
    await town.commands.cases.instruct(
        case, version=1, actor="wang", wanted_at=wanted, note="市领导交办"
    )
    assert (await town.sent(case, "transport")).due_at == wanted


async def test_follow_up_keeps_both_answers_and_tells_the_desk_of_discontent(town: Any) -> None:
    case = await town.case()
    await town.done(case, "transport")
    follow_up = town.commands.cases.follow_up
    said = {"actor": "wang", "via": "phone"}
    with pytest.raises(WorkflowError):
        await follow_up(case, solved="solved", satisfied="fair", **said)
    version = (await town.row(case)).version
    await town.commands.cases.close(case, version=version, actor="wang", note="办结")
    with pytest.raises(RejectedError, match="solved, partly, unsolved"):
        await follow_up(case, solved="yes", satisfied="fair", **said)
    await follow_up(case, solved="solved", satisfied="dissatisfied", **said)
    await follow_up(case, solved="solved", satisfied="fair", **said)
    assert [(r.solved, r.satisfied) for r in await town.rows(T.ratings)] == [("solved", "fair")]
    assert [t.kind for t in await town.rows(T.tasks)] == ["dissatisfied"]


async def test_another_version_is_a_conflict_and_changes_nothing(town: Any) -> None:
    case = await town.case()
    await town.dispatch(case, "transport")
    with pytest.raises(ConflictError, match="somebody else"):
        await town.commands.cases.end(case, version=1, actor="li", verb=Verb.REFER, note="x")
    assert (await town.row(case)).status == "dispatched"


async def test_what_an_office_leaves_lying_is_taken_back_and_given_to_another(town: Any) -> None:
    case = await town.case()
    lead = await town.sent(case, "urban_enforcement", support=("transport",), joint=True)
    await town.deliver()
    await town.act(lead, Verb.SIGN)
    recall = town.commands.cases.recall
    version = (await town.row(case)).version
    with pytest.raises(RejectedError, match="note"):
        await recall(case, version=version, actor="wang", note=" ")
    await recall(case, version=version, actor="wang", note="机构撤并")
    assert ((await town.row(case)).status, (await town.row(case)).department) == ("filed", "")
    assert [o.status for o in await town.orders(case)] == ["withdrawn", "withdrawn"]
    assert [d.change for d in await town.deliver()].count("withdrawn") == 2
    again = await town.done(case, "real_estate")
    assert (await town.row(case)).status == "handled"
    with pytest.raises(WorkflowError):
        await recall(case, version=(await town.row(case)).version, actor="wang", note="x")
    assert again.dispatched_at > lead.dispatched_at


async def test_lead_of_an_earlier_dispatch_does_not_end_a_later_one(town: Any) -> None:
    case = await town.case()
    await town.sent(case, "urban_enforcement", support=("transport",), joint=True)
    first, _ = await town.orders(case)
    await town.act(first, Verb.SIGN)
    await town.act(first, Verb.HANDLE, "已整治")
    version = (await town.row(case)).version
    await town.commands.cases.recall(case, version=version, actor="wang", note="另行组织")
    await town.sent(case, "real_estate", support=("public_security",), joint=True)
    *_, lead, support = await town.orders(case)
    await town.act(lead, Verb.SIGN)
    await town.act(support, Verb.SIGN)
    await town.act(support, Verb.HANDLE, "已办")
    assert (await town.row(case)).status == "handling"
    await town.act(lead, Verb.HANDLE, "已办")
    assert (await town.row(case)).status == "handled"
