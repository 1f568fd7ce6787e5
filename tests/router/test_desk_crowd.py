"""Twenty operators at one desk: no accepted edit is lost, no case is given out twice."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from desk_client import Desk

from desk.accounts import User
from desk.bodies import Body, LabelsBody
from router.workflow import OPEN_ORDER, Verb
from store.errors import ConflictError, RejectedError
from store.tables import T

OPERATORS = 20
EDITS = int(os.environ.get("MINSHENG_TEST_EDITS", "20"))
"""Edits of each operator; 200 in the long run."""

CASES = 40
OFFICES = ("transport", "real_estate", "urban_enforcement")
WORDS = (
    "dispatch", "dispatch", "undo", "labels", "labels", "snooze", "wake", "recall", "recall", "decline",
    "reopen", "reopen",
)  # fmt: skip


@pytest.fixture
async def desk(town: Any, city: Any) -> AsyncIterator[Desk]:
    made = Desk(town, city)
    async with await made.open():
        yield made


class Operator:
    """Somebody who does what comes to mind with the case as they last saw it."""

    def __init__(self, desk: Desk, n: int, cases: list[int], seen: dict[int, int]) -> None:
        self.desk, self.cases, self.seen = desk, cases, seen
        self.user = User(f"op{n}", f"派遣员{n}", "dispatcher", "")
        self.dice = random.Random(n)
        self.accepted: list[tuple[int, int, str]] = []
        self.refused: Counter[str] = Counter()

    def body(self, case: int) -> Body:
        office, problems = self.dice.choice(OFFICES), self.dice.choice([(), ("sewage",)])
        return Body(
            version=self.seen[case], note="x", department=office, reason="unsolved",
            labels=LabelsBody("complaint", problems), until=self.desk.town.clock() + timedelta(hours=1),
        )  # fmt: skip

    async def work(self, edits: int) -> None:
        for _ in range(edits):
            case, word = self.dice.choice(self.cases), self.dice.choice(WORDS)
            try:
                done = await self.desk.doing.table[word].work(case, self.user, self.body(case))
            except (ConflictError, RejectedError) as error:
                self.refused[error.reason] += 1
                if error.reason == "conflict":
                    self.seen[case] = (await self.desk.town.row(case)).version
                continue
            self.seen[case] = done["version"]
            self.accepted.append((case, done["version"], self.user.name))


async def test_nothing_accepted_is_lost_and_nothing_is_sent_twice(desk: Desk, town: Any) -> None:
    cases = [await town.case(n) for n in range(CASES)]
    seen = dict.fromkeys(cases, 1)
    crowd = [Operator(desk, n, cases, seen) for n in range(OPERATORS)]
    await asyncio.gather(*(one.work(EDITS) for one in crowd))
    accepted = {(case, version): who for one in crowd for case, version, who in one.accepted}
    assert len(accepted) == sum(len(one.accepted) for one in crowd) >= OPERATORS * EDITS / 5
    assert sum(one.refused["conflict"] for one in crowd) > OPERATORS, "in each other's way"
    for case in cases:
        await in_history_once(town, case, accepted)
        await sent_once(town, case)
    log = await town.rows(T.log, T.log.c.topic == "notices")
    notices = [msgspec.json.decode(one.payload) for one in log]
    given = Counter(one["order_id"] for one in notices if one["change"] == "assigned")
    assert given == Counter(one.id for one in await town.rows(T.work_orders))


async def in_history_once(town: Any, case: int, accepted: dict[tuple[int, int], str]) -> None:
    """Each accepted edit is a line by its author; each line leads up to an edit its author was told of."""
    lines = await town.history(case)
    row = await town.row(case)
    assert [line.version for line in lines] == list(range(1, row.version + 1))
    told = sorted(version for number, version in accepted if number == case)
    for line in lines[1:]:
        nearest = min(version for version in told if version >= line.version)
        assert accepted[case, nearest] == line.actor, line


async def sent_once(town: Any, case: int) -> None:
    """One live lead where the case is out, none where it is not."""
    row, orders = await town.row(case), await town.orders(case)
    leads = [one for one in orders if one.lead and one.status in OPEN_ORDER]
    assert len(leads) == (row.status == "dispatched")
    dispatched = [one for one in await town.history(case) if one.verb == Verb.DISPATCH]
    assert len(dispatched) == len(orders)
