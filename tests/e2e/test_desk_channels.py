"""The desk's pages about channels: health, registered exposures, pictures behind a reason."""

import io
from typing import Any

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient, TestServer
from people import AUTH, case_of, log_in, submit
from PIL import Image
from sqlalchemy import select

from hub.app import Hub
from ingest.connectors.feed import Feed, FeedConfig
from store.tables import T


def fields(**more: str) -> dict[str, str]:
    return {
        "programme": "虚构电视台《民生直通车》", "aired": "2026-11-23T19:30", "title": "河边垃圾成堆",
        "text": "牡丹江边渤海街段垃圾成堆无人清理", "address": "渤海街", "url": "https://tv.invalid/1", **more,
    }  # fmt: skip


async def test_exposure_becomes_a_case_of_its_channel_place_and_time(
    hub: Hub, client: TestClient[Any, Any]
) -> None:
    headers = await log_in(client, "wang")
    token = {"token": headers["X-Token"]}
    origin = {"Origin": headers["Origin"]}
    for _ in range(2):  # a doubled click
        answer = await client.post("/desk/exposure", data=fields() | token, headers=origin)
        assert answer.status == 200
        assert "已登记" in await answer.text()
    async with hub.db.read() as conn:
        item = (await conn.execute(select(T.items))).one()
    assert (item.channel, item.address, item.url) == ("news", "渤海街", "https://tv.invalid/1")
    assert item.posted_at.isoformat() == "2026-11-23T11:30:00+00:00"
    case = await case_of(hub, item.channel_id)
    assert (case.channel, case.area) == ("news", "bohai")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"text": " "}, "请填写"),
        ({"aired": "yesterday"}, "时间无法识别"),
        ({"url": "javascript:alert(1)"}, "链接应以"),
        ({"text": "长" * 10_001}, "超过一万字"),
        ({"address": "长" * 301}, "地点过长"),
        ({"text": "\u200b"}, "请填写"),
    ],
)
async def test_wrong_form_says_what_to_correct_and_keeps_the_rest(
    client: TestClient[Any, Any], wrong: dict[str, str], says: str
) -> None:
    headers = await log_in(client, "wang")
    data = fields(**wrong) | {"token": headers["X-Token"]}
    answer = await client.post("/desk/exposure", data=data, headers={"Origin": headers["Origin"]})
    page = await answer.text()
    assert answer.status == 422
    assert says in page
    assert "虚构电视台《民生直通车》" in page


async def test_only_dispatchers_register_and_officials_see_the_sources(
    client: TestClient[Any, Any],
) -> None:
    await log_in(client, "lead")
    assert (await client.get("/desk/exposure")).status == 403
    assert (await client.get("/desk/sources")).status == 200
    await log_in(client, "fa")
    assert (await client.get("/desk/sources")).status == 403


async def test_source_page_tells_good_from_broken(hub: Hub, client: TestClient[Any, Any]) -> None:
    body = {"text": "<html>closed</html>"}

    async def rss(_request: web.Request) -> web.Response:
        return web.Response(text=body["text"], content_type="text/xml")

    application = web.Application()
    application.router.add_get("/rss", rss)
    await submit(client, id="1", text="路灯坏了")
    async with TestServer(application) as server:
        await hub.poller.poll(Feed("app", FeedConfig(url=str(server.make_url("/rss"))), hub.http))
    await log_in(client, "wang")
    one = (await (await client.get("/desk/api/sources")).json())["sources"][0]
    assert (one["name"], one["state"], one["failures"]) == ("app", "down", 1)
    assert "页面结构已变化" in one["alert"]
    page = await (await client.get("/desk/sources")).text()
    assert "页面结构已变化" in page
    assert "手机APP" in page


async def test_pictures_open_only_after_a_reason(
    hub: Hub, client: TestClient[Any, Any], clock: Any
) -> None:
    raw = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(raw, "PNG")
    form = FormData()
    form.add_field(
        "item",
        '{"id": "p", "text": "人行道上摆满烧烤桌子，见照片"}',
        content_type="application/json",
    )
    form.add_field("photo", raw.getvalue(), filename="a.png", content_type="image/png")
    assert (await client.post("/api/v1/items", data=form, headers=AUTH)).status == 201
    case = await case_of(hub, "city:p")
    headers = await log_in(client, "wang")
    base = f"/desk/api/cases/{case.id}"
    assert (await client.get(f"{base}/media")).status == 403
    assert (await client.get(f"{base}/media/0")).status == 403
    await client.post(f"{base}/reveal", json={"note": "核实现场情况"}, headers=headers)
    assert (await (await client.get(f"{base}/media")).json())["media"] == [
        {"n": 0, "content_type": "image/jpeg"}
    ]
    picture = await client.get(f"{base}/media/0")
    assert picture.content_type == "image/jpeg"
    assert Image.open(io.BytesIO(await picture.read())).size == (20, 10)
    assert (await client.get(f"{base}/media/7")).status == 404
    for minutes, status in (
        (20, 200),
        (15, 403),
    ):  # each look keeps the login alive, not the reveal
        clock.forward(minutes=minutes)
        assert (await client.get(f"{base}/media/0")).status == status
