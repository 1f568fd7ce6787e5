"""The periods bulletins are about, by the names they are kept under: 2026-W47, 2026-11, 2026-Q4, 2026. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from router.trends.days import Period
from store.errors import RejectedError


class Cycle(StrEnum):
    """How often a kind of bulletin comes."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


BEFORE = {Cycle.WEEK: "上周", Cycle.MONTH: "上月", Cycle.QUARTER: "上季度", Cycle.YEAR: "上年"}
NOW = {Cycle.WEEK: "本周", Cycle.MONTH: "本月", Cycle.QUARTER: "本季度", Cycle.YEAR: "全年"}
_FORMS = {
    Cycle.WEEK: re.compile(r"(\d{4})-W(\d{2})", re.ASCII),
    Cycle.MONTH: re.compile(r"(\d{4})-(\d{2})", re.ASCII),
    Cycle.QUARTER: re.compile(r"(\d{4})-Q([1-4])", re.ASCII),
    Cycle.YEAR: re.compile(r"(\d{4})", re.ASCII),
}
_MONTHS = {Cycle.MONTH: 1, Cycle.QUARTER: 3, Cycle.YEAR: 12}


@dataclass(frozen=True, slots=True)
class Span:
    """One period of a cycle. ``name`` is how it is kept."""

    cycle: Cycle
    name: str
    period: Period

    @property
    def shown(self) -> str:
        """2026年11月; 2026年第47周."""
        year, _, rest = self.name.partition("-")
        said = {
            Cycle.WEEK: f"第{int(rest[1:] or 0)}周" if self.cycle is Cycle.WEEK else "",
            Cycle.MONTH: f"{int(rest)}月" if self.cycle is Cycle.MONTH else "",
            Cycle.QUARTER: f"第{'一二三四'[int(rest[1:]) - 1]}季度" if self.cycle is Cycle.QUARTER else "",
            Cycle.YEAR: "",
        }  # fmt: skip
        return f"{year}年{said[self.cycle]}"


def span_of(cycle: Cycle, day: date) -> Span:
    """The period a day is in; weeks are those of ISO 8601."""
    if cycle is Cycle.WEEK:
        year, week, weekday = day.isocalendar()
        monday = day - timedelta(days=weekday - 1)
        return Span(cycle, f"{year}-W{week:02}", Period(monday, monday + timedelta(days=6)))
    months = _MONTHS[cycle]
    first = day.replace(month=(day.month - 1) // months * months + 1, day=1)
    number = first.year * 12 + first.month - 1 + months
    end = date(number // 12, number % 12 + 1, 1) - timedelta(days=1)
    names = {
        Cycle.MONTH: f"{first:%Y-%m}",
        Cycle.QUARTER: f"{first.year}-Q{first.month // 3 + 1}",
        Cycle.YEAR: f"{first.year}",
    }
    return Span(cycle, names[cycle], Period(first, end))


def last_of(cycle: Cycle, day: date) -> Span:
    """The last period that is over before ``day``."""
    return span_of(cycle, span_of(cycle, day).period.start - timedelta(days=1))


def read_span(cycle: Cycle, name: str) -> Span:
    """From its name; RejectedError (reason ``period``) for what is none."""
    found = _FORMS[cycle].fullmatch(name)
    try:
        if found is not None and 2000 <= int(found[1]) <= 2999:  # noqa: PLR2004 - years a day may have
            year, part = int(found[1]), int(found[2]) if found.re.groups > 1 else 1
            day = (
                date.fromisocalendar(year, part, 1)
                if cycle is Cycle.WEEK
                else date(year, (part - 1) * _MONTHS[cycle] + 1, 1)
            )
            return span_of(cycle, day)
    except ValueError:
        pass
    msg = f"desk: period: not a {cycle}; write it like {span_of(cycle, date(2026, 11, 20)).name}"
    raise RejectedError(msg, reason="period")
