"""People and departments at random: whatever they do in whatever order, the books stay right."""

import random
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from router.clocking import clock_of
from router.deadlines import Limit, Unit
from router.deciding import Labels
from router.parts import Part
from router.workflow import AWAITED, OPEN_ORDER, TRANSITIONS, CaseStatus, Verb
from store.errors import ConflictError, RejectedError
from store.numbers import count_up
from store.tables import T

OFFICES = ("transport", "real_estate", "urban_enforcement")
STEPS = 80


class Walk:
    """One random life of three cases."""

    def __init__(self, town: Any, seed: int) -> None:
        self.town, self.dice = town, random.Random(seed)
        self.done = 0

    async def step(self, cases: list[int]) -> None:
        """Try one command; what the tables or bounds refuse is refused, nothing else happens."""
        case = await self.town.row(self.dice.choice(cases))
        name = self.dice.choices(list(self.often), list(self.often.values()))[0]
        if self.dice.random() < 0.5:
            name = "onward"
        try:
            await getattr(self, name)(case, cases)
            self.done += 1
        except (ConflictError, RejectedError):
            after = await self.town.row(case.id)
            assert after == case, name
        self.town.clock.forward(seconds=self.dice.choice([1, 9, 9, 3600, 20_000]))

    async def onward(self, case: Any, _: Any) -> None:
        """What usually comes next."""
        seen = {"version": case.version, "actor": "wang"}
        match case.status:
            case "received" | "filed":
                await self.dispatch(case, _)
            case "dispatched" | "handling":
                order = self.dice.choice((await self.town.orders(case.id))[-3:])
                verb = Verb.SIGN if order.status == "assigned" else Verb.HANDLE
                await self.town.act(order, verb, "x")
            case "handled":
                await self.town.commands.cases.close(case.id, note="x", **seen)
            case "suspended":
                await self.town.commands.cases.resume(case.id, note="x", **seen)
            case "merged":
                await self.town.commands.joining.unmerge(case.id, note="x", **seen)
            case _:
                await self.town.commands.cases.reopen(case.id, reason="unsolved", note="x", **seen)

    async def order(self, case: Any) -> Any:
        orders = await self.town.orders(case.id)
        if not orders:
            raise RejectedError("nobody works on it")
        return self.dice.choice(orders[-3:])

    async def dispatch(self, case: Any, _: Any) -> None:
        office, *others = self.dice.sample(OFFICES, 3)
        support = tuple(others[: self.dice.randrange(3)])
        joint = self.dice.random() < 0.5
        await self.town.dispatch(case.id, office, support=support, joint=joint)

    async def undo(self, case: Any, _: Any) -> None:
        await self.town.commands.undoing.undo(case.id, version=case.version, actor="wang")

    async def end(self, case: Any, _: Any) -> None:
        verb = self.dice.choice([Verb.DECLINE, Verb.REFER])
        await self.town.commands.cases.end(
            case.id, version=case.version, actor="wang", verb=verb, note="x"
        )

    async def progress(self, case: Any, _: Any) -> None:
        verb = self.dice.choice([Verb.SIGN, Verb.SIGN, Verb.HANDLE, Verb.HANDLE, Verb.RETURN_ORDER])
        await self.town.act(await self.order(case), verb, "x", reason="duty")

    async def ask(self, case: Any, _: Any) -> None:
        what = self.dice.choice(["extension", "suspension"])
        limit = Limit(amount=self.dice.randint(1, 12), unit=Unit.WORK_HOURS)
        await self.town.ask(await self.order(case), what, limit)

    async def answer(self, case: Any, _: Any) -> None:
        number = self.dice.randint(1, 6)
        await self.town.commands.requests.answer(
            number, actor="wang", granted=self.dice.random() < 0.6, note=""
        )

    async def desk(self, case: Any, _: Any) -> None:
        cases, seen = self.town.commands.cases, {"version": case.version, "actor": "wang"}
        name = self.dice.choice(["suspend", "resume", "close", "pass", "fail", "reopen", "recall"])
        passed = {"pass": True, "fail": False}
        if name in passed:
            await cases.verify(case.id, passed=passed[name], note="x", **seen)
        elif name == "reopen":
            await cases.reopen(case.id, reason="unsolved", note="x", **seen)
        else:
            await getattr(cases, name)(case.id, note="x", **seen)

    async def join(self, case: Any, cases: list[int]) -> None:
        into = self.dice.choice(cases)
        joining, seen = self.town.commands.joining, {"actor": "wang", "note": "x"}
        name = self.dice.choice(["merge", "unmerge", "relapse"])
        if name == "merge":
            await joining.merge(case.id, into=into, version=case.version, **seen)
        elif name == "unmerge":
            await joining.unmerge(case.id, version=case.version, **seen)
        else:
            await joining.relapse(case.id, of=into, version=case.version, **seen)

    async def sleep(self, case: Any, _: Any) -> None:
        snoozing, seen = self.town.commands.snoozing, {"version": case.version, "actor": "wang"}
        match self.dice.choice(["snooze", "wake", "ask"]):
            case "snooze":
                until = self.town.clock() + timedelta(hours=self.dice.choice([0, 1, 24]))
                await snoozing.snooze(case.id, until=until, note="x", **seen)
            case "wake":
                await snoozing.wake(case.id, **seen)
            case _:
                await snoozing.ask(case.id, text="x", **seen)

    async def read(self, case: Any, _: Any) -> None:
        """Say what it is about, or that it is about more than one thing."""
        labels = Labels("complaint", self.dice.choice([(), ("sewage",)]), (), "normal")
        seen = {"version": case.version, "actor": "wang"}
        if self.dice.random() < 0.7:
            await self.town.commands.labeling.label(case.id, labels=labels, **seen)
        else:
            await self.town.commands.splitting.split(case.id, parts=[Part(labels, "x")], **seen)

    often = {
        "dispatch": 4, "undo": 1, "end": 0.5, "progress": 10, "ask": 2, "answer": 2, "desk": 6, "join": 1,
        "sleep": 2, "read": 1,
    }  # fmt: skip


