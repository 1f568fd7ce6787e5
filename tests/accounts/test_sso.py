"""Gateways that name people in a header, and OpenID Connect against a small real provider."""

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jwk, jwt
from visitors import Browser, Office, Opens, put

from desk.settings import AccountsConfig
from desk.sso import within
from hub.http import GuardedHttp

CLIENT, SECRET = "minsheng", "a client's secret"
HEADER = {"X-Remote-User": "id-4711"}


@pytest.mark.parametrize(
    ("address", "networks", "inside"),
    [
        ("10.0.0.1", ("10.0.0.1/32",), True),
        ("10.0.0.2", ("10.0.0.1/32",), False),
        ("::ffff:10.0.0.1", ("10.0.0.1/32",), True),
        ("2001:db8::1", ("10.0.0.0/8", "2001:db8::/32"), True),
        ("unix", ("0.0.0.0/0", "::/0"), False),
        ("", ("0.0.0.0/0",), False),
    ],
)
def test_peer_is_in_a_network(address: str, networks: tuple[str, ...], *, inside: bool) -> None:
    assert within(address, networks) is inside


async def gateway(open_office: Opens, url: str, *trusted: str) -> Office:
    office = await open_office(url, ("admin",), header={"trusted": trusted})
    await put(office.hub, "window-3", "dispatcher", external="id-4711")
    return office


async def test_gateway_logs_people_in(open_office: Opens, sqlite_url: str) -> None:
    office = await gateway(open_office, sqlite_url, "127.0.0.1/32")
    browser = await office.browser()
    answer = await browser.get("/login", headers=HEADER)
    assert (answer.status, answer.headers["Location"]) == (302, "/")
    assert "window-3" in await (await browser.get("/desk", headers=HEADER)).text()
    assert (await browser.get("/desk")).status == 302  # past the gateway the cookie is nothing
    other = HEADER | {"X-Remote-User": "id-0815"}
    assert (
        await browser.get("/desk", headers=other)
    ).status == 302  # the gateway has another person now
    assert [row.note for row in await office.audit("login")] == ["gateway 127.0.0.1"]


@pytest.mark.parametrize("value", ["id-0815", "", "window-3", "admin"])
async def test_gateway_makes_nobody(open_office: Opens, sqlite_url: str, value: str) -> None:
    office = await gateway(open_office, sqlite_url, "127.0.0.1/32")
    browser = await office.browser()
    assert (await browser.get("/login", headers={"X-Remote-User": value})).status == 200


