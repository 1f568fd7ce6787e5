"""Passwords, second factors, locks, and a page whose login ended."""

import asyncio
import re
from base64 import b32decode
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import select
from visitors import PASSWORD, Browser, Office, Opens, put

from desk import lockout
from desk.factors import shown, spare_codes, step_of
from desk.lockout import ADDRESS_FAILURES, FAILURES
from store.tables import T

SECRET = b"12345678901234567890"
OFFSETS = [(-31, False), (-30, True), (0, True), (30, True), (59, True), (60, False), (-60, False)]


def code_at(office: Office, secret: bytes) -> str:
    return code_of(secret, int(office.hub.clock().timestamp()))


def code_of(secret: bytes, at: int) -> str:
    return TOTP(secret, 6, SHA1(), 30).generate(at).decode()  # noqa: S303 - RFC 6238's


async def guess(office: Office, address: str, times: int) -> None:
    """So many names tried from one address."""
    for n in range(times):
        attempt = await lockout.begin(office.hub.db, f"guess-{n}", address, office.hub.clock())
        assert not attempt.locked


async def enroll(office: Office, browser: Browser) -> tuple[bytes, list[str]]:
    """A second factor as a person sets it up: (secret, recovery codes)."""
    page = await (await browser.post("/account/factor/offer", {"old": PASSWORD})).text()
    secret = b32decode(page.split("密钥：<code>")[1].split("<")[0].replace(" ", ""))
    offer = page.split('name="offer" value="')[1].split('"')[0]
    assert "data:image/svg+xml" in page
    form = {"offer": offer, "code": code_at(office, secret)}
    page = await (await browser.post("/account/factor/on", form)).text()
    return secret, re.findall(r"<li><code>([a-z0-9-]+)</code>", page)


async def step(browser: Browser, name: str) -> str:
    """What a right password gives to somebody with a second factor."""
    page = await (await browser.log_in(name)).text()
    return page.split('name="step" value="')[1].split('"')[0]


