"""Odd but valid bounds, and due times counted again minute by minute from the history alone."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import test_walks as walks

from router.clocking import read_clock
from router.commands import build_commands
from router.deadlines import Unit
from router.lifecycle import Lifecycle
from router.workflow import OPEN_ORDER
from store.errors import ConflictError, RejectedError
from store.tables import T

ODD: dict[str, dict[str, Any]] = {
    "narrow": {"undo_s": 0, "returns": {"max": 1, "reasons": {"duty": "职能不符"}}, "extension": {"max": 0}},
    "wide": {
        "undo_s": 600, "returns": {"max": 20, "within": {"amount": 10_000, "unit": "work_days"}, "reasons": {"duty": "x"}},
        "extension": {"max": 20, "longest": {"amount": 10_000, "unit": "urgent_hours"}},
    },
    "short": {"undo_s": 0.01, "returns": {"within": {"amount": 0.001, "unit": "urgent_hours"}, "reasons": {"duty": "x"}}},
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
async def test_odd_bounds_keep_the_books_right(town: Any, name: str) -> None:
    reopen = {"within_days": 0.001 if name == "short" else 3650, "reasons": {"unsolved": "x"}}
    bounds = Lifecycle.model_validate({**ODD[name], "reopen": reopen})
    town.commands = build_commands(town.ledger, town.planner, bounds, town.vault)
    walk = walks.Walk(town, 11)
    cases = [await town.case(n) for n in range(3)]
    for _ in range(50):
        await walk.step(cases)
        for case in await town.rows(T.cases):
            await walks.check_history(town, case)
            await walks.check_orders(town, case)
    assert walk.done >= 10


MINUTES = {Unit.WORK_HOURS: 60, Unit.WORK_DAYS: 480}
HOURS = {*range(8, 12), *range(14, 18)}


def minutes(amount: float, unit: str) -> float:
    return amount * MINUTES[Unit(unit)]


class Recount:
    """What an order's clock must be, told by lines of history alone."""

    def __init__(self, order: Any, zone: ZoneInfo) -> None:
        limit = read_clock(order.clock).limit
        self.zone, self.limit = zone, minutes(limit.amount, limit.unit)
        self.left, self.start = self.limit, order.dispatched_at
        self.stands: set[str] = set()
        self.pauses: list[tuple[datetime, datetime]] = []
        self.since = self.handled_at = order.dispatched_at
        self.is_open = True

    def pause(self, why: str, at: datetime) -> None:
        self.since = self.since if self.stands else at
        self.stands.add(why)

    def go_on(self, *whys: str, at: datetime) -> None:
        stood = bool(self.stands)
        self.stands -= set(whys)
        if stood and not self.stands:
            self.pauses.append((self.since, at))

    def due_at(self) -> datetime:
        at, left = self.start, self.left
        while left > 0:
            local = at.astimezone(self.zone)
            worked = local.weekday() < 5 and local.hour in HOURS
            left -= worked and not any(since <= at < until for since, until in self.pauses)
            at += timedelta(minutes=1)
        return at

    def follow(self, line: Any, granted: float) -> None:
        """What a line of this order's, or of its whole case, means for the clock."""
        getattr(self, line.verb, lambda *_: None)(line.at, granted)

    def ask_extension(self, at: datetime, _: float) -> None:
        self.pause("asked", at)

    def extend(self, at: datetime, granted: float) -> None:
        self.go_on("asked", at=at)
        self.left += granted

    def refuse_extension(self, at: datetime, _: float) -> None:
        self.go_on("asked", at=at)

    def suspend(self, at: datetime, _: float) -> None:
        if self.is_open:
            self.pause("suspended", at)

    def resume(self, at: datetime, _: float) -> None:
        self.go_on("asked", "suspended", at=at)

    def handle(self, at: datetime, _: float) -> None:
        self.go_on("asked", at=at)
        self.handled_at, self.is_open = at, False

    def verify_fail(self, at: datetime, _: float) -> None:
        self.pauses.append((self.handled_at, at))
        self.is_open = True

    def reopen(self, at: datetime, _: float) -> None:
        self.start, self.pauses, self.left, self.is_open = at, [], self.limit, True


class Counted:
    """A walk over one case by whole minutes, and the slow count beside it."""

    names = ("progress", "progress", "ask", "answer", "desk", "desk", "onward")

    def __init__(self, town: Any, seed: int) -> None:
        self.town, self.walk, self.known = town, walks.Walk(town, seed), dict[int, Recount]()
        town.clock.now = town.clock.now.replace(second=0, microsecond=0)

    async def step(self, case: int) -> bool:
        row = await self.town.row(case)
        name = "dispatch" if row.status == "filed" else self.walk.dice.choice(self.names)
        lines = len(await self.town.history(case))
        try:
            await getattr(self.walk, name)(row, [case])
        except (ConflictError, RejectedError):
            return False
        for order in await self.town.orders(case):
            self.known.setdefault(order.id, Recount(order, self.town.planner.timekeeper.zone))
        for line in (await self.town.history(case))[lines:]:
            await self.follow(line)
        return True

    async def follow(self, line: Any) -> None:
        q = T.requests.c
        found = await self.town.rows(T.requests, q.order_id == (line.order_id or 0), q.answered_at == line.at)  # fmt: skip
        granted = sum(minutes(one.amount, one.unit) for one in found if one.state == "granted")
        whole = line.verb in {"suspend", "resume"}
        for number, one in self.known.items():
            if whole or number == line.order_id:
                one.follow(line, granted)

    async def compare(self, case: int) -> int:
        compared = 0
        for order in await self.town.orders(case):
            one = self.known[order.id]
            if order.status in {*OPEN_ORDER, "handled"} and not one.stands:
                assert order.due_at == one.due_at(), (order.department, order.status)
                compared += len(one.pauses)
        return compared


@pytest.mark.parametrize("seed", [3, 15, 56, 59])
async def test_due_times_are_those_of_a_slow_count(town: Any, seed: int) -> None:
    counted, compared = Counted(town, seed), 0
    case = await town.case()
    await town.dispatch(case, "transport")
    for order in await town.orders(case):
        counted.known[order.id] = Recount(order, town.planner.timekeeper.zone)
    for _ in range(60):
        town.clock.forward(minutes=counted.walk.dice.choice([1, 30, 200, 700]))
        if await counted.step(case):
            compared += await counted.compare(case)
    assert compared >= 10
