"""What has been read of each list, as it is stored between two pages.

Lists come newest first, so ``since`` (everything up to it is durable) may rise only when the whole way down to it
has been read. Until then ``top`` remembers where the way began and ``low`` how far it got: what lies between the two
is durable, and the next request goes on below ``low``, after a restart too.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ingest.remembered import remembered

MAX_COMPLETED = 600
"""Long posts remembered as completed; the oldest are forgotten first."""


class Span(msgspec.Struct):
    """Ids as strings, so that no reader of JSON rounds them. An empty ``since`` was never asked for, "0" listed
    nothing yet."""

    since: str = ""
    top: str = ""
    low: str = ""

    @property
    def known(self) -> int:
        """Everything up to here has been read."""
        return _number(self.since)

    @property
    def below(self) -> int:
        """Where the way down goes on; 0 at its begin."""
        return max(0, _number(self.low) - 1)

    def read(self, ids: Sequence[int]) -> bool:
        """A page with these ids is durable; True when the way down is done with it."""
        if not ids or not self.since or min(ids) <= self.known + 1 or 0 < self.below < min(ids):
            self._done(max([self.known, _number(self.top), *ids]))
            return True
        self.top = self.top or str(max(ids))
        self.low = str(min(ids))
        return False

    def _done(self, top: int) -> None:
        self.since, self.top, self.low = str(top), "", ""


class Cursor(msgspec.Struct):
    """All lists, the calls of the day made so far, and the long posts whose whole text was read, each with a digest of
    the short form it was listed under."""

    spans: dict[str, Span] = {}
    completed: dict[str, str] = {}
    day: str = ""
    used: int = 0

    @staticmethod
    def decode(stored: str) -> Cursor:
        """Anything unreadable starts anew: reading twice is harmless."""
        return remembered(stored, Cursor, Cursor)

    def encode(self) -> str:
        """Compact JSON."""
        for number in list(self.completed)[:-MAX_COMPLETED]:
            del self.completed[number]
        return msgspec.json.encode(self).decode()


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 19 else 0  # noqa: PLR2004
