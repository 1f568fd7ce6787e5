"""Cases that sleep: put off by a person, or until the citizen has answered."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from router.snoozing import wake_answered
from router.workflow import Verb
from store.errors import ConflictError, RejectedError, WorkflowError
from store.tables import T


async def snooze(town: Any, case: int, **span: float) -> int:
    version = (await town.row(case)).version
    until = town.clock() + timedelta(**span)
    return await town.commands.snoozing.snooze(
        case, version=version, actor="wang", until=until, note="等现场照片"
    )


async def ask(town: Any, case: int, text: str = "请问是哪一栋？") -> int:
    version = (await town.row(case)).version
    return await town.commands.snoozing.ask(case, version=version, actor="wang", text=text)


async def heard(town: Any, n: int, **more: Any) -> int:
    """Another message, as admission keeps it."""
    number = 202611240000900 + n
    row = {
        "id": number,
        "channel": "app",
        "channel_id": f"m{n}",
        "content_sha": "y",
        "text": "三栋",
    }
    row |= {"received_at": town.clock(), "sealed": b"", "key": b"k"} | more
    await town.db.write(lambda tx: tx.run(insert(T.items).values(**row)))
    return number


async def follow(town: Any, *items: int) -> None:
    await town.db.write(
        lambda tx: wake_answered(
            tx, items, prefix="DH", at=town.clock(), is_sqlite=town.db.is_sqlite
        )
    )


async def verbs(town: Any, case: int) -> list[str]:
    return [line.verb for line in await town.history(case)]


async def test_snoozed_keeps_status_and_clock_until_woken(town: Any) -> None:
    case = await town.case()
    before = await town.row(case)
    version = await snooze(town, case, hours=3)
    row = await town.row(case)
    assert (row.status, row.stage_due_at) == (before.status, before.stage_due_at)
    assert row.snoozed_until == town.clock() + timedelta(hours=3)
    assert await town.rows(T.answers) == []
    await town.commands.snoozing.wake(case, version=version, actor="li")
    assert (await town.row(case)).snoozed_until is None
    assert (await verbs(town, case))[-2:] == [Verb.SNOOZE, Verb.WAKE]


async def test_snooze_is_neither_over_nor_for_ever(town: Any) -> None:
    case = await town.case()
    for span in ({"seconds": 0}, {"days": 31}):
        with pytest.raises(RejectedError, match="until"):
            await snooze(town, case, **span)


async def test_only_what_waits_for_the_desk_sleeps_and_only_what_sleeps_wakes(town: Any) -> None:
    case = await town.case()
    with pytest.raises(WorkflowError):
        await town.commands.snoozing.wake(case, version=1, actor="wang")
    await town.dispatch(case, "transport")
    with pytest.raises(WorkflowError):
        await snooze(town, case, hours=1)


async def test_any_other_command_wakes(town: Any) -> None:
    case = await town.case()
    await snooze(town, case, hours=3)
    await town.dispatch(case, "transport")
    assert (await town.row(case)).snoozed_until is None


async def test_question_is_held_back_and_can_be_undone(town: Any) -> None:
    case = await town.case()
    version = await ask(town, case)
    [answer] = await town.rows(T.answers)
    assert (answer.stage, answer.text) == ("question", "请问是哪一栋？")
    assert answer.due_at == town.clock() + timedelta(seconds=8.25)
    assert (await town.row(case)).snoozed_until == town.clock() + timedelta(hours=24)
    await town.commands.undoing.undo(case, version=version, actor="wang")
    assert await town.rows(T.answers) == []
    assert (await town.row(case)).snoozed_until is None


async def test_channel_that_can_not_speak_is_refused_first(town: Any) -> None:
    case = await town.case()
    silent = update(T.items).values(channel="hotline")
    await town.db.write(lambda tx: tx.run(silent))
    before = await town.row(case)
    with pytest.raises(RejectedError, match="speak") as refused:
        await ask(town, case)
    assert refused.value.reason == "channel"
    assert await town.row(case) == before
    with pytest.raises(RejectedError, match="reason is needed"):
        await ask(town, case, " ")


async def test_the_citizens_next_message_wakes(town: Any) -> None:
    case = await town.case(author="a")
    await ask(town, case)
    town.clock.forward(minutes=5)
    others = ({"author_key": "b"}, {"author_key": ""}, {"author_key": "a", "channel": "weibo"})
    strangers = [await heard(town, n, **said) for n, said in enumerate(others)]
    await follow(town, *strangers)
    assert (await town.row(case)).snoozed_until is not None
    number = await heard(town, 9, author_key="a")
    await follow(town, *strangers, number)
    row, last = await town.row(case), (await town.history(case))[-1]
    assert (row.snoozed_until, row.version) == (None, last.version)
    assert (last.verb, last.actor, last.reason) == (Verb.WAKE, "citizen", "answered")
    assert str(number) in last.note
    await ask(town, case)
    town.clock.forward(minutes=5)
    await follow(town, await heard(town, 10, thread="0"))
    assert (await town.row(case)).snoozed_until is None


async def test_a_message_judged_again_is_no_answer_but_words_added_are(town: Any) -> None:
    case = await town.case(author="a")
    town.clock.forward(minutes=5)
    await ask(town, case)
    await follow(town, case)
    assert (await town.row(case)).snoozed_until is not None
    town.clock.forward(minutes=5)
    added = {"item_id": case, "revision": 1, "content_sha": "x", "sealed": b""}
    added["replaced_at"] = town.clock()
    await town.db.write(lambda tx: tx.run(insert(T.revisions).values(**added)))
    await follow(town, case)
    assert (await town.row(case)).snoozed_until is None


async def test_a_command_on_a_case_another_has_claimed_names_them(town: Any) -> None:
    case = await town.case()
    now = town.clock()
    lease = {"case_id": case, "user": "li", "since": now, "until": now + timedelta(seconds=90)}
    await town.db.write(lambda tx: tx.run(insert(T.claims).values(**lease)))
    before = await town.row(case)
    with pytest.raises(ConflictError, match="claimed by li"):
        await town.dispatch(case, "transport")
    assert await town.row(case) == before
    town.clock.forward(seconds=90)
    await town.dispatch(case, "transport")
