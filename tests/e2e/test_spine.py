"""One message from each channel to a case its department closes, on both databases and journals."""

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from people import AUTH, case_of, log_in, submit
from PIL import Image
from sqlalchemy import select

from hub.app import Hub
from hub.redrive import redrive
from hub.replay import replay
from ingest.connectors.feed import Feed, FeedConfig
from router.workflow import CaseStatus, Verb
from store.tables import T


async def test_message_of_the_app_becomes_a_case_its_department_closes(
    hub: Hub, client: TestClient[Any, Any]
) -> None:
    told = await submit(
        client, id="1", text="人行道上摆满烧烤桌子，行人只能走马路", place={"address": "渤海街"}
    )
    case = await case_of(hub, "city:1")
    assert case.area == "bohai"
    desk = await log_in(client, "wang")
    if case.status == CaseStatus.RECEIVED:
        body = {"version": case.version, "department": "urban_enforcement"}
        answer = await client.post(f"/desk/api/cases/{case.id}/dispatch", json=body, headers=desk)
        assert answer.status == 200, await answer.text()
    async with hub.db.read() as conn:
        order = (
            await conn.execute(
                select(T.work_orders).where(
                    T.work_orders.c.case_id == case.id, T.work_orders.c.lead
                )
            )
        ).first()
    assert order is not None
    await hub.commands.orders.progress(
        order.id, actor="x", scope=order.department, verb=Verb.SIGN, note=""
    )
    await hub.commands.orders.progress(
        order.id, actor="x", scope=order.department, verb=Verb.HANDLE, note="已清理"
    )
    handled = await case_of(hub, "city:1")
    body = {"version": handled.version, "note": "核查通过"}
    answer = await client.post(f"/desk/api/cases/{case.id}/close", json=body, headers=desk)
    assert answer.status == 200, await answer.text()
    status = await (await client.get(f"/api/v1/items/{told['receipt']}", headers=AUTH)).json()
    assert (status["status"], status["case_no"]) == ("closed", case.case_no)


async def test_feed_is_polled_into_cases_and_not_twice(hub: Hub) -> None:
    served: list[str] = []

    async def rss(request: web.Request) -> web.Response:
        served.append(request.headers.get("If-None-Match", ""))
        if request.headers.get("If-None-Match") == '"1"':
            return web.Response(status=304)
        text = (Path(__file__).parent.parent / "ingest/golden/feed/forum.xml").read_text(
            encoding="utf-8"
        )
        return web.Response(text=text, content_type="application/rss+xml", headers={"ETag": '"1"'})

    application = web.Application()
    application.router.add_get("/rss", rss)
    async with TestServer(application) as server:
        source = Feed("forum", FeedConfig(url=str(server.make_url("/rss"))), hub.http)
        polling = await hub.poller.poll(source)
        assert [h.outcome for h in polling.heard] == ["admitted", "admitted"]
        assert (await hub.poller.poll(source)).heard == []
    assert served == ["", '"1"']
    assert (await case_of(hub, "thread-1")).channel == "forum"
    assert [one.stage for one in await hub.dead.list()] == ["ingest.forum"]


async def test_source_that_is_no_feed_is_shown_and_stops_nothing(hub: Hub) -> None:
    application = web.Application()

    async def closed(_request: web.Request) -> web.Response:
        return web.Response(text="<html>抱歉，本站点暂时关闭</html>", content_type="text/html")

    application.router.add_get("/rss", closed)
    async with TestServer(application) as server:
        source = Feed("forum", FeedConfig(url=str(server.make_url("/rss"))), hub.http)
        assert (await hub.poller.poll(source)).heard == []
    async with hub.db.read() as conn:
        row = (await conn.execute(select(T.sources))).one()
    assert "not a feed" in row.last_error
    assert (row.alert, row.failures) == ("layout", 1)


async def test_repeated_submission_gets_the_same_receipt(client: TestClient[Any, Any]) -> None:
    first = await submit(client, id="7", text="路灯坏了")
    again = await submit(client, id="7", text="路灯坏了")
    assert (first["outcome"], again["outcome"]) == ("admitted", "duplicate")
    assert first["receipt"] == again["receipt"]


async def test_idempotency_key_stands_for_an_id(client: TestClient[Any, Any]) -> None:
    headers = AUTH | {"Idempotency-Key": "k-1"}
    answers = [
        await client.post("/api/v1/items", json={"text": "井盖没了"}, headers=headers)
        for _ in range(2)
    ]
    assert [a.status for a in answers] == [201, 200]


