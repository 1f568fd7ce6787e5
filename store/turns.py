"""Many at a time, or one alone: how what all decisions read is replaced between decisions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """``among`` lets in any number; ``alone`` keeps new ones out, waits for those inside, then runs."""

    def __init__(self) -> None:
        self._inside = 0
        self._left = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()
        self._alone = asyncio.Lock()

    @asynccontextmanager
    async def among(self) -> AsyncIterator[None]:
        """One of many. Must not be entered again from inside."""
        while not self._open.is_set():
            await self._open.wait()
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            self._left.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Nobody else is inside."""
        async with self._alone:
            self._open.clear()
            try:
                while self._inside:
                    self._left.clear()
                    await self._left.wait()
                yield
            finally:
                self._open.set()
