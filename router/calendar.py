"""When the offices of the city work: hours, weekdays, public holidays and make-up days (调休).

Pure: no clock. Public holidays come from the chinesecalendar library, which keeps the State Council's
yearly notices; the city's table goes before it. Working time is counted in whole microseconds
of real time, so nights on which clocks are set back or forward are right, in one table a year.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache, cached_property
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple
from zoneinfo import ZoneInfo

from chinese_calendar import constants as china  # type: ignore[import-untyped]
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from store.config import Strict

_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_SATURDAY = 5


def to_us(at: datetime) -> int:
    """Microseconds since 1970 of an aware time: exact, and in order through a change of clocks."""
    return (at - _EPOCH) // _US


def from_us(us: int) -> datetime:
    """The moment ``to_us`` has counted, in UTC."""
    return _EPOCH + timedelta(microseconds=us)


def _ordered(spans: tuple[tuple[time, time], ...]) -> tuple[tuple[time, time], ...]:
    flat = [moment for span in spans for moment in span]
    if any(moment.tzinfo for moment in flat):
        msg = 'must be local times without a zone, like "08:00"'
        raise ValueError(msg)
    for before, after in pairwise(flat):
        if before >= after:
            must = 'must be spans in ascending order that do not touch, like [["08:00", "12:00"]]'
            msg = f"{must}; {after:%H:%M} follows {before:%H:%M}"
            raise ValueError(msg)
    return spans


def _unique(days: object) -> object:
    if isinstance(days, list) and (twice := [d for d in days if days.count(d) > 1]):
        msg = f"{twice[0]} is listed twice; remove one"
        raise ValueError(msg)
    return days


Spans = Annotated[tuple[tuple[time, time], ...], AfterValidator(_ordered)]
"""Working hours of one day, local times."""

Days = Annotated[frozenset[date], BeforeValidator(_unique)]


class Weekday(StrEnum):
    """Days of the week, in the order of ``date.weekday``."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


_WEEK = tuple(Weekday)


@cache
def _known() -> frozenset[int]:
    """The years the library knows: those whose National Day it lists."""
    return frozenset(day.year for day in china.holidays if (day.month, day.day) == (10, 1))


class Calendar(Strict):
    """Public holidays, and weekend days that are worked (调休): the city's table over the library.

    In ``years`` the table is complete and the library is not asked; in others single days of the
    table overrule it. ``library = "none"`` leaves it out, for a city elsewhere.
    """

    library: Literal["china", "none"] = "china"
    years: frozenset[Annotated[int, Field(ge=1970, le=9998)]] = frozenset()
    holidays: Days = frozenset()
    workdays: Days = frozenset()

    @model_validator(mode="after")
    def _clear(self) -> Calendar:
        if both := self.holidays & self.workdays:
            msg = f"{min(both)} is both a holiday and a working day; remove one"
            raise ValueError(msg)
        if empty := self.years - {day.year for day in self.holidays}:
            year = min(empty)
            msg = f"years names {year} but holidays has no day of {year}; list them or remove the year"
            raise ValueError(msg)
        return self

    def exception(self, day: date) -> bool | None:
        """Whether ``day`` is worked (调休) or not (holiday) against its weekday; None: as its weekday."""
        if day in self.holidays:
            return False
        if day in self.workdays:
            return True
        if self.library == "none" or day.year in self.years or day.year not in _known():
            return None
        return False if day in china.holidays else True if day in china.workdays else None

    def gaps(self, first: date, last: date) -> tuple[int, ...]:
        """The years from ``first`` to ``last`` whose holidays nobody knows: weekends only count there."""
        known = self.years | (_known() if self.library == "china" else frozenset())
        return tuple(year for year in range(first.year, last.year + 1) if year not in known)


class Special(Strict):
    """One day with hours of its own; none: closed. It goes before holidays and weekdays."""

    date: date
    hours: Spans


class _Year(NamedTuple):
    """The working spans of one local year: when each opens, and work done before and after it."""

    opens: list[int]
    before: list[int]
    after: list[int]

    @property
    def total(self) -> int:
        return self.after[-1] if self.after else 0

    def done(self, at: int) -> int:
        """Work of this year until ``at``."""
        i = bisect_right(self.opens, at) - 1
        return 0 if i < 0 else min(self.before[i] + at - self.opens[i], self.after[i])

    def reached(self, work: int) -> int:
        """The first moment at which that much of this year's work is done."""
        i = bisect_left(self.after, work)
        return self.opens[i] + work - self.before[i]


