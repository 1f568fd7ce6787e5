"""A wake-up call inside one process: a commit that touched a topic wakes its followers at once.

Only a hint: whoever waits also looks again after its own timeout, so a missed call costs time only.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable


class Pulse:
    """One ``asyncio.Event`` a topic, replaced at each call."""

    def __init__(self) -> None:
        self._events: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def wake(self, topics: Iterable[str]) -> None:
        """Wake everybody who waits on one of ``topics``."""
        for topic in topics:
            self._events.pop(topic, asyncio.Event()).set()

    def listen(self, topic: str) -> asyncio.Event:
        """Take this before looking, so that no call between looking and waiting is missed."""
        return self._events[topic]

    @staticmethod
    async def wait(heard: asyncio.Event, timeout_s: float) -> bool:
        """Wait until called or until ``timeout_s`` has passed; True when called."""
        try:
            await asyncio.wait_for(heard.wait(), timeout_s)
        except TimeoutError:
            return False
        return True
