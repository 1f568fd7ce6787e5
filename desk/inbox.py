"""A department's inbox (收件箱): its own work orders, what it may do with each, and documents it must answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from desk import inbox_queries, queries
from desk.accounts import User
from desk.events import Events
from desk.history import Words, told
from desk.inbox_queries import VIEWS, own_order
from desk.initials import initials
from desk.pages import Note, Pages, body_of, require, storable
from desk.revealing import NoteBody, Reveals
from desk.rows import plain
from router.commands import OFFICE_VERBS, Commands
from router.deadlines import Limit, Unit
from router.ladder import LEVEL_NAMES
from router.notify.calls import asked_limit
from router.replies import Replies
from router.workflow import ORDER_STATUS_NAMES, OrderStatus, Verb
from store.config import Taxonomy
from store.db import Database
from store.errors import ConflictError, RejectedError

FORWARD = "forward"
HOURLY = 30
"""Originals one person of an office may open within an hour."""

ORDER = r"/inbox/api/orders/{id:\d{1,18}}"
CONTACT = ("name", "phone", "email", "title", "text", "address")
"""What of an original an office is shown: how to reach the reporter, and the words as sent."""


class OrderBody(msgspec.Struct, forbid_unknown_fields=True):
    """What an office's command may need; ``version`` is the case's as the person saw it, ``amount`` working days."""

    version: int
    note: Note = ""
    reason: str = ""
    proposed: str = ""
    amount: float = 0.0


class Inbox:
    """``/inbox`` for people of offices; every question is bound to their own office."""

    def __init__(
        self,
        db: Database,
        pages: Pages,
        commands: Commands,
        replies: Replies,
        reveals: Reveals,
        events: Events,
        *,
        taxonomy: Taxonomy,
        offices: Mapping[str, str],
        zone: ZoneInfo,
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._pages = pages
        self._commands = commands
        self._replies = replies
        self._reveals = reveals
        self._events = events
        self._taxonomy = taxonomy
        self._offices = offices
        self._zone = zone
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        words = "|".join((*OFFICE_VERBS, FORWARD))
        return [
            web.get("/inbox", self._page),
            web.get("/inbox/events", self._stream),
            web.get(r"/inbox/orders/{id:\d{1,18}}", self._sheet),
            web.get("/inbox/api/orders", self._list),
            web.get(ORDER, self._one),
            web.post(f"{ORDER}/{{verb:{words}}}", self._act),
            web.post(f"{ORDER}/reveal", self._reveal),
            web.get("/inbox/api/documents", self._documents),
            web.post(r"/inbox/api/documents/{id:\d{1,18}}/reply", self._reply),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        user = require(request, User.may_handle)
        lifecycle = self._commands.orders.lifecycle
        offices = dict(self._commands.orders.planner.rules.directory.names)
        boot = {
            "user": user.name,
            "display": user.display or user.name,
            "office": self._offices.get(user.scope, user.scope),
            "scope": user.scope,
            "zone": str(self._zone),
            "views": {key: view.name for key, view in VIEWS.items()},
            "labels": self._taxonomy.names,
            "areas": dict(self._offices),
            "offices": offices,
            "initials": initials(offices),
            "statuses": dict(ORDER_STATUS_NAMES),
            "levels": dict(LEVEL_NAMES),
            "reasons": lifecycle.returns.reasons,
            "keys": user.keys,
            "longest": lifecycle.extension.longest.model_dump(mode="json"),
        }
        return self._pages.render("inbox.html", request, boot=msgspec.json.encode(boot).decode())

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """``changed`` when something of this office did."""
        user = require(request, User.may_handle)
        return await self._events.serve(
            request, lambda: inbox_queries.mark(self._db, user.scope, self._clock())
        )

    async def _list(self, request: web.Request) -> web.Response:
        user, now = require(request, User.may_handle), self._clock()
        view, q, after = (storable(request.query.get(name, "")) for name in ("view", "q", "after"))
        rows, following = await inbox_queries.page(
            self._db, user.scope, now, view=view, q=q, after=after
        )
        waiting = await self._replies.of_office(user.scope)
        return web.json_response(
            {
                "rows": rows,
                "next": following,
                "counts": await inbox_queries.counts(self._db, user.scope, now),
                "documents": len(waiting),
                "now": now.isoformat(),
            }
        )

    async def _found(self, request: web.Request) -> dict[str, Any]:
        """The order, its history in words."""
        user = require(request, User.may_handle)
        order_id = int(request.match_info["id"])
        found = await inbox_queries.detail(self._db, user.scope, self._clock(), order_id)
        events = found.pop("events")
        found["history"] = told(events, await self._words(events))
        found["reveals"] = found["status"] == OrderStatus.SIGNED
        return found

    async def _one(self, request: web.Request) -> web.Response:
        return web.json_response(await self._found(request))

    async def _sheet(self, request: web.Request) -> web.Response:
        """The order as a sheet of paper (办理单)."""
        found = await self._found(request)
        return self._pages.render(
            "work_order.html",
            request,
            order=found,
            names=self._taxonomy.names,
            areas=self._offices,
            statuses=ORDER_STATUS_NAMES,
            office=self._offices.get(require(request, User.may_handle).scope, ""),
            now=self._clock(),
        )

    async def _words(self, events: Sequence[Mapping[str, Any]]) -> Words:
        return Words(
            people=await queries.people(self._db, {one["actor"] for one in events}),
            offices=self._offices,
            rules={},
            reasons=self._commands.orders.lifecycle.returns.reasons,
        )

    async def _act(self, request: web.Request) -> web.Response:
        user = require(request, User.may_handle)
        body = await body_of(request, OrderBody)
        word = request.match_info["verb"]
        verb = Verb.RETURN_ORDER if word == FORWARD else OFFICE_VERBS[word]
        if verb is not Verb.SIGN and not body.note.strip():
            raise RejectedError("desk: note: missing; write a result or a reason", reason="note")
        if word == FORWARD and not body.proposed:
            msg = "desk: proposed: missing; name the office that should have it"
            raise RejectedError(msg, reason="proposed")
        await self._commands.office(
            int(request.match_info["id"]),
            verb,
            actor=user.name,
            scope=user.scope,
            note=body.note.strip(),
            reason=body.reason,
            proposed=body.proposed if word == FORWARD else "",
            limit=_days(body.amount) if verb is Verb.ASK_EXTENSION else None,
            version=body.version,
        )
        return web.json_response({})

    async def _reveal(self, request: web.Request) -> web.Response:
        """How to reach the reporter, only while the office has the order in hand."""
        user = require(request, User.may_handle)
        body = await body_of(request, NoteBody)
        order_id, now = int(request.match_info["id"]), self._clock()
        async with self._db.read() as conn:
            order = await own_order(conn, order_id, scope=user.scope, now=now)
        if order.status != OrderStatus.SIGNED:
            msg = "desk: contact details are shown while an order is in hand; sign it first"
            raise ConflictError(msg)
        original = await self._reveals.open(
            order.case_id,
            actor=user.name,
            target=f"order:{order_id}",
            note=body.note,
            hourly=HOURLY,
        )
        return web.json_response({name: original.get(name, "") for name in CONTACT})

    async def _documents(self, request: web.Request) -> web.Response:
        """Documents of supervision this office has not answered."""
        user = require(request, User.may_handle)
        rows = await self._replies.of_office(user.scope)
        shown = [
            plain({name: row[name] for name in ("id", "case_no", "title", "reply_by")})
            | {"lines": laid_out(row["body"])}
            for row in rows
        ]
        return web.json_response({"documents": shown})

    async def _reply(self, request: web.Request) -> web.Response:
        """Answer a document of supervision."""
        user = require(request, User.may_handle)
        body = await body_of(request, ReplyBody)
        await self._replies.reply(
            int(request.match_info["id"]), actor=user.name, scope=user.scope, text=body.note
        )
        return web.json_response({})


class ReplyBody(msgspec.Struct, forbid_unknown_fields=True):
    """An answer to a document."""

    note: str


def _days(amount: float) -> Limit | None:
    return asked_limit(amount, Unit.WORK_DAYS)


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
