"""Times as Discuz! writes them (``dgmdate()``): in the site's own zone, without naming it.

``2026-11-24 08:19:17`` or ``2026-1-5 08:20``, and for a week after posting also in words: 26 秒前, 半小时前,
昨天 08:20. Words are read against the time of the fetch, and only ``昨天`` and ``前天`` name a minute.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

MINUTE = 60

_ABSOLUTE = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:\s{0,3}(上午|下午)?\s?(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s?([AP]M))?)?"
)
_DAY_WORDS = re.compile(r"(昨天|前天)\s{0,3}(\d{1,2}):(\d{2})")
_AGO = re.compile(r"(?:(\d{1,4})|半)\s{0,3}(秒|分钟|小时|天)前|刚刚")
_UNITS = {"秒": 1.0, "分钟": 60.0, "小时": 3600.0, "天": 86400.0}
_NOON = 12


class Moment(NamedTuple):
    """When, and whether the words named at least the minute (``exact``) or only told about how long ago."""

    at: datetime
    exact: bool


def read(words: str, *, zone: ZoneInfo, now: datetime | None) -> Moment | None:
    """The first time named in ``words``; None when there is none, or only one that needs ``now``."""
    words = words.replace("\xa0", " ").replace("&nbsp;", " ")
    try:
        if found := _ABSOLUTE.search(words):
            return Moment(_absolute(found, zone), exact=True)
        for pattern, told in _RELATIVE:
            if now and (found := pattern.search(words)):
                return told(found, now.astimezone(zone))
    except (ValueError, OverflowError):
        return None
    return None


def minute(moment: datetime) -> int:
    """Whole minutes since 1970."""
    return int(moment.timestamp()) // MINUTE


def _absolute(found: re.Match[str], zone: ZoneInfo) -> datetime:
    hour = int(found[5] or 0)
    half = found[4] or found[8] or ""
    if half:
        hour = hour % _NOON + (_NOON if half in {"下午", "PM"} else 0)
    day = (int(found[1]), int(found[2]), int(found[3]))
    return datetime(*day, hour, int(found[6] or 0), int(found[7] or 0), tzinfo=zone)


def _day(found: re.Match[str], now: datetime) -> Moment:
    day = now - timedelta(days=1 if found[1] == "昨天" else 2)
    at = day.replace(hour=int(found[2]), minute=int(found[3]), second=0, microsecond=0)
    return Moment(at, exact=True)


def _ago(found: re.Match[str], now: datetime) -> Moment:
    count = float(found[1]) if found[1] else 0.5
    seconds = count * _UNITS[found[2]] if found[2] else 0.0
    return Moment((now - timedelta(seconds=seconds)).replace(microsecond=0), exact=False)


_RELATIVE: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], datetime], Moment]], ...] = (
    (_DAY_WORDS, _day),
    (_AGO, _ago),
)
