"""Keeps the hub's loops alive: a loop that fails is started again, a bad setting stops the hub."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from store.errors import ConfigError

log = logging.getLogger(__name__)

LONGEST_S = 30.0


class Runner:
    """Named loops of one hub."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.failed: asyncio.Future[BaseException] | None = None

    def start(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """Run ``loop`` until ``stop``; again after each failure, with growing pauses."""
        if self.failed is None:
            self.failed = asyncio.get_running_loop().create_future()
        self._tasks[name] = asyncio.create_task(self._keep(name, loop), name=name)

    async def stop(self) -> None:
        """Cancel every loop and wait for it."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    def alive(self) -> dict[str, bool]:
        """Whether each loop runs."""
        return {name: not task.done() for name, task in self._tasks.items()}

    async def _keep(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        pause = 0.5
        while True:
            started = asyncio.get_running_loop().time()
            try:
                await loop()
            except ConfigError as error:
                if self.failed is not None and not self.failed.done():
                    self.failed.set_result(error)
                return
            except Exception:
                if _is_cancelled():  # its end broke something on the way: it ends all the same
                    return
                log.exception("loop failed", extra={"event": "loop_failed", "loop": name})
            else:
                return
            if asyncio.get_running_loop().time() - started > LONGEST_S:
                pause = 0.5
            await asyncio.sleep(pause)
            pause = min(LONGEST_S, pause * 2)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and bool(task.cancelling())
