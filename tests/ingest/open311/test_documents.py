"""Documents in both formats, and the rules of SeeClickFix's validator."""

from datetime import datetime
from typing import Any

import pytest
from citizens import SERVICES, both, number, post
from lxml import etree

from ingest.connectors.open311.wire import document, listed


@pytest.mark.parametrize("path", ["discovery", "services", "services/001", "services/litter"])
async def test_xml_says_what_json_says(client: Any, path: str) -> None:
    said, shown = await both(client, path)
    assert said == shown
    assert said


async def test_requests_say_the_same_in_both_formats(client: Any) -> None:
    one = await number(client)
    for path in ("requests", f"requests/{one}"):
        said, shown = await both(client, path)
        assert said == shown
        assert said[0]["service_request_id"] == one


async def test_the_same_report_is_answered_alike_in_both_formats(client: Any) -> None:
    said = (await (await post(client)).json())[0]
    answer = await post(client, "xml")
    shown = etree.fromstring(await answer.read())
    assert shown.tag == "service_requests"
    assert [child.tag for child in shown] == ["request"]
    assert {e.tag: e.text for e in shown[0]} == said


@pytest.mark.parametrize(
    ("path", "root", "child"),
    [
        ("discovery", "discovery", None),
        ("services", "services", "service"),
        ("services/001", "service_definition", None),
        ("requests", "service_requests", "request"),
    ],
)
async def test_roots(client: Any, path: str, root: str, child: str | None) -> None:
    await number(client)
    top = etree.fromstring(await (await client.get(f"/open311/v2/{path}.xml")).read())
    assert top.tag == root
    assert child is None or {one.tag for one in top} == {child}


@pytest.mark.parametrize("fmt", ["xml", "json"])
@pytest.mark.parametrize("path", ["services", "services/001", "requests", "services/none"])
async def test_content_type_names_the_character_set(client: Any, path: str, fmt: str) -> None:
    answer = await client.get(f"/open311/v2/{path}.{fmt}")
    kind = {"xml": "text/xml", "json": "application/json"}[fmt]
    assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8"


@pytest.mark.parametrize(("fmt", "kind"), [("xml", "text/xml"), ("json", "application/json")])
async def test_discovery_has_a_bare_content_type(client: Any, fmt: str, kind: str) -> None:
    answer = await client.get(f"/open311/v2/discovery.{fmt}")
    assert answer.headers["Content-Type"] == kind


async def test_discovery_passes_the_validators_rules(client: Any) -> None:
    said, shown = await both(client, "discovery")
    now = datetime.fromisoformat("2026-11-24T09:00:00+08:00")
    for found in (said, shown):
        assert found["contact"].strip()
        assert found["key_service"].strip()
        assert datetime.fromisoformat(found["changeset"]).tzinfo
        assert len(found["endpoints"]) >= 2  # one element alone is read as no list
        for endpoint in found["endpoints"]:
            assert endpoint["specification"] == "http://wiki.open311.org/GeoReport_v2"
            assert endpoint["url"].endswith("/open311/v2")
            assert datetime.fromisoformat(endpoint["changeset"]) < now
            assert endpoint["type"] in {"production", "test"}
            assert endpoint["formats"] == ["text/xml", "application/json"]


async def test_a_test_server_is_listed_and_the_outside_address_is_used(serve: Any) -> None:
    client = await serve(url="https://city.invalid", test_url="https://try.invalid/open311/v2")
    said, _ = await both(client, "discovery")
    assert [(e["type"], e["url"]) for e in said["endpoints"]] == [
        ("production", "https://city.invalid/open311/v2"),
        ("test", "https://try.invalid/open311/v2"),
    ]


async def test_every_service_has_a_code_and_what_the_specification_wants(client: Any) -> None:
    said, _ = await both(client, "services")
    assert [one["service_code"] for one in said] == [one.code for one in SERVICES]
    assert "001" in {one["service_code"] for one in said}
    for one in said:
        assert one["type"] in {"realtime", "batch", "blackbox"}
        assert one["metadata"] == ("false" if one["service_code"] == "civility" else "true")
    keywords = {one["service_code"]: one["keywords"] for one in said}
    assert keywords["001"] == "路灯,照明"


async def test_definition_is_numbered_and_lists_have_keys_and_names(client: Any) -> None:
    answer = await client.get("/open311/v2/services/001.json")
    asked = (await answer.json())["attributes"]
    assert [one["order"] for one in asked] == [1, 2, 3, 4, 5]
    assert [one["code"] for one in asked if one["required"] and one["variable"]] == ["LAMPS"]
    assert asked[4]["values"] == [{"key": "x", "name": "高杆"}, {"key": "y", "name": "庭院"}]


async def test_service_without_metadata_has_no_definition(client: Any) -> None:
    assert (await client.get("/open311/v2/services/civility.json")).status == 404


def test_what_xml_can_not_say_is_left_out() -> None:
    from msgspec.structs import replace

    odd = replace(listed(SERVICES[0]), description="a\x00\x0b\ufffe<&>b")
    top = etree.fromstring(document("xml", "services", [odd]))
    assert top[0].findtext("description") == "a<&>b"


async def test_head_is_answered_like_get(client: Any) -> None:
    answer = await client.head("/open311/v2/services.xml")
    assert (answer.status, await answer.read()) == (200, b"")
