"""What the desk's client asks for: the queue, whole cases, what is around them, and what labels would lead to."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from aiohttp import web

from desk import queries
from desk.accounts import User
from desk.around import Around
from desk.details import MOST as MOST_CASES
from desk.details import Details
from desk.extras import Extras
from desk.history import Words, told
from desk.pages import MARK, require, storable
from desk.queue import MOST, Asker, Filters, Queue
from desk.searching import Searching
from router.charges import Charges
from router.commands import Commands
from router.departments import Directory
from store.config import Taxonomy
from store.db import Database
from store.errors import RejectedError

FILTERS = tuple(Filters.__dataclass_fields__)
NUMBER = re.compile(r"[0-9]{1,18}")


class Looking:
    """``/desk/api/queue``, ``/desk/api/cases`` and what is asked of one case."""

    def __init__(
        self,
        db: Database,
        commands: Commands,
        taxonomy: Taxonomy,
        directory: Directory,
        charges: Charges,
        *,
        rules: Mapping[str, str],
        offices: Mapping[str, str],
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._commands = commands
        self._offices = offices
        self._clock = clock
        self._details = Details(db)
        self._extras = Extras(db, commands.proposing, clock=clock)
        self._around = Around(db, taxonomy.problems, clock=clock)
        self.adopt(directory, charges, rules)

    def adopt(self, directory: Directory, charges: Charges, rules: Mapping[str, str]) -> None:
        """Know these places, duties and reasons from the next question on."""
        self._directory = directory
        self._charges = charges
        self._rules = dict(rules)
        self._queue = Queue(self._db, directory.places)
        self._searching = Searching(self._db, self._queue)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/desk/api/queue", self._page),
            web.get("/desk/api/cases", self._many),
            web.get(f"/desk/api/cases/{MARK}", self._one),
            web.get(f"/desk/api/cases/{MARK}/around", self._beside),
        ]

    def scope(self, user: User) -> Collection[str] | None:
        """The areas a person sees; none: all of them."""
        return user.areas(self._directory.places)

    async def _page(self, request: web.Request) -> web.Response:
        user = require(request, User.may_watch)
        query = {name: storable(value) for name, value in request.query.items()}
        now = self._clock()
        asker = Asker(user.name, now, self._directory.out_of_scope, self.scope(user))
        ids = _numbers(query["ids"], MOST) if "ids" in query else None
        narrowed = Filters(**{name: query.get(name, "") for name in FILTERS})
        after, limit = query.get("after", ""), _limit(query.get("limit", ""))
        if query.get("q") and ids is None:
            page = await self._searching.page(query["q"], asker, narrowed, after=after, limit=limit)
        else:
            page = await self._queue.page(
                query.get("view", "waiting"),
                asker,
                narrowed,
                sort=query.get("sort", ""),
                after=after,
                limit=limit,
                ids=ids,
            )
        return web.json_response(
            {
                "rows": page.rows,
                "next": page.next,
                "counts": await self._queue.counts(asker),
                "now": now.isoformat(),
            }
        )

    async def _many(self, request: web.Request) -> web.Response:
        user = require(request, User.may_watch)
        ids = _numbers(request.query.get("ids", ""), MOST_CASES)
        return web.json_response({"cases": await self._whole(ids, user)})

    async def _one(self, request: web.Request) -> web.Response:
        user = require(request, User.may_watch)
        found = await self._whole([int(request.match_info["id"])], user)
        if not found:
            raise web.HTTPNotFound(text="desk: no such case; look at its number again")
        return web.json_response(found[0])

    async def _whole(self, ids: Sequence[int], user: User) -> list[dict[str, Any]]:
        """Details with their history in words, duties, notes and proposals."""
        found = await self._details.of(ids, self.scope(user))
        await self._extras.add(found, self.scope(user))
        words = await self._words([event for one in found for event in one["events"]])
        for one in found:
            one["history"] = told(one.pop("events"), words)
            places = self._charges.places_in(one.get("text", ""))
            held = self._charges.of(one["area"], one["point"], places)
            one["charges"] = [{"level": str(it.level), "holder": it.holder} for it in held]
        return found

    async def _words(self, events: Sequence[Mapping[str, Any]]) -> Words:
        """What a history's codes mean today."""
        lifecycle = self._commands.cases.lifecycle
        return Words(
            people=await queries.people(self._db, {one["actor"] for one in events}),
            offices=self._offices,
            rules=self._rules,
            reasons={**lifecycle.returns.reasons, **lifecycle.reopen.reasons},
        )

    async def _beside(self, request: web.Request) -> web.Response:
        user = require(request, User.may_watch)
        case_id = int(request.match_info["id"])
        await self._known(case_id, user)
        return web.json_response(await self._around.of(case_id, self.scope(user)))

    async def _known(self, case_id: int, user: User) -> None:
        """HTTPNotFound unless the person may see the case."""
        if not await self._details.visible(case_id, self.scope(user)):
            raise web.HTTPNotFound(text="desk: no such case; look at its number again")


def _numbers(text: str, most: int) -> list[int]:
    """Ids of an address, parted by commas; RejectedError when one is none or they are too many."""
    listed = [one for one in text.split(",") if one]
    if len(listed) > most or not all(NUMBER.fullmatch(one) for one in listed):
        msg = f"desk: ids: not numbers, or too many; give up to {most} parted by commas"
        raise RejectedError(msg, reason="ids")
    return [int(one) for one in listed]


def _limit(text: str) -> int:
    return min(MOST, max(1, int(text))) if NUMBER.fullmatch(text) else MOST