async def test_header_from_anybody_else_is_refused_and_logged(
    open_office: Opens, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    office = await gateway(open_office, sqlite_url, "10.0.0.1/32")
    browser = await office.browser("admin")
    spoofed = HEADER | {"X-Forwarded-For": "10.0.0.1"}
    with caplog.at_level(logging.WARNING):
        for path in ("/login", "/desk", "/", "/desk/api/queue"):
            assert (await browser.get(path, headers=spoofed)).status == 403
    assert {getattr(one, "event", "") for one in caplog.records} >= {"header_refused"}
    assert "id-4711" not in caplog.text
    assert (await browser.get("/desk")).status == 200  # passwords go on


async def test_header_means_nothing_where_no_gateway_is_set(office: Office) -> None:
    await put(office.hub, "window-3", "dispatcher", external="id-4711")
    browser = await office.browser()
    assert (await browser.get("/login", headers=HEADER)).status == 200
    assert (await browser.get("/desk", headers=HEADER)).headers["Location"] == "/login"


@pytest.mark.parametrize(
    "wrong",
    [
        {"header": {"trusted": []}},
        {"header": {"trusted": ["everywhere"]}},
        {"header": {"name": "X Remote", "trusted": ["10.0.0.0/8"]}},
        {"proxies": ["10.0.0.1/99"]},
        {"totp_required": ["king"]},
        {"oidc": {"issuer": "http://sso.invalid/", "client_id": "x"}},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"accounts|header|proxies|totp|oidc"):
        AccountsConfig.model_validate(wrong)


@cache
def made_key(kid: str, owner: str = "provider") -> jwk.RSAKey:
    """A key of its own for each owner; made once, for it takes long."""
    return jwk.RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


def signed_with(secret: bytes, claims: dict[str, Any]) -> str:
    """A token by hand, since no library signs with a public key."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "kid": "one"}, claims)]
    text = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    made = hmac.digest(secret, text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"


class Provider:
    """An OpenID Connect provider of one person. ``spoil`` changes the next id_token's claims."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.url = ""
        self.key = made_key("one")
        self.signing = self.key
        self.spoil: dict[str, Any] = {}
        self.secret = b""
        self.codes: dict[str, dict[str, str]] = {}

    def app(self) -> web.Application:
        application = web.Application()
        application.add_routes(
            [
                web.get("/.well-known/openid-configuration", self._about),
                web.get("/keys", self._keys),
                web.post("/token", self._token),
            ]
        )
        return application

    async def _about(self, _: web.Request) -> web.Response:
        ends = {"authorization_endpoint": "auth", "token_endpoint": "token", "jwks_uri": "keys"}
        return web.json_response(
            {"issuer": self.url} | {k: f"{self.url}/{v}" for k, v in ends.items()}
        )

    async def _keys(self, _: web.Request) -> web.Response:
        return web.json_response({"keys": [self.key.as_dict(private=False)]})

    def authorize(self, where: str) -> dict[str, str]:
        """The person agrees: what the browser comes back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(where).query).items()}
        assert asked["code_challenge_method"] == "S256"
        self.codes["a-code"] = asked
        return {"code": "a-code", "state": asked["state"], "iss": self.url}

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        asked = self.codes.pop(str(form["code"]), {})
        made = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        challenge = base64.urlsafe_b64encode(made).rstrip(b"=").decode()
        key = base64.b64encode(b"minsheng:a%20client%27s%20secret").decode()
        good = (
            asked.get("code_challenge") == challenge
            and asked["redirect_uri"] == form["redirect_uri"]
        )
        if not good or request.headers.get("Authorization") != f"Basic {key}":
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(self.clock().timestamp())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "id-4711",
            "nonce": asked["nonce"],
            "iat": now,
        }
        claims |= {"exp": now + 300} | self.spoil
        kept = {name: value for name, value in claims.items() if value is not None}
        token = jwt.encode({"alg": "RS256", "kid": self.signing.kid}, kept, self.signing)
        if self.secret:
            token = signed_with(self.secret, kept)
        return web.json_response({"id_token": token, "access_token": "x", "token_type": "Bearer"})


@pytest.fixture
async def provider(clock: Any) -> AsyncIterator[Provider]:
    made = Provider(clock)
    async with TestServer(made.app()) as server:
        made.url = str(server.make_url("/")).rstrip("/")
        yield made


@pytest.fixture
async def sso(open_office: Opens, sqlite_url: str, provider: Provider) -> AsyncIterator[Office]:
    http = GuardedHttp(("127.0.0.0/8",))
    oidc = {"issuer": provider.url, "client_id": CLIENT, "client_secret": SECRET}
    office = await open_office(
        sqlite_url, ("admin",), http=http, public_url="https://hub.invalid", oidc=oidc
    )
    await put(office.hub, "window-3", "dispatcher", external="id-4711")
    yield office
    await http.close()


async def depart(browser: Browser) -> str:
    answer = await browser.get("/login/sso")
    assert answer.status == 302, await answer.text()
    return answer.headers["Location"]


async def test_single_sign_on_logs_in_whom_we_know(sso: Office, provider: Provider) -> None:
    browser = await sso.browser()
    assert "/login/sso" in await (await browser.get("/login")).text()
    query = provider.authorize(await depart(browser))
    answer = await browser.get("/login/sso/back", params=query)
    assert (answer.status, answer.headers["Location"]) == (302, "/")
    assert "window-3" in await (await browser.get("/desk")).text()
    assert [row.note for row in await sso.audit("login")] == ["sso 127.0.0.1"]


@pytest.mark.parametrize(
    "spoil",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another client"},
        {"aud": None},
        {"aud": [CLIENT, "another client"]},
        {"iss": "https://another.invalid"},
        {"exp": 1},
        {"exp": None},
        {"iat": 4_000_000_000},
        {"sub": None},
    ],
    ids=str,
)
async def test_id_token_that_does_not_hold_is_refused(
    sso: Office, provider: Provider, spoil: dict[str, Any]
) -> None:
    provider.spoil = spoil
    browser = await sso.browser()
    query = provider.authorize(await depart(browser))
    answer = await browser.get("/login/sso/back", params=query)
    assert (answer.status, "未完成" in await answer.text()) == (401, True)
    assert (await browser.get("/desk")).status == 302


async def refused(sso: Office, provider: Provider, **change: str) -> None:
    browser = await sso.browser()
    query = provider.authorize(await depart(browser)) | change
    assert (await browser.get("/login/sso/back", params=query)).status == 401


async def test_foreign_signature_is_refused(sso: Office, provider: Provider) -> None:
    provider.signing = made_key("one", "somebody else")
    await refused(sso, provider)


async def test_signature_with_the_public_key_as_a_secret_is_refused(
    sso: Office, provider: Provider
) -> None:
    provider.secret = provider.key.as_pem(private=False)
    await refused(sso, provider)


async def test_new_key_of_the_provider_is_found(sso: Office, provider: Provider) -> None:
    provider.authorize(await depart(await sso.browser()))
    provider.key = provider.signing = made_key("two")
    browser = await sso.browser()
    query = provider.authorize(await depart(browser))
    assert (await browser.get("/login/sso/back", params=query)).status == 302


@pytest.mark.parametrize(
    "change",
    [{"state": "x"}, {"state": ""}, {"iss": "https://a.invalid"}, {"code": ""}, {"code": "y"}],
)
async def test_return_that_was_not_asked_for_is_refused(
    sso: Office, provider: Provider, change: dict[str, str]
) -> None:
    await refused(sso, provider, **change)


async def test_state_is_good_once_in_one_browser_and_not_for_ever(
    sso: Office, provider: Provider, clock: Any
) -> None:
    browser, thief = await sso.browser(), await sso.browser()
    where = await depart(browser)
    cookie = browser.client.session.cookie_jar.filter_cookies(browser.client.make_url("/"))[
        "minsheng_sso"
    ].value
    query = provider.authorize(where)
    assert (await thief.get("/login/sso/back", params=query)).status == 401  # not this browser's
    assert (await browser.get("/login/sso/back", params=query)).status == 302
    provider.authorize(where)
    kept = {"Cookie": f"minsheng_sso={cookie}"}
    assert (
        await thief.get("/login/sso/back", params=query, headers=kept)
    ).status == 401  # replayed
    query = provider.authorize(await depart(browser))
    clock.forward(minutes=11)
    assert (await browser.get("/login/sso/back", params=query)).status == 401


async def test_stranger_and_deactivated_get_no_account(sso: Office, provider: Provider) -> None:
    await put(sso.hub, "gone", "official", external="id-0815", active=False)
    browser = await sso.browser()
    for sub in ("id-9999", "id-0815"):
        provider.spoil = {"sub": sub}
        query = provider.authorize(await depart(browser))
        answer = await browser.get("/login/sso/back", params=query)
        assert (answer.status, "尚未开通" in await answer.text()) == (403, True)


async def test_provider_that_is_down_leaves_passwords(open_office: Opens, sqlite_url: str) -> None:
    http = GuardedHttp(("127.0.0.0/8",))
    oidc = {"issuer": "http://127.0.0.1:9/", "client_id": CLIENT}
    office = await open_office(
        sqlite_url, ("admin",), http=http, public_url="https://hub.invalid", oidc=oidc
    )
    browser = await office.browser()
    answer = await browser.get("/login/sso")
    assert (answer.status, "暂时无法访问" in await answer.text()) == (503, True)
    assert (await browser.log_in("admin")).status == 302
    await http.close()
