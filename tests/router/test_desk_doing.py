"""Bulk, notes, questions, parts, canned texts and the next best offices, over the desk's API."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from desk_client import STANDING, Desk

from router.workflow import Verb
from store.numbers import count_up
from store.tables import T

PHONE = "13812345678"
LABELS = {"kind": "complaint", "problems": ["sewage"], "campaigns": [], "urgency": "normal"}


@pytest.fixture
async def desk(town: Any, city: Any) -> AsyncIterator[Desk]:
    made = Desk(town, city)
    async with await made.open():
        yield made


async def bulk(desk: Desk, command: str, cases: list[int], body: Any = None, who: str = "wang") -> Any:  # fmt: skip
    """The results, with the versions as they stand."""
    items = [{"id": str(n), "version": (await desk.town.row(n)).version} for n in cases]
    asked = {"command": command, "items": items, "body": body or {}}
    status, answer = await desk.ask(who, "bulk", asked)
    assert status == 200, answer
    return answer["results"]


async def test_bulk_sends_each_to_its_own_office_and_one_failure_stops_no_other(
    desk: Desk, town: Any
) -> None:
    cases = [await town.case(n) for n in range(4)]
    await town.dispatch(cases[1], "transport")
    await desk.here("li", cases[2])
    results = await bulk(desk, "dispatch", cases)
    assert [one["id"] for one in results] == [str(case) for case in cases]
    assert [one["ok"] for one in results] == [True, False, False, True]
    assert [one.get("reason") for one in results[1:3]] == ["workflow", "claimed"]
    row = await town.row(cases[0])
    assert (row.department, results[0]["version"]) == (row.suggested, row.version)
    undone = await bulk(desk, "undo", [cases[0], cases[3]])
    assert [one["ok"] for one in undone] == [True, True]
    assert {(await town.row(case)).status for case in (cases[0], cases[3])} == {"received"}


async def test_body_of_an_item_goes_before_the_common_one(desk: Desk, town: Any) -> None:
    one, two = await town.case(), await town.case(1)
    items = [
        {"id": str(one), "version": 1},
        {"id": str(two), "version": 1, "body": {"department": "real_estate"}},
    ]
    asked = {"command": "dispatch", "items": items, "body": {"department": "transport"}}
    await desk.ask("wang", "bulk", asked)
    rows = [await town.row(one), await town.row(two)]
    assert [row.department for row in rows] == ["transport", "real_estate"]


async def test_many_join_into_one(desk: Desk, town: Any) -> None:
    cases = [await town.case(n) for n in range(6)]
    results = await bulk(desk, "merge", cases[1:], {"other": str(cases[0]), "note": "同一事项"})
    assert all(one["ok"] for one in results)
    assert (await town.row(cases[0])).items == 6


REACHING: tuple[tuple[str, Any, Verb], ...] = (
    ("labels", {"labels": LABELS}, Verb.LABEL),
    ("snooze", {"until": "2026-11-25T09:00:00+08:00"}, Verb.SNOOZE),
    ("ask", {"text": "请补充地点"}, Verb.ASK),
    ("decline", {"note": "不属于城市管理"}, Verb.DECLINE),
)


async def test_bulk_commands_reach_every_case(desk: Desk, town: Any) -> None:
    cases = [await town.case(n) for n in range(3)]
    for command, body, verb in REACHING:
        results = await bulk(desk, command, cases, body)
        assert [one["ok"] for one in results] == [True] * 3, command
        assert [(await town.history(case))[-1].verb for case in cases] == [verb] * 3


@pytest.mark.parametrize(
    ("item", "body", "reason"),
    [
        ({"id": "x"}, {}, "case"),
        ({"id": "42"}, {}, "case"),
        ({}, {"departmnt": "transport"}, "malformed"),
        ({}, {"department": "nobody"}, "department"),
        ({"version": 7}, {}, "conflict"),
    ],
)
async def test_what_is_wrong_with_one_item_is_said_of_it(
    desk: Desk, town: Any, item: Any, body: Any, reason: str
) -> None:
    case = await town.case()
    items = [{"id": str(case), "version": 1} | item]
    _, answer = await desk.ask(
        "wang", "bulk", {"command": "dispatch", "items": items, "body": body}
    )
    assert [(one["ok"], one["reason"]) for one in answer["results"]] == [(False, reason)]


async def test_bad_bulk_is_refused_whole(desk: Desk) -> None:
    bad = (("ling", "dispatch", 1, 403), ("wang", "explode", 1, 422), ("wang", "decline", 501, 422))
    for who, command, n, status in bad:
        items = [{"id": str(one), "version": 1} for one in range(n)]
        assert (await desk.ask(who, "bulk", {"command": command, "items": items}))[0] == status


async def test_words_for_citizens_carry_no_numbers(desk: Desk, town: Any) -> None:
    declined, asked = await town.case(), await town.case(1)
    await desk.do("wang", declined, "decline", note=f"请联系{PHONE}")
    await desk.do("wang", asked, "ask", text=f"请拨打{PHONE}")
    told = await town.rows(T.answers)
    assert len(told) == 2
    lines = [*await town.history(declined), *await town.history(asked)]
    assert not [one for one in [*told, *lines] if PHONE in str(one)]


async def test_notes_stay_at_the_desk(desk: Desk, town: Any) -> None:
    case = await town.case()
    before = await town.row(case)
    status, answer = await desk.do("wang", case, "note", text=f"已电话{PHONE}核实")
    assert (status, answer) == (200, {"version": 1})
    await desk.do("du", case, "note", text="请尽快")
    assert await town.row(case) == before
    assert [(one["who"], one["text"]) for one in (await desk.detail(case))["notes"]] == [
        ("派遣员甲", f"已电话{'*' * 11}核实"),
        ("督查员", "请尽快"),
    ]
    assert await town.rows(T.answers) == []
    assert await town.rows(T.log) == []
    assert (await desk.do("ling", case, "note", text="x"))[0] == 403
    assert (await desk.do("wang", case, "note", text=" "))[0] == 422


async def test_parts_and_whole_name_each_other(desk: Desk, town: Any) -> None:
    case = await town.case()
    await town.db.write(lambda tx: count_up(tx, "20261124", 500, is_sqlite=town.db.is_sqlite))
    part = LABELS | {"problems": [], "words": f"路灯坏了，电话{PHONE}", "department": "transport"}
    status, answer = await desk.do("wang", case, "split", parts=[part])
    assert status == 200
    [number] = answer["parts"]
    whole, shown = await desk.detail(case), await desk.detail(int(number))
    assert (whole["split_from"], shown["split_from"]) == ("", str(case))
    assert [one["id"] for one in whole["splits"]] == [number]
    assert PHONE not in whole["splits"][0]["summary"]
    strange = LABELS | {"problems": ["noise_of_mars"], "words": "x"}
    assert (await desk.do("wang", case, "split", parts=[strange]))[1]["reason"] == "label"


LACKING: tuple[tuple[str, Any, str], ...] = (
    ("snooze", {}, "until"),
    ("snooze", {"until": "2026-11-25T09:00:00"}, "until"),
    ("labels", {}, "label"),
    ("ask", {"text": " "}, "note"),
    ("split", {"parts": []}, "parts"),
    ("merge", {"other": "x"}, "case"),
)


async def test_bodies_that_say_too_little(desk: Desk, town: Any) -> None:
    case = await town.case()
    for command, body, reason in LACKING:
        status, answer = await desk.do("wang", case, command, **body)
        assert (status, answer["reason"]) == (422, reason), command


async def test_every_waiting_case_has_another_office_with_a_reason(desk: Desk, town: Any) -> None:
    case = await town.case()
    shown = await desk.detail(case)
    offices = [one["department"] for one in shown["runners"]]
    assert offices
    assert (await town.row(case)).suggested not in offices
    assert all(one["why"] for one in shown["runners"])
    assert shown["why"]


async def test_what_the_desk_chose_lately_is_counted(desk: Desk, town: Any) -> None:
    for n in range(1, 8):
        await town.dispatch(await town.case(n), "transport" if n < 6 else "real_estate")
    shown = await desk.detail(await town.case())
    first = shown["runners"][0]
    assert first["department"] == "transport"
    assert first["why"].startswith("近 90 天同类 7 件，5 件派")


async def test_labels_tried_say_where_the_case_would_go(desk: Desk, town: Any) -> None:
    case = await town.case()
    row = await town.row(case)
    _, own = await desk.ask("wang", f"cases/{case}/plan", {"labels": LABELS})
    assert own["department"] == row.suggested
    other = LABELS | {"kind": "inquiry", "problems": []}
    _, planned = await desk.ask("wang", f"cases/{case}/plan", {"labels": other})
    _, done = await desk.do("wang", case, "dispatch", labels=other)
    assert done["department"] == planned["department"] == (await town.row(case)).department


async def test_canned_texts_are_ones_own_the_desks_or_the_citys(desk: Desk) -> None:
    text = {"purpose": "note", "title": "核实", "text": "已核实"}
    status, mine = await desk.ask("wang", "canned", text)
    assert status == 201
    assert (await desk.ask("wang", "canned", text | {"shared": True}))[0] == 403
    _, ours = await desk.ask("admin", "canned", text | {"shared": True, "title": "共用"})
    for who, titles in (("wang", ["核实", "共用"]), ("li", ["共用"])):
        _, told = await desk.ask(who, "canned", method="GET")
        assert [one["title"] for one in told["canned"]] == [*titles, STANDING[0].title]
    one, other = (f"canned/{made['id']}" for made in (mine, ours))
    assert (await desk.ask("li", one, text, "PUT"))[1]["reason"] == "canned"
    assert (await desk.ask("wang", one, text | {"title": "新"}, "PUT"))[0] == 200
    assert (await desk.ask("wang", other, method="DELETE"))[1]["reason"] == "canned"
    assert (await desk.ask("admin", other, method="DELETE"))[0] == 200
    _, told = await desk.ask("wang", "canned", method="GET")
    assert (told["canned"][0]["title"], told["canned"][0]["mine"]) == ("新", True)
    assert (await desk.ask("wang", "canned", text | {"purpose": "spam"}))[0] == 422


async def test_supports_return_is_settled_by_the_end_and_open_again_when_that_is_undone(
    desk: Desk, town: Any
) -> None:
    case = await town.case()
    await town.sent(case, "transport", support=("real_estate",))
    lead, helper = await town.orders(case)
    await town.act(lead, Verb.SIGN)
    await town.act(helper, Verb.RETURN_ORDER, "不是", reason="duty")
    await town.act(lead, Verb.HANDLE, "已办")
    _, closed = await desk.do("wang", case, "close")
    [judged], [task] = await town.rows(T.returns), await town.rows(T.tasks)
    assert (judged.state, judged.judged_by, task.done_by) == ("accepted", "wang", "wang")
    await desk.do("wang", case, "undo", version=closed["version"])
    [judged], [task] = await town.rows(T.returns), await town.rows(T.tasks)
    assert (judged.state, task.done_at) == ("open", None)
