"""Months as a city counts them: from midnight of its first day to midnight of the next month's, in the city's zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from store.errors import RejectedError

_WRITTEN = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


class Month(NamedTuple):
    """One month of the calendar; months are ordered by time."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    @property
    def following(self) -> Month:
        """The next month."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    def span(self, zone: ZoneInfo) -> Span:
        """Its beginning and end in ``zone``."""
        return Span(_first(self, zone), _first(self.following, zone))


@dataclass(frozen=True, slots=True)
class Span:
    """The time from ``start`` until before ``end``, both in UTC."""

    start: datetime
    end: datetime

    def has(self, at: datetime | None) -> bool:
        """Whether ``at`` is within; no time never is."""
        return at is not None and self.start <= at < self.end


def read_month(text: str) -> Month:
    """The month written ``2026-11``; RejectedError (reason ``month``) when it is not one."""
    found = _WRITTEN.fullmatch(text)
    if found is None or not (1 <= int(found[2]) <= 12 and 1970 <= int(found[1]) <= 9998):  # noqa: PLR2004 - the calendar's
        msg = "router: month is not one; write it like 2026-11"
        raise RejectedError(msg, reason="month")
    return Month(int(found[1]), int(found[2]))


def month_of(at: datetime, zone: ZoneInfo) -> Month:
    """The month of the city's calendar in which ``at`` is."""
    local = at.astimezone(zone)
    return Month(local.year, local.month)


def cut_off(month: Month, *, day: int, hour: int, zone: ZoneInfo) -> datetime:
    """When ``month`` may be frozen: ``day`` of the month after it, at ``hour`` of the city's clock; UTC."""
    return (
        (_first(month.following, zone).astimezone(zone) + timedelta(days=day - 1))
        .replace(hour=hour)
        .astimezone(UTC)
    )


def _first(month: Month, zone: ZoneInfo) -> datetime:
    return datetime(month.year, month.month, 1, tzinfo=zone).astimezone(UTC)
