"""Pages and API by which people come in and go: ``/login``, its code step, single sign-on, ``/logout``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from desk.accounts import User
from desk.entry import Entry
from desk.factors import CodeNeededError
from desk.oidc import Oidc
from desk.pages import Pages, body_of
from desk.security import GATEWAY, Guard, named
from desk.settings import AccountsConfig
from desk.sso import Gateway, address_of
from store.errors import AuthError, TransientError

log = logging.getLogger(__name__)

AWAY = "minsheng_sso"
"""The cookie of somebody sent to a single sign-on."""

SAID: Mapping[str, str] = {
    "wrong": "用户名或密码不正确，或连续失败后暂时锁定，请稍后再试。",
    "code": "验证码不正确、已使用或已过期，请重试或重新登录。",
    "sso": "统一身份认证未完成，请重试。",
    "away": "统一身份认证暂时无法访问，请稍后再试或使用密码登录。",
    "unknown": "认证成功，但尚未开通本平台账号，请联系系统管理员。",
}


class AgainBody(msgspec.Struct, forbid_unknown_fields=True):
    """An open page whose login ended; ``name`` where the browser has lost the cookie."""

    password: str
    code: str = ""
    name: str = ""


class Login:
    """The doors. ``gateway`` and ``oidc`` are None where the city has none."""

    def __init__(
        self,
        entry: Entry,
        guard: Guard,
        pages: Pages,
        *,
        config: AccountsConfig,
        gateway: Gateway | None = None,
        oidc: Oidc | None = None,
    ) -> None:
        self._entry = entry
        self._guard = guard
        self._pages = pages
        self._config = config
        self._gateway = gateway
        self._oidc = oidc

    def routes(self) -> list[web.RouteDef]:
        sso = [web.get("/login/sso", self._depart), web.get("/login/sso/back", self._arrive)]
        return [
            web.get("/", self._home),
            web.get("/login", self._page),
            web.post("/login", self._login),
            web.post("/login/again", self._again),
            web.post("/logout", self._logout),
            *(sso if self._oidc is not None else []),
        ]

    async def _home(self, request: web.Request) -> web.StreamResponse:
        session = await self._guard.session(request)
        where = "/login" if session is None else "/desk" if session.user.may_watch() else "/inbox"
        raise web.HTTPFound(where)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        """The form, or straight in for whom the gateway vouches for."""
        if self._gateway is not None:
            user = await self._gateway.person(request)
            if user is not None:
                return await self._enter(request, user, via=GATEWAY)
        return self._show(request)

    def _show(
        self, request: web.Request, said: str = "", *, step: str = "", status: int = 200
    ) -> web.Response:
        sso = self._oidc.config.name if self._oidc is not None else ""
        text = SAID.get(said, "")
        return self._pages.render(
            "login.html", request, error=text, step=step, sso=sso, status=status
        )

    async def _login(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        address = address_of(request, self._config.proxies)
        step, code = form.get("step", ""), form.get("code", "")
        try:
            if step:
                user = await self._entry.by_code(step, code, address=address)
            else:
                name, password = form.get("name", ""), form.get("password", "")
                user = await self._entry.by_password(name, password, code=code, address=address)
        except CodeNeededError as error:
            return self._show(request, step=error.step)
        except AuthError:
            return self._show(request, "code" if step else "wrong", step=step, status=401)
        return await self._enter(request, user)

    async def _enter(
        self, request: web.Request, user: User, *, via: str = "password"
    ) -> web.StreamResponse:
        """A new login in place of this browser's old one, and on to the first page."""
        response = web.HTTPFound("/")
        self._guard.set_cookie(response, await self._begin(request, user, via=via))
        raise response

    async def _begin(self, request: web.Request, user: User, *, via: str = "password") -> str:
        old = request.cookies.get(self._guard.cookie, "")
        address = address_of(request, self._config.proxies)
        return await self._entry.begin(user, old=old, via=via, address=address)

    async def _again(self, request: web.Request) -> web.Response:
        """The same person once more; a new cookie and ``{token}``, so that the page goes on."""
        body = await body_of(request, AgainBody)
        known = await self._entry.sessions.name_of(request.cookies.get(self._guard.cookie, ""))
        name = known or body.name
        if body.name not in {"", name}:
            return _refused("name", "desk: name: this page is another person's; load it again")
        address = address_of(request, self._config.proxies)
        try:
            user = await self._entry.by_password(
                name, body.password, code=body.code, address=address
            )
        except CodeNeededError as error:
            return _refused("code", str(error))
        except AuthError as error:
            return _refused("wrong", str(error))
        token = await self._begin(request, user)
        session = await self._entry.sessions.find(token)
        response = web.json_response({"token": session.csrf if session is not None else ""})
        self._guard.set_cookie(response, token)
        return response

    async def _logout(self, request: web.Request) -> web.StreamResponse:
        await self._entry.sessions.end(request.cookies.get(self._guard.cookie, ""))
        response = web.HTTPFound("/login")
        response.del_cookie(self._guard.cookie)
        raise response

    async def _depart(self, request: web.Request) -> web.StreamResponse:
        oidc = self._need()
        try:
            secret, where = await oidc.depart()
        except TransientError as error:
            log.warning("single sign-on: %s", error, extra={"event": "sso_away"})
            return self._show(request, "away", status=503)
        response = web.HTTPFound(where)
        cookie = named(AWAY, secure=self._guard.secure)
        more: dict[str, Any] = {"httponly": True, "secure": self._guard.secure, "samesite": "Lax"}
        response.set_cookie(cookie, secret, max_age=600, path="/", **more)
        raise response

    async def _arrive(self, request: web.Request) -> web.StreamResponse:
        cookie = named(AWAY, secure=self._guard.secure)
        secret = request.cookies.get(cookie, "")
        try:
            external = await self._need().arrive(secret, request.query)
        except TransientError as error:
            log.warning("single sign-on: %s", error, extra={"event": "sso_away"})
            return self._show(request, "away", status=503)
        except AuthError as error:
            log.warning("single sign-on: %s", error, extra={"event": "sso_refused"})
            return self._show(request, "sso", status=401)
        user = await self._entry.accounts.of_external(external)
        if user is None:
            return self._show(request, "unknown", status=403)
        try:
            return await self._enter(request, user, via="sso")
        except web.HTTPFound as response:
            response.del_cookie(cookie)
            raise

    def _need(self) -> Oidc:
        assert self._oidc is not None  # noqa: S101 - its routes exist only with it
        return self._oidc


def _refused(reason: str, error: str) -> web.Response:
    return web.json_response({"error": error, "reason": reason}, status=401)
