"""No body, form, query or header, from whichever role, makes a route of the desk fail; refusals say room, field and cure."""

import json
from collections.abc import AsyncIterator, Iterator
from itertools import product
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from aiohttp import ClientResponse
from bodies import (
    BODIES,
    FAR,
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

from desk.order import write
from desk.receiving import MOST

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
        if kept(path, name, value, one_in=24)
    )


async def test_no_json_makes_a_route_fail(site: Site) -> None:
    watch = Watch(site)
    for role, (method, path) in product(ROLES, json_routes(site)):
        who = await site.enter(role)
        if (await site.ask(method, path, who | JSON, b"{}"))[0].status == 403:
            continue
        is_main = role == ("department" if path.startswith("/inbox") else "admin")
        for raw in RAW:
            if kept(role, path, raw, one_in=6 if is_main else 24):
                await watch.ask(who, method, path, raw, **JSON)
        if is_main or ALL:
            for body in await bodies_of(watch, who, method, path):
                await watch.ask(who, method, path, body, **JSON)
    assert watch.told() == ""


async def test_no_form_makes_a_route_fail(site: Site) -> None:
    assert fields_in_templates() <= {*FORM, "token"}
    watch = Watch(site)
    for role, (method, path) in product(("admin", "department", ""), form_routes(site)):
        bodies = [
            (urlencode(FORM | {name: text}, errors="surrogatepass").encode(), FORM_TYPE)
            for name, text in product(FORM, TEXTS)
            if kept(role, path, name, text, one_in=400)
        ]
        bodies += [
            (body, {"Content-Type": content_type} if content_type else {})
            for n, (body, content_type) in enumerate(BODIES)
            if kept(role, path, n, one_in=10)
        ]
        for data, head in bodies:
            who = await site.enter(role) if role else {"Origin": site.origin}
            await watch.ask(who, method, path, data, **head)
    assert watch.told() == ""


async def test_no_broken_form_is_read(site: Site) -> None:
    watch = Watch(site)
    paths = ("/login", "/query", "/account/password", "/desk/exposure", "/desk/import")
    for path, (data, content_type) in product(paths, BODIES):
        who = await site.enter("admin")
        head = {"Content-Type": content_type} if content_type else {}
        await watch.ask(who, "POST", path, data, **head)
    assert watch.told() == ""


async def test_no_address_makes_a_page_fail(site: Site) -> None:
    watch = Watch(site)
    for role in ("admin", "subdistrict", "department"):
        who = await site.enter(role)
        for method, path in site.paths(site.own):
            if method != "GET" or path.endswith("/events"):
                continue
            for name, text in product(QUERY, (*TEXTS, "%ff%fe", "%ed%a0%80", "%")):
                if kept(role, path, name, text, one_in=120 if role == "admin" else 300):
                    shown = text if text.startswith("%") else quote(text, errors="surrogatepass")
                    told = await watch.ask(who, method, f"{path}?{name}={shown[:7000]}")
                    assert role == "admin" or SECRET not in told
    assert watch.told() == ""


async def test_no_time_beyond_every_zone_is_asked_for(site: Site) -> None:
    """Such a time can be written, and not be told in UTC."""
    watch = Watch(site)
    for at, zone in product(FAR, ("", "|1")):
        cursor = quote(write([at, 1]))
        who = await site.enter("admin")
        for path in (
            f"/desk/admin/audit?from={quote(at)}",
            f"/desk/admin/audit?to={quote(at)}",
            f"/desk/api/queue?view=snoozed&after={cursor}",
        ):
            await watch.ask(who, "GET", path)
        office = await site.enter("department")
        for view in ("sign", "done"):
            await watch.ask(
                office, "GET", f"/inbox/api/orders?view={view}&after={quote(at + zone)}"
            )
    assert watch.told() == ""


async def test_no_head_makes_a_route_fail(site: Site) -> None:
    watch = Watch(site)
    for (method, path), head in product(site.paths(site.own), HEADS):
        if kept(path, head, one_in=16) and not path.endswith("/events"):
            who = await site.enter("admin")
            data = b"{}" if method in UNSAFE else None
            await watch.ask(who, method, path, data, **(JSON | head))
    assert watch.told() == ""


def for_doors() -> list[tuple[bytes, str]]:
    """Bodies (with their type) as citizens' apps send them, each with a hostile text."""
    form, known = FORM_TYPE["Content-Type"], {"api_key": "k" * 32, "service_code": "litter"}
    said = {"id": "h", "text": "垃圾没人清"}
    bodies = [*((raw, "application/json") for raw in RAW), *BODIES]
    for text in TEXTS:
        for more in (
            {"description": text},
            {"description": "垃圾", "lat": text, "long": text, "media_url": text},
        ):
            bodies.append((urlencode(known | more, errors="surrogatepass").encode(), form))
        for more in (
            {"id": text},
            {"title": text, "author": text},
            {"place": {"address": text}},
            {"posted_at": text},
        ):
            bodies.append((encoded(said | more), "application/json"))
    return bodies


async def test_no_body_makes_a_door_fail(site: Site) -> None:
    who = {"Authorization": "Bearer " + "k" * 32}
    for fmt in ("json", "xml"):
        for method, path in site.paths({**site.own, "fmt": fmt}, doors=True):
            for data, content_type in for_doors():
                if method == "*" or not kept(path, data, content_type, one_in=14):
                    continue
                head = {"Content-Type": content_type} if content_type else {}
                query = quote(data[:4000], safe="=&%") if method == "GET" else ""
                answer, _ = await site.ask(
                    method, f"{path}?{query}", who | head, None if query else data
                )
                assert answer.status != 500, (method, path, data[:80], content_type)


NUMBERS = ("0", "9" * 18, "00000000000000001")


async def test_no_number_makes_a_route_fail(site: Site) -> None:
    watch = Watch(site)
    body = encoded({"version": 1, "note": "四个以上的字"})
    for role, number in product(("admin", "department"), NUMBERS):
        for method, path in site.paths({**dict.fromkeys(site.own, number), "name": "nothing.toml"}):
            if number in path and not path.endswith("/events"):
                who = await site.enter(role)
                await watch.ask(who, method, path, body if method in UNSAFE else None, **JSON)
    assert watch.told() == ""


async def test_a_body_is_read_no_further_than_it_may(site: Site) -> None:
    """Files alone may be larger; whatever its length says."""
    large = b"x=" + b"x" * (MOST + 1)
    for path, kind in (
        ("/login", FORM_TYPE),
        ("/query", FORM_TYPE),
        ("/desk/api/bulk", JSON),
        ("/account/keys", FORM_TYPE),
    ):
        who = await site.enter("admin")
        for data in (large, chunks(large)):
            answer, _ = await site.ask("POST", path, who | kind, data)
            assert answer.status == 413, path
    answer, text = await site.ask(
        "POST", "/desk/admin/files/canned.toml", await site.enter("admin") | FORM_TYPE, large
    )
    assert answer.status == 200, text[:100]


async def chunks(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), 65_536):
        yield data[at : at + 65_536]


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
