"""What has been read of a forum, as it is stored between two polls.

For each board a ``floor``: every thread whose last reply is older has been read. For the newest threads their
first post, last reply and number of replies: one with the same stamp and count holds nothing new. Stamps
name the minute only, so the count tells two replies of one minute apart.
"""

from __future__ import annotations

import msgspec

from ingest.connectors.discuz.shapes import Row
from ingest.remembered import remembered

MAX_KNOWN = 3_000
"""Threads remembered over all boards (about 100 KB); those silent longest are forgotten first."""


class Known(msgspec.Struct, array_like=True):
    """A thread: pid of its first post, last reply (minutes since 1970), replies, pages read. ``replies`` is -1
    while it is being read."""

    first: int = 0
    stamp: int = 0
    replies: int = -1
    pages: int = 0

    @property
    def resume(self) -> int:
        """The page to read next: the last one again, which may have grown, or behind it when broken off."""
        return self.pages + (self.replies < 0)


class Board(msgspec.Struct, array_like=True):
    """``floor`` and ``listed`` (when its list was last read), minutes since 1970."""

    floor: int = 0
    listed: int = 0


class Cursor(msgspec.Struct):
    """The whole of it; ``encode`` and ``decode`` are its stored form."""

    boards: dict[int, Board] = {}
    known: dict[int, Known] = {}

    @staticmethod
    def decode(stored: str) -> Cursor:
        """Anything unreadable starts anew: reading twice is harmless."""
        return remembered(stored, Cursor, Cursor)

    def encode(self) -> str:
        """Compact JSON, at most ``MAX_KNOWN`` threads."""
        if len(self.known) > MAX_KNOWN:
            silent = sorted(self.known, key=lambda tid: self.known[tid].stamp)
            for tid in silent[: len(self.known) - MAX_KNOWN]:
                del self.known[tid]
        return msgspec.json.encode(self).decode()

    def is_new(self, row: Row, floor: int) -> bool:
        """True when the list shows something of this thread that was not read yet."""
        if row.stamp is not None and row.stamp < floor:
            return False
        known = self.known.get(row.tid)
        if known is None or known.replies != row.replies:
            return True
        return row.stamp is not None and row.stamp != known.stamp