@pytest.mark.parametrize(
    ("at", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")]
)
def test_codes_are_those_of_the_standard(at: int, code: str) -> None:
    """RFC 6238, appendix B, the last six digits."""
    assert step_of(SECRET, code, datetime.fromtimestamp(at, UTC)) == at // 30
    assert step_of(SECRET, code, datetime.fromtimestamp(at + 90, UTC)) is None
    assert step_of(SECRET, "十二三四五六", datetime.fromtimestamp(at, UTC)) is None


@pytest.mark.parametrize(("off", "good"), OFFSETS)
def test_code_is_good_one_step_early_or_late(*, off: int, good: bool) -> None:
    at = 1_700_000_010 // 30 * 30
    now = datetime.fromtimestamp(at + off, UTC)
    assert (step_of(SECRET, code_of(SECRET, at), now) is not None) is good


def test_secret_is_shown_in_groups_and_recovery_codes_differ() -> None:
    assert shown(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
    assert len(set(spare_codes())) == 10


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def desk(request: pytest.FixtureRequest, open_office: Opens) -> Office:
    return await open_office(
        request.getfixturevalue(f"{request.param}_url"), ("dispatcher", "admin")
    )


async def test_code_is_good_once_and_a_step_is_not_good_again(desk: Office, clock: Any) -> None:
    first = await desk.browser("dispatcher")
    secret, _ = await enroll(desk, first)
    browser = await desk.browser()
    mark = await step(browser, "dispatcher")
    used = code_at(desk, secret)  # spent when it was set up
    assert (await browser.post("/login", {"step": mark, "code": used})).status == 401
    clock.forward(seconds=30)
    good = code_at(desk, secret)
    answers = await asyncio.gather(
        *(browser.post("/login", {"step": mark, "code": good}) for _ in range(3))
    )
    assert sorted(answer.status for answer in answers) == [302, 401, 401]
    assert (await browser.post("/login", {"step": mark, "code": used})).status == 401
    clock.forward(minutes=5, seconds=1)
    late = {"step": mark, "code": code_at(desk, secret)}
    assert (await browser.post("/login", late)).status == 401
    assert [row.act for row in await desk.audit("factor_on")] == ["factor_on"]


async def test_secret_and_recovery_codes_are_not_readable_in_the_database(desk: Office) -> None:
    browser = await desk.browser("dispatcher")
    secret, spare = await enroll(desk, browser)
    async with desk.hub.db.read() as conn:
        row = (await conn.execute(select(T.users).where(T.users.c.name == "dispatcher"))).one()
    assert secret not in row.totp
    assert len(spare) == 10
    assert not any(code in row.recovery or code.replace("-", "") in row.recovery for code in spare)


async def test_recovery_code_is_good_once(office: Office) -> None:
    _, spare = await enroll(office, await office.browser("dispatcher"))
    for status in (302, 401):
        browser = await office.browser()
        mark = await step(browser, "dispatcher")
        form = {"step": mark, "code": spare[0].upper().replace("-", " ")}
        assert (await browser.post("/login", form)).status == status
    assert (await browser.post("/login", {"step": mark, "code": spare[1]})).status == 302


@pytest.mark.parametrize("forged", ["", "AAAA", "x" * 200, "密码"])
async def test_forged_step_is_refused(office: Office, forged: str) -> None:
    browser = await office.browser()
    form = {"step": forged or "A" * 100, "code": "123456"}
    assert (await browser.post("/login", form)).status == 401


async def test_wrong_codes_lock_the_name_although_the_password_is_right(
    office: Office, clock: Any
) -> None:
    secret, _ = await enroll(office, await office.browser("dispatcher"))
    browser = await office.browser()
    clock.forward(minutes=1)
    for _ in range(FAILURES):
        mark = await step(browser, "dispatcher")  # a right password must not begin the count anew
        assert (await browser.post("/login", {"step": mark, "code": "000000"})).status == 401
    assert (
        await browser.post("/login", {"step": mark, "code": code_at(office, secret)})
    ).status == 401
    assert (await browser.log_in("dispatcher")).status == 401
    clock.forward(minutes=16)
    form = {"step": await step(browser, "dispatcher"), "code": code_at(office, secret)}
    assert (await browser.post("/login", form)).status == 302


async def test_name_is_locked_after_five_failures_even_at_once(desk: Office, clock: Any) -> None:
    browser = await desk.browser()
    tries = (browser.log_in("admin", "wrong password") for _ in range(FAILURES))
    assert {answer.status for answer in await asyncio.gather(*tries)} == {401}
    refused = await browser.log_in("admin")
    unknown = await browser.log_in("nobody-of-this-name")
    assert await refused.text() == await unknown.text()  # nobody learns which names there are
    assert len(await desk.audit("locked")) == 1
    clock.forward(minutes=15)
    assert (await browser.log_in("admin")).status == 302


async def test_success_begins_the_count_anew(office: Office) -> None:
    browser = await office.browser()
    for _ in range(2):
        for _ in range(FAILURES - 1):
            assert (await browser.log_in("admin", "wrong password")).status == 401
        assert (await browser.log_in("admin")).status == 302


async def test_many_names_from_one_address_lock_the_address_only(
    open_office: Opens, sqlite_url: str, clock: Any
) -> None:
    office = await open_office(sqlite_url, ("admin",), proxies=["127.0.0.0/8"])
    browser = await office.browser()
    bad = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9"}
    await guess(office, "203.0.113.9", ADDRESS_FAILURES)
    form = {"name": "admin", "password": PASSWORD}
    assert (await browser.post("/login", form, headers=bad)).status == 401
    assert (
        await browser.post("/login", form, headers={"X-Forwarded-For": "203.0.113.10"})
    ).status == 302
    clock.forward(minutes=15)
    assert (await browser.post("/login", form, headers=bad)).status == 302


async def test_forwarded_address_is_believed_from_a_proxy_only(office: Office) -> None:
    browser = await office.browser()
    await guess(office, "127.0.0.1", ADDRESS_FAILURES - 1)
    form = {"name": "nobody", "password": "wrong password"}
    await browser.post("/login", form, headers={"X-Forwarded-For": "203.0.113.1"})
    assert (await browser.log_in("admin")).status == 401


async def test_page_whose_login_ended_goes_on_with_the_password(office: Office, clock: Any) -> None:
    browser = await office.browser("dispatcher")
    clock.forward(hours=9)
    assert (await browser.get("/desk/api/queue")).status == 401
    wrong = await browser.post("/login/again", json={"password": "wrong password"})
    assert (wrong.status, (await wrong.json())["reason"]) == (401, "wrong")
    other = await browser.post("/login/again", json={"password": PASSWORD, "name": "admin"})
    assert (other.status, (await other.json())["reason"]) == (401, "name")
    answer = await browser.post("/login/again", json={"password": PASSWORD})
    assert answer.status == 200
    browser.token = (await answer.json())["token"]
    assert (await browser.get("/desk/api/queue")).status == 200
    assert (
        await browser.post("/desk/api/presence", json={"case_id": None, "idle": False})
    ).status == 200
    foreign = await browser.post(
        "/login/again", json={"password": PASSWORD}, headers={"Origin": "http://evil.invalid"}
    )
    assert foreign.status == 403


async def test_page_whose_login_ended_asks_for_the_code_too(office: Office, clock: Any) -> None:
    browser = await office.browser("dispatcher")
    secret, _ = await enroll(office, browser)
    clock.forward(hours=1)
    body = {"password": PASSWORD}
    answer = await browser.post("/login/again", json=body)
    assert (answer.status, (await answer.json())["reason"]) == (401, "code")
    again = await browser.post("/login/again", json=body | {"code": code_at(office, secret)})
    assert again.status == 200


async def test_revoked_login_does_not_tell_whose_it_was(office: Office) -> None:
    browser = await office.browser("dispatcher")
    await office.desk.accounts.choose("dispatcher", {"keys": False})
    other = await office.browser("dispatcher")
    assert (await other.post("/account/sessions/end-others", {})).status == 303
    answer = await browser.post("/login/again", json={"password": PASSWORD})
    assert answer.status == 401


async def test_required_role_sets_its_factor_up_before_anything_else(
    open_office: Opens, sqlite_url: str
) -> None:
    office = await open_office(sqlite_url, ("admin", "dispatcher"), totp_required=["admin"])
    browser = await office.browser("admin")
    page = await browser.get("/desk/admin/users")
    assert (page.status, page.headers["Location"]) == (302, "/account")
    assert (await browser.get("/desk/api/queue")).status == 403
    await enroll(office, browser)
    assert (await browser.get("/desk/admin/users")).status == 200
    assert (await browser.post("/account/factor/off", {"old": PASSWORD})).status == 422
    assert (await (await office.browser("dispatcher")).get("/desk")).status == 200


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"old": PASSWORD, "new": "another horse", "again": "another horse"}, 200),
        ({"old": "wrong password", "new": "another horse", "again": "another horse"}, 422),
        ({"old": PASSWORD, "new": "another horse", "again": "other horse"}, 422),
        ({"old": PASSWORD, "new": "short", "again": "short"}, 422),
        ({"old": PASSWORD, "new": "x" * 201, "again": "x" * 201}, 422),
    ],
)
async def test_own_password(office: Office, form: dict[str, str], status: int) -> None:
    browser, other = await office.browser("dispatcher"), await office.browser("dispatcher")
    assert (await browser.post("/account/password", form)).status == status
    done = status == 200
    assert (await other.get("/desk/api/tasks")).status == (401 if done else 200)
    assert (await browser.get("/desk/api/tasks")).status == 200
    assert len(await office.audit("password")) == done
    fresh = await office.browser()
    assert (await fresh.log_in("dispatcher", form["new"])).status == (302 if done else 401)


