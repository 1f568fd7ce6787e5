"""认领: leases, heartbeats, breaking, and who is at the desk."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from desk_client import Desk

from store.tables import T


@pytest.fixture
async def desk(town: Any, city: Any) -> AsyncIterator[Desk]:
    made = Desk(town, city)
    async with await made.open():
        yield made


async def test_opening_claims_leaving_gives_back(desk: Desk, town: Any) -> None:
    first, second = await town.case(), await town.case(1)
    told = await desk.here("wang", first)
    until = (town.clock() + timedelta(seconds=90)).isoformat()
    held = {"user": "wang", "name": "派遣员甲", "until": until, "kept": False}
    assert told["claims"] == {str(first): held}
    assert told["people"] == [
        {"user": "wang", "name": "派遣员甲", "case_id": str(first), "idle": False}
    ]
    told = await desk.here("li", first)
    assert told["claims"][str(first)]["user"] == "wang"
    status, answer = await desk.do("li", first, "dispatch", department="transport")
    assert (status, answer["reason"]) == (409, "claimed")
    assert "派遣员甲" in answer["error"]
    assert set((await desk.here("wang", second))["claims"]) == {str(second)}
    assert (await desk.do("li", first, "dispatch", department="transport"))[0] == 200


async def test_heartbeat_renews_and_a_lapsed_lease_blocks_nobody(desk: Desk, town: Any) -> None:
    case = await town.case()
    await desk.here("wang", case)
    for _ in range(3):
        town.clock.forward(seconds=60)
        assert (await desk.here("wang", case))["claims"][str(case)]["user"] == "wang"
    town.clock.forward(seconds=90)
    assert (await desk.here("li", None)) == {
        "people": [{"user": "li", "name": "派遣员乙", "case_id": None, "idle": False}],
        "claims": {},
    }
    assert await town.rows(T.claims) == []
    assert (await desk.here("wang", case))["claims"][str(case)]["user"] == "wang"


async def test_who_rests_keeps_no_case_from_others(desk: Desk, town: Any) -> None:
    case = await town.case()
    await desk.here("wang", case)
    town.clock.forward(seconds=60)
    assert (await desk.here("wang", case, idle=True))["people"][0]["idle"] is True
    town.clock.forward(seconds=30)
    assert (await desk.here("wang", case, idle=True))["claims"] == {}
    assert (await desk.here("wang", case))["claims"][str(case)]["user"] == "wang"


async def test_claim_that_was_asked_for_outlives_the_page(desk: Desk, town: Any) -> None:
    case, other = await town.case(), await town.case(1)
    await desk.here("wang", case)
    assert (await desk.do("wang", case, "claim"))[0] == 200
    town.clock.forward(seconds=60)
    assert set((await desk.here("wang", other))["claims"]) == {str(case), str(other)}
    town.clock.forward(minutes=29)
    status, answer = await desk.do("li", case, "claim")
    assert (status, answer["reason"]) == (409, "claimed")
    assert (await desk.do("wang", case, "release"))[0] == 200
    assert (await desk.do("li", case, "claim"))[0] == 200
    town.clock.forward(minutes=30)
    assert (await desk.do("wang", case, "dispatch", department="transport"))[0] == 200


async def test_supervisor_breaks_a_claim_with_a_reason_on_record(desk: Desk, town: Any) -> None:
    case = await town.case()
    await desk.here("wang", case)
    assert (await desk.do("li", case, "break", note="急件"))[0] == 403
    assert (await desk.do("du", case, "break", note=" "))[1]["reason"] == "note"
    assert (await desk.do("du", case, "break", note="急件"))[0] == 200
    [kept] = await town.rows(T.audit)
    assert (kept.actor, kept.act, kept.target, kept.note) == (
        "du", "break_claim", str(case), "wang: 急件",
    )  # fmt: skip
    assert (await desk.here("wang", case))["claims"] == {}, "not taken again by staying"
    assert (await desk.do("du", case, "break", note="急件"))[1]["reason"] == "claim"
    assert (await desk.here("li", case))["claims"][str(case)]["user"] == "li"


async def test_what_left_the_desk_is_claimed_no_longer(desk: Desk, town: Any) -> None:
    case = await town.case()
    await desk.do("wang", case, "claim")
    _, answer = await desk.do("wang", case, "dispatch", department="transport")
    assert await town.rows(T.claims) == []
    await desk.here("li", case)
    status, _ = await desk.do("wang", case, "undo", version=answer["version"])
    assert status == 200, "nobody's lease stops an undo"


async def test_officials_watch_and_claim_nothing(desk: Desk, town: Any) -> None:
    case = await town.case()
    told = await desk.here("ling", case)
    assert (told["claims"], told["people"][0]["user"]) == ({}, "ling")
    assert (await desk.do("ling", case, "claim"))[0] == 403


async def test_strange_numbers_are_refused(desk: Desk) -> None:
    for case_id in ("x", "-1", "1" * 19, "１"):
        status, answer = await desk.ask("wang", "presence", {"case_id": case_id})
        assert (status, answer["reason"]) == (422, "case"), case_id


async def test_case_that_is_not_there_is_claimed_by_nobody(desk: Desk, town: Any) -> None:
    assert (await desk.here("wang", 42))["claims"] == {}
    status, answer = await desk.ask("wang", "cases/42/claim", {})
    assert (status, answer["reason"]) == (422, "case")
