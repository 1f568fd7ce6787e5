"""The document describes what is served, neither more nor less, and answers are as it says."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from citizens import KEY, SECRET, report
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from standardwebhooks import Webhook

from ingest.connectors.open311 import Open311
from ingest.gateway import Gateway
from ingest.openapi import openapi

AUTH = {"Authorization": f"Bearer {KEY}"}
JSON = {"Content-Type": "application/json"}


def test_document_is_valid() -> None:
    validate(openapi())


async def test_it_is_served(api: Any) -> None:
    answer = await api.get("/api/openapi.json")
    assert await answer.json() == openapi()


def test_every_route_is_in_it_and_nothing_else(
    gateway: Gateway, make: Callable[..., Open311]
) -> None:
    served = {
        (route.path, route.method.lower())
        for route in [*gateway.routes(), *make().routes()]
        if route.method != "*"
    }
    told = {(path, way) for path, ways in openapi()["paths"].items() for way in ways}
    assert served == told


def check(document: Any, path: str, way: str, status: int, body: Any) -> None:
    """The body is as the document says."""
    answer = document["paths"][path][way]["responses"][str(status)]
    schema = answer["content"]["application/json"]["schema"]
    whole = {"components": document["components"], **schema}
    assert [e.message for e in Draft202012Validator(whole).iter_errors(body)] == []


ITEMS, BATCH, ONE = "/api/v1/items", "/api/v1/items/batch", "/api/v1/items/{receipt}"


async def test_answers_of_the_app_are_as_described(api: Any) -> None:
    document, item = openapi(), {"id": "1", "text": "路灯坏了"}
    tries = [
        (ITEMS, item, AUTH, 201), (ITEMS, item, AUTH, 200), (ITEMS, item, {}, 401),
        (ITEMS, {"text": ""}, AUTH, 422), (ITEMS, {"id": "2", "text": "长" * 10_001}, AUTH, 413),
        (BATCH, {"items": [item, {"id": "3"}, {"id": "4", "text": "\u200b"}]}, AUTH, 200),
        (BATCH, {"items": []}, AUTH, 413), (BATCH, {}, AUTH, 422),
    ]  # fmt: skip
    receipt = ""
    for path, body, headers, status in tries:
        answer = await api.post(path, json=body, headers=headers)
        assert answer.status == status, (path, await answer.text())
        said = await answer.json()
        check(document, path, "post", status, said)
        receipt = said.get("receipt", receipt)
    for given, status in ((receipt, 200), ("1-A", 404)):
        answer = await api.get(f"/api/v1/items/{given}", headers=AUTH)
        assert answer.status == status
        check(document, ONE, "get", status, await answer.json())


async def test_answers_of_open311_are_as_described(api: Any) -> None:
    document, base = openapi(), "/open311/v2/"
    posted = await api.post(base + "requests.json", data=report())
    check(document, base + "requests.{fmt}", "post", 200, await posted.json())
    one = (await posted.json())[0]["service_request_id"]
    for template, path, status in (
        ("discovery.{fmt}", "discovery.json", 200),
        ("services.{fmt}", "services.json", 200),
        ("services.{fmt}", "services.json?jurisdiction_id=x", 404),
        ("services/{code}.{fmt}", "services/litter.json", 200),
        ("requests.{fmt}", "requests.json", 200),
        ("requests.{fmt}", "requests.json?page=0", 400),
        ("requests/{id}.{fmt}", f"requests/{one}.json", 200),
        ("requests/{id}.{fmt}", "requests/1.json", 404),
        ("tokens/{token}.{fmt}", f"tokens/{one}.json", 200),
    ):
        answer = await api.get(base + path)
        assert answer.status == status
        check(document, base + template, "get", status, await answer.json())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", ITEMS, 405),
        ("GET", BATCH + "/x", 404),
        ("DELETE", ITEMS + "/1-A", 405),
        ("GET", "/api/v1/nothing", 404),
    ],
)
async def test_unknown_paths_and_methods_answer_json(
    api: Any, method: str, path: str, status: int
) -> None:
    answer = await api.request(method, path, headers=AUTH)
    assert answer.status == status
    assert (await answer.json())["error"].startswith("ingest: app: ")


@pytest.mark.parametrize(
    ("path", "kind"),
    [(ITEMS, "text/plain"), (BATCH, "multipart/form-data; boundary=b"), (ITEMS, "text/xml")],
)
async def test_unknown_type_is_415(api: Any, path: str, kind: str) -> None:
    answer = await api.post(path, data=b"{}", headers=AUTH | {"Content-Type": kind})
    assert answer.status == 415
    check(openapi(), path, "post", 415, await answer.json())


def signed(key: bytes, body: bytes, at: float, name: str = "msg_1") -> dict[str, str]:
    content = f"{name}.{int(at)}.".encode() + body
    made = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {
        **JSON, "webhook-id": name, "webhook-timestamp": str(int(at)),
        "webhook-signature": f"v1,AAAA v1,{made}",
    }  # fmt: skip


async def test_signature_stands_for_the_key_and_its_id_for_the_messages(
    api: Any, clock: Any
) -> None:
    body = msgspec.json.encode({"text": "路灯坏了"})
    headers = signed(KEY.encode(), body, clock.now.timestamp())
    first = await api.post(ITEMS, data=body, headers=headers)
    again = await api.post(ITEMS, data=body, headers=headers)
    assert (first.status, again.status) == (201, 200)
    assert (await first.json())["receipt"] == (await again.json())["receipt"]
    with_key = AUTH | {"Idempotency-Key": "msg_1"}
    assert (await api.post(ITEMS, json={"text": "路灯坏了"}, headers=with_key)).status == 200


async def test_signature_of_the_standards_own_library_is_taken(api: Any, clock: Any) -> None:
    body = msgspec.json.encode({"items": [{"id": "1", "text": "井盖没了"}]})
    made = Webhook(SECRET).sign("m", clock.now, body.decode())
    headers = {
        **JSON, "webhook-id": "m", "webhook-signature": made,
        "webhook-timestamp": str(int(clock.now.timestamp())),
    }  # fmt: skip
    answer = await api.post(BATCH, data=body, headers=headers)
    assert answer.status == 200, await answer.text()
    assert "receipt" in (await answer.json())["items"][0]


@pytest.mark.parametrize("off", [-301, 301])
async def test_old_and_future_signatures_are_refused(api: Any, clock: Any, off: float) -> None:
    body = b'{"text":"a"}'
    headers = signed(KEY.encode(), body, clock.now.timestamp() + off)
    assert (await api.post(ITEMS, data=body, headers=headers)).status == 401


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "other"},
        {"webhook-id": ""},
        {"webhook-id": "m" * 101},
        {"webhook-timestamp": "now"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,密"},
    ],
)
async def test_altered_signatures_are_refused(api: Any, clock: Any, change: dict[str, str]) -> None:
    body = b'{"text":"a"}'
    headers = signed(KEY.encode(), body, clock.now.timestamp()) | change
    assert (await api.post(ITEMS, data=body, headers=headers | AUTH)).status == 401
    good = signed(KEY.encode(), body, clock.now.timestamp())
    assert (await api.post(ITEMS, data=b'{"text":"b"}', headers=good)).status == 401
    assert (await api.post(ITEMS, data=body, headers=good)).status == 201
