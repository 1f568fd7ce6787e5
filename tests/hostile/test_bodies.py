"""No body, form, query or header, from whichever role, makes a route of the desk fail; refusals say room, field and cure."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest
from aiohttp import ClientResponse
from bodies import (
    BODIES,
    FORM,
    GOOD,
    HEADS,
    QUERY,
    RAW,
    TEXTS,
    VALUES,
    encoded,
    fields_in_templates,
)
from site_of import ALL, ROLES, SECRET, UNSAFE, Site, kept

JSON = {"Content-Type": "application/json"}
FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}


def bad(answer: ClientResponse, text: str, asked: str) -> list[str]:
    """What is wrong with an answer: a failure of ours, or a refusal of a program that says too little."""
    if answer.status >= 500:
        return [f"{answer.status} {asked[:200]}"]
    is_parsed = answer.status != 400  # who can not be understood is refused before the hub is asked
    if answer.status < 400 or "/api/" not in answer.url.path or not is_parsed:
        return []
    try:
        said = str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return [f"no error: {answer.status} {text[:80]}"]
    is_whole = said.startswith(("desk: ", "router: ", "ingest: ", "store: ")) and "; " in said
    return [] if is_whole and len(said) < 400 else [f"words: {answer.status} {said[:160]}"]


class Watch:
    """Collects what was wrong, each kind once."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.found: dict[str, None] = {}

    def told(self) -> str:
        return "\n".join(self.found)

    async def ask(
        self, who: dict[str, str], method: str, path: str, data: Any = None, **head: str
    ) -> str:
        answer, text = await self.site.ask(method, path, who | head, data)
        shown = data[:90] if isinstance(data, bytes) else data
        for one in bad(answer, text, f"{method} {path} {shown} {head.get('Content-Type', '')}"):
            self.found[one] = None
        return text


def json_routes(site: Site) -> list[tuple[str, str]]:
    return [
        (method, path)
        for method, path in site.paths(site.own)
        if method in UNSAFE and ("/api/" in path or path == "/login/again")
    ]


def form_routes(site: Site) -> list[tuple[str, str]]:
    return [
        (method, path)
        for method, path in site.paths(site.own)
        if method in UNSAFE and "/api/" not in path and path != "/login/again"
    ]


def known_fields(text: str, name: str) -> bool:
    return f"unknown field `{name}`" not in text


async def bodies_of(watch: Watch, who: dict[str, str], method: str, path: str) -> Iterator[bytes]:
    """Bodies with one hostile value each, of the fields this route knows."""
    fields = [
        name
        for name in GOOD
        if known_fields(
            await watch.ask(who, method, path, encoded({name: GOOD[name]}), **JSON), name
        )
    ]
    good = {name: GOOD[name] for name in fields}
    return (
        encoded(good | {name: value})
        for name in fields
        for value in VALUES
        if kept(path, name, value, one_in=6)
    )


@pytest.mark.parametrize("role", ROLES)
async def test_no_json_makes_a_route_fail(site: Site, role: str) -> None:
    watch = Watch(site)
    for method, path in json_routes(site):
        who = await site.enter(role)
        is_open = (await site.ask(method, path, who | JSON, b"{}"))[0].status != 403
        if not is_open:
            continue
        for raw in RAW:
            if kept(role, path, raw, one_in=3):
                await watch.ask(who, method, path, raw, **JSON)
        if role in {"admin", "department"} or ALL:
            for body in await bodies_of(watch, who, method, path):
                await watch.ask(who, method, path, body, **JSON)
    assert watch.told() == ""


@pytest.mark.parametrize("role", ["admin", "dispatcher", "department", ""])
async def test_no_form_makes_a_route_fail(site: Site, role: str) -> None:
    assert fields_in_templates() <= {*FORM, "token"}
    watch = Watch(site)
    for method, path in form_routes(site):
        for name, text in ((name, text) for name in FORM for text in TEXTS):
            if not kept(role, path, name, text, one_in=40):
                continue
            who = await site.enter(role) if role else {"Origin": site.origin}
            data = urlencode(FORM | {name: text}, errors="surrogatepass").encode()
            await watch.ask(who, method, path, data, **FORM_TYPE)
        for n, (body, content_type) in enumerate(BODIES):
            if kept(role, path, n, one_in=4):
                who = await site.enter(role) if role else {"Origin": site.origin}
                await watch.ask(
                    who,
                    method,
                    path,
                    body,
                    **{"Content-Type": content_type} if content_type else {},
                )
    assert watch.told() == ""


@pytest.mark.parametrize("role", ["admin", "subdistrict", "department", ""])
async def test_no_address_makes_a_page_fail(site: Site, role: str) -> None:
    watch = Watch(site)
    who = await site.enter(role) if role else {}
    for method, path in site.paths(site.own):
        if method != "GET" or path.endswith("/events"):
            continue
        for name in QUERY:
            for text in (*TEXTS, "%ff%fe", "%ed%a0%80", "%"):
                if not kept(path, name, text, one_in=12):
                    continue
                shown = text if text.startswith("%") else quote(text, errors="surrogatepass")
                told = await watch.ask(who, method, f"{path}?{name}={shown[:7000]}")
                assert role not in {"subdistrict", "department"} or SECRET not in told
    assert watch.told() == ""


async def test_no_head_makes_a_route_fail(site: Site) -> None:
    watch = Watch(site)
    for method, path in site.paths(site.own):
        if path.endswith("/events"):
            continue
        for head in HEADS:
            if kept(path, head, one_in=4):
                who = await site.enter("admin")
                await watch.ask(
                    who, method, path, b"{}" if method in UNSAFE else None, **(JSON | head)
                )
    assert watch.told() == ""


NUMBERS = ("0", "9" * 18, "1" * 17, "00000000000000001")


@pytest.mark.parametrize("role", ["admin", "department"])
async def test_no_number_makes_a_route_fail(site: Site, role: str) -> None:
    watch = Watch(site)
    for number in NUMBERS:
        numbers = {**dict.fromkeys(site.own, number), "name": "nothing.toml"}
        for method, path in site.paths(numbers):
            if number not in path or path.endswith("/events"):
                continue
            who = await site.enter(role)
            body = encoded({"version": 1, "note": "四个以上的字"}) if method in UNSAFE else None
            await watch.ask(who, method, path, body, **JSON)
    assert watch.told() == ""


def test_good_bodies_name_every_field() -> None:
    """A new field of a body of the desk is tried out by itself only when it is named here."""
    import desk.accounts  # noqa: F401 - its bodies count

    known = {
        name
        for struct in msgspec.Struct.__subclasses__()
        if struct.__module__.startswith("desk.") and struct.__name__.endswith("Body")
        for name in struct.__struct_fields__
    }
    assert known - {"kind", "problems", "campaigns", "urgency", "words"} - set(GOOD) == set()
