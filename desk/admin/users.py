"""``/desk/admin/users``: who may log in, as which role, and what to do when somebody can not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web
from sqlalchemy import func, select

from desk.accounts import ROLES, User
from desk.admin import TABS
from desk.admin.changing import FIELDS, Changing
from desk.pages import Pages, require, storable
from router.departments import Directory
from store.db import Database
from store.errors import ConflictError, RejectedError
from store.tables import T

ROLE_NAMES: Mapping[str, str] = dict(
    zip(ROLES, ("派遣员", "承办单位", "街道乡镇", "领导", "督查员", "管理员"), strict=True)
)
SAID: Mapping[str, str] = {
    "name": "用户名已存在，或为空、过长、首尾有空格。",
    "password": "密码应为 10 至 200 个字符。",
    "role": "请选择角色。",
    "scope": "“承办单位”须选单位，“街道乡镇”须选街道或乡镇，其他角色不选。",
    "external": "该统一认证账号已属于另一人员。",
    "last": "这是最后一名管理员，请先设置另一名管理员。",
    "text": "内容含有无法保存的字符。",
}
GONE = "该人员已不存在，列表已更新。"
DONE = "已保存，并记入操作记录。"
Form = Mapping[str, str]


class UsersPage:
    """``directory`` gives the offices of now."""

    def __init__(
        self,
        db: Database,
        pages: Pages,
        directory: Callable[[], Directory],
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._pages = pages
        self._directory = directory
        self._clock = clock
        self._changing = Changing(db, clock=clock)
        change = self._changing
        self._acts: Mapping[str, Callable[[str, Form], Awaitable[None]]] = {
            "add": self._add,
            "change": self._change,
            "password": lambda by, form: change.reset(by, form["name"], form.get("password", "")),
            "lock": lambda by, form: change.activate(by, form["name"], active=False),
            "unlock": lambda by, form: change.activate(by, form["name"], active=True),
            "factor-off": lambda by, form: change.factor_off(by, form["name"]),
            "end-sessions": lambda by, form: change.end_sessions(by, form["name"]),
        }

    def routes(self) -> list[web.RouteDef]:
        words = "|".join(self._acts)
        return [
            web.get("/desk/admin/users", self._page),
            web.post(f"/desk/admin/users/{{act:{words}}}", self._act),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        return await self._show(request)

    async def _show(
        self, request: web.Request, error: str = "", said: str = "", *, status: int = 200
    ) -> web.Response:
        require(request, User.may_administer)
        directory = self._directory()
        chosen = storable(request.query.get("name", ""))
        rows = await self._rows()
        return self._pages.render(
            "admin_users.html",
            request,
            status=status,
            tabs=TABS,
            rows=rows,
            one=next((row for row in rows if row["name"] == chosen), None),
            roles=ROLE_NAMES,
            offices={one.id: one.name for one in directory.department},
            areas={one.id: one.name for one in directory.area},
            inner={one.id: one.name for one in directory.inner},
            now=self._clock(),
            error=error,
            said=said,
        )

    async def _rows(self) -> list[dict[str, Any]]:
        """Everybody, with open logins counted; those who may log in first."""
        u, s = T.users.c, T.sessions.c
        now = self._clock()
        open_ = (
            select(s.user, func.count().label("open"))
            .where(now < s.ends_at)
            .group_by(s.user)
            .subquery()
        )
        asked = (
            select(
                u.name, u.display, u.role, u.scope, u.external, u.active, u.locked_until,
                u.totp.is_not(None).label("factor"), func.coalesce(open_.c.open, 0).label("open"),
            )
            .outerjoin(open_, open_.c.user == u.name)
            .order_by(u.active.desc(), u.role, u.name)
        )  # fmt: skip
        async with self._db.read() as conn:
            return [dict(row) for row in (await conn.execute(asked)).mappings()]

    async def _act(self, request: web.Request) -> web.Response:
        user = require(request, User.may_administer)
        form = {name: str(value) for name, value in (await request.post()).items()}
        form.setdefault("name", "")
        try:
            for text in form.values():
                storable(text)
            await self._acts[request.match_info["act"]](user.name, form)
        except RejectedError as error:
            return await self._show(request, SAID.get(error.reason, SAID["text"]), status=422)
        except ConflictError:
            return await self._show(request, GONE, status=409)
        return await self._show(request, said=DONE)

    async def _add(self, actor: str, form: Form) -> None:
        fields = _fields(form) | {"name": form["name"]}
        await self._changing.add(actor, fields, form.get("password", ""), self._directory())

    async def _change(self, actor: str, form: Form) -> None:
        await self._changing.change(actor, form["name"], _fields(form), self._directory())


def _fields(form: Form) -> dict[str, str]:
    """What the form says of a person; the shown name is the name where it is left out."""
    fields = {field: form.get(field, "").strip()[:100] for field in FIELDS}
    return fields | {"display": fields["display"] or form["name"]}
