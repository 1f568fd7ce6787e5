"""What is known of an account besides its cursor: calls of the day, refused interfaces, how quiet each list is."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from ingest.connectors.weibo.budget import Spent, day_of
from ingest.connectors.weibo.config import Endpoint

RARE = {Endpoint.COMMENTS_TO_ME, Endpoint.COMMENTS_MENTIONS}
"""Lists that are left out of a poll or two when they have been quiet."""

QUIET, MOST_LEFT_OUT = 2, 2
SILENT = timedelta(days=3)
CORRECT_EVERY_S = 6 * 3600.0
SHOW = "show"
"""Stands for the interface of long texts in ``denied``."""


class State(msgspec.Struct):
    """``denied`` maps an interface to the day it was refused; ``quiet`` and ``left_out`` count polls of a list without
    news and without being asked. ``asked_at`` and ``seen_at`` are when a list last answered and last listed something,
    ``corrected_at`` when Weibo was last asked for its own count: seconds since 1970."""

    spent: Spent = msgspec.field(default_factory=Spent)
    denied: dict[str, str] = {}
    quiet: dict[str, int] = {}
    left_out: dict[str, int] = {}
    asked_at: float = 0.0
    seen_at: float = 0.0
    corrected_at: float = 0.0

    def is_denied(self, interface: str, now: datetime) -> bool:
        """Refused today; it is tried again tomorrow."""
        return self.denied.get(interface) == day_of(now)

    def is_due(self, endpoint: Endpoint) -> bool:
        """False when a quiet list is left out this time, which is noted."""
        left_out = self.left_out.get(endpoint, 0)
        if endpoint not in RARE or left_out >= min(
            self.quiet.get(endpoint, 0) // QUIET, MOST_LEFT_OUT
        ):
            self.left_out[endpoint] = 0
            return True
        self.left_out[endpoint] = left_out + 1
        return False

    def answered(self, endpoint: Endpoint, now: datetime, *, listed: bool) -> None:
        """A list came, with posts or without."""
        self.denied.pop(endpoint, None)
        self.asked_at = now.timestamp()
        if listed:
            self.seen_at = self.asked_at

    def polled(self, endpoint: Endpoint, *, news: bool) -> None:
        """A list was read to its end."""
        self.quiet[endpoint] = 0 if news else self.quiet.get(endpoint, 0) + 1

    def is_silent(self) -> bool:
        """True when every answer of the last days was empty although there were others before."""
        return 0 < self.seen_at <= self.asked_at - SILENT.total_seconds()

    def wants_correction(self, now: datetime) -> bool:
        """True a few times a day, which is noted."""
        due = now.timestamp() - self.corrected_at >= CORRECT_EVERY_S
        if due:
            self.corrected_at = now.timestamp()
        return due
