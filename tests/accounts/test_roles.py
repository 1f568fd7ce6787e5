"""Each role at each route: what is not in the table is refused, and a route that is missing in it fails."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from aiohttp import web
from visitors import Office, Opens

from desk.accounts import ROLES
from desk.security import OURS

ALL = frozenset(ROLES)
WATCH = ALL - {"department"}
OVERSEE = WATCH - {"subdistrict"}
DECIDE = frozenset({"dispatcher", "admin"})
SUPERVISE = frozenset({"supervisor", "admin"})
HANDLE = frozenset({"department", "subdistrict"})
TASKS = frozenset({"dispatcher", "supervisor", "admin"})
SIGN = frozenset({"official", "supervisor", "admin"})
ADMIN = frozenset({"admin"})

TABLE: dict[frozenset[str], str] = {
    ALL: """
        GET / | GET /login | POST /login | POST /login/again | POST /logout | GET /account | POST /account/password
        POST /account/keys | POST /account/factor/offer | POST /account/factor/on | POST /account/factor/off
        POST /account/sessions/end | POST /account/sessions/end-others | GET /query | POST /query | POST /query/rating""",
    WATCH: """
        GET /desk | GET /desk/events | GET /desk/api/queue | GET /desk/api/cases | GET /desk/api/cases/1
        GET /desk/api/cases/1/around | GET /desk/api/cases/1/similar | GET /desk/api/views | POST /desk/api/views
        PUT /desk/api/views/1 | DELETE /desk/api/views/1 | POST /desk/api/presence | GET /desk/api/presence | GET /desk/api/canned
        POST /desk/api/canned | PUT /desk/api/canned/1 | DELETE /desk/api/canned/1""",
    OVERSEE: """
        GET /desk/sources | GET /desk/api/sources | GET /desk/assessment | GET /desk/assessment/cases
        GET /desk/api/assessment | GET /desk/api/requests | GET /desk/trends | GET /desk/trends/number | GET /desk/trends/export.xlsx
        GET /desk/api/trends | GET /desk/api/number | GET /desk/api/indicators
        GET /desk/reports | GET /desk/reports/1 | GET /report/1 | GET /desk/reports/1/file. docx xlsx pdf
        GET /desk/topics | GET /desk/topics/1 | GET /desk/places | GET /desk/api/topics | GET /desk/api/topics/1
        GET /desk/api/places | POST /desk/topics/add
        GET /desk/campaigns | GET /desk/campaigns/target | GET /desk/api/campaigns
        POST /desk/topics/1/ name hide show watch unwatch merge phrases""",
    DECIDE: """
        POST /desk/api/cases/1/reveal | POST /desk/api/cases/1/plan | GET /desk/exposure | POST /desk/exposure
        GET /desk/import | POST /desk/import | POST /desk/import/confirm | GET /desk/api/cases/1/media
        GET /desk/api/cases/1/media/1 | POST /desk/api/requests/1/answer | POST /desk/api/items/1/follow-up
        POST /desk/api/bulk | POST /desk/requests/1/grant | POST /desk/requests/1/refuse
        POST /desk/api/cases/1/ dispatch undo split recall decline refer pass rework close reopen suspend resume
        POST /desk/api/cases/1/ instruct merge unmerge relapse labels snooze wake ask claim release""",
    TASKS: """
        POST /desk/api/cases/1/note | GET /desk/tasks | POST /desk/tasks/1/done | GET /desk/api/tasks | POST /desk/api/tasks/1/done
        POST /desk/campaigns/report | GET /desk/instruction | POST /desk/instruction | GET /desk/api/cases/1/photos
        GET /desk/api/cases/1/photos/1/1 | POST /desk/reports
        POST /desk/reports/1/ edit renew submit withdraw correct""",
    SIGN: "POST /desk/reports/1/ sign back",
    SUPERVISE: "POST /desk/api/orders/1/supervise | POST /desk/api/cases/1/break",
    HANDLE: """
        GET /inbox | GET /inbox/events | GET /inbox/orders/1 | GET /inbox/api/orders | GET /inbox/api/orders/1
        POST /inbox/api/orders/1/sign | POST /inbox/api/orders/1/handle | POST /inbox/api/orders/1/return
        POST /inbox/api/orders/1/extend | POST /inbox/api/orders/1/suspend | POST /inbox/api/orders/1/forward
        POST /inbox/api/orders/1/reveal | POST /inbox/api/orders/1/photos | GET /inbox/api/orders/1/photos/1
        GET /inbox/targets | POST /inbox/targets/report
        DELETE /inbox/api/orders/1/photos/1 | GET /inbox/api/documents | POST /inbox/api/documents/1/reply""",
    ADMIN: """
        GET /desk/admin | GET /desk/admin/users | POST /desk/admin/users/add | POST /desk/admin/users/change
        POST /desk/admin/users/password | POST /desk/admin/users/lock | POST /desk/admin/users/unlock
        POST /desk/admin/users/factor-off | POST /desk/admin/users/end-sessions | GET /desk/admin/files
        GET /desk/admin/files/routing.toml | POST /desk/admin/files/routing.toml | GET /desk/admin/models
        POST /desk/admin/models/use | POST /desk/admin/models/back | POST /desk/admin/models/try
        POST /desk/admin/models/stop | GET /desk/admin/dead | POST /desk/admin/dead/replay
        POST /desk/admin/dead/dismiss | GET /desk/admin/audit""",
}  # fmt: skip
LINES = [
    (roles, *one.split())
    for roles, text in TABLE.items()
    for one in re.split(r"[|\n]", text)
    if one.strip()
]
MAY = {(method, path + end): roles for roles, method, path, *ends in LINES for end in ends or [""]}
BODIES = {"/desk/api/bulk": {"command": "dispatch", "items": [{"id": "1"}]}}
"""What an address needs before it asks for the role."""

ENDS = {("POST", "/logout"), ("POST", "/login")}
"""Routes after which the login is another; tried last."""


def expanded(pattern: str) -> Iterator[str]:
    """Every address of a pattern: each word of a choice, 1 for a number."""
    parts = re.split(r"\(\?P<\w+>((?:[^()]|\([^()]*\))*)\)", pattern)
    choices = [
        ["routing.toml"] if r"\." in group else ["1"] if r"\d" in group else group.split("|")
        for group in parts[1::2]
    ]
    for chosen in product(*choices):
        words = [text for pair in zip(parts[::2], [*chosen, ""], strict=True) for text in pair]
        yield "".join(words).replace("\\", "")


def routes(application: web.Application) -> set[tuple[str, str]]:
    """Every method and address of the desk."""
    found = set()
    for route in application.router.routes():
        info = route.resource.get_info() if route.resource is not None else {}
        pattern = info["pattern"].pattern if "pattern" in info else info.get("path", "")
        if route.method != "HEAD" and (pattern == "/" or pattern.startswith(OURS)):
            found |= {(route.method, path) for path in expanded(pattern)}
    return found


async def test_every_route_is_in_the_table(office: Office) -> None:
    assert routes(office.server.app) == set(MAY)


@pytest.mark.parametrize("role", ROLES)
async def test_role_may_what_the_table_says_and_nothing_else(
    open_office: Opens, sqlite_url: str, role: str
) -> None:
    office = await open_office(sqlite_url, (role,))
    browser = await office.browser(role)
    wrong: list[tuple[str, str, int]] = []
    for method, path in sorted(MAY, key=lambda one: (one in ENDS, one)):
        headers = {"Origin": browser.origin, "X-Token": browser.token}
        body: Any = (
            {"json": BODIES.get(path, {})}
            if path.startswith(("/desk/api", "/inbox/api"))
            else {"data": {}}
        )
        asked = {} if method == "GET" else body
        async with browser.client.request(
            method, path, headers=headers, allow_redirects=False, **asked
        ) as answer:
            refused = answer.status == 403 and "your role" in await answer.text()
            good = answer.status < 500 and answer.status not in {401, 405} and not refused
            expected = role in MAY[method, path]
            if path not in {"/login", "/login/again"} and (good, refused) != (
                expected,
                not expected,
            ):
                wrong.append((method, path, answer.status))
    assert wrong == []


async def test_nothing_is_open_to_nobody_but_what_is_meant_to_be(office: Office) -> None:
    browser = await office.browser()
    shown = set()
    for method, path in sorted(MAY):
        headers = {"Origin": browser.origin}
        async with browser.client.request(
            method, path, headers=headers, allow_redirects=False
        ) as answer:
            asks = answer.status == 401 or (
                answer.status == 302 and answer.headers["Location"] == "/login"
            )
            if not asks:
                shown.add(path)
    assert shown == {"/login", "/login/again", "/query", "/query/rating"}


async def test_unsafe_methods_need_the_token_and_our_own_page(office: Office) -> None:
    browser = await office.browser("admin")
    loose = []
    for method, path in sorted(MAY):
        if method == "GET" or path.startswith(("/login", "/query")):
            continue
        for headers in (
            {"Origin": browser.origin},
            {"Origin": "http://evil.invalid", "X-Token": browser.token},
        ):
            async with browser.client.request(method, path, headers=headers) as answer:
                if answer.status != 403:
                    loose.append((method, path, answer.status))
    assert loose == []
    assert (await browser.get("/account")).status == 200  # nothing was done, not even logging out
