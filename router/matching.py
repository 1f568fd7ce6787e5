"""What is compared, and what comes of it: facts of a message, reasons, a match."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from store.coords import Point


@dataclass(frozen=True, slots=True)
class Facts:
    """What of a message, or of a case's founding message, is compared; ``text`` is redacted.

    ``at`` is when it was posted or received (aware), ``here`` WGS-84, ``author`` the sealed channel's own
    key of the citizen, ``closed_at`` when the case was closed; ``part_of`` the message it was split from, or 0.
    """

    id: int
    text: str
    at: datetime
    title: str = ""
    address: str = ""
    area: str = ""
    point: str = ""
    here: Point | None = None
    problems: frozenset[str] = frozenset()
    campaigns: frozenset[str] = frozenset()
    channel: str = ""
    author: str = ""
    thread: str = ""
    url: str = ""
    closed_at: datetime | None = None
    part_of: int = 0

    @property
    def origin(self) -> int:
        """The message it was part of, or its own."""
        return self.part_of or self.id

    @property
    def body(self) -> str:
        """Title and text as one, the title on the first line."""
        return f"{self.title}\n{self.text}" if self.title else self.text


class Sign(StrEnum):
    """What kind of evidence a reason is."""

    PLACE = "place"
    PROBLEM = "problem"
    MATTER = "matter"
    CAMPAIGN = "campaign"
    TIME = "time"
    WORDS = "words"
    AUTHOR = "author"
    LINK = "link"


class Reason(NamedTuple):
    """One piece of evidence: ``text`` for the screen, ``weight`` in log-odds (below 0: against)."""

    sign: Sign
    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Match:
    """A case that may be the same matter.

    ``score`` is the estimated probability in [0, 1]; ``certain`` that it may be joined unseen;
    ``relapse`` that it was closed before the new message: linked, never joined; ``proven`` that words, place
    and problem are the same beyond doubt, whatever the time between them.
    """

    case_id: int
    score: float
    reasons: tuple[Reason, ...]
    certain: bool
    relapse: bool = False
    proven: bool = False
