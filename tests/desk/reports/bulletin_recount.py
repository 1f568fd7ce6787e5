"""A figure computed anew from the plain rows, by other means than the hub's."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qs

from sqlalchemy import select
from town import items_of, local

from store.db import Database
from store.tables import T

INSIDE = {"bohai": ("bohai", "inner")}


@dataclass
class Facts:
    """What happened: measure, department, area, day; hours that took; how cases stand."""

    items: Any
    happened: list[tuple[str, str, str, int]]
    hours: list[tuple[str, str, str, int, float]]
    cases: list[Any]
    now: datetime

    def count(self, measure: str, asked: dict[str, str]) -> int:
        return sum(m == measure and self.fits(d, a, day, asked) for m, d, a, day in self.happened)

    def fits(self, department: str, area: str, day: int, asked: dict[str, str]) -> bool:
        first, last = (int(asked[end]) for end in ("from", "to"))
        wanted = asked.get("area")
        inside = wanted is None or area in INSIDE.get(wanted, (wanted,))
        return first <= day <= last and inside and asked.get("department", department) == department


Told = list[tuple[str, str, str, datetime | None]]


async def facts(db: Database, now: datetime) -> Facts:
    async with db.read() as conn:
        tables = (T.cases, T.work_orders, T.ratings)
        every, orders, ratings = [(await conn.execute(select(one))).all() for one in tables]
    cases = {row.id: row for row in every if row.status != "merged"}
    told: Told = []
    hours: list[tuple[str, str, str, int, float]] = []
    for case in cases.values():
        told += of_case(case)
        if case.status == "closed" and case.closed_at:
            took = long(case.received_at, case.closed_at)
            hours.append(("turn", case.department, case.area, local(case.closed_at), took))
    for order in (one for one in orders if one.case_id in cases):
        case = cases[order.case_id]
        told += [(name, order.department, case.area, at) for name, at in of_order(order, case)]
        if order.status == "handled":
            took = long(order.dispatched_at, order.handled_at)
            hours.append(("work", order.department, case.area, local(order.handled_at), took))
    for rating in (one for one in ratings if one.case_id in cases):
        case = cases[rating.case_id]
        told += [(name, case.department, case.area, rating.at) for name in of_rating(rating)]
    happened = [(m, d, a, local(at)) for m, d, a, at in told if at is not None]
    return Facts(await items_of(db), happened, hours, list(cases.values()), now)


def long(start: datetime, end: datetime) -> float:
    """Hours, at least a minute."""
    return max((end - start).total_seconds() / 3600, 1 / 60)


def of_case(case: Any) -> Told:
    closed = case.closed_at if case.status == "closed" else None
    happened = {"cases": case.received_at, "filed": case.filed_at, "closed": closed}
    return [(name, case.department, case.area, at) for name, at in happened.items()]


def of_order(order: Any, case: Any) -> list[tuple[str, datetime | None]]:
    if order.status == "withdrawn":
        return []
    if order.status == "returned":
        return [("orders", order.dispatched_at), ("returned", order.ended_at)]
    done = order.handled_at if order.status == "handled" else None
    timely = done is not None and done <= order.due_at
    signed = order.signed_at or done
    in_time = signed is not None and order.sign_due_at is not None and signed <= order.sign_due_at
    owed = case.status != "suspended"
    return [
        ("orders", order.dispatched_at),
        ("reworked", order.dispatched_at if order.reworks else None),
        ("due", order.due_at if owed else None),
        ("on_time", order.due_at if owed and timely else None),
        ("extended", order.due_at if owed and order.extensions else None),
        ("sign_due", order.sign_due_at),
        ("signed", order.sign_due_at if in_time else None),
    ]


def of_rating(rating: Any) -> list[str]:
    names = {
        "rated": True, "answered": rating.solved != "", "solved": rating.solved == "solved",
        "marked": rating.satisfied != "none", "satisfied": rating.satisfied in {"satisfied", "fair"},
    }  # fmt: skip
    return [name for name, holds in names.items() if holds]


SHARES = {
    "closed_rate": ("closed", "filed"), "on_time_rate": ("on_time", "due"), "reworked_rate": ("reworked", "orders"),
    "extended_rate": ("extended", "due"), "returned_rate": ("returned", "orders"), "response_rate": ("signed", "sign_due"),
    "solved_rate": ("solved", "answered"), "satisfied_rate": ("satisfied", "marked"),
}  # fmt: skip
HOURS = {"turn_median": ("turn", 0.5), "work_median": ("work", 0.5)}
ENDED = {"closed", "declined", "referred", "merged"}


def recounted(facts: Facts, query: str) -> tuple[float, float, float | None]:
    """Numerator, denominator and value of the query of a figure; no value before the first day."""
    asked = {key: values[0].replace("-", "") for key, values in parse_qs(query).items()}
    top, under, value = answer(facts, asked["indicator"], asked)
    return top, under, None if int(asked["to"]) < first_day(facts) else value


def answer(facts: Facts, name: str, asked: dict[str, str]) -> tuple[float, float, float | None]:
    if name in SHARES:
        top, under = (facts.count(one, asked) for one in SHARES[name])
        return top, under, top / under if under else None
    if name in HOURS:
        measure, q = HOURS[name]
        took = sorted(
            h for m, d, a, day, h in facts.hours if m == measure and facts.fits(d, a, day, asked)
        )
        return len(took), 0, took[int(q * (len(took) - 1))] if took else None
    if name == "items":
        n = items(facts, asked)
        return n, 0, n
    if name in {"open", "overdue", "overdue_3d", "suspended"}:
        n = standing(facts, name, asked.get("department"))
        return n, 0, n
    n = facts.count(name, asked)
    return n, 0, n


def items(facts: Facts, asked: dict[str, str]) -> int:
    first, last = (int(asked[end]) for end in ("from", "to"))
    wanted = asked.get("area", "*")
    inside = INSIDE.get(wanted, (wanted,))
    label, channel = asked.get("label", "*"), asked.get("channel", "*")
    return sum(
        n for (one, area, by, day), n in facts.items.items()
        if one == label and by == channel and area in inside and first <= day <= last
    )  # fmt: skip


def standing(facts: Facts, name: str, department: str | None) -> int:
    found = [c for c in facts.cases if c.status not in ENDED and department in (None, c.department)]
    if name == "suspended":
        return sum(c.status == "suspended" for c in found)
    if name == "open":
        return len(found)
    late = 3 if name == "overdue_3d" else 0
    return sum(
        c.status != "suspended" and c.due_at is not None and (facts.now - c.due_at).total_seconds() > late * 86400
        for c in found
    )  # fmt: skip


def first_day(facts: Facts) -> int:
    return min(day for (*names, day) in facts.items if names == ["*", "*", "*"] and day > 0)


def day_number(day: date) -> int:
    return int(day.strftime("%Y%m%d"))