async def test_photo_is_cleaned_and_sealed(hub: Hub, client: TestClient[Any, Any]) -> None:
    image = Image.new("RGB", (64, 48), "red")
    exif = image.getexif()
    exif[0x010E] = "GPS of the citizen's home"
    raw = io.BytesIO()
    image.save(raw, "JPEG", exif=exif)
    from aiohttp import FormData

    form = FormData()
    form.add_field("item", json.dumps({"id": "p", "text": "看图"}), content_type="application/json")
    form.add_field("photo", raw.getvalue(), filename="a.jpg", content_type="image/jpeg")
    answer = await client.post("/api/v1/items", data=form, headers=AUTH)
    assert answer.status == 201, await answer.text()
    async with hub.db.read() as conn:
        row = (await conn.execute(select(T.media))).one()
    assert (row.width, row.height, row.content_type) == (64, 48, "image/jpeg")
    assert b"GPS" not in row.sealed


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"{", 422, "ingest: app"),
        (b'{"text": ""}', 422, "id: missing"),
        (b'{"id": "1", "text": 5}', 422, "text"),
        (b'{"id": "1", "text": "x", "status": "closed"}', 422, "status"),
        (b'{"id": "1", "text": "\\u200b"}', 422, "empty"),
        (json.dumps({"id": "1", "text": "长" * 10_001}).encode(), 413, "10000"),
        (b"x" * 300_000, 413, "200000"),
    ],
)
async def test_bad_submission_is_one_clear_answer(
    client: TestClient[Any, Any], body: bytes, status: int, says: str
) -> None:
    answer = await client.post(
        "/api/v1/items", data=body, headers=AUTH | {"Content-Type": "application/json"}
    )
    assert answer.status == status
    assert says in (await answer.json())["error"]


async def test_batch_answers_each_message(client: TestClient[Any, Any]) -> None:
    items = [
        {"id": "b1", "text": "一"},
        {"id": "b2"},
        {"id": "b3", "text": "长" * 10_001},
        {"id": "b4", "text": "四"},
    ]
    answer = await client.post("/api/v1/items/batch", json={"items": items}, headers=AUTH)
    told = (await answer.json())["items"]
    assert [("receipt" in one, "error" in one) for one in told] == [
        (True, False),
        (False, True),
        (False, True),
        (True, False),
    ]


async def test_wrong_key_and_wrong_receipt_learn_nothing(client: TestClient[Any, Any]) -> None:
    assert (await client.post("/api/v1/items", json={})).status == 401
    told = await submit(client, id="9", text="路灯坏了")
    number = told["receipt"].split("-")[0]
    answers = [
        await client.get(f"/api/v1/items/{r}", headers=AUTH)
        for r in (f"{number}-AAAAAAAAAAAA", "1-AAAAAAAAAAAA", "x", f"{'9' * 30}-A", f"{number}-码")
    ]
    assert {a.status for a in answers} == {404}
    assert len({await a.text() for a in answers}) == 1


async def test_two_dispatchers_on_one_case_one_gets_409(
    hub: Hub, client: TestClient[Any, Any]
) -> None:
    await submit(client, id="c", text="😀😀 不知道说啥 qqq zzz")
    case = await case_of(hub, "city:c")
    assert case.status == CaseStatus.RECEIVED
    headers = await log_in(client, "wang")
    body = {"version": case.version, "department": "transport"}
    path = f"/desk/api/cases/{case.id}/dispatch"
    answers = await asyncio.gather(
        *(client.post(path, json=body, headers=headers) for _ in range(5))
    )
    assert sorted(a.status for a in answers) == [200, 409, 409, 409, 409]
    async with hub.db.read() as conn:
        orders = (
            await conn.execute(select(T.work_orders).where(T.work_orders.c.case_id == case.id))
        ).all()
        kept = (await conn.execute(select(T.corrections))).one()
    assert len(orders) == 1
    assert (kept.confirmed, kept.department, kept.actor) == (False, "transport", "wang")


async def test_return_goes_back_to_the_desk_and_can_be_dispatched_again(
    hub: Hub, client: TestClient[Any, Any]
) -> None:
    await submit(client, id="r", text="😀😀 qqq zzz")
    case = await case_of(hub, "city:r")
    version = await hub.commands.cases.dispatch(
        case.id, version=case.version, actor="w", department="transport"
    )
    order = case.id * 100 + 1
    version = await hub.commands.orders.progress(
        order, actor="t", scope="transport", verb=Verb.RETURN_ORDER, note="职能不符", reason="duty"
    )
    assert (await case_of(hub, "city:r")).status == CaseStatus.FILED
    await hub.commands.cases.dispatch(case.id, version=version, actor="w", department="real_estate")
    again = await case_of(hub, "city:r")
    assert (again.status, again.department, again.decision_seq) == (
        CaseStatus.DISPATCHED,
        "real_estate",
        2,
    )