class Timetable(Strict):
    """The working hours of ``configs/deadlines.toml`` and their arithmetic."""

    hours: Spans = Field(min_length=1)
    weekday: dict[Weekday, Spans] = {}
    special: tuple[Special, ...] = ()
    calendar: Calendar = Calendar()

    @model_validator(mode="after")
    def _workable(self) -> Timetable:
        days = [special.date for special in self.special]
        for i, day in enumerate(days):
            if day in days[:i]:
                msg = f"special: {day} is listed twice; remove one"
                raise ValueError(msg)
            if day in self.calendar.holidays | self.calendar.workdays:
                msg = f"special: {day} is in calendar.holidays or calendar.workdays too; remove one"
                raise ValueError(msg)
        if not any(self.weekday.get(day, self.hours) for day in _WEEK[:_SATURDAY]):
            msg = "weekday: no day from monday to friday has hours; give one of them some"
            raise ValueError(msg)
        return self

    @cached_property
    def _specials(self) -> dict[date, Spans]:
        return {special.date: special.hours for special in self.special}

    @cached_property
    def _years(self) -> dict[tuple[ZoneInfo, int], _Year]:
        return {}

    def hours_on(self, day: date) -> Spans:
        """When offices are open on ``day``: special, holiday or make-up day, weekday, in this order."""
        if day in self._specials:
            return self._specials[day]
        exception = self.calendar.exception(day)
        if exception is not None:
            return self.hours if exception else ()
        usual = self.hours if day.weekday() < _SATURDAY else ()
        return self.weekday.get(_WEEK[day.weekday()], usual)

    def worked_us(self, start: datetime, end: datetime, zone: ZoneInfo) -> int:
        """Microseconds of work from ``start`` to ``end``; 0 when ``end`` is not later."""
        first, last = start.astimezone(zone).year, end.astimezone(zone).year
        since, until = to_us(start), to_us(end)
        if until <= since:
            return 0
        whole = sum(self._year(zone, year).total for year in range(first, last))
        return whole + self._year(zone, last).done(until) - self._year(zone, first).done(since)

    def after_work(self, start: datetime, work_us: int, zone: ZoneInfo) -> datetime:
        """The first moment at which ``work_us`` > 0 is done since ``start``, in ``start``'s zone."""
        year = start.astimezone(zone).year
        table = self._year(zone, year)
        work = table.done(to_us(start)) + work_us
        while work > table.total:
            work -= table.total
            year += 1
            table = self._year(zone, year)
        return from_us(table.reached(work)).astimezone(start.tzinfo)

    def closing(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The end of the working day of ``at``, or of the next one when that is past or none."""
        day, moment = at.astimezone(zone).date(), to_us(at)
        while True:
            hours = self.hours_on(day)
            if hours:
                closes = datetime.combine(day, hours[-1][1], zone)
                if to_us(closes) >= moment:
                    return closes.astimezone(at.tzinfo)
            day += _DAY

    def _year(self, zone: ZoneInfo, year: int) -> _Year:
        found = self._years.get((zone, year))
        if found is None:
            found = self._years[zone, year] = self._count(zone, year)
        return found

    def _count(self, zone: ZoneInfo, year: int) -> _Year:
        table, done, latest = _Year([], [], []), 0, None
        for opens, closes in self._moments(zone, year):
            begins = opens if latest is None else max(latest, opens)
            latest = max(begins, closes)
            table.opens.append(begins)
            table.before.append(done)
            done += latest - begins
            table.after.append(done)
        return table

    def _moments(self, zone: ZoneInfo, year: int) -> Iterator[tuple[int, int]]:
        """Openings and closings; of an hour that comes twice the first, one that is skipped an hour later."""
        day = date(year, 1, 1)
        while day.year == year:
            for opens, closes in self.hours_on(day):
                yield (
                    to_us(datetime.combine(day, opens, zone)),
                    to_us(datetime.combine(day, closes, zone)),
                )
            day += _DAY
