"""``/desk/admin/audit``: who looked at or changed what, with filters (操作记录). Nothing can be changed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import select

from desk.accounts import User
from desk.admin import TABS
from desk.pages import Pages, require, storable
from store.db import Database
from store.tables import T

SHOWN = 100
"""Lines of a page."""

ACTS: Mapping[str, str] = MappingProxyType(
    {
        "login": "登录",
        "locked": "登录锁定",
        "reveal": "查看原文与联系方式",
        "break_claim": "解除他人认领",
        "contact_sent": "向承办单位提供联系方式",
        "import": "导入表格",
        "config": "修改配置",
        "config_saved": "配置已保存",
        "dead_replay": "死信重放",
        "dead_dismiss": "死信作废",
        "factor_on": "启用二次验证",
        "factor_off": "停用二次验证",
        "password": "修改密码",
        "user_add": "新增人员",
        "user_change": "修改人员",
        "user_lock": "停用人员",
        "user_unlock": "恢复人员",
        "user_password": "重置密码",
        "user_factor_off": "停用他人二次验证",
        "user_end_sessions": "结束他人登录",
        "end_sessions": "结束登录",
        "model_use": "换用模型",
        "model_back": "恢复上一个模型",
        "model_try": "试用模型",
        "model_stop": "停止试用模型",
    }
)
"""What an act is called on screen; others by their own word."""


class AuditPage:
    """Newest first, a page at a time."""

    def __init__(self, db: Database, pages: Pages, zone: ZoneInfo) -> None:
        self._db = db
        self._pages = pages
        self._zone = zone

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/desk/admin/audit", self._page)]

    async def _page(self, request: web.Request) -> web.Response:
        require(request, User.may_administer)
        asked = {name: storable(value)[:100] for name, value in request.query.items()}
        rows = await self._rows(asked)
        return self._pages.render(
            "admin_audit.html",
            request,
            tabs=TABS,
            rows=rows[:SHOWN],
            asked=asked,
            acts=await self._acts(),
            names=ACTS,
            next=rows[SHOWN - 1].id if len(rows) > SHOWN else 0,
        )

    async def _acts(self) -> Sequence[str]:
        asked = select(T.audit.c.act).distinct().order_by(T.audit.c.act)
        async with self._db.read() as conn:
            return (await conn.execute(asked)).scalars().all()

    async def _rows(self, asked: Mapping[str, str]) -> Sequence[Any]:
        a = T.audit.c
        statement = select(T.audit).order_by(a.id.desc()).limit(SHOWN + 1)
        for name in ("actor", "act"):
            if asked.get(name):
                statement = statement.where(a[name] == asked[name])
        if asked.get("target"):
            statement = statement.where(a.target.contains(asked["target"], autoescape=True))
        if since := self._day(asked.get("from", "")):
            statement = statement.where(a.at >= since)
        if until := self._day(asked.get("to", ""), later=1):
            statement = statement.where(a.at < until)
        if asked.get("before", "").isdecimal():
            statement = statement.where(a.id < min(int(asked["before"]), 2**63 - 1))
        async with self._db.read() as conn:
            return (await conn.execute(statement)).all()

    def _day(self, text: str, *, later: int = 0) -> datetime | None:
        """Midnight of a day as a form gives it, or so many days later; None for anything else."""
        try:
            day = datetime.fromisoformat(text).date() + timedelta(days=later)
            return datetime.combine(day, time(), self._zone).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
