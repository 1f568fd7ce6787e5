"""A department's inbox: its own work orders, and what it may do with each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from aiohttp import web

from desk import queries
from desk.pages import Pages, require
from router.commands import OFFICE_VERBS, REFUSED, Commands, office_may
from router.notify.calls import asked_days
from router.replies import Replies
from router.workflow import Verb
from store.db import Database
from store.errors import ConflictError, RejectedError

LONGEST_NOTE = 1000

SAID = {
    "note": "请填写处置结果、退单或申请理由。",
    **REFUSED,
    "what": "挂账由牵头单位申请。",
}
"""Why a command was refused, as the department reads it."""

MOVED = "工单状态已变化，请核对后再办理。"


class Inbox:
    """``/inbox`` for people of the role ``department``."""

    def __init__(
        self,
        db: Database,
        pages: Pages,
        commands: Commands,
        replies: Replies,
        *,
        labels: Mapping[str, str],
        offices: Mapping[str, str],
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._pages = pages
        self._commands = commands
        self._replies = replies
        self._labels = labels
        self._offices = offices
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        words = "|".join(OFFICE_VERBS)
        return [
            web.get("/inbox", self._page),
            web.post("/inbox/documents/{id:\\d{1,18}}/reply", self._reply),
            web.post(f"/inbox/{{id:\\d{{1,19}}}}/{{verb:{words}}}", self._act),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        return await self._show(request)

    async def _show(
        self,
        request: web.Request,
        *,
        error: str = "",
        status: int = 200,
        typed: tuple[str, str, str] = ("", "", ""),
    ) -> web.Response:
        """``typed``: the order or document, the verb and the words of a form that was refused; shown again."""
        user = require(request, lambda one: one.role == "department")
        now = self._clock()
        rows = await queries.inbox(self._db, user.scope, now)
        for row in rows:
            row["may"] = dict(office_may(row["status"], row["case_status"], lead=row["lead"]))
        return self._pages.render(
            "inbox.html",
            request,
            status=status,
            rows=rows,
            error=error,
            now=now.isoformat(),
            opened=typed[0],
            kept=lambda one, verb: typed[2] if (str(one), verb) == typed[:2] else "",
            documents=await self._replies.of_office(user.scope),
            laid_out=laid_out,
            names=self._labels,
            department=self._offices.get(user.scope, user.scope),
            areas=self._offices,
            reasons=self._commands.orders.lifecycle.returns.reasons,
        )

    async def _act(self, request: web.Request) -> web.StreamResponse:
        user = require(request, lambda one: one.role == "department")
        form = await request.post()
        verb = OFFICE_VERBS[request.match_info["verb"]]
        note = str(form.get("note", "")).replace("\0", "").strip()[:LONGEST_NOTE]
        typed = (request.match_info["id"], request.match_info["verb"], note)
        try:
            if verb is not Verb.SIGN and not note:
                raise RejectedError("desk: a result or reason is needed", reason="note")
            await self._commands.office(
                min(int(request.match_info["id"]), 2**63 - 1),
                verb,
                actor=user.name,
                scope=user.scope,
                note=note,
                reason=str(form.get("reason", "")),
                limit=asked_days(str(form.get("amount", "")))
                if verb is Verb.ASK_EXTENSION
                else None,
            )
        except RejectedError as error:
            return await self._show(
                request, error=SAID.get(error.reason, MOVED), status=422, typed=typed
            )
        except ConflictError:
            return await self._show(request, error=MOVED, status=409, typed=typed)
        raise web.HTTPFound("/inbox")

    async def _reply(self, request: web.Request) -> web.StreamResponse:
        """Answer a document of supervision."""
        user = require(request, lambda one: one.role == "department")
        words = str((await request.post()).get("note", ""))
        typed = (request.match_info["id"], "reply", words)
        try:
            await self._replies.reply(
                int(request.match_info["id"]),
                actor=user.name,
                scope=user.scope,
                text=words,
            )
        except RejectedError as error:
            return await self._show(
                request, error=SAID.get(error.reason, MOVED), status=422, typed=typed
            )
        except ConflictError:
            return await self._show(request, error="该文书已回复。", status=409)
        raise web.HTTPFound("/inbox")


def laid_out(body: str) -> list[tuple[str, str]]:
    """The lines of a document, each with its style: number, whom it addresses, paragraphs, signature, copies."""
    lines, made, ended = body.splitlines(), [], False
    for n, line in enumerate(lines):
        is_indented = line.startswith("　　")
        style = "number" if n == 0 and "〔" in line else "para" if is_indented else "to"
        if line.startswith("抄送："):
            style = "copies"
        elif ended and not is_indented:
            style = "signed"
        ended = ended or is_indented
        made.append((line.strip("　"), style))
    return made
