"""What a reader of trends has chosen, as the address says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from router.trends.days import Period, read_period
from router.trends.numbers import Ask
from router.trends.sums import NOWHERE
from store.errors import RejectedError
from store.tables_trends import ALL

DEFAULT = "30d"
LONGEST = 800
"""Days a page may be about."""

PRESETS: dict[str, str] = {
    "7d": "近7天", "30d": "近30天", "60d": "近60天", "month": "本月", "last_month": "上月", "year": "今年",
}  # fmt: skip

NARROWS = ("label", "area", "channel")


@dataclass(frozen=True, slots=True)
class Filters:
    """The period, as a preset or by its dates, and what it is narrowed to; ``*`` is all."""

    period: Period
    preset: str = ""
    label: str = ALL
    area: str = ALL
    channel: str = ALL

    def ask(self, indicator: str, **more: str) -> Ask:
        """A question of an indicator by these filters."""
        kept = {name: getattr(self, name) for name in NARROWS}
        return Ask(indicator, self.period).of(**kept | more)

    def query(self, **changes: str) -> str:
        """The address's query with some of it changed."""
        dates = {"from": str(self.period.start), "to": str(self.period.end)}
        said = {"preset": self.preset} if self.preset else dates
        kept = {name: getattr(self, name) for name in NARROWS} | changes
        if "preset" in changes:
            said = {}
        named = {name: value or NOWHERE for name, value in kept.items() if value != ALL}
        return urlencode(said | named)


def told(value: str) -> str:
    """The id an address names."""
    return "" if value == NOWHERE else value[:80]


def preset(name: str, today: date) -> Period:
    """The days a preset means; RejectedError when there is none of that name."""
    first = today.replace(day=1)
    before = first - timedelta(days=1)
    known = {
        "month": Period(first, today),
        "last_month": Period(before.replace(day=1), before),
        "year": Period(date(today.year, 1, 1), today),
    }
    if name in known:
        return known[name]
    if name in PRESETS:
        return Period(today - timedelta(days=int(name[:-1]) - 1), today)
    msg = f"desk: preset: unknown; choose one of {', '.join(PRESETS)}"
    raise RejectedError(msg, reason="preset")


def read_filters(query: Mapping[str, str], today: date) -> Filters:
    """From an address's query; RejectedError names what is wrong."""
    kept = {name: told(query[name]) for name in NARROWS if query.get(name)}
    start, end = query.get("from", ""), query.get("to", "")
    if start or end:
        period = read_period(start, end or str(today), longest=LONGEST)
        return Filters(period, **kept)
    name = query.get("preset", DEFAULT)
    return Filters(preset(name, today), name, **kept)


def read_ask(query: Mapping[str, str], today: date) -> Ask:
    """The question of one number, from its address."""
    filters = read_filters(query, today)
    department = told(query.get("department", "") or ALL)
    return filters.ask(query.get("indicator", "items")[:40]).of(department=department)
