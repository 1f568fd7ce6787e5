"""``/desk/admin/models``: the saved classifiers, which one judges, which one is on trial."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from desk.accounts import User
from desk.admin import TABS, Shelf
from desk.pages import Pages, require, storable
from store.audit import audit
from store.db import Database
from store.errors import ConfigError

STATES = {"in_use": "使用中", "shadow": "试用中（不影响派遣）", "": ""}
MEASURES = {
    "problems_macro_f1": "问题 F1",
    "campaigns_macro_f1": "行动 F1",
    "kind_accuracy": "类型准确率",
    "auto_share": "自动派遣占比",
    "auto_right": "自动派遣正确率",
}
"""What is shown of a model card."""

DONE = "已切换，约五秒后生效。"
FAILED = "没有可用的模型，或模型文件已损坏，未作更改。"


class ModelsPage:
    """``shelf`` is the hub's."""

    def __init__(
        self, db: Database, pages: Pages, shelf: Shelf, *, clock: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._pages = pages
        self._shelf = shelf
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/desk/admin/models", self._page),
            web.post("/desk/admin/models/{act:use|back|try|stop}", self._act),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        return await self._show(request)

    async def _show(
        self, request: web.Request, said: str = "", *, status: int = 200
    ) -> web.Response:
        require(request, User.may_administer)
        return self._pages.render(
            "admin_models.html",
            request,
            status=status,
            tabs=TABS,
            rows=await self._shelf.rows(),
            states=STATES,
            measures=MEASURES,
            said=said,
            bad=status != 200,  # noqa: PLR2004
        )

    async def _act(self, request: web.Request) -> web.Response:
        user = require(request, User.may_administer)
        name = storable(str((await request.post()).get("name", "")))[:60]
        act = request.match_info["act"]
        states = {row["state"]: row["name"] for row in await self._shelf.rows()}
        before = states.get("in_use" if act in {"use", "back"} else "shadow", "") or "none"
        after = name if act in {"use", "try"} else "the one before" if act == "back" else "none"
        note = f"{before} → {after}"
        await audit(
            self._db,
            actor=user.name,
            act=f"model_{act}",
            target="model",
            note=note,
            at=self._clock(),
        )
        try:
            await self._switch(act, name)
        except ConfigError:
            return await self._show(request, FAILED, status=422)
        return await self._show(request, DONE)

    async def _switch(self, act: str, name: str) -> None:
        if act == "use":
            await self._shelf.use(name)
        elif act == "back":
            await self._shelf.roll_back()
        else:
            await self._shelf.shadow(name if act == "try" else "")
