"""One's own account (本人账号): logins, password, second factor, single keys."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Collection, Mapping

from aiohttp import web
from sqlalchemy import update

from desk.accounts import User, hash_of
from desk.entry import Entry
from desk.factors import picture, shown
from desk.pages import Pages, storable
from desk.security import SESSION, Guard
from desk.settings import AccountsConfig
from desk.sso import address_of
from store.audit import audited
from store.db import Database, Tx
from store.errors import AuthError, RejectedError
from store.tables import T

SAID: Mapping[str, str] = {
    "changed": "密码已修改，其他设备上的登录已全部退出。",
    "kept": "已保存。",
    "off": "二次验证已关闭。",
    "old": "当前密码不正确。",
    "password": "新密码应为 10 至 200 个字符。",
    "again": "两次输入的新密码不一致。",
    "code": "验证码不正确，请核对手机时间后重试。",
    "sealed": "页面已过期，请重新开始。",
    "on": "二次验证已启用。",
    "required": "您的角色必须启用二次验证，不能关闭。",
}
VIAS = {"password": "密码", "gateway": "单位网关", "sso": "统一身份认证"}
Form = Mapping[str, str]


class AccountPage:
    """``/account``."""

    def __init__(
        self,
        db: Database,
        pages: Pages,
        entry: Entry,
        guard: Guard,
        *,
        hub_name: str,
        config: AccountsConfig,
    ) -> None:
        self._db = db
        self._pages = pages
        self._entry = entry
        self._guard = guard
        self._hub_name = hub_name
        self._config = config
        self._acts: Mapping[str, Callable[[web.Request, User, Form], Awaitable[web.Response]]] = {
            "password": self._password,
            "keys": self._keys,
            "factor/offer": self._offer,
            "factor/on": self._on,
            "factor/off": self._off,
            "sessions/end": self._end,
            "sessions/end-others": self._end_others,
        }

    def routes(self) -> list[web.RouteDef]:
        words = "|".join(self._acts)
        return [
            web.get("/account", self._page),
            web.post(f"/account/{{act:{words}}}", self._act),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        return await self._show(request)

    async def _show(
        self,
        request: web.Request,
        said: str = "",
        *,
        status: int = 200,
        secret: bytes = b"",
        spare: Collection[str] = (),
    ) -> web.Response:
        """``secret`` is on offer as a second factor; ``spare`` are new recovery codes, shown once."""
        session = request[SESSION]
        name = session.user.name
        offer = (
            base64.b64encode(self._entry.factors.sealed(name, secret)).decode() if secret else ""
        )
        return self._pages.render(
            "account.html",
            request,
            status=status,
            said=SAID.get(said, ""),
            bad=status != 200,  # noqa: PLR2004
            sessions=await self._entry.sessions.of(name),
            mine=session.id,
            vias=VIAS,
            left=await self._entry.factors.left(name),
            needed=session.user.role in self._config.totp_required,
            offer=offer,
            picture=picture(secret, name=name, issuer=self._hub_name) if secret else "",
            shown=shown(secret),
            spare=spare,
        )

    async def _act(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        work = self._acts[request.match_info["act"]]
        return await work(request, request[SESSION].user, form)

    async def _proved(self, request: web.Request, user: User, form: Form) -> bool:
        """Whether the form has this person's password, for what a stolen session must not do."""
        try:
            address = address_of(request, self._config.proxies)
            attempt = await self._entry.accounts.begin(user.name, form.get("old", ""), address)
        except AuthError:
            return False
        await self._entry.accounts.give_back(attempt, done=True)
        return True

    async def _password(self, request: web.Request, user: User, form: Form) -> web.Response:
        new = form.get("new", "")
        if new != form.get("again", ""):
            return await self._show(request, "again", status=422)
        if not await self._proved(request, user, form):
            return await self._show(request, "old", status=422)
        try:
            hashed = await hash_of(storable(new))
        except RejectedError:
            return await self._show(request, "password", status=422)

        async def work(tx: Tx) -> None:
            await self._note(tx, user, "password")
            await tx.run(update(T.users).where(T.users.c.name == user.name).values(password=hashed))

        await self._db.write(work)
        await self._entry.sessions.end_all(user.name, but=self._token(request))
        return await self._show(request, "changed")

    async def _keys(self, _request: web.Request, user: User, form: Form) -> web.Response:
        await self._entry.accounts.choose(user.name, {"keys": form.get("keys") == "on"})
        raise web.HTTPSeeOther("/account")

    async def _offer(self, request: web.Request, user: User, form: Form) -> web.Response:
        if not await self._proved(request, user, form):
            return await self._show(request, "old", status=422)
        return await self._show(request, secret=self._entry.factors.offer())

    async def _on(self, request: web.Request, user: User, form: Form) -> web.Response:
        try:
            kept = base64.b64decode(form.get("offer", ""), validate=True)
            secret = self._entry.factors.opened(user.name, kept)
        except (binascii.Error, RejectedError, ValueError):
            return await self._show(request, "sealed", status=422)
        try:
            spare = await self._entry.factors.enroll(user.name, secret, form.get("code", ""))
        except RejectedError:
            return await self._show(request, "code", status=422, secret=secret)
        await self._entry.sessions.end_all(user.name, but=self._token(request))
        return await self._show(request, "on", spare=spare)

    async def _off(self, request: web.Request, user: User, form: Form) -> web.Response:
        if user.role in self._config.totp_required:
            return await self._show(request, "required", status=422)
        if not await self._proved(request, user, form):
            return await self._show(request, "old", status=422)
        await self._entry.factors.switch_off(user.name, actor=user.name)
        return await self._show(request, "off")

    async def _end(self, _request: web.Request, user: User, form: Form) -> web.Response:
        await self._entry.sessions.end_one(user.name, storable(form.get("id", "")))
        raise web.HTTPSeeOther("/account")

    async def _end_others(self, request: web.Request, user: User, _form: Form) -> web.Response:
        await self._entry.sessions.end_all(user.name, but=self._token(request))
        raise web.HTTPSeeOther("/account")

    def _token(self, request: web.Request) -> str:
        return request.cookies.get(self._guard.cookie, "")

    async def _note(self, tx: Tx, user: User, act: str) -> None:
        now = self._entry.clock()
        await audited(tx, actor=user.name, act=act, target=f"user {user.name}", note="own", at=now)
