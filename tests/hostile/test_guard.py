"""What the guard promises of every route: no request of another page's making, and every answer carries the policy."""

from urllib.parse import urlencode

from site_of import UNSAFE, Site, kept_rows
from yarl import URL

from desk.security import HEADERS, OURS

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OPEN = ("/login", "/query")
"""What needs no login, and so has no token to carry."""


def unsafe(site: Site) -> list[tuple[str, str]]:
    return [(method, path) for method, path in site.paths(site.own) if method in UNSAFE]


async def test_no_unsafe_route_hears_another_page(site: Site) -> None:
    heard = []
    for method, path in unsafe(site):
        who = await site.enter("admin")
        role = await site.enter("department" if path.startswith("/inbox") else "admin")
        elsewhere = (
            {"Origin": "https://evil.invalid"},
            {"Origin": "null"},
            {"Origin": f"{site.origin}.evil.invalid"},
            {"Origin": f"https://evil.invalid/{site.origin}"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "cross-site", "Origin": site.origin},
        )
        for head in elsewhere:
            answer, _ = await site.ask(method, path, role | head, b"{}")
            if answer.status != 403:
                heard.append((method, path, head, answer.status))
        nowhere = {name: value for name, value in role.items() if name != "Origin"}
        if (await site.ask(method, path, nowhere, b"{}"))[0].status != 403:
            heard.append((method, path, {}, "no origin"))
        if path.startswith(OPEN):
            continue
        for token in ("", "x", who["X-Token"] + "x", (await site.enter("dispatcher"))["X-Token"]):
            answer, _ = await site.ask(method, path, role | {"X-Token": token}, b"{}")
            if answer.status != 403:
                heard.append((method, path, {"X-Token": token}, answer.status))
    assert heard == []


async def test_no_json_route_takes_a_form(site: Site) -> None:
    taken = []
    for method, path in unsafe(site):
        if "/api/" not in path or method == "DELETE":
            continue
        who = await site.enter("department" if path.startswith("/inbox") else "admin")
        token = who["X-Token"]
        bodies = (
            urlencode({"token": token, "version": 1}).encode(),
            b'{"version":1,"note":"=' + token.encode() + b'"}',
        )
        for body in bodies:
            for head in (
                FORM,
                {"Content-Type": "multipart/form-data; boundary=x"},
                {"Content-Type": "text/plain"},
            ):
                tokenless = {
                    name: value for name, value in (who | head).items() if name != "X-Token"
                }
                answers = [(await site.ask(method, path, tokenless, body))[0].status]
                if head is FORM:
                    answers.append((await site.ask(method, path, who | head, body))[0].status)
                taken += [
                    (method, path, head, one) for one in answers if one not in {403, 409, 422}
                ]
    assert taken == []


async def test_nobody_is_asked_to_log_in(site: Site) -> None:
    let_in = []
    for method, path in site.paths(site.own):
        if path == "/" or path.startswith(OPEN):
            continue
        for head in ({}, {"Cookie": "minsheng=x"}, {"Cookie": "__Host-minsheng=x"}):
            answer, _ = await site.ask(
                method,
                path,
                {"Origin": site.origin, "X-Token": "x"} | head,
                b"{}" if method in UNSAFE else None,
            )
            is_asked = answer.status == 401 or answer.headers.get("Location") == "/login"
            if not is_asked:
                let_in.append((method, path, answer.status))
    assert let_in == []


