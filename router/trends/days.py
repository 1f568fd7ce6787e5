"""Days of the city's calendar, as roll-ups number them, and periods that are compared.

A day is ``yyyymmdd``; a whole month, kept beside its days so that a year is read in twelve rows, is ``-yyyymm``.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from store.errors import RejectedError

AHEAD = timedelta(days=1)
"""How far a message's own time may be after its arrival before it is not believed."""

OLDEST = date(2000, 1, 1)
"""A message's own time before this is not believed."""

WEEK = 7


def number(day: date) -> int:
    """``yyyymmdd``."""
    return day.year * 10_000 + day.month * 100 + day.day


def month(day: int) -> int:
    """The number of the month in which a numbered day is."""
    return -(day // 100)


def day_of(number_: int) -> date:
    """The date a number stands for."""
    return date(number_ // 10_000, number_ // 100 % 100, number_ % 100)


def local_day(at: datetime, zone: ZoneInfo) -> int:
    """The number of the calendar day of ``zone`` in which ``at`` is."""
    return number(at.astimezone(zone).date())


def own_day(posted_at: datetime | None, received_at: datetime, zone: ZoneInfo) -> int:
    """The day a message counts for: its own, where that can be believed, else that of its arrival."""
    if posted_at is not None and posted_at <= received_at + AHEAD:
        own = posted_at.astimezone(zone).date()
        if own >= OLDEST:
            return number(own)
    return local_day(received_at, zone)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days from ``start`` to ``end``, both of them within."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.end - self.start).days + 1

    @property
    def numbers(self) -> tuple[int, int]:
        """First and last day as roll-ups number them."""
        return number(self.start), number(self.end)

    def spans(self) -> list[tuple[int, int]]:
        """Ranges of numbers, first and last, that together are the period: whole months, and the days at its ends."""
        begin = self.start if self.start.day == 1 else _next_month(self.start)
        stop = (self.end + timedelta(days=1)).replace(day=1)
        if begin >= stop:
            return [self.numbers]
        last = stop - timedelta(days=1)
        found = [(month(number(last)), month(number(begin)))]
        if self.start < begin:
            found.append((number(self.start), number(begin - timedelta(days=1))))
        if last < self.end:
            found.append((number(stop), number(self.end)))
        return found

    def each(self) -> list[date]:
        """Every day, in order."""
        return [self.start + timedelta(days=n) for n in range(self.days)]

    def before(self, first: date | None) -> int:
        """How many of its days are before a day; all of them before None."""
        return self.days if first is None else min(max((first - self.start).days, 0), self.days)

    @property
    def is_months(self) -> bool:
        """Whether it is made of whole months."""
        last = calendar.monthrange(self.end.year, self.end.month)[1]
        return self.start.day == 1 and self.end.day == last

    def previous(self) -> Period:
        """环比: as many whole months before it, or else as many days."""
        before = self.start - timedelta(days=1)
        if not self.is_months:
            return Period(self.start - timedelta(days=self.days), before)
        count = (self.end.year - self.start.year) * 12 + self.end.month - self.start.month + 1
        months = self.start.year * 12 + self.start.month - 1 - count
        return Period(date(months // 12, months % 12 + 1, 1), before)

    def year_ago(self) -> Period:
        """同比: the same dates of the year before."""
        end = _last_year(self.end)
        if self.is_months:
            end = end.replace(day=calendar.monthrange(end.year, end.month)[1])
        return Period(_last_year(self.start), end)


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _last_year(day: date) -> date:
    """The same date a year before; 28 for 29 February."""
    leap = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if leap else day.day)


def read_day(text: str, field: str) -> date:
    """The date written ``2026-11-30``; RejectedError (reason ``field``) when it is not one."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        msg = f"router: {field}: not a date; write it like 2026-11-30"
        raise RejectedError(msg, reason=field) from error
    if not OLDEST <= day <= date(2999, 12, 31):
        msg = f"router: {field}: not within 2000 to 2999; choose another date"
        raise RejectedError(msg, reason=field)
    return day


def read_period(start: str, end: str, *, longest: int = 3660) -> Period:
    """From two written dates; RejectedError when they are none, the wrong way round or too far apart."""
    period = Period(read_day(start, "from"), read_day(end, "to"))
    if period.start > period.end:
        msg = "router: to: before from; exchange them"
        raise RejectedError(msg, reason="to")
    if period.days > longest:
        msg = f"router: to: more than {longest} days after from; choose a shorter period"
        raise RejectedError(msg, reason="to")
    return period
