"""Which reports are shown, to whom, and what of them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from citizens import CLOSED, KEY, NAMES, both, number
from sqlalchemy import insert, update

from ingest.admit import Admission
from ingest.connectors.open311.requests import Query, StoredRequests
from store.coords import from_wgs84
from store.db import Database, Tx
from store.model import CoordType, Item
from store.tables import T


async def find(client: Any, expect: int = 200, /, **params: str) -> list[dict[str, Any]]:
    answer = await client.get("/open311/v2/requests.json", params=params)
    assert answer.status == expect, await answer.text()
    return await answer.json()


async def case(db: Database, item_id: int, at: Any, **more: Any) -> None:
    row = {
        "id": item_id, "case_no": str(item_id), "status": "dispatched", "version": 1, "channel": "open311",
        "kind": "complaint", "problems": "[]", "campaigns": "[]", "urgency": "normal",
        "decision": "auto", "confidence": 1.0, "department": "sanitation", "suggested": "",
        "rule": "", "area": "", "point": "", "teach": 0.0, "summary": "", "items": 1,
        "decision_seq": 0, "received_at": at, "replayed": False, **more,
    }  # fmt: skip

    async def work(tx: Tx) -> None:
        await tx.run(insert(T.cases).values(row))
        await tx.run(insert(T.case_items).values(item_id=item_id, case_id=item_id))

    await db.write(work)


async def test_report_shows_where_it_stands_and_nobodys_name(
    client: Any, db: Database, clock: Any
) -> None:
    lat, lon = from_wgs84(38.914, 121.6147, CoordType.GCJ02)
    one = await number(
        client, phone="13800138000", first_name="小明", description="打13800138000找我",
        lat=f"{lat:.9f}", long=f"{lon:.9f}", coord_type="gcj02", address_string="渤海街1号",
    )  # fmt: skip
    later = clock.now + timedelta(hours=2)
    await case(db, int(one), clock.now, dispatched_at=later, due_at=later + timedelta(days=1))
    (shown,) = await find(client)
    assert shown == {
        "service_request_id": one,
        "status": "open",
        "status_notes": "已派遣",
        "service_name": "垃圾乱扔",
        "service_code": "litter",
        "description": shown["description"],
        "agency_responsible": "环境卫生处",
        "service_notice": None,
        "requested_datetime": "2026-11-24T09:00:00+08:00",
        "updated_datetime": "2026-11-24T11:00:00+08:00",
        "expected_datetime": "2026-11-25T11:00:00+08:00",
        "address": shown["address"],
        "address_id": None,
        "zipcode": None,
        "lat": pytest.approx(38.914, abs=1e-6),
        "long": pytest.approx(121.6147, abs=1e-6),
        "media_url": None,
    }
    assert shown["address"]
    assert "13800138000" not in json.dumps(shown)
    said, xml = await both(client, f"requests/{one}")
    assert said == xml


async def test_status_is_open_or_closed(client: Any, db: Database, clock: Any) -> None:
    ids = [await number(client, description=f"第{n}件") for n in range(4)]
    for one, status in zip(ids[1:], ("dispatched", "closed", "declined"), strict=True):
        await case(db, int(one), clock.now, status=status)

    async def of(status: str) -> list[str]:
        return [one["service_request_id"] for one in await find(client, status=status)]

    assert await of("open") == [ids[1], ids[0]]
    assert await of("closed") == [ids[3], ids[2]]
    assert await of("open,closed") == await of("") == ids[::-1]


async def test_ids_override_everything_and_unknown_ones_are_left_out(
    client: Any, clock: Any
) -> None:
    ids = [await number(client, description=f"第{n}件") for n in range(3)]
    listed = f"{ids[0]}, {ids[2]},5,x,{'9' * 30}"
    found = await find(client, service_request_id=listed, status="closed", start_date="2020-01-01")
    assert [one["service_request_id"] for one in found] == [ids[2], ids[0]]
    assert await find(client, service_request_id="x") == []


async def test_service_codes_choose(client: Any) -> None:
    one = await number(client)
    two = await number(client, service_code="civility")
    assert [r["service_request_id"] for r in await find(client, service_code="litter")] == [one]
    assert [r["service_request_id"] for r in await find(client, service_code="001,civility")] == [
        two
    ]
    assert (await find(client, 404, service_code="litter,none"))[0]["code"] == 404


async def test_pages(client: Any) -> None:
    ids = [await number(client, description=f"第{n}件") for n in range(5)]
    pages = [
        [r["service_request_id"] for r in await find(client, page=str(n), page_size="2", extensions="true")]
        for n in (1, 2, 3, 4)
    ]  # fmt: skip
    assert pages == [ids[:2:-1], ids[2:0:-1], ids[:1], []]


@pytest.mark.parametrize(
    ("params", "shown"),
    [
        ({}, True),
        ({"start_date": "2026-11-24"}, True),
        ({"start_date": "2026-11-24T01:00:00Z"}, True),
        ({"start_date": "2026-11-24T09:00:00 08:00"}, True),
        ({"start_date": "2026-11-24T09:00:01+08:00"}, False),
        ({"start_date": "2026-11-24T09:00:00"}, True),
        ({"start_date": "2026-08-26", "end_date": "2026-11-23"}, False),
        ({"end_date": "2026-11-24"}, True),
        ({"end_date": "2026-11-24T00:59:59Z"}, False),
        ({"start_date": "2026-01-01"}, False),
        ({"start_date": "", "end_date": " "}, True),
    ],
)
async def test_times_choose(client: Any, params: dict[str, str], shown: Any) -> None:
    await number(client)
    assert bool(await find(client, **params)) is shown


async def test_only_ninety_days_are_looked_back(client: Any, clock: Any) -> None:
    await number(client)
    clock.forward(days=90)
    assert await find(client)
    clock.forward(seconds=1)
    assert not await find(client)


@pytest.mark.parametrize(
    "params",
    [
        {"start_date": "yesterday"},
        {"start_date": "2026-02-30"},
        {"start_date": "0001-01-01"},
        {"start_date": "2026-11-24T01:00:00+99:00"},
        {"start_date": "2026-01-01", "end_date": "2026-05-01"},
        {"start_date": "2026-11-24", "end_date": "2026-11-20"},
        {"status": "lost"},
        {"page": "0"},
        {"page": "9" * 40},
        {"page": "-1"},
        {"page_size": "1001"},
        {"service_request_id": ",".join(map(str, range(1, 1002)))},
    ],
)
async def test_bad_argument_is_400(client: Any, params: dict[str, str]) -> None:
    (said,) = await find(client, 400, **params)
    assert said["code"] == 400
    assert next(iter(params)) in said["description"]


@pytest.mark.parametrize("path", ["requests/1", "requests/x", "tokens/1", "tokens/x", "services/x"])
async def test_what_is_not_there_is_404(client: Any, path: str) -> None:
    assert (await client.get(f"/open311/v2/{path}.xml")).status == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "services.yaml", 404),
        ("GET", "services", 404),
        ("GET", "nothing.json", 404),
        ("GET", "", 404),
        ("POST", "services.xml", 405),
        ("PUT", "requests.json", 405),
        ("DELETE", "requests/1.xml", 405),
        ("POST", "services.yaml", 404),
    ],
)
async def test_errors_of_the_door_are_errors_of_the_format(
    client: Any, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, f"/open311/v2/{path}")
    assert answer.status == status
    kind = "application/json" if path.endswith("json") else "text/xml"
    assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8"
    assert ("Allow" in answer.headers) is (status == 405)


async def test_jurisdiction_may_be_wanted(serve: Any) -> None:
    client = await serve(jurisdiction_required=True, jurisdiction_id="dunhua")
    for path in ("services", "services/001", "requests"):
        url = f"/open311/v2/{path}.json"
        wanted = [
            (await client.get(url, params={"jurisdiction_id": one})).status
            for one in ("dunhua", "elsewhere", "")
        ]
        assert wanted == [200, 404, 400]
    assert (await client.get("/open311/v2/discovery.json")).status == 200


async def test_reports_that_are_not_public_are_each_clients_own(serve: Any) -> None:
    client = await serve(public_requests="none")
    mine = await number(client)
    theirs = await number(client, api_key="a-key-of-another-client")
    assert (await find(client, 403))[0]["code"] == 403
    assert [r["service_request_id"] for r in await find(client, api_key=KEY)] == [mine]
    for path in (f"requests/{theirs}", f"tokens/{theirs}"):
        answer = await client.get(f"/open311/v2/{path}.json", params={"api_key": KEY})
        assert answer.status == 404


async def test_parts_of_a_report_are_not_shown_as_reports(client: Any, db: Database) -> None:
    whole, part = [await number(client, description=f"第{n}件") for n in range(2)]
    split = update(T.items).where(T.items.c.id == int(part)).values(part_of=int(whole))
    await db.write(lambda tx: tx.run(split))
    assert [r["service_request_id"] for r in await find(client)] == [whole]


async def test_erased_and_withdrawn_reports_are_not_shown(
    client: Any, db: Database, admission: Admission, clock: Any
) -> None:
    erased, withdrawn, kept = [await number(client, description=f"第{n}件") for n in range(3)]

    async def work(tx: Tx) -> None:
        i = T.items
        await tx.run(update(i).where(i.c.id == int(erased)).values(key=None))
        await tx.run(update(i).where(i.c.id == int(withdrawn)).values(gone_at=clock.now))

    await db.write(work)
    assert [r["service_request_id"] for r in await find(client)] == [kept]
    assert (await client.get(f"/open311/v2/requests/{erased}.json")).status == 404


async def test_other_channels_are_shown_only_when_told_to(
    serve: Any, db: Database, admission: Admission, clock: Any
) -> None:
    closed, everything = await serve(), await serve(public_requests="all")
    heard = await admission.admit(
        [Item(channel="app", channel_id=str(n), text="满地垃圾") for n in range(3)]
    )
    await case(db, heard[0].item_id, clock.now, problems='["litter","stalls"]')
    await case(db, heard[1].item_id, clock.now, campaigns='["civility"]')
    assert await find(closed) == []
    codes = [one["service_code"] for one in await find(everything)]
    assert codes == [None, "civility", "litter"]
    for code, n in (("litter", 0), ("civility", 1)):
        (one,) = await find(everything, service_code=code)
        assert one["service_request_id"] == str(heard[n].item_id)


@pytest.mark.postgres
class TestOnPostgres:
    """The look-ups' SQL on the other engine."""

    @pytest.fixture
    def db_url(self, postgres_url: str) -> str:
        return postgres_url

    async def test_lookups(self, db: Database, admission: Admission, clock: Any) -> None:
        requests = StoredRequests(db, "open311", NAMES, CLOSED, every_channel=True)
        item = Item(channel="open311", channel_id="city:1", text="垃圾", title="【垃圾乱扔】")
        (heard,) = await admission.admit([item])
        await case(db, heard.item_id, clock.now, status="closed")
        asked = Query(services=("litter",), statuses=("closed",), start=clock.now, end=clock.now)
        for query in (asked, Query(ids=(heard.item_id,))):
            for client in ("", "city"):
                found = await requests.find(query, client=client)
                assert [one.id for one in found] == [heard.item_id]
        assert await requests.find(Query(statuses=("open",))) == []
        assert await requests.heard_at("city:1") == clock.now
        assert await requests.heard_at("city:2") is None
