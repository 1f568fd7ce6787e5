"""From a posted form to a stored report: what is kept, what is refused, what is the same report."""

import io
from typing import Any

import pytest
from aiohttp import FormData
from citizens import KEY, number, post, report
from lxml import etree
from PIL import Image
from sqlalchemy import func, select

from ingest.connectors.open311.read import fingerprint
from ingest.sealing import Sealer
from store.db import Database
from store.tables import T
from store.vault import Vault


async def stored(db: Database) -> list[Any]:
    async with db.read() as conn:
        return list((await conn.execute(select(T.items).order_by(T.items.c.id))).all())


async def test_report_is_kept_with_everything_said(client: Any, db: Database, vault: Vault) -> None:
    await number(
        client, first_name="小明", last_name="王", email="x@example.invalid", phone="13800138000",
        device_id="phone-1", account_id="", address_string="渤海街1号", coord_type="gcj02",
        description="第一行<br>第二行 &amp; 完",
        media_url="https://pictures.invalid/1.jpg",
        **{"attribute[recurring]": "often", "attribute[affects][]": "walkers", "attribute[days]": "3"},
    )  # fmt: skip
    (row,) = await stored(db)
    item = Sealer(vault).open(row)
    assert item.title == "【垃圾乱扔】"
    assert item.text == "第一行\n第二行 & 完\n是否反复出现：反复出现\n影响到谁：行人\n持续天数：3"
    assert (item.contact.name, item.contact.phone) == ("王小明", "13800138000")
    assert item.contact.email == "x@example.invalid"
    assert item.author == "city:phone-1"
    assert (item.place.address, item.place.lat, item.place.coord_type) == (
        "渤海街1号",
        38.914,
        "gcj02",
    )
    assert row.channel_id.startswith("city:20261124:")
    async with db.read() as conn:
        assert (await conn.execute(select(func.count()).select_from(T.photos))).scalar() == 1


async def test_names_that_are_not_chinese_stay_apart(
    client: Any, db: Database, vault: Vault
) -> None:
    await number(client, first_name="Ann", last_name="Lee")
    assert Sealer(vault).open((await stored(db))[0]).contact.name == "Ann Lee"


async def test_service_alone_with_an_address_id_is_a_report(
    client: Any, db: Database, vault: Vault
) -> None:
    await number(client, description="", lat=None, long="", address_id="77")
    assert Sealer(vault).open((await stored(db))[0]).text == "地址编号：77"


async def test_picture_in_a_part_is_cleaned(client: Any, db: Database) -> None:
    raw = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(raw, "PNG")
    form = FormData()
    for name, value in report().items():
        form.add_field(name, value)
    form.add_field("media", raw.getvalue(), filename="a.png", content_type="image/png")
    form.add_field("media", b"", filename="", content_type="application/octet-stream")
    answer = await client.post("/open311/v2/requests.json", data=form)
    assert answer.status == 200, await answer.text()
    async with db.read() as conn:
        (row,) = (await conn.execute(select(T.media))).all()
    assert (row.width, row.height, row.content_type) == (20, 10, "image/jpeg")


async def test_a_retry_is_the_same_report_and_other_words_are_another(
    client: Any, db: Database, clock: Any
) -> None:
    first = await number(client)
    assert await number(client) == first
    assert await number(client, description="另一件事") != first
    assert await number(client, api_key="a-key-of-another-client") != first
    clock.forward(hours=23, minutes=59)  # the next day
    assert await number(client) == first
    clock.forward(minutes=2)
    assert await number(client) != first
    assert len(await stored(db)) == 4


async def test_idempotency_key_names_the_report(client: Any) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = await (await post(client, headers=headers)).json()
    assert await (await post(client, headers=headers)).json() == first
    other = await (await post(client, headers={"Idempotency-Key": "k-2"})).json()
    assert other[0]["service_request_id"] != first[0]["service_request_id"]
    assert (await post(client, headers={"Idempotency-Key": "k" * 101})).status == 400


async def test_order_of_fields_and_key_do_not_make_another_report() -> None:
    pairs = [("a", "1"), ("b", "2")]
    assert fingerprint(pairs) == fingerprint([*reversed(pairs), ("api_key", "x"), ("c", " ")])
    assert fingerprint([("a", "1b")]) != fingerprint([("a1", "b")])


@pytest.mark.parametrize("send", ["query", "header"])
async def test_key_may_come_beside_the_form(client: Any, send: str) -> None:
    params = {"api_key": KEY} if send == "query" else {}
    headers = {"Authorization": f"Bearer {KEY}"} if send == "header" else {}
    answer = await client.post(
        "/open311/v2/requests.json", data=report(api_key=None), params=params, headers=headers
    )
    assert answer.status == 200


async def test_token_leads_to_the_number(serve: Any) -> None:
    client = await serve(answer="token")
    (posted,) = await (await post(client)).json()
    assert "service_request_id" not in posted
    found = await (await client.get(f"/open311/v2/tokens/{posted['token']}.json")).json()
    assert [one["token"] for one in found] == [posted["token"]]
    shown = await client.get(f"/open311/v2/requests/{found[0]['service_request_id']}.xml")
    assert shown.status == 200


