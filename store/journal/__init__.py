"""The journal: an ordered, durable log of what happened, between the rooms.

Two engines behind one protocol: ``sqlite`` (the default, inside the database) and ``kafka``. Topics
are ``items``, ``verdicts``, ``notices`` and ``dead``; a record's key keeps its order. Transport is at
least once; effects happen exactly once because ``store.consumer`` moves the group's offset by
compare-and-set in the transaction of the effects.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from store.model import Record, Sequenced

Positions = Callable[[str, int], Awaitable[int | None]]
"""(topic, part) → the group's stored next offset, or None where it never read."""


@dataclass(frozen=True)
class Batch:
    """Records of one partition, in order."""

    part: int
    records: tuple[Sequenced, ...]


class Follower(Protocol):
    """One group's reader of one topic."""

    async def start(self) -> None:
        """Join; begin where ``Positions`` says, or at the beginning."""

    async def stop(self) -> None:
        """Leave; harmless when not started."""

    async def fetch(self, limit: int, timeout_s: float) -> list[Batch]:
        """Up to ``limit`` next records, waiting at most ``timeout_s`` for the first."""
        ...

    async def commit(self, part: int, offset: int) -> None:
        """Tell the engine how far effects are durable: a hint for its lag display, no more."""

    async def seek(self, part: int, offset: int) -> None:
        """Read ``part`` from ``offset`` next."""

    async def lag(self) -> int:
        """Records of the topic this reader has not been given yet."""
        ...


class Journal(Protocol):
    """One engine."""

    async def open(self) -> None:
        """Connect and make sure the topics exist; ConfigError when that can not be."""

    async def close(self) -> None:
        """Flush and disconnect."""

    async def append(self, topic: str, records: Sequence[Record]) -> None:
        """Add records; returns once they are durable. TransientError: repeat the same call."""

    def follow(self, topic: str, group: str, positions: Positions) -> Follower:
        """A reader for ``group``."""
        ...
