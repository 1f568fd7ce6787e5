"""An office answers, by signed call and by one-time link, over real cases; nobody else does."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from router.notify.links import VALID, Links
from router.notify.webhook import headers
from store.db import Tx
from store.errors import RejectedError
from store.tables import T
from store.vault import Vault

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
OTHER = "whsec_" + "enl4d3Z1dHNycXBvbm1sa2ppaGdmZWRjYmE5ODc2NTQ="
BASE = "https://hub.example"


async def test_office_signs_and_handles_by_call(office: Any) -> None:
    order = await office.desk.case()
    assert await office.call(order, "sign") == (
        200, {"order": str(order), "case_no": "DH20261124-0000", "status": "handling"}
    )  # fmt: skip
    done = {"note": "已清掏", "at": "2026-11-24T10:00:00+08:00"}
    status, told = await office.call(order, "handle", done, webhook_id="id-2")
    assert (status, told["status"]) == (200, "handled")
    signed, handled = await office.history(order)
    assert signed[0] == "sign"
    assert re.fullmatch("a/call:[0-9a-f]{16}", signed[1])
    assert handled[2] == "已清掏（2026-11-24 10:00）"


async def test_office_returns_by_call(office: Any) -> None:
    order = await office.desk.case()
    status, told = await office.call(order, "return", {"note": "不属本局", "reason": "duty"})
    assert (status, told["status"]) == (200, "filed")


async def test_same_id_is_answered_the_same_and_acts_once(office: Any) -> None:
    order = await office.desk.case()
    first = await office.call(order, "sign")
    assert await office.call(order, "sign") == first
    await office.call(order, "handle", {"note": "x"}, webhook_id="id-2")
    assert await office.call(order, "sign") == first
    assert len(await office.history(order)) == 2


async def test_same_id_on_two_connections_acts_once(office: Any) -> None:
    order = await office.desk.case()
    answers = await asyncio.gather(*(office.call(order, "sign") for _ in range(4)))
    assert {status for status, _ in answers} == {200}
    assert len(await office.history(order)) == 1


async def test_id_used_for_something_else_is_a_conflict(office: Any) -> None:
    order = await office.desk.case()
    await office.call(order, "sign")
    assert (await office.call(order, "handle", {"note": "x"}))[0] == 409


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"secret": OTHER}, 404),
        ({"secret": "whsec_" + "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="}, 401),
        ({"late_s": 301}, 401),
        ({"late_s": -301}, 401),
        ({"forge": {"webhook-id": "id-9"}}, 401),
        ({"forge": {"webhook-timestamp": "x"}}, 401),
        ({"forge": {"webhook-timestamp": "9" * 400}}, 401),
        ({"forge": {"webhook-signature": "v1,!!"}}, 401),
        ({"forge": {"webhook-signature": ""}}, 401),
        ({"forge": {"webhook-id": ""}}, 401),
        ({"webhook_id": "i" * 201}, 401),
        ({"body": b"[1"}, 422),
        ({"body": {"note": "x", "case": 7}}, 422),
        ({"body": {"at": "2026-11-24T10:00:00"}}, 422),
        ({"body": {"at": "0001-01-01T00:00:00+14:00"}}, 422),
        ({"body": b'{"note": "' + b"x" * 20_000 + b'"}'}, 422),
    ],
)
async def test_wrong_call_changes_nothing(office: Any, more: dict[str, Any], status: int) -> None:
    order = await office.desk.case()
    assert (await office.call(order, "sign", **more))[0] == status
    assert await office.history(order) == []


@pytest.mark.parametrize("late_s", [299, -299])
async def test_five_minutes_are_tolerated(office: Any, late_s: int) -> None:
    order = await office.desk.case()
    assert (await office.call(order, "sign", late_s=late_s))[0] == 200


async def test_rotated_key_is_one_of_several_signatures(office: Any) -> None:
    order = await office.desk.case()
    body, stamp = b"{}", int(office.desk.clock().timestamp())
    ours = headers(SECRET, "id-1", stamp, body)["webhook-signature"]
    old = headers(OTHER, "id-0", stamp, body)["webhook-signature"]
    forge = {"webhook-signature": f"v2,x {old} {ours}"}
    assert (await office.call(order, "sign", body, forge=forge))[0] == 200


async def test_unknown_order_is_told_from_no_other(office: Any) -> None:
    for order in (1, 9999999999999999999):
        assert (await office.call(order, "sign"))[0] == 404


@pytest.mark.parametrize("verb", ["close", "dispatch", "SIGN"])
async def test_office_may_do_nothing_else(office: Any, verb: str) -> None:
    assert (await office.call(await office.desk.case(), verb))[0] == 404


async def test_result_needs_words(office: Any) -> None:
    order = await office.desk.case()
    await office.call(order, "sign")
    assert (await office.call(order, "handle", {"note": " "}, webhook_id="id-2"))[0] == 422


async def test_lifecycle_is_kept(office: Any) -> None:
    order = await office.desk.case()
    assert (await office.call(order, "handle", {"note": "x"}))[0] == 409


@pytest.mark.parametrize("state", ["returned", "withdrawn", "handled"])
async def test_order_that_ended_moves_its_case_no_more(office: Any, state: str) -> None:
    order = await office.desk.case()
    link = office.link(order)

    async def end(tx: Tx) -> None:
        o = T.work_orders
        await tx.run(update(o).where(o.c.id == order).values(status=state))

    await office.desk.db.write(end)
    assert (await office.call(order, "sign"))[0] == 409
    assert (await office.client.get(link)).status == 404
    assert (await office.post(link, verb="sign"))[0] == 404
    assert await office.history(order) == []


async def test_link_shows_the_order_and_looking_changes_nothing(office: Any) -> None:
    order = await office.desk.case(text="<script>x</script>\n楼下有污水")
    for _ in range(2):
        answer = await office.client.get(office.link(order))
        text = await answer.text()
        assert answer.status == 200
    assert "楼下有污水" in text
    assert "<script>" not in text
    assert re.findall("name='verb' value='([a-z]+)'", text) == ["sign", "return", "extend"]
    assert "<option value='duty'>职能不符</option>" in text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert await office.history(order) == []


async def test_person_signs_and_handles_by_link(office: Any) -> None:
    order = await office.desk.case()
    status, text = await office.post(office.link(order), verb="sign")
    assert status == 200
    following = re.findall("href='([^']+)'", text)[0]
    assert (await office.client.get(following)).status == 200
    assert (await office.post(following, verb="handle", note="已清掏"))[0] == 200
    verbs = [(verb, note) for verb, _, note in await office.history(order)]
    assert verbs == [("sign", ""), ("handle", "已清掏")]


async def test_link_is_good_for_one_act(office: Any) -> None:
    order = await office.desk.case()
    link = office.link(order)
    answers = await asyncio.gather(*(office.post(link, verb="sign") for _ in range(3)))
    assert [status for status, _ in answers].count(200) == 1
    assert (await office.post(link, verb="handle", note="x"))[0] == 404
    assert (await office.client.get(link)).status == 404
    assert len(await office.history(order)) == 1


@pytest.mark.parametrize(
    ("form", "status"),
    [({}, 422), ({"verb": "close"}, 422), ({"verb": "return", "note": " "}, 422), ({"verb": "handle", "note": "x"}, 409)],
)  # fmt: skip
async def test_refused_answer_does_not_use_the_link_up(
    office: Any, form: dict[str, str], status: int
) -> None:
    link = office.link(await office.desk.case())
    assert (await office.post(link, **form))[0] == status
    assert (await office.post(link, verb="sign"))[0] == 200


async def test_link_is_too_old_after_seven_days(office: Any) -> None:
    link = office.link(await office.desk.case())
    office.desk.clock.forward(days=7, seconds=-1)
    assert (await office.client.get(link)).status == 200
    office.desk.clock.forward(seconds=1)
    assert (await office.client.get(link)).status == 404
    assert (await office.post(link, verb="sign"))[0] == 404


async def test_forged_link_opens_nothing(office: Any) -> None:
    order = await office.desk.case()
    link = office.link(order)
    for n in range(len("/office/link/"), len(link)):
        other = "b" if link[n] != "b" else "c"
        assert (await office.post(link[:n] + other + link[n + 1 :], verb="sign"))[0] == 404
    for path in (
        "/office/link/x",
        link[:-1],
        link + "a",
        "/office/link/%00",
        "/office/link/%F0%9F",
    ):
        assert (await office.post(path, verb="sign"))[0] == 404
    assert await office.history(order) == []


async def test_links_of_another_hub_or_without_an_address(clock: Any) -> None:
    ours, theirs = (Links(Vault(k * 32), base_url="", clock=clock) for k in (b"m", b"n"))
    assert ours.url(1, clock()) == ""
    with pytest.raises(RejectedError):
        ours.read(theirs.token(1, clock()))
    assert ours.read(ours.token(7, clock()).upper()).order_id == 7
    assert ours.read(ours.token(7, clock())).ends_at == clock() + VALID
    assert ours.token(7, clock()) != ours.token(7, clock() + timedelta(seconds=1))


@given(st.text(max_size=60))
def test_garbage_is_no_link(token: str) -> None:
    links = Links(Vault(b"m" * 32), base_url="", clock=lambda: None)  # type: ignore[arg-type,return-value]
    with pytest.raises(RejectedError):
        links.read(token)
