"""Server-sent events: an open desk hears at once which cases changed, and asks what about them.

Events carry ids of cases the person may see. A commit of this
process is told at once; another hub's on the same database is found by looking once a second. A browser that
comes back is told everything may have changed, and asks for all of it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import suppress
from typing import Any

import msgspec
from aiohttp import web
from sqlalchemy import func, select

from store.db import Database
from store.pulse import Pulse
from store.tables import T

PING_S = 15.0
LOOK_S = 1.0
GATHER_S = 0.05
MANY = 200
"""Cases above which an event only says that much has changed."""

BACK = 100
"""Lines of history read again, since numbers may be given out before an earlier one is committed."""


class Events:
    """Every open stream of this process."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._closing = asyncio.Event()
        self.open = 0

    async def stream(
        self, request: web.Request, scope: Collection[str] | None = None
    ) -> web.StreamResponse:
        """``hello``, then ``changed`` with ``{"cases": [ids] or null}`` after commits, a ``ping`` each 15 s.

        Cases outside the areas ``scope`` are not named.
        """
        told = _Told(self._db, scope)
        await told.begin()
        return await self._serve(request, self._lines(told.said))

    async def serve(
        self, request: web.Request, mark: Callable[[], Awaitable[Any]]
    ) -> web.StreamResponse:
        """A stream that says ``changed`` only when ``mark`` did, for who sees a part of the desk."""
        seen = await mark()

        async def said(_: bool) -> str | None:  # noqa: FBT001 - the shape of ``_Told.said``
            nonlocal seen
            seen, before = await mark(), seen
            return None if seen == before else '{"cases":null}'

        return await self._serve(request, self._lines(said))

    async def _serve(self, request: web.Request, lines: AsyncIterator[bytes]) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(request)
        self.open += 1
        try:
            await response.write(b"retry: 2000\nevent: hello\ndata: {}\n\n")
            async for line in lines:
                await response.write(line)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
        return response

    async def _lines(self, said: Callable[[bool], Awaitable[str | None]]) -> AsyncIterator[bytes]:
        """What ``said`` has to say after each commit of this process, and each second of others."""
        wait_s = PING_S if self._db.is_sqlite else LOOK_S
        quiet_s, number = 0.0, 0
        heard = self._db.pulse.listen("desk")
        while not self._closing.is_set():
            called = await self._wait(heard, wait_s)
            if called:
                await asyncio.sleep(GATHER_S)
            heard = self._db.pulse.listen("desk")
            data = await said(called)
            if data is not None:
                quiet_s, number = 0.0, number + 1
                yield f"id: {number}\nevent: changed\ndata: {data}\n\n".encode()
                continue
            quiet_s += wait_s
            if quiet_s >= PING_S:
                quiet_s = 0.0
                yield b"event: ping\ndata: {}\n\n"

    async def _wait(self, heard: asyncio.Event, timeout_s: float) -> bool:
        """True when this process committed something the desk shows."""
        closing = asyncio.ensure_future(self._closing.wait())
        changed = asyncio.ensure_future(Pulse.wait(heard, timeout_s))
        await asyncio.wait([closing, changed], return_when=asyncio.FIRST_COMPLETED)
        result = changed.done() and changed.result()
        for task in (closing, changed):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        return result

    def close(self) -> None:
        """Wake every stream so that it ends."""
        self._closing.set()


class _Told:
    """How far one stream has come in the history of all cases."""

    def __init__(self, db: Database, scope: Collection[str] | None) -> None:
        self._db = db
        self._scope = scope
        self.newest = 0
        self._seen: set[int] = set()

    async def begin(self) -> None:
        """What is there already is not news."""
        async with self._db.read() as conn:
            newest = (await conn.execute(select(func.max(T.events.c.id)))).scalar_one()
        self.newest = newest or 0
        await self.news()

    async def said(self, called: bool) -> str | None:  # noqa: FBT001 - of ``Events._lines``
        """The event's data; none when nobody called and nothing is new."""
        news = await self.news()
        if not called and not news:
            return None
        cases = None if len(news) > MANY else [str(one) for one in news]
        return msgspec.json.encode({"cases": cases}).decode()

    async def news(self) -> list[int]:
        """The cases of the lines of history that were not told yet, as far as the person sees them."""
        e = T.events.c
        statement = select(e.id, e.case_id, T.cases.c.area).join(T.cases, T.cases.c.id == e.case_id)
        statement = statement.where(e.id > self.newest - BACK).order_by(e.id)
        async with self._db.read() as conn:
            rows = (await conn.execute(statement)).all()
        fresh = [row for row in rows if row.id not in self._seen]
        self.newest = max([self.newest, *(row.id for row in rows)])
        self._seen = {row.id for row in rows if row.id > self.newest - BACK}
        seen = [row for row in fresh if self._scope is None or row.area in self._scope]
        return list(dict.fromkeys(row.case_id for row in seen))
