"""The dispatchers' commands as an API, and what else the desk decides: requests, tasks, documents, follow-ups."""

from __future__ import annotations

from typing import Literal

import msgspec
from aiohttp import web

from desk.accounts import User
from desk.bodies import PlanBody, labels_of
from desk.doing import Doing
from desk.pages import MARK, Note, body_of, require
from desk.queries import open_requests
from desk.rows import plain
from ingest.redact import redact
from router.commands import Commands
from router.ladder import Level
from router.supervisor import Supervisor
from router.tasks import TASK_NAMES, TaskKind, TaskRole
from store.config import Taxonomy
from store.db import Database
from store.errors import AuthError


class AnswerBody(msgspec.Struct, forbid_unknown_fields=True):
    """The desk's answer to a department's request."""

    granted: bool
    note: Note = ""


class FollowUpBody(msgspec.Struct, forbid_unknown_fields=True):
    """What the citizen said when asked (回访)."""

    solved: str
    satisfied: str
    note: Note = ""
    via: Literal["phone", "visit"] = "phone"


class SuperviseBody(msgspec.Struct, forbid_unknown_fields=True):
    """Which document (督办)."""

    level: Level


class Deciding:
    """``POST /desk/api/cases/{id}/{command}``, requests, tasks and follow-ups."""

    def __init__(
        self,
        db: Database,
        commands: Commands,
        taxonomy: Taxonomy,
        supervisor: Supervisor,
        doing: Doing,
    ) -> None:
        self._db = db
        self._supervisor = supervisor
        self._commands = commands
        self._taxonomy = taxonomy
        self._doing = doing

    def routes(self) -> list[web.RouteDef]:
        words = "|".join(self._doing.table)
        return [
            web.post(f"/desk/api/cases/{MARK}/{{command:{words}}}", self._command),
            web.post(f"/desk/api/cases/{MARK}/plan", self._plan),
            web.get("/desk/api/requests", self._requests),
            web.post(r"/desk/api/requests/{id:\d{1,18}}/answer", self._answer),
            web.get("/desk/api/tasks", self._tasks),
            web.post(r"/desk/api/tasks/{id:\d{1,18}}/done", self._done),
            web.post(r"/desk/api/orders/{id:\d{1,18}}/supervise", self._supervise),
            web.post(r"/desk/api/items/{id:\d{1,18}}/follow-up", self._follow_up),
        ]

    async def _command(self, request: web.Request) -> web.Response:
        command = self._doing.table[request.match_info["command"]]
        user = require(request, command.allowed)
        body = await body_of(request, command.body)
        done = await command.work(int(request.match_info["id"]), user, body)
        return web.json_response(done)

    async def _plan(self, request: web.Request) -> web.Response:
        """Where the rules would send the case under other labels."""
        require(request, User.may_dispatch)
        body = await body_of(request, PlanBody)
        labels = labels_of(body.labels, self._taxonomy)
        choice = await self._commands.proposing.planned(int(request.match_info["id"]), labels)
        return web.json_response({"department": choice.department, "why": choice.why})

    async def _requests(self, request: web.Request) -> web.Response:
        """What departments have asked for and nobody has answered."""
        require(request, User.may_oversee)
        rows = await open_requests(self._db)
        return web.json_response({"requests": [plain(row) for row in rows]})

    async def _answer(self, request: web.Request) -> web.Response:
        user = require(request, User.may_dispatch)
        body = await body_of(request, AnswerBody)
        version = await self._commands.requests.answer(
            int(request.match_info["id"]),
            actor=user.name,
            granted=body.granted,
            note=redact(body.note),
        )
        return web.json_response({"version": version})

    async def _tasks(self, request: web.Request) -> web.Response:
        role = _task_role(require(request, User.may_watch))
        rows = await self._commands.tasks.open(role)
        told = [plain(row) | {"name": TASK_NAMES[TaskKind(row["kind"])]} for row in rows]
        return web.json_response({"tasks": told})

    async def _done(self, request: web.Request) -> web.Response:
        user = require(request, User.may_watch)
        await self._commands.tasks.done(
            int(request.match_info["id"]), actor=user.name, role=_task_role(user)
        )
        return web.json_response({})

    async def _supervise(self, request: web.Request) -> web.Response:
        """A supervisor issues a document of the ladder by hand."""
        user = require(request, User.may_supervise)
        body = await body_of(request, SuperviseBody)
        order_id = int(request.match_info["id"])
        number = await self._supervisor.issue_now(order_id, level=body.level, actor=user.name)
        return web.json_response({"number": number})

    async def _follow_up(self, request: web.Request) -> web.Response:
        user = require(request, User.may_dispatch)
        body = await body_of(request, FollowUpBody)
        version = await self._commands.cases.follow_up(
            int(request.match_info["id"]),
            actor=user.name,
            solved=body.solved,
            satisfied=body.satisfied,
            via=body.via,
            note=redact(body.note),
        )
        return web.json_response({"version": version})


def _task_role(user: User) -> TaskRole:
    """Whose list this person works; AuthError when their role has none."""
    try:
        return TaskRole(user.role)
    except ValueError as error:
        raise AuthError(
            "desk: your role has no tasks; ask an administrator for another", known=True
        ) from error
