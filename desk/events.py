"""Server-sent events: an open desk hears at once that something changed, and asks what.

Events carry a growing id and no data worth hiding; after a gap the client fetches everything again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiohttp import web

from store.db import Database
from store.pulse import Pulse

PING_S = 15.0
GATHER_S = 0.1


class Events:
    """Every open stream of this process."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._closing = asyncio.Event()
        self.open = 0

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """``changed`` after each commit that touched the desk, a ping each 15 s."""
        return await self.serve(request)

    async def serve(
        self, request: web.Request, mark: Callable[[], Awaitable[Any]] | None = None
    ) -> web.StreamResponse:
        """A stream that says ``changed`` only when ``mark`` did, for who sees a part of the desk."""
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(request)
        self.open += 1
        number = 0
        try:
            await response.write(b"retry: 2000\nevent: hello\ndata: {}\n\n")
            async for is_news in self._news(mark):
                number += int(is_news)
                said = f"id: {number}\nevent: changed" if is_news else "event: ping"
                await response.write(f"{said}\ndata: {{}}\n\n".encode())
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
        return response

    async def _news(self, mark: Callable[[], Awaitable[Any]] | None) -> AsyncIterator[bool]:
        """True for each change, False for each ping, until the hub closes."""
        seen = await mark() if mark else None
        while not self._closing.is_set():
            heard = self._db.pulse.listen("desk")
            now = await mark() if mark else None
            if now != seen:
                seen = now
                yield True
                continue
            is_touched = await self._wait(heard)
            if is_touched:
                await asyncio.sleep(GATHER_S)
            if mark is None or not is_touched:
                yield is_touched

    async def _wait(self, heard: asyncio.Event) -> bool:
        """True when something changed; other hubs' changes are looked for with each ping."""
        closing = asyncio.ensure_future(self._closing.wait())
        changed = asyncio.ensure_future(Pulse.wait(heard, PING_S))
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