async def test_roles_see_and_do_only_what_is_theirs(hub: Hub, client: TestClient[Any, Any]) -> None:
    await submit(client, id="z", text="😀 qqq")
    case = await case_of(hub, "city:z")
    assert (await client.get("/desk/api/queue")).status == 401
    assert (await client.get("/desk", allow_redirects=False)).status == 302
    office = await log_in(client, "fa")
    assert (await client.get("/desk/api/queue")).status == 403
    body = {"version": case.version, "department": "transport"}
    path = f"/desk/api/cases/{case.id}/dispatch"
    assert (await client.post(path, json=body, headers=office)).status == 403
    leader = await log_in(client, "lead")
    assert (await client.get("/desk/api/queue")).status == 200
    assert (await client.post(path, json=body, headers=leader)).status == 403
    dispatcher = await log_in(client, "wang")
    without = {k: v for k, v in dispatcher.items() if k != "X-Token"}
    assert (await client.post(path, json=body, headers=without)).status == 403
    foreign = dispatcher | {"Origin": "http://evil.invalid"}
    assert (await client.post(path, json=body, headers=foreign)).status == 403
    assert (await client.post(path, json=body, headers=dispatcher)).status == 200


async def test_reveal_needs_a_reason_and_leaves_a_trace(
    hub: Hub, client: TestClient[Any, Any]
) -> None:
    await submit(client, id="s", text="电话13812345678 😀 qqq", contact={"phone": "13812345678"})
    case = await case_of(hub, "city:s")
    headers = await log_in(client, "wang")
    seen = await (await client.get(f"/desk/api/cases/{case.id}")).text()
    assert "13812345678" not in seen
    path = f"/desk/api/cases/{case.id}/reveal"
    assert (await client.post(path, json={"note": ""}, headers=headers)).status == 422
    told = await (await client.post(path, json={"note": "回访核实"}, headers=headers)).json()
    assert told["phone"] == "13812345678"
    async with hub.db.read() as conn:
        row = (await conn.execute(select(T.audit).where(T.audit.c.act == "reveal"))).one()
    assert (row.actor, row.act, row.target, row.note) == (
        "wang",
        "reveal",
        str(case.id),
        "回访核实",
    )


async def test_wrong_password_locks_after_five(client: TestClient[Any, Any]) -> None:
    origin = {"Origin": str(client.make_url("/")).rstrip("/")}
    for _ in range(5):
        answer = await client.post(
            "/login", data={"name": "wang", "password": "no"}, headers=origin
        )
        assert answer.status == 401
    right = {"name": "wang", "password": "correct horse"}
    assert (await client.post("/login", data=right, headers=origin)).status == 401


async def test_replayed_recording_is_counted_and_repeatable(hub: Hub, tmp_path: Path) -> None:
    lines = [
        {"id": n, "text": f"楼道小广告第{n}次", "time": "2026-11-20T09:00:00"} for n in range(30)
    ]
    lines += [
        {"id": 1, "text": "楼道小广告第1次", "time": "2026-11-20T09:00:00"},
        {"id": "x", "text": ""},
    ]
    path = tmp_path / "recording.jsonl"
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\nnot json\n\n"
    path.write_text(text, encoding="utf-8")
    first = await replay(hub, path, "hotline")
    assert {k: first[k] for k in ("read", "admitted", "duplicate", "dead")} == {
        "read": 33, "admitted": 30, "duplicate": 1, "dead": 2,
    }  # fmt: skip
    assert first["labelled"] + first["abstained"] == 30
    again = await replay(hub, path, "hotline")
    assert (again["admitted"], again["duplicate"], again["dead"]) == (0, 31, 2)
    for key in ("labelled", "abstained", "filed", "dispatched"):
        assert again[key] == first[key]
    assert len(await hub.dead.list()) == 2


async def test_reject_can_be_fed_again_once_it_is_acceptable(hub: Hub) -> None:
    from store.errors import RejectedError

    raw = json.dumps({"id": "later", "text": "化粪池满了"}).encode()
    await hub.admission.reject("hotline", "later", raw, RejectedError("was refused"))
    assert await redrive(hub) == 1
    assert (await case_of(hub, "later")).channel == "hotline"
    assert await hub.dead.list() == []


async def test_health_readiness_and_metrics(client: TestClient[Any, Any]) -> None:
    await submit(client, id="m", text="路灯坏了")
    assert await (await client.get("/healthz")).text() == "ok\n"
    assert (await client.get("/readyz")).status == 200
    assert 'hub_items_received_total{of="app"} 1.0' in await (await client.get("/metrics")).text()


async def test_events_announce_a_new_case(client: TestClient[Any, Any]) -> None:
    await log_in(client, "wang")
    async with client.get("/desk/events") as stream:
        assert await asyncio.wait_for(stream.content.readuntil(b"\n\n"), 5)
        await submit(client, id="e", text="化粪池满了")
        seen = b""
        while b"event: changed" not in seen:
            seen = await asyncio.wait_for(stream.content.readuntil(b"\n\n"), 20)


async def test_pages_carry_a_strict_policy(client: TestClient[Any, Any]) -> None:
    for path in ("/login", "/query"):
        answer = await client.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_clients_are_asked_to_come_back_while_the_hub_catches_up(
    hub: Hub, client: TestClient[Any, Any]
) -> None:
    await hub.runner.stop()
    hub.backlog = 60_000
    answer = await client.post("/api/v1/items", json={"id": "1", "text": "x"}, headers=AUTH)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
