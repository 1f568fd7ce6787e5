"""A whole month of the city, and every number of its frozen assessment derived again from the history."""

import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from month import LAST, ZONE, Town
from sqlalchemy import select

from classify.classifier import Classifier
from classify.engine import Engines, ThreadEngine
from hub.app import Hub
from hub.city import City
from hub.settings import Settings
from router.assessment import By
from router.deadlines import Limit, Stage, Unit
from router.months import Month
from store.tables import T

sys.path.insert(0, str(Path(__file__).parent.parent / "router"))

from recount import Log, Recount, Told, rounded

ITEMS = 2000
BEGIN, END = datetime(2026, 11, 1, tzinfo=ZONE), datetime(2026, 12, 1, tzinfo=ZONE)
HOUR = timedelta(hours=1)
ACTS = ("sign", "give_back", "ask_time", "ask_stand", "resume", "undo", "unclose", "reopen")


@pytest.fixture
async def hub(
    city: City, classifier: Classifier, tmp_path: Path, sqlite_url: str, clock: Any
) -> AsyncIterator[Hub]:
    """The rooms that understand and route; supervision looks only when the script says so."""
    sign = {Stage.SIGN: Limit(amount=4, unit=Unit.WORK_HOURS)}
    timed = replace(city, deadlines=city.deadlines.model_copy(update={"stage": sign}))
    made = Hub(Settings.model_validate({"database_url": sqlite_url}), timed, tmp_path, clock=clock)
    made.models.engines = Engines(ThreadEngine(classifier))
    await made.open()
    await made.start(("classify",))
    filing, joining, _notices = made.routing.handlers()
    made._follow(filing)
    made._follow(joining)
    yield made
    await made.close()


class Diary:
    """The history of every case as the recount reads it, from the rows of ``events`` and the script's own log."""

    def __init__(self, town: Town, events: list[Any], cases: list[Any]) -> None:
        self.town = town
        self.cases = {row["id"]: row for row in cases}
        self.events: dict[int, list[Any]] = defaultdict(list)
        for row in events:
            self.events[row["case_id"]].append(row)
        self.ratings: dict[int, Log] = defaultdict(list)
        for said in town.ratings.values():
            self.ratings[said["case"]].append({"verb": "rate", "order": None, **said})
        self.numbers = {row["case_no"]: row["id"] for row in cases}
        self.logs = {case: self.log(case) for case in self.events}

    def told(self) -> list[Told]:
        return [Told(log, self.items(case), self.repeats(case)) for case, log in self.logs.items()]

    def items(self, case: int) -> int:
        """Its own citizen and those of all cases that were joined to it, until it was joined itself."""
        events = self.events[case]
        if any(e["verb"] == "merge" and e["reason"] != "absorbed" for e in events):
            return 0
        return self.brought(case)

    def brought(self, case: int) -> int:
        absorbed = [e for e in self.events[case] if e["reason"] == "absorbed"]
        return 1 + sum(self.brought(self.numbers[e["note"]]) for e in absorbed)

    def repeats(self, case: int) -> bool:
        earlier, came = self.cases[case]["relapse_of"], self.events[case][0]["at"]
        closed = [e["at"] for e in self.ends(earlier) if e["at"] <= came] if earlier else []
        return bool(closed) and came - closed[-1] <= timedelta(days=30)

    def ends(self, case: int) -> Log:
        """Its closings that were not undone."""
        events = self.events[case]
        undone = {e["version"] - 1 for e in events if e["verb"] == "undo"}
        return [e for e in events if e["verb"] == "close" and e["version"] not in undone]

    def log(self, case: int) -> Log:
        self.made: Log = []
        self.open: dict[int, bool] = {}
        for e in self.events[case]:
            read = getattr(self, f"on_{e['verb']}", None)
            if read is not None:
                read(e)
        orders = [e["order"] for e in self.made if e["verb"] == "dispatch"]
        dues = [
            {"verb": "due", "order": one, "at": at, "due": due}
            for one in orders
            for at, due in self.town.dues[one]
        ]
        return self.made + dues + self.ratings[case]

    def write(self, e: Any, verb: str = "", **more: Any) -> None:
        order = more.pop("order", e["order_id"])
        self.made.append({"verb": verb or e["verb"], "order": order, "at": e["at"], **more})

    def on_dispatch(self, e: Any) -> None:
        one = self.town.orders[e["order_id"]]
        assert one["department"] == e["note"]
        self.write(
            e,
            department=one["department"],
            lead=one["lead"],
            rule=one["rule"],
            sign_due=one["sign_due_at"],
            area=self.cases[e["case_id"]]["area"],
            due=self.town.dues[e["order_id"]][0][1],
        )
        self.open[e["order_id"]] = True

    def on_undo(self, e: Any) -> None:
        given = [one for one in self.made if one["verb"] == "dispatch"]
        last = [one["order"] for one in given if one["at"] == given[-1]["at"]] if given else []
        undone = last if e["note"] == "dispatch" else []
        for one in undone:
            del self.open[one]
        self.write(e, undone=undone)

    def taken(self, e: Any) -> None:
        """Every order still open is taken back."""
        for one in [one for one, is_open in self.open.items() if is_open]:
            self.write(e, "withdraw", order=one)
            del self.open[one]

    def on_return_order(self, e: Any) -> None:
        self.write(e)
        del self.open[e["order_id"]]
        if self.town.orders[e["order_id"]]["lead"]:
            self.taken(e)

    def on_handle(self, e: Any) -> None:
        self.write(e)
        self.open[e["order_id"]] = False
        if self.town.orders[e["order_id"]]["lead"] and not self.cases[e["case_id"]]["joint"]:
            self.taken(e)

    def on_merge(self, e: Any) -> None:
        if e["reason"] != "absorbed":
            self.taken(e)

    def back(self, e: Any) -> None:
        if e["order_id"] is not None:
            self.write(e)
            self.open[e["order_id"]] = True

    def on_supervise(self, e: Any) -> None:
        if e["reason"] in {"urge", "order", "circular"}:
            self.write(e, "urge")

    on_verify_fail = on_reopen = back
    on_sign = on_ask_extension = on_extend = on_refuse_extension = write
    on_suspend = on_resume = on_verify_pass = on_close = lambda self, e: self.write(e, order=None)


