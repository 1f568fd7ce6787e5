"""Server-sent events: an open desk hears at once that something changed, and asks what.

Events carry a growing id and no data worth hiding; after a gap the client fetches everything again.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

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
            while not self._closing.is_set():
                heard = self._db.pulse.listen("desk")
                if await self._wait(heard):
                    await asyncio.sleep(GATHER_S)
                    number += 1
                    await response.write(f"id: {number}\nevent: changed\ndata: {{}}\n\n".encode())
                else:
                    await response.write(b": ping\n\n")
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
        return response

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