BAD = [
    ({"service_code": None}, 400, "service_code: missing"),
    ({"service_code": " "}, 400, "service_code: missing"),
    ({"service_code": "1"}, 404, "service_code: not found"),
    ({"lat": None, "long": None}, 400, "location: missing"),
    ({"long": None}, 400, "lat, long"),
    ({"lat": "nan"}, 400, "lat: not a number"),
    ({"lat": "1e5"}, 400, "lat: not a number"),
    ({"lat": "91"}, 400, "lat: out of range"),
    ({"long": "181"}, 400, "long: out of range"),
    ({"address_string": "长" * 301}, 400, "address_string"),
    ({"coord_type": "mars"}, 400, "coord_type"),
    ({"description": "长" * 4001}, 400, "description"),
    ({"phone": "1" * 31}, 400, "phone"),
    ({"media_url": "file:///etc/passwd"}, 400, "media_url"),
    ({"media_url": "https://x.invalid/\x00"}, 400, "media_url"),
    ({"attribute[nothing]": "1"}, 400, "attribute"),
    ({"attribute[notice]": "1"}, 400, "attribute"),
    ({"attribute": "1"}, 400, "attribute"),
    ({"attribute[recurring]": "maybe"}, 400, "attribute[recurring]"),
    ({"attribute[days]": "three"}, 400, "attribute[days]"),
    ({"attribute[occurred]": "yesterday"}, 400, "attribute[occurred]"),
    ({"service_code": "001"}, 400, "attribute[LAMPS]: missing"),
    ({"service_code": "001", "attribute[LAMPS]": " "}, 400, "attribute[LAMPS]: missing"),
    ({"jurisdiction_id": "elsewhere"}, 404, "jurisdiction_id"),
    ({"api_key": None}, 403, "api_key"),
    ({"api_key": "wrong密"}, 403, "api_key"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "status", "says"), BAD)
async def test_bad_form_is_one_clear_error_in_both_formats(
    client: Any, db: Database, change: dict[str, Any], status: int, says: str
) -> None:
    answer = await post(client, "json", **change)
    assert answer.status == status
    (said,) = await answer.json()
    assert said["code"] == status
    assert said["description"].startswith(f"ingest: open311: {says}")
    shown = etree.fromstring(await (await post(client, "xml", **change)).read())
    assert shown.tag == "errors"
    assert shown.findtext("error/code") == str(status)
    assert shown.findtext("error/description") == said["description"]
    assert await stored(db) == []


async def test_required_particulars_make_it_good(client: Any, db: Database) -> None:
    body = report(service_code="001", **{"attribute[LAMPS]": "2"})
    pairs = [*body.items(), ("attribute[WHERE][]", "a"), ("attribute[WHERE][]", "b")]
    answer = await client.post("/open311/v2/requests.json", data=FormData(pairs))
    assert answer.status == 200, await answer.text()
    assert (await stored(db))[0].text.endswith("盏数：2\n位置：路口、路段")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", "application/json"),
        (b"", "application/x-www-form-urlencoded"),
        (b"a=%ff", "application/x-www-form-urlencoded"),
        (b"\xff=1", "application/x-www-form-urlencoded"),
        (b"a=1&" * 300, "application/x-www-form-urlencoded"),
        (b"a=" + b"x" * 200_001, "application/x-www-form-urlencoded"),
        (b"nothing", "multipart/form-data; boundary=b"),
        (b"nothing", "multipart/form-data"),
        (b"--b\r\nbad header\r\n\r\nx\r\n--b--", "multipart/form-data; boundary=b"),
        (
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--b--',
            "multipart/form-data; boundary=b",
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="media"; filename="x"\r\n\r\nx',
            "multipart/form-data; boundary=b",
        ),
    ],
)
async def test_broken_body_is_400_or_403(client: Any, body: bytes, kind: str) -> None:
    answer = await client.post(
        "/open311/v2/requests.xml", data=body, headers={"Content-Type": kind}
    )
    assert answer.status in {400, 403}
    assert etree.fromstring(await answer.read()).tag == "errors"


async def test_picture_that_is_none_is_refused(client: Any) -> None:
    form = FormData()
    for name, value in report().items():
        form.add_field(name, value)
    form.add_field("media", b"no picture", filename="a.jpg", content_type="image/jpeg")
    answer = await client.post("/open311/v2/requests.json", data=form)
    assert answer.status == 400
    assert "photo" in (await answer.json())[0]["description"]


async def test_a_hub_that_is_behind_and_a_client_that_hurries_are_told_when(serve: Any) -> None:
    behind = await serve(pressure=lambda: 7.2)
    answer = await post(behind)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "8")
    assert (await answer.json())[0]["code"] == 503
    hurried = await serve(rate=0.001, burst=1)
    assert (await post(hurried)).status == 200
    answer = await post(hurried, "xml")
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) > 100