async def test_every_answer_carries_the_policy(site: Site) -> None:
    bare = []
    wanted = HEADERS | {"Cache-Control": "no-store"}
    paths = [
        *site.paths(site.own),
        *(
            ("GET", p)
            for p in (
                "/desk/nothing",
                "/desk/api/nothing",
                "/inbox/x",
                "/query/x",
                "/login/x",
                "/nothing",
            )
        ),
    ]
    paths += [
        ("PATCH", "/desk"),
        ("PUT", "/desk/api/queue"),
        ("POST", "/desk/api/cases/x/dispatch"),
        ("OPTIONS", "/desk"),
    ]
    for method, path in paths:
        for role in ("admin", "department", ""):
            who = await site.enter(role) if role else {}
            for head in ({}, {"Accept": "text/html"})[: 2 if method == "GET" else 1]:
                answer, _ = await site.ask(
                    method, path, who | head, b"{" if method in UNSAFE else None
                )
                lacks = [
                    name for name, value in wanted.items() if answer.headers.get(name) != value
                ]
                if lacks:
                    bare.append((method, path, role, answer.status, lacks))
    assert bare == []


async def test_a_policy_that_allows_nothing_inline() -> None:
    policy = dict(
        part.strip().split(" ", 1) for part in HEADERS["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "connect-src", "form-action")} == {
        "'self'"
    }
    assert {policy[name] for name in ("base-uri", "frame-ancestors")} == {"'none'"}
    assert not {"unsafe-inline", "unsafe-eval", "*"} & set(
        " ".join(policy.values()).replace("'", "").split()
    )


DOORS = (
    "/api/v1/",
    "/api/openapi.json",
    "/open311/",
    "/wechat/",
    "/office/",
    "/healthz",
    "/readyz",
    "/metrics",
)
"""Addresses with a guard of their own: keys, signatures, sealed links, or nothing to guard."""


def test_every_route_has_a_guard(site: Site) -> None:
    """A page at an address the desk's guard does not know would be open to everybody."""
    unknown = {
        route.resource.canonical
        for route in site.application.router.routes()
        if route.resource is not None
        and route.resource.canonical != "/"
        and not route.resource.canonical.startswith((*OURS, *DOORS, "/static"))
    }
    assert unknown == set()


def disguised(path: str) -> list[str]:
    """The same address as a proxy or a router might read it."""
    first = path[1:].partition("/")[0]
    rest = path[1 + len(first) :]
    coded = "".join(f"%{ord(one):02x}" for one in first)
    return [
        f"/{coded}{rest}", f"/{coded.replace('%', '%25')}{rest}", f"/{first.upper()}{rest}", f"//{first}{rest}", f"/./{first}{rest}",
        f"/static/..{path}", f"/static/..%2f{path[1:]}", f"/static/%2e%2e{path}", f"/query/..{path}", f"/query/..;{path}", f"/login/..{path}",
        f"{path}/", f"{path};x", f"{path}%00", f"{path}%20", f"/{first}%2f{rest[1:]}", f"/{first}\\{rest[1:]}", f"/query%2f..{path}", f"{path}.json",
        f"http://127.0.0.1{path}", f"/healthz/..{path}", f"/api/v1/..{path}",
    ]  # fmt: skip


async def test_no_disguise_of_an_address_passes_the_guard(site: Site) -> None:
    passed = []
    words = (site.own["no"], 'name="token"', "data-token", "派遣员")
    for path in (
        "/desk",
        "/desk/api/queue",
        f"/desk/api/cases/{site.own['cases']}",
        "/desk/admin/users",
        "/inbox/api/orders",
        "/account",
    ):
        for raw in disguised(path):
            url = URL(site.origin + raw if raw.startswith("/") else raw, encoded=True)
            if url.host != "127.0.0.1" or (url.port != URL(site.origin).port):
                continue
            async with site.client.session.get(url, allow_redirects=False) as answer:
                text = await answer.text()
            if answer.status == 200 or any(word in text for word in words):
                passed.append((raw, answer.status))
    assert passed == []


async def test_nothing_is_changed_by_looking(site: Site) -> None:
    """Else a picture in a message could make a person's browser do it."""
    before = await kept_rows(site)
    for role in ("admin", "department", "subdistrict"):
        who = await site.enter(role)
        for method, path in site.paths(site.own):
            if method == "GET" and not path.endswith("/events"):
                await site.ask(method, path, who)
    assert await kept_rows(site) == before
