"""Whatever is sent to the desk's doors, by whomever: refused with a word, never a failure of ours."""

import json
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from people import case_of, log_in, submit
from sqlalchemy import select
from yarl import URL

from hub.app import Hub
from store.tables import T

COMMANDS = (
    "dispatch", "undo", "decline", "refer", "pass", "rework", "close", "reopen", "suspend", "resume", "instruct",
    "merge", "unmerge", "relapse", "labels", "snooze", "wake", "ask", "split",
)  # fmt: skip
WIDE = 10**40
BODIES: tuple[Any, ...] = (
    [], "x", 5, None, {}, {"version": "3"}, {"version": None}, {"version": 1.5}, {"version": WIDE}, {"version": -WIDE},
    {"version": 1, "note": 5}, {"version": 1, "note": "x\0y"},
    {"version": 1, "note": "长" * 100_000}, {"version": 1, "department": "\0"}, {"version": 1, "department": ["a"]},
    {"version": 1, "department": "urban_enforcement", "support": ["nobody"]},
    {"version": 1, "department": "urban_enforcement", "support": "fa"},
    {"version": 1, "department": "urban_enforcement", "labels": {"kind": "\0"}},
    {"version": 1, "reason": "x\0" * 99},
)  # fmt: skip
BLANK = {"version": 1, "note": " \u3000", "text": "\u2003"}
OTHERS = tuple({"version": 1, "note": "x", "other": n} for n in (WIDE, -WIDE, -1, 0, 2**63 - 1))
DAYS = tuple(
    {"version": 1, "note": "x", "wanted_at": at}
    for at in (
        "2026-11-30T10:00:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "2020-01-01T00:00:00Z", 5, "morgen",
    )
)  # fmt: skip
RAW = (
    b"", b"{", b"\xff\xfe", b'{"version":1,"note":"\\ud800"}', b'{"version":1,"note":"\\udfff\\ud800"}', b"[" * 100_000,
    b'{"version":1e400}', b'{"version":1,"version":2}', b'{"version":NaN}',
)  # fmt: skip


async def post(client: TestClient[Any, Any], path: str, body: bytes, who: dict[str, str]) -> int:
    """The status of the answer, which must not be a failure."""
    headers = who | {"Content-Type": "application/json"}
    url = client.make_url("/").join(URL(path, encoded=True))
    answer = await client.session.post(url, data=body, headers=headers)
    assert answer.status < 500, (path[:80], body[:80], await answer.text())
    return answer.status


def encoded(body: Any) -> bytes:
    return json.dumps(body).encode()


async def test_no_body_makes_a_command_fail(hub: Hub, client: TestClient[Any, Any]) -> None:
    await submit(client, id="h", text="😀😀 qqq zzz")
    case = await case_of(hub, "city:h")
    wang = await log_in(client, "wang")
    for command in COMMANDS:
        more = {"merge": OTHERS, "relapse": OTHERS, "instruct": DAYS, "dispatch": ()}.get(
            command, (BLANK,)
        )
        for body in (*map(encoded, (*BODIES, *more)), *RAW):
            status = await post(client, f"/desk/api/cases/{case.id}/{command}", body, wang)
            assert status in {409, 422}, (command, body[:80])
    after = await case_of(hub, "city:h")
    assert after == case


@pytest.mark.parametrize(
    "number", ["9" * 40, "9" * 5000, "0", "-1", "x", "%EF%BC%91%EF%BC%92", "%00"]
)
async def test_no_number_makes_a_route_fail(
    hub: Hub, client: TestClient[Any, Any], number: str
) -> None:
    wang = await log_in(client, "wang")
    body = encoded({"version": 1, "note": "四个以上的字", "other": 1})
    paths = [f"/desk/api/cases/{number}/{one}" for one in (*COMMANDS, "reveal")]
    paths += [f"/desk/api/requests/{number}/answer", f"/desk/api/tasks/{number}/done"]
    paths += [f"/desk/api/orders/{number}/supervise", f"/desk/api/items/{number}/follow-up"]
    for path in paths:
        assert await post(client, path, body, wang) in {403, 404, 409, 422}, path[:60]
    for path in (f"/desk/api/cases/{number}", f"/desk/api/cases/{number}/similar"):
        url = client.make_url("/").join(URL(path, encoded=True))
        assert (await client.session.get(url, headers=wang)).status in {200, 404, 422}, path[:60]
    for query in ("view=%00", "problem=%00", "area=%00", "problem=%25", "view=sent&area=%ff"):
        answer = await client.session.get(
            client.make_url("/").join(URL(f"/desk/api/queue?{query}", encoded=True)), headers=wang
        )
        assert answer.status in {200, 422}, query


