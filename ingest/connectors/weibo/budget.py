"""How often an account that may make 100 calls a day should ask. Pure: every function is told the time.

What is left is spread over the rest of the day, which begins at 00:00 in Beijing: more by day than by night, more
when the last polls brought something. ``reserve`` calls are left for replies.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

ZONE = ZoneInfo("Asia/Shanghai")
NIGHT = 0.35
"""How often it is asked by night, against 1 by day."""

PARTS = ((7 * 3600, NIGHT), (23 * 3600, 1.0), (24 * 3600, NIGHT))
"""The day's parts: where each ends, in seconds since midnight, and its weight."""

LULL, EAGER = 1.25, 0.5
"""An interval is ``LULL`` times the even one without news, ``LULL - EAGER`` times with news in every poll."""

LONGEST_S = 3 * 3600.0
FOLLOW = 0.3
"""Weight of the newest poll in the running means."""

KEPT_FOR_POLLS = 0.5
"""Share of what the rest of the day should have that long texts may not touch."""


class Limits(msgspec.Struct, frozen=True):
    """What the operator allows: calls a day, those kept for replies, seconds between two polls."""

    calls: int
    reserve: int
    min_interval_s: float


class Spent(msgspec.Struct):
    """The day (ISO date in Beijing), its calls so far, the time (seconds since 1970) until which none may be made,
    and running means: calls a poll takes, share of polls that brought something."""

    day: str = ""
    used: int = 0
    until: float = 0.0
    cost: float = 3.0
    news: float = 0.5


def day_of(now: datetime) -> str:
    """The day as Weibo counts it."""
    return now.astimezone(ZONE).date().isoformat()


def next_day(now: datetime) -> datetime:
    """The next 00:00 in Beijing."""
    today = now.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=1)


def next_hour(now: datetime) -> datetime:
    """The next full hour."""
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


class Budget:
    """The calls of one account."""

    def __init__(self, limits: Limits, spent: Spent | None = None) -> None:
        self._limits = limits
        self.spent = spent or Spent()

    def count(self, now: datetime) -> None:
        """One call is about to be made, whatever comes of it."""
        self._turn(now)
        self.spent.used += 1

    def correct(self, day: str, used: int) -> None:
        """Somebody knows of more calls that day than we do."""
        if self.spent.day < day:
            self.spent.day, self.spent.used = day, 0
        if self.spent.day == day:
            self.spent.used = max(self.spent.used, used)

    def count_at_least(self, now: datetime, used: int) -> None:
        """Weibo knows of so many calls today."""
        self.correct(day_of(now), used)

    def polled(self, calls: int, *, news: bool) -> None:
        """A poll took that many calls."""
        spent = self.spent
        spent.cost += FOLLOW * (calls - spent.cost)
        spent.news += FOLLOW * (news - spent.news)

    def block(self, until: datetime) -> None:
        """No call before then."""
        self.spent.until = max(self.spent.until, until.timestamp())

    def blocked_s(self, now: datetime) -> float:
        """Seconds for which no call may be made; 0 when calls may be made."""
        return max(0.0, self.spent.until - now.timestamp())

    def left(self, now: datetime) -> int:
        """Calls that are left today, those for replies among them."""
        return max(0, self._limits.calls - self._used(now))

    def may_poll(self, now: datetime) -> bool:
        """True when one more call may be made that is no reply."""
        return not self.blocked_s(now) and self._limits.reserve < self.left(now)

    def may_reply(self, now: datetime) -> bool:
        """True when one more call of any kind may be made."""
        return not self.blocked_s(now) and self.left(now) > 0

    def may_complete(self, now: datetime) -> bool:
        """True when a call for the rest of a long text leaves enough for the rest of the day's polls."""
        limits = self._limits
        share = _weighted_rest(now) / _weighted_rest(next_day(now))
        needed = limits.reserve + (limits.calls - limits.reserve) * share * KEPT_FOR_POLLS
        return self.may_poll(now) and needed < self.left(now)

    def wait_s(self, now: datetime) -> float:
        """Seconds until the next poll."""
        blocked = self.blocked_s(now)
        left = self.left(now) - self._limits.reserve
        if blocked or left < 1:
            until = blocked or (next_day(now) - now).total_seconds()
            return max(until, self._limits.min_interval_s)
        polls = max(1.0, left / max(1.0, self.spent.cost))
        even = _weighted_rest(now) / polls
        wait_s = _stretch(now, even * (LULL - EAGER * min(1.0, self.spent.news)))
        return max(self._limits.min_interval_s, min(wait_s, LONGEST_S))

    def _used(self, now: datetime) -> int:
        return self.spent.used if self.spent.day == day_of(now) else 0

    def _turn(self, now: datetime) -> None:
        if self.spent.day != day_of(now):
            self.spent.day, self.spent.used = day_of(now), 0


def _second(now: datetime) -> int:
    local = now.astimezone(ZONE)
    return local.hour * 3600 + local.minute * 60 + local.second


def _weighted_rest(now: datetime) -> float:
    """Seconds of the rest of the day, those of the night counted ``NIGHT``."""
    at, rest = _second(now), 0.0
    for end, weight in PARTS:
        rest += max(0, end - at) * weight
        at = max(at, end)
    return rest


def _stretch(now: datetime, weighted_s: float) -> float:
    """Seconds until so many weighted ones have passed, at most until midnight."""
    at = start = _second(now)
    for end, weight in PARTS:
        here = max(0, end - at) * weight
        if weighted_s <= here:
            return at - start + weighted_s / weight
        weighted_s -= here
        at = max(at, end)
    return at - start
