"""Who sees one area or one office neither reads nor changes what is another's, on whatever route there is."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from bodies import GOOD
from site_of import SECRET, UNSAFE, Site, kept_rows
from sqlalchemy import select

from store.tables import T

ASKED = (
    "ids={cases}", "ids={own},{cases}", "q=" + quote(SECRET), "q={no}", "q={cases}", "view=all&q=" + quote("隔壁"), "view=all", "view=sent",
    "view=all&area=shengli", "view=all&ids={cases}", "view=all&department=transport", "view=mine&claimed=dispatcher", "after={cases}",
    "view=all&limit=-1", "view=all&sort=oldest", "view=all&area=bohai%22%2C%22shengli", "area=", "id={cases}", "scope=shengli",
)  # fmt: skip
"""What an address may add to get more."""


def words(site: Site) -> tuple[str, ...]:
    """What only the other case has."""
    return (SECRET, site.other["no"], site.other["cases"], site.other["orders"])


@pytest.mark.parametrize("role", ["subdistrict", "department"])
async def test_nothing_of_others_is_read(site: Site, role: str) -> None:
    who = await site.enter(role)
    told = []
    for numbers in (site.other, site.own | {"orders": site.other["orders"]}, site.own):
        for method, path in site.paths(numbers):
            if method != "GET" or path.endswith("/events"):
                continue
            answer, _ = await site.ask(method, path, who)
            for more in ("", *ASKED) if answer.status != 403 else ():
                query = more.format(own=site.own["cases"], **site.other)
                answer, text = await site.ask(method, f"{path}?{query}", who)
                assert answer.status < 500
                found = [one for one in words(site) if one in text.replace(query, "")]
                if found:
                    told.append((path, query, answer.status, found))
    assert told == []


@pytest.mark.parametrize("role", ["subdistrict", "department"])
async def test_nothing_of_others_is_changed_or_told_by_an_act(site: Site, role: str) -> None:
    before, told = await kept_rows(site), []
    for numbers in (
        site.other,
        site.own | {"orders": site.other["orders"], "order": site.other["order"]},
    ):
        for method, path in site.paths(numbers):
            if method not in UNSAFE or path.startswith(("/account", "/log")):
                continue
            who = await site.enter(role)
            for body in bodies(site):
                answer, text = await site.ask(
                    method, path, who | {"Content-Type": "application/json"}, body
                )
                assert answer.status < 500, (method, path)
                found = [
                    one
                    for one in words(site)
                    if one in text and one not in path and one not in body.decode()
                ]
                if found:
                    told.append((method, path, answer.status, found))
    assert told == []
    assert await others(site, before) == await others(site, await kept_rows(site))


def bodies(site: Site) -> list[bytes]:
    """Bodies most commands would take, pointing at the other case."""
    number, order = site.other["cases"], site.other["orders"]
    plain = {"version": 2, "note": GOOD["note"]}
    return [
        json.dumps(one).encode()
        for one in (
            plain, {"note": GOOD["note"]}, {"case_id": number, "idle": False}, plain | {"other": number}, {"text": GOOD["note"]}, {},
            {"version": 2, "note": GOOD["note"], "reason": "duty"}, {"level": "order"}, {"granted": True}, {"solved": "solved", "satisfied": "satisfied"},
            {"command": "note", "items": [{"id": number, "version": 2}], "body": {"text": GOOD["note"]}},
            {"command": "claim", "items": [{"id": order, "version": 2}], "body": {}}, plain | {"proposed": "urban_enforcement"}, plain | {"amount": 1},
            {"name": "x", "query": "view=all", "shared": True}, {"purpose": "note", "title": "x", "text": "x"},
        )
    ]  # fmt: skip


async def others(site: Site, rows: dict[str, Any]) -> dict[str, Any]:
    """The rows that belong to the other case or to a colleague."""
    numbers = {int(site.other["cases"]), int(site.other["orders"])}
    return {
        name: [
            tuple(row)
            for row in found
            if numbers
            & {getattr(row, key, None) for key in ("id", "case_id", "order_id", "item_id")}
            or getattr(row, "owner", "") == "dispatcher"
            or name == "users"
        ]
        for name, found in rows.items()
    }


async def test_a_stream_names_no_case_of_others(site: Site) -> None:
    other = int(site.other["cases"])
    async with site.hub.db.read() as conn:
        version = (
            await conn.execute(select(T.cases.c.version).where(T.cases.c.id == other))
        ).scalar_one()
    heard = {}
    for role in ("subdistrict", "official"):
        who = await site.enter(role)
        async with site.client.session.get(f"{site.origin}/desk/events", headers=who) as stream:
            await stream.content.readuntil(b"event: hello\ndata: {}\n\n")
            version = (
                await site.hub.commands.cases.recall(
                    other, version=version, actor="dispatcher", note="收回"
                )
                if role == "subdistrict"
                else version
            )
            if role == "official":
                await site.hub.commands.cases.dispatch(
                    other, version=version, actor="dispatcher", department="transport"
                )
            heard[role] = (await stream.content.readuntil(b"\n\n")).decode()
    assert site.other["cases"] not in heard["subdistrict"]
    assert site.other["cases"] in heard["official"]


async def test_presence_names_no_case_of_others(site: Site) -> None:
    dispatcher = await site.enter("dispatcher")
    other = site.other["cases"]
    json_type = {"Content-Type": "application/json"}
    here = json.dumps({"case_id": other}).encode()
    claimed, told = await site.ask(
        "POST", f"/desk/api/cases/{other}/claim", dispatcher | json_type, b"{}"
    )
    assert claimed.status == 200, told
    assert other in (await site.ask("POST", "/desk/api/presence", dispatcher | json_type, here))[1]
    street = await site.enter("subdistrict")
    answer, text = await site.ask("POST", "/desk/api/presence", street | json_type, b"{}")
    assert answer.status == 200
    assert other not in text
    assert (await site.ask("POST", "/desk/api/presence", street | json_type, here))[0].status == 404
    assert (
        await site.ask(
            "POST",
            "/desk/api/presence",
            street | json_type,
            json.dumps({"case_id": site.own["cases"]}).encode(),
        )
    )[0].status == 200
