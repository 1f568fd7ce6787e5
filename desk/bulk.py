"""Many cases at once: one request, one command, a result for each; what one case refuses stops no other."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from aiohttp import web

from desk.accounts import User
from desk.bodies import number_of
from desk.doing import Command, Doing
from desk.pages import LONGEST_FAULT, body_of, require
from store.errors import ConflictError, RejectedError, TransientError

MOST = 500
AT_ONCE = 50
"""Commands that wait for the database together: they share SQLite's commits and PostgreSQL's connections."""


class One(msgspec.Struct, forbid_unknown_fields=True):
    """A case as the person saw it, and what differs for it from the common body."""

    id: str
    version: int = 0
    body: dict[str, Any] = {}


class BulkBody(msgspec.Struct, forbid_unknown_fields=True):
    """The command, the cases, and what is the same for all."""

    command: str
    items: Annotated[tuple[One, ...], msgspec.Meta(min_length=1, max_length=MOST)]
    body: dict[str, Any] = {}


class Bulk:
    """``POST /desk/api/bulk``."""

    def __init__(self, doing: Doing) -> None:
        self._doing = doing

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/desk/api/bulk", self._bulk)]

    async def _bulk(self, request: web.Request) -> web.Response:
        asked = await body_of(request, BulkBody)
        command = self._doing.table.get(asked.command)
        if command is None:
            msg = f"desk: command: {asked.command[:20]} is unknown; choose another"
            raise RejectedError(msg, reason="command")
        user = require(request, command.allowed)
        room = asyncio.Semaphore(AT_ONCE)

        async def one(item: One) -> dict[str, Any]:
            async with room:
                return {"id": item.id} | await _result(command, user, item, asked.body)

        results = await asyncio.gather(*(one(item) for item in asked.items))
        return web.json_response({"results": results})


async def _result(
    command: Command, user: User, item: One, common: dict[str, Any]
) -> dict[str, Any]:
    """What became of one case."""
    try:
        body = msgspec.convert(common | item.body | {"version": item.version}, command.body)
        done = await command.work(number_of(item.id), user, body)
    except (RejectedError, ConflictError) as error:
        return {"ok": False, "error": str(error), "reason": error.reason}
    except TransientError as error:
        return {"ok": False, "error": str(error), "reason": "busy"}
    except msgspec.ValidationError as error:
        return {
            "ok": False,
            "error": f"desk: body: {str(error)[:LONGEST_FAULT]}; correct it",
            "reason": "malformed",
        }
    return {"ok": True, **done}
