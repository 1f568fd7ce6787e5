"""Group commit: calls that wait at the same moment share one run, and each gets its own part back.

While one run is under way the next callers gather; nobody waits for a timer. A failure that is one
caller's own (anything but TransientError) is found by running the gathered calls one by one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from store.errors import TransientError

A = TypeVar("A")
R = TypeVar("R")


@dataclass
class _Call(Generic[A, R]):
    given: Sequence[A]
    done: asyncio.Future[list[R]]


class Together(Generic[A, R]):
    """``work`` takes what several callers brought and returns one result for each thing, in order."""

    def __init__(self, work: Callable[[list[A]], Awaitable[list[R]]], *, most: int) -> None:
        self._work = work
        self._most = most
        self._waiting: deque[_Call[A, R]] = deque()
        self._runner: asyncio.Task[None] | None = None

    async def call(self, given: Sequence[A]) -> list[R]:
        """The results for ``given``; raises what ``work`` raised for them."""
        call = _Call[A, R](given, asyncio.get_running_loop().create_future())
        self._waiting.append(call)
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run(), name="admit-together")
        return await asyncio.shield(call.done)

    async def _run(self) -> None:
        while self._waiting:
            group = [self._waiting.popleft()]
            size = len(group[0].given)
            while self._waiting and size + len(self._waiting[0].given) <= self._most:
                group.append(self._waiting.popleft())
                size += len(group[-1].given)
            await self._serve(group)

    async def _serve(self, group: list[_Call[A, R]]) -> None:
        try:
            results = await self._work([one for call in group for one in call.given])
        except Exception as error:  # noqa: BLE001 - handed to the callers
            if len(group) > 1 and not isinstance(error, TransientError):
                for call in group:
                    await self._serve([call])
                return
            for call in group:
                if not call.done.done():
                    call.done.set_exception(error)
            return
        start = 0
        for call in group:
            end = start + len(call.given)
            if not call.done.done():
                call.done.set_result(results[start:end])
            start = end