async def check_history(town: Any, case: Any) -> None:
    """Every line follows from the one before by the table, and the versions count them."""
    lines = [line for line in await town.history(case.id) if line.reason != "absorbed"]
    assert [line.version for line in lines] == list(range(1, case.version + 1))
    assert lines[-1].after == case.status
    for before, line in pairwise(lines):
        assert before.after == line.before
        moved = TRANSITIONS.get((CaseStatus(line.before), Verb(line.verb)))
        assert line.after in {moved, line.before, CaseStatus.HANDLED} or line.verb == Verb.UNDO
        assert line.after != CaseStatus.HANDLED or line.before == CaseStatus.HANDLING or moved


async def check_orders(town: Any, case: Any) -> None:
    """Open orders are where somebody owes something, with one lead and a clock that says when."""
    orders = await town.orders(case.id)
    open_ = [order for order in orders if order.status in OPEN_ORDER]
    working = {CaseStatus.DISPATCHED, CaseStatus.HANDLING, CaseStatus.SUSPENDED}
    assert bool(open_) == (case.status in working), case.status
    now = [order for order in orders if order.dispatched_at == case.dispatched_at]
    leads = [order for order in now if order.lead and order.status in {*OPEN_ORDER, "handled"}]
    if case.status in {*working, CaseStatus.HANDLED}:
        assert [lead.department for lead in leads] == [case.department]
        assert case.due_at == leads[0].due_at
    for order in orders:
        due_at = town.planner.timekeeper.clocks.due_at(clock_of(order._mapping))
        rests = order.status not in OPEN_ORDER or case.status == CaseStatus.SUSPENDED
        asked = due_at is None  # the desk owes an answer: once looked at, watched no more
        assert (order.watch_at is None) == rests or (asked and order.watch_at is None)
        assert (order.ended_at is None) == (order.status in OPEN_ORDER)
        stands = order.status in OPEN_ORDER or order.status in {"withdrawn", "returned"}
        assert due_at == order.due_at or (due_at is None and stands)


async def voices(town: Any, items: Any) -> dict[int, int]:
    """Of how many messages each case is; a part beside its whole, or another part of it, is none."""
    whole = {row.id: row.part_of or row.id for row in await town.rows(T.items)}
    held: dict[int, set[int]] = {row.id: set() for row in await town.rows(T.cases)}
    for one in items:
        held[one.case_id].add(whole[one.item_id])
    return {case: len(found) for case, found in held.items()}


@pytest.mark.parametrize("seed", range(6))
async def test_books_stay_right(town: Any, seed: int) -> None:
    cases = [await town.case(n) for n in range(3)]
    await town.db.write(lambda tx: count_up(tx, "20261124", 500, is_sqlite=town.db.is_sqlite))
    walk = Walk(town, seed)
    for _ in range(STEPS):
        await walk.step(cases)
        cases[3:] = [row.id for row in await town.rows(T.cases)][3:6]
        for case in await town.rows(T.cases):
            await check_history(town, case)
            await check_orders(town, case)
        items = await town.rows(T.case_items)
        rows = await town.rows(T.cases)
        assert [one.item_id for one in items] == [row.id for row in rows]
        assert {row.id: row.items for row in rows} == await voices(town, items)
        asleep = {row.status for row in rows if row.snoozed_until is not None}
        assert asleep <= set(AWAITED)
        open_requests = await town.rows(T.requests, T.requests.c.state == "open")
        living = {o.id for row in rows for o in await town.orders(row.id) if o.status in OPEN_ORDER}
        assert {one.order_id for one in open_requests} <= living
    assert walk.done >= 20