async def read(hub: Hub, table: Any) -> list[Any]:
    async with hub.db.read() as conn:
        return list((await conn.execute(select(table).order_by(table.c.id))).mappings())


@pytest.mark.slow
async def test_frozen_month_is_what_happened(hub: Hub, clock: Any) -> None:
    town = Town(hub, clock, items=ITEMS)
    await town.live()
    assert town.heard == ITEMS
    assert min(town.done[act] for act in ACTS) >= 10, dict(town.done)
    reckoner = hub.routing.reckoner
    november = Month(2026, 11)
    assert await reckoner.freeze(november) == (LAST, True)
    diary = Diary(town, await read(hub, T.events), await read(hub, T.cases))

    def worked(order: int, since: datetime, until: datetime) -> float:
        """Hours of the order's clock, one by one: all, or those of working days from 8 to 12 and 14 to 18."""
        hours, at, urgent = 0, since, town.is_urgent(order)
        while at < until:
            local = at.astimezone(ZONE)
            at_work = local.weekday() < 5 and local.hour in {8, 9, 10, 11, 14, 15, 16, 17}
            hours += urgent or at_work
            at += HOUR
        return hours

    expected = rounded(Recount(diary.told(), BEGIN, END, worked).sums)
    found = {}
    for by in By:
        for line in (await reckoner.report(november, by)).lines:
            for cell in line.cells:
                key = (by.value, line.standing.unit, cell.indicator)
                found[key] = [cell.numerator, cell.denominator]
    assert rounded(found) == expected
    for indicator in reckoner.assessment.indicators:
        assert any(expected.get(("department", "*", indicator), [0])), indicator
        assert expected["department", "*", indicator][0] > 0, indicator
    assert await reckoner.drift(november) == []