async def test_own_password_can_not_be_guessed_from_a_stolen_page(office: Office) -> None:
    browser = await office.browser("dispatcher")
    form = {"new": "another horse", "again": "another horse"}
    for _ in range(FAILURES):
        await browser.post("/account/password", form | {"old": "wrong password"})
    assert (await browser.post("/account/password", form | {"old": PASSWORD})).status == 422


async def test_own_logins_are_listed_and_ended_one_by_one(office: Office) -> None:
    browser, other, admin = [
        await office.browser(name) for name in ("dispatcher", "dispatcher", "admin")
    ]
    page = await (await browser.get("/account")).text()
    ids = re.findall(r'name="id" value="([0-9a-f]{16})"', page)
    assert len(ids) == 1  # the other one; nobody else's
    await admin.post("/account/sessions/end", {"id": ids[0]})
    assert (await other.get("/account")).status == 200  # not the administrator's to end here
    await browser.post("/account/sessions/end", {"id": ids[0]})
    assert (await other.get("/account")).status == 302
    await browser.post("/account/sessions/end", {"id": ""})
    assert (await browser.get("/account")).status == 200


async def test_single_keys_are_kept_with_the_person(office: Office) -> None:
    browser = await office.browser("dispatcher")
    for form, shown_ in (({}, '"keys":false'), ({"keys": "on"}, '"keys":true')):
        await browser.post("/account/keys", form)
        page = await (await browser.get("/desk")).text()
        assert shown_ in page.replace("&#34;", '"')


async def test_who_has_no_password_can_not_log_in_with_one(office: Office) -> None:
    await put(office.hub, "sso-only", "official", password="")
    browser = await office.browser()
    for password in ("", "nobody has this password"):
        assert (await browser.log_in("sso-only", password)).status == 401