async def test_other_bodies_of_the_desk(hub: Hub, client: TestClient[Any, Any]) -> None:
    await submit(client, id="h", text="😀😀 qqq zzz")
    case = await case_of(hub, "city:h")
    wang = await log_in(client, "wang")
    said = {"solved": "solved", "satisfied": "satisfied"}
    bodies = (
        {**said, "via": "\0"}, {**said, "via": "x" * 10_000}, {**said, "note": "\0"}, {**said, "solved": "\0"}, {},
        {"granted": "yes"}, {"granted": True, "note": "\0"}, {"level": "order"}, {"level": "\0"},
    )  # fmt: skip
    for body in (*map(encoded, bodies), *RAW):
        for path in (f"items/{case.id}/follow-up", "requests/1/answer", "orders/1/supervise"):
            assert await post(client, f"/desk/api/{path}", body, wang) in {403, 409, 422}, body
        path = f"/desk/api/cases/{case.id}/reveal"
        assert await post(client, path, body, wang) == 422
    note = encoded({"note": "四个以上的字\0"})
    assert await post(client, f"/desk/api/cases/{case.id}/reveal", note, wang) == 422


async def newest_order(hub: Hub, case: int) -> Any:
    o = T.work_orders.c
    async with hub.db.read() as conn:
        return (
            await conn.execute(select(T.work_orders).where(o.case_id == case).order_by(o.id.desc()))
        ).first()


async def form(client: TestClient[Any, Any], path: str, who: dict[str, str], **fields: Any) -> int:
    fields["token"] = who["X-Token"]
    answer = await client.post(path, data=fields, headers=who, allow_redirects=False)
    assert answer.status < 500, (path, fields)
    return answer.status


OFFICE_VERBS = ("sign", "handle", "return", "extend", "suspend", "forward")


async def test_no_body_makes_an_office_fail(hub: Hub, client: TestClient[Any, Any]) -> None:
    await submit(client, id="h", text="😀😀 qqq zzz")
    case = await case_of(hub, "city:h")
    wang = await log_in(client, "wang")
    body = encoded({"version": case.version, "department": "urban_enforcement"})
    assert await post(client, f"/desk/api/cases/{case.id}/dispatch", body, wang) == 200
    order = await newest_order(hub, case.id)
    office = await log_in(client, "fa")
    case = await case_of(hub, "city:h")
    version = {"version": case.version, "note": "x", "reason": "duty"}
    bodies = [{**version, "amount": n} for n in (-1, 0, 999999, "1", WIDE)]
    bodies += [{**version, "proposed": one} for one in ("nobody", "urban_enforcement", "\0", 5)]
    for number in ("9" * 18, order.id):
        for verb in OFFICE_VERBS[1:]:
            path = f"/inbox/api/orders/{number}/{verb}"
            more = {"extend": bodies[:5], "forward": bodies[5:]}.get(verb, [])
            for one in (*map(encoded, (*BODIES, *more)), *RAW):
                assert await post(client, path, one, office) in {409, 422}, (verb, one[:80])
        for path in (f"/inbox/api/orders/{number}/reveal", f"/inbox/api/documents/{number}/reply"):
            for one in (*map(encoded, BODIES), *RAW):
                assert await post(client, path, one, office) in {409, 422}, (path, one[:80])
    for query in ("view=%00", "view=x", "after=x", "after=2026-01-01|1", "after=|", "q=%00"):
        url = client.make_url("/").join(URL(f"/inbox/api/orders?{query}", encoded=True))
        assert (await client.session.get(url, headers=office)).status == 422, query
    assert await case_of(hub, "city:h") == case


async def test_roles_and_offices_keep_to_their_own(hub: Hub, client: TestClient[Any, Any]) -> None:
    await submit(client, id="h", text="😀😀 qqq zzz")
    case = await case_of(hub, "city:h")
    wang = await log_in(client, "wang")
    body = encoded({"version": case.version, "department": "transport"})
    assert await post(client, f"/desk/api/cases/{case.id}/dispatch", body, wang) == 200
    case, order = await case_of(hub, "city:h"), await newest_order(hub, case.id)
    sign, version = f"/inbox/api/orders/{order.id}/sign", encoded({"version": case.version})
    assert await post(client, sign, version, wang) == 403
    for name in ("fa", "lead", "ducha"):
        who = await log_in(client, name)
        for command in COMMANDS:
            body = encoded({"version": case.version, "note": "x", "department": "transport"})
            path = f"/desk/api/cases/{case.id}/{command}"
            assert await post(client, path, body, who) == 403, (name, command)
        granted = encoded({"granted": True})
        assert await post(client, "/desk/api/requests/1/answer", granted, who) == 403
        assert await post(client, sign, version, who) == (422 if name == "fa" else 403)
        url = client.make_url("/desk/api/requests")
        assert (await client.session.get(url, headers=who)).status == (403 if name == "fa" else 200)
    assert await case_of(hub, "city:h") == case


@pytest.mark.parametrize("wanted", ["9999-12-31T23:59", "9999-12-31T23:59-12:00", "0001-01-01T00:00", "2029-01-01T08:00", "\0", "x"])  # fmt: skip
async def test_a_leaders_day_that_can_not_be_meant(
    client: TestClient[Any, Any], wanted: str
) -> None:
    wang = await log_in(client, "wang")
    fields = {"post": "分管副市长", "text": "清理河道", "address": "", "wanted": wanted}
    assert await form(client, "/desk/instruction", wang, **fields) == 422
