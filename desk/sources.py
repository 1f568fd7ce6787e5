"""The sources' page: who was heard when, what is wrong, what a person must do (渠道状态)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from aiohttp import web
from sqlalchemy import func, select

from desk.accounts import User
from desk.pages import Pages, require
from store.db import Database
from store.tables import T

ALERTS = {
    "layout": "页面结构已变化，无法读取内容，请联系技术人员更新接入程序",
    "empty": "连续两次读取结果为空，请检查来源是否关闭、改版或限制访问",
}
FAILING = 3
"""Failures in a row from which a source counts as down."""

HOWS = {"polled": "定时读取", "pushed": "对方推送", "imported": "人工导入"}
"""How a channel is heard."""

STATES = {"good": "正常", "warning": "需留意", "down": "异常", "new": "尚未收到"}


class Sources:
    """``channels`` names each configured channel and how it is heard (``HOWS``)."""

    def __init__(
        self,
        db: Database,
        pages: Pages,
        *,
        channels: Sequence[tuple[str, str]],
        names: Mapping[str, str],
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._pages = pages
        self._channels = channels
        self._names = names
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/desk/sources", self._page),
            web.get("/desk/api/sources", self._api),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        require(request, User.may_oversee)
        waits = await self._waiting()
        return self._pages.render(
            "sources.html",
            request,
            rows=await self.health(),
            states=STATES,
            hows=HOWS,
            waits=waits,
            ago=ago,
        )

    async def _api(self, request: web.Request) -> web.Response:
        require(request, User.may_oversee)
        rows = [
            {k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()}
            for row in await self.health()
        ]
        return web.json_response({"sources": rows})

    async def health(self) -> list[dict[str, Any]]:
        """One line a source: those that need somebody first."""
        async with self._db.read() as conn:
            found = {row.name: row for row in (await conn.execute(select(T.sources))).all()}
        rows = [
            _line(name, found.get(name), self._names.get(name, name), how=how, now=self._clock())
            for name, how in self._channels
        ]
        order = ["down", "warning", "new", "good"]
        return sorted(rows, key=lambda row: order.index(row["state"]))

    async def _waiting(self) -> dict[str, int]:
        """Rejects, pictures and answers that wait or were given up."""
        d, p, a = T.dead.c, T.photos.c, T.answers.c
        asked = {
            "dead": select(func.count()).where(d.state == "dead"),
            "photos": select(func.count()).where(p.state == "pending"),
            "answers": select(func.count()).where(a.state == "pending"),
            "unsent": select(func.count()).where(a.state == "unsent"),
        }
        async with self._db.read() as conn:
            return {name: int((await conn.execute(q)).scalar_one()) for name, q in asked.items()}


def ago(minutes: int) -> str:
    """So many minutes as people say it."""
    if minutes < 1:
        return "刚刚"
    hours, days = minutes // 60, minutes // 1440
    return f"{days} 天前" if days else f"{hours} 小时前" if hours else f"{minutes} 分钟前"


def _line(name: str, row: Any, shown: str, *, how: str, now: datetime) -> dict[str, Any]:
    fields = (
        "last_success_at", "last_error_at", "last_error", "heard", "failures", "warning", "budget",
        "budget_left", "newest_at", "next_at",
    )  # fmt: skip
    line: dict[str, Any] = {field: getattr(row, field, None) for field in fields}
    alert = ALERTS.get(row.alert, row.alert) if row is not None else ""
    line |= {"name": name, "shown": shown, "how": how, "alert": alert}
    lag = now - row.newest_at if row is not None and row.newest_at is not None else None
    line["lag_minutes"] = int(lag.total_seconds() // 60) if lag is not None else None
    line["state"] = _state(row)
    return line


def _state(row: Any) -> str:
    if row is None or (row.last_success_at is None and not row.failures):
        return "new"
    if row.alert or row.failures >= FAILING:
        return "down"
    return "warning" if row.warning or row.failures else "good"
