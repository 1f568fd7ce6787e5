"""How fast a robot may be spoken to: evenly spaced, so that no window of its platform overflows.

Generic cell rate algorithm (ITU-T I.371): one moment in time is the whole state. Never sleeps: it says
how long to wait, and whoever asks leaves the robot alone meanwhile.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from router.notify.senders import Limit

HALF_HOUR_S = 1800


class Pace:
    """The limiter of one robot."""

    def __init__(self, limit: Limit) -> None:
        self._gap = timedelta(seconds=60 / limit.per_minute)
        self._slack = self._gap * (limit.burst - 1)
        self._quiet_s = limit.quiet_s
        self._next: datetime | None = None

    def take(self, now: datetime) -> float:
        """0 and one message is paid for, else the seconds until one may be sent."""
        since = now.timestamp() % HALF_HOUR_S
        if since < self._quiet_s:
            return self._quiet_s - since
        due = max(self._next or now, now)
        early = (due - self._slack - now).total_seconds()
        if early > 0:
            return early
        self._next = due + self._gap
        return 0.0

    def hold(self, until: datetime) -> None:
        """The platform said to wait: nothing before ``until``, and no burst then."""
        self._next = max(self._next or until, until) + self._slack
