"""A case's life through the desk's API and the department's inbox, on both databases and journals."""

import asyncio
from typing import Any

from aiohttp.test_utils import TestClient
from people import AUTH, case_of, log_in, submit
from sqlalchemy import select

from hub.app import Hub
from store.tables import T

WORDS = "翰章大街建设银行门口的垃圾桶满了好几天没有人来倒，周围堆满了袋子，走路都要绕开，请尽快派人清理一下"


async def newest_order(hub: Hub, case: int) -> Any:
    o = T.work_orders.c
    statement = select(T.work_orders).where(o.case_id == case, o.lead).order_by(o.id.desc())
    async with hub.db.read() as conn:
        return (await conn.execute(statement)).first()


class Person:
    """Somebody logged in."""

    def __init__(self, client: TestClient[Any, Any], headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers

    async def do(self, case: Any, command: str, **body: Any) -> Any:
        path = f"/desk/api/cases/{case.id}/{command}"
        body.setdefault("version", case.version)
        return await self.client.post(path, json=body, headers=self.headers)

    async def office(self, order: Any, verb: str, **body: Any) -> Any:
        path = f"/inbox/api/orders/{order.id}"
        if "version" not in body:
            seen = await (await self.client.get(path)).json()
            body["version"] = seen.get("version", 0)
        return await self.client.post(f"{path}/{verb}", json=body, headers=self.headers)

    async def counts(self) -> Any:
        answer = await self.client.get("/inbox/api/orders?view=sign")
        return (await answer.json())["counts"]


async def test_same_words_of_two_channels_become_one_case_and_can_be_parted(
    hub: Hub, client: TestClient[Any, Any]
) -> None:
    place = {"address": "翰章大街"}
    first = await submit(client, id="1", text=WORDS, author="u1", place=place)
    await case_of(hub, "city:1")
    second = await submit(client, id="2", text=WORDS, author="u1", place=place)
    for _ in range(100):
        later = await case_of(hub, "city:2")
        if later.status == "merged":
            break
        await asyncio.sleep(0.1)
    earlier = await case_of(hub, "city:1")
    assert (later.status, later.merged_into, earlier.items) == ("merged", earlier.id, 2)
    told = [
        await (await client.get(f"/api/v1/items/{one['receipt']}", headers=AUTH)).json()
        for one in (first, second)
    ]
    assert [one["case_no"] for one in told] == [earlier.case_no] * 2
    wang = Person(client, await log_in(client, "wang"))
    assert (await wang.do(later, "unmerge", note="不同的桶")).status == 200
    assert ((await case_of(hub, "city:2")).status, (await case_of(hub, "city:1")).items) == (
        "received",
        1,
    )
    again = await client.get(f"/api/v1/items/{second['receipt']}", headers=AUTH)
    assert (await again.json())["case_no"] == later.case_no


async def test_from_dispatch_over_return_extension_and_rework_to_the_citizens_word(
    hub: Hub, client: TestClient[Any, Any]
) -> None:
    await submit(client, id="r", text="😀😀 qqq zzz")
    wang = Person(client, await log_in(client, "wang"))
    case = await case_of(hub, "city:r")
    assert (await wang.do(case, "dispatch", department="urban_enforcement")).status == 200
    office = Person(client, await log_in(client, "fa"))
    order = await newest_order(hub, case.id)
    answer = await office.office(order, "return", note="不是我局职责")
    assert answer.status == 422
    assert (await answer.json())["reason"] == "reason"
    assert (await office.office(order, "return", note="不是我局职责", reason="duty")).status == 200
    wang = Person(client, await log_in(client, "wang"))
    case = await case_of(hub, "city:r")
    assert (await wang.do(case, "dispatch", department="urban_enforcement")).status == 200
    office = Person(client, await log_in(client, "fa"))
    order = await newest_order(hub, case.id)
    answer = await office.office(order, "return", note="真的不是", reason="duty")
    assert (answer.status, (await answer.json())["reason"]) == (422, "final")
    assert (await office.office(order, "sign")).status == 200
    assert (await office.office(order, "extend", note="雨天", amount=2)).status == 200
    wang = Person(client, await log_in(client, "wang"))
    asked = (await (await client.get("/desk/api/requests")).json())["requests"]
    assert [(one["what"], one["amount"], one["department"]) for one in asked] == [
        ("extension", 2.0, "urban_enforcement")
    ]
    path = f"/desk/api/requests/{asked[0]['id']}/answer"
    answer = await client.post(path, json={"granted": True, "note": "同意"}, headers=wang.headers)
    assert answer.status == 200
    office = Person(client, await log_in(client, "fa"))
    assert (await office.office(order, "handle", note="已清理")).status == 200
    wang = Person(client, await log_in(client, "wang"))
    assert (await wang.do(await case_of(hub, "city:r"), "rework", note="仍有残留")).status == 200
    office = Person(client, await log_in(client, "fa"))
    assert (await office.counts())["back"] == 1
    assert (await office.office(order, "handle", note="再次清理")).status == 200
    wang = Person(client, await log_in(client, "wang"))
    assert (await wang.do(await case_of(hub, "city:r"), "close", note="办结")).status == 200
    path = f"/desk/api/items/{case.id}/follow-up"
    said = {"solved": "solved", "satisfied": "dissatisfied", "note": "打13812345678找我"}
    assert (await client.post(path, json=said, headers=wang.headers)).status == 200
    tasks = (await (await client.get("/desk/api/tasks")).json())["tasks"]
    assert [one["kind"] for one in tasks] == ["dissatisfied"]
    path = f"/desk/api/tasks/{tasks[0]['id']}/done"
    assert (await client.post(path, json={}, headers=wang.headers)).status == 200
    async with hub.db.read() as conn:
        kept = (await conn.execute(select(T.ratings))).one()
    assert "13812345678" not in kept.note


async def test_undo_over_the_desk_keeps_it_from_the_inbox(start: Any, desk_of: Any) -> None:
    hub = await start(undo_s=8)
    client = await desk_of(hub)
    await submit(client, id="u", text="😀😀 qqq zzz")
    wang = Person(client, await log_in(client, "wang"))
    case = await case_of(hub, "city:u")
    answer = await wang.do(case, "dispatch", department="urban_enforcement")
    version = (await answer.json())["version"]
    office = Person(client, await log_in(client, "fa"))
    assert set((await office.counts()).values()) == {0}
    wang = Person(client, await log_in(client, "wang"))
    assert (await wang.do(case, "undo", version=version)).status == 200
    assert (await case_of(hub, "city:u")).status == "received"
    assert (await wang.do(case, "undo", version=version + 1)).status == 409


async def test_strangers_commands_and_words_are_refused(
    hub: Hub, client: TestClient[Any, Any]
) -> None:
    await submit(client, id="x", text="😀😀 qqq zzz")
    case = await case_of(hub, "city:x")
    lead = Person(client, await log_in(client, "lead"))
    for command in ("dispatch", "undo", "merge", "suspend", "reopen", "instruct"):
        assert (await lead.do(case, command)).status == 403
    assert (await client.get("/desk/api/tasks")).status == 403
    wang = Person(client, await log_in(client, "wang"))
    assert (await wang.do(case, "instruct", note="x")).status == 422
    assert (await wang.do(case, "dispatch", department="nobody")).status == 422
    assert (await wang.do(case, "merge", other=case.id)).status == 422
    assert (await wang.do(case, "suspend", note="x")).status == 409
    assert (await wang.do(case, "nonsense")).status == 404


async def test_month_is_read_and_every_number_opens_its_cases(
    hub: Hub, client: TestClient[Any, Any]
) -> None:
    await submit(client, id="m", text="😀😀 qqq zzz")
    case = await case_of(hub, "city:m")
    await hub.commands.cases.dispatch(
        case.id, version=case.version, actor="wang", department="transport"
    )
    await log_in(client, "lead")
    page = await (await client.get("/desk/assessment?month=2026-11")).text()
    assert "未固化" in page
    assert "市交通运输局" in page
    told = await (await client.get("/desk/api/assessment?month=2026-11")).json()
    office = next(one for one in told["units"] if one["unit"] == "transport")
    assert office["numbers"]["returned"]["denominator"] == 1
    asked = "month=2026-11&by=department&unit=transport&indicator=returned&part=denominator"
    listed = await (await client.get(f"/desk/assessment/cases?{asked}")).text()
    assert case.case_no in listed
    for wrong in ("month=2026-13", "by=nobody"):
        assert (await client.get(f"/desk/assessment?{wrong}")).status == 422
    assert (await client.get(f"/desk/assessment/cases?{asked}x")).status == 422


async def test_supervisor_issues_a_document_over_the_api(
    hub: Hub, client: TestClient[Any, Any]
) -> None:
    await submit(client, id="s", text="😀😀 qqq zzz")
    case = await case_of(hub, "city:s")
    await hub.commands.cases.dispatch(
        case.id, version=case.version, actor="wang", department="transport"
    )
    path = f"/desk/api/orders/{case.id * 100 + 1}/supervise"
    wang = Person(client, await log_in(client, "wang"))
    assert (await client.post(path, json={"level": "order"}, headers=wang.headers)).status == 403
    chief = Person(client, await log_in(client, "ducha"))
    answer = await client.post(path, json={"level": "order"}, headers=chief.headers)
    assert (await answer.json())["number"] == "敦城督办〔2026〕1号"
    assert (await client.post(path, json={"level": "x"}, headers=chief.headers)).status == 422
    shown = await (await client.get(f"/desk/api/cases/{case.id}")).json()
    assert [one["number"] for one in shown["supervisions"]] == ["敦城督办〔2026〕1号"]
