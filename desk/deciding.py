"""The dispatchers' commands as an API: one table from words in addresses to commands of the router."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from aiohttp import web

from desk.accounts import User
from desk.pages import MARK, Note, body_of, require
from desk.queries import open_requests, plain
from ingest.redact import redact
from router.commands import Commands
from router.deciding import Labels
from router.ladder import Level
from router.supervisor import Supervisor
from router.tasks import TASK_NAMES, TaskKind, TaskRole
from router.workflow import Verb
from store.config import Taxonomy
from store.db import Database
from store.errors import AuthError, RejectedError


class LabelsBody(msgspec.Struct, forbid_unknown_fields=True):
    """Labels a person chose."""

    kind: str
    problems: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    urgency: str = "normal"


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """What a command may need; ``version`` is the case's as the person saw it."""

    version: int
    note: Note = ""
    department: str = ""
    labels: LabelsBody | None = None
    support: tuple[str, ...] | None = None
    joint: bool | None = None
    reason: str = ""
    wanted_at: datetime | None = None
    other: Annotated[int, msgspec.Meta(ge=0, lt=10**18)] = 0


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
        self, db: Database, commands: Commands, taxonomy: Taxonomy, supervisor: Supervisor
    ) -> None:
        self._db = db
        self._supervisor = supervisor
        self._commands = commands
        self._taxonomy = taxonomy
        self._work: Mapping[str, Callable[[int, str, Body], Awaitable[int]]] = {
            "dispatch": self._dispatch,
            "undo": self._undo,
            "recall": self._recall,
            "decline": self._decline,
            "refer": self._refer,
            "pass": self._pass,
            "rework": self._rework,
            "close": self._close,
            "reopen": self._reopen,
            "suspend": self._suspend,
            "resume": self._resume,
            "instruct": self._instruct,
            "merge": self._merge,
            "unmerge": self._unmerge,
            "relapse": self._relapse,
        }

    def routes(self) -> list[web.RouteDef]:
        words = "|".join(self._work)
        return [
            web.post(f"/desk/api/cases/{MARK}/{{command:{words}}}", self._command),
            web.get("/desk/api/requests", self._requests),
            web.post("/desk/api/requests/{id:\\d{1,18}}/answer", self._answer),
            web.get("/desk/api/tasks", self._tasks),
            web.post("/desk/api/tasks/{id:\\d{1,18}}/done", self._done),
            web.post("/desk/api/orders/{id:\\d{1,18}}/supervise", self._supervise),
            web.post("/desk/api/items/{id:\\d{1,18}}/follow-up", self._follow_up),
        ]

    async def _command(self, request: web.Request) -> web.Response:
        user = require(request, User.may_dispatch)
        body = await body_of(request, Body)
        case_id = int(request.match_info["id"])
        work = self._work[request.match_info["command"]]
        return web.json_response({"version": await work(case_id, user.name, body)})

    async def _dispatch(self, case_id: int, actor: str, body: Body) -> int:
        labels = None
        if body.labels is not None:
            self._check_labels(body.labels)
            chosen = body.labels
            labels = Labels(chosen.kind, chosen.problems, chosen.campaigns, chosen.urgency)
        return await self._commands.cases.dispatch(
            case_id,
            version=body.version,
            actor=actor,
            department=body.department,
            labels=labels,
            support=body.support,
            joint=body.joint,
        )

    async def _undo(self, case_id: int, actor: str, body: Body) -> int:
        return await self._commands.undoing.undo(case_id, version=body.version, actor=actor)

    async def _recall(self, case_id: int, actor: str, body: Body) -> int:
        return await self._commands.cases.recall(
            case_id, version=body.version, actor=actor, note=body.note
        )

    async def _decline(self, case_id: int, actor: str, body: Body) -> int:
        return await self._end(case_id, actor, body, Verb.DECLINE)

    async def _refer(self, case_id: int, actor: str, body: Body) -> int:
        return await self._end(case_id, actor, body, Verb.REFER)

    async def _end(self, case_id: int, actor: str, body: Body, verb: Verb) -> int:
        return await self._commands.cases.end(
            case_id, version=body.version, actor=actor, verb=verb, note=body.note
        )

    async def _pass(self, case_id: int, actor: str, body: Body) -> int:
        return await self._verify(case_id, actor, body, passed=True)

    async def _rework(self, case_id: int, actor: str, body: Body) -> int:
        return await self._verify(case_id, actor, body, passed=False)

    async def _verify(self, case_id: int, actor: str, body: Body, *, passed: bool) -> int:
        return await self._commands.cases.verify(
            case_id, version=body.version, actor=actor, passed=passed, note=body.note
        )

    async def _close(self, case_id: int, actor: str, body: Body) -> int:
        return await self._commands.cases.close(
            case_id, version=body.version, actor=actor, note=body.note
        )

    async def _reopen(self, case_id: int, actor: str, body: Body) -> int:
        return await self._commands.cases.reopen(
            case_id, version=body.version, actor=actor, reason=body.reason, note=body.note
        )

    async def _suspend(self, case_id: int, actor: str, body: Body) -> int:
        return await self._commands.cases.suspend(
            case_id, version=body.version, actor=actor, note=body.note
        )

    async def _resume(self, case_id: int, actor: str, body: Body) -> int:
        return await self._commands.cases.resume(
            case_id, version=body.version, actor=actor, note=body.note
        )

    async def _instruct(self, case_id: int, actor: str, body: Body) -> int:
        if body.wanted_at is None or body.wanted_at.tzinfo is None:
            msg = "desk: wanted_at: missing or without a zone; write it like 2026-11-24T10:00:00+08:00"
            raise RejectedError(msg, reason="deadline")
        return await self._commands.cases.instruct(
            case_id, version=body.version, actor=actor, wanted_at=body.wanted_at, note=body.note
        )

    async def _merge(self, case_id: int, actor: str, body: Body) -> int:
        return await self._commands.joining.merge(
            case_id, into=body.other, version=body.version, actor=actor, note=body.note
        )

    async def _unmerge(self, case_id: int, actor: str, body: Body) -> int:
        return await self._commands.joining.unmerge(
            case_id, version=body.version, actor=actor, note=body.note
        )

    async def _relapse(self, case_id: int, actor: str, body: Body) -> int:
        return await self._commands.joining.relapse(
            case_id, of=body.other, version=body.version, actor=actor, note=body.note
        )

    def _check_labels(self, labels: LabelsBody) -> None:
        known: dict[str, set[str]] = {
            "kind": set(self._taxonomy.kinds),
            "urgency": set(self._taxonomy.urgencies),
            "problems": set(self._taxonomy.problems),
            "campaigns": set(self._taxonomy.campaigns),
        }
        for field, allowed in known.items():
            value = getattr(labels, field)
            for label in (value,) if isinstance(value, str) else value:
                if label not in allowed:
                    msg = f"desk: labels.{field}: {label[:40]} is not in the taxonomy"
                    raise RejectedError(msg, reason="label")

    async def _requests(self, request: web.Request) -> web.Response:
        """What departments have asked for and nobody has answered."""
        require(request, User.may_watch)
        rows = await open_requests(self._db)
        return web.json_response({"requests": [plain(row) for row in rows]})

    async def _answer(self, request: web.Request) -> web.Response:
        user = require(request, User.may_dispatch)
        body = await body_of(request, AnswerBody)
        version = await self._commands.requests.answer(
            int(request.match_info["id"]), actor=user.name, granted=body.granted, note=body.note
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
        raise AuthError("desk: your role has no tasks", known=True) from error
