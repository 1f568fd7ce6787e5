"""What a person must look into (待办事项): tasks of their role, and what departments have asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from desk.accounts import User
from desk.pages import Pages, require
from desk.queries import open_requests
from router.commands import Commands
from router.tasks import TASK_NAMES, TaskKind, TaskRole
from router.workflow import STATUS_NAMES
from store.db import Database
from store.errors import ConflictError

UNITS = {"urgent_hours": "小时", "work_hours": "工作时", "work_days": "个工作日"}
WHAT = {"extension": "延期", "suspension": "挂账"}
ASKED = (TaskKind.EXTENSION_ASKED, TaskKind.SUSPENSION_ASKED)
"""Tasks that are answered as requests, so that none is ticked off without an answer."""

DONE = "已由他人处理，列表已更新。"


def may_task(user: User) -> bool:
    """Whether this person's role has a list."""
    return user.role in set(TaskRole)


class TaskPage:
    """``/desk/tasks``."""

    def __init__(
        self, db: Database, pages: Pages, commands: Commands, offices: Mapping[str, str]
    ) -> None:
        self._db = db
        self._pages = pages
        self._commands = commands
        self._offices = offices

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/desk/tasks", self._page),
            web.post("/desk/tasks/{id:\\d{1,18}}/done", self._done),
            web.post("/desk/requests/{id:\\d{1,18}}/{answer:grant|refuse}", self._answer),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        return await self._show(request)

    async def _show(self, request: web.Request, said: str = "", status: int = 200) -> web.Response:
        user = require(request, may_task)
        tasks = await self._commands.tasks.open(TaskRole(user.role))
        return self._pages.render(
            "tasks.html",
            request,
            status=status,
            said=said,
            tasks=[one for one in tasks if one["kind"] not in ASKED],
            requests=await open_requests(self._db) if user.may_dispatch() else [],
            kinds=TASK_NAMES,
            said_of=self._said,
            offices=self._offices,
            units=UNITS,
            what=WHAT,
        )

    def _said(self, note: str) -> str:
        """A task's note: an office or a status by name, a person's words as they are."""
        known: Mapping[Any, str] = STATUS_NAMES
        return self._offices.get(note) or known.get(note, note)

    async def _done(self, request: web.Request) -> web.StreamResponse:
        user = require(request, may_task)
        try:
            await self._commands.tasks.done(
                int(request.match_info["id"]), actor=user.name, role=TaskRole(user.role)
            )
        except ConflictError:
            return await self._show(request, DONE, 409)
        raise web.HTTPFound("/desk/tasks")

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        user = require(request, User.may_dispatch)
        form = await request.post()
        try:
            await self._commands.requests.answer(
                int(request.match_info["id"]),
                actor=user.name,
                granted=request.match_info["answer"] == "grant",
                note=str(form.get("note", "")).replace("\0", "").strip()[:1000],
            )
        except ConflictError:
            return await self._show(request, DONE, 409)
        raise web.HTTPFound("/desk/tasks")
