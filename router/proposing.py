"""Where a case should go, why, and where else it could (推荐单位): for a person to choose from. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from router.deciding import Labels, labels_now
from router.habits import DAYS, Habit, Habits
from router.planning import Planner
from router.rules import Matter
from store.db import Database, among
from store.errors import RejectedError
from store.tables import T

MOST = 3
"""Other offices that are offered."""

TERRITORY = "属地管理"
HINT = "识别模型建议"
DEFAULT = "无其他规则时的承办单位"


class Choice(NamedTuple):
    """An office, and why it, in words."""

    department: str
    why: str


@dataclass(frozen=True)
class Proposal:
    """The office a case should go to, and the next best."""

    first: Choice
    runners: tuple[Choice, ...]


class Proposing:
    """Asks rules, territory, classifier and habit."""

    def __init__(self, db: Database, planner: Planner, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._planner = planner
        self._habits = Habits(db, clock)

    async def planned(self, case_id: int, labels: Labels | None = None) -> Choice:
        """Where the rules send the case under these labels; what is suggested already when they are its own.

        RejectedError when there is no such case.
        """
        found = await self._rows([case_id])
        if not found:
            msg = "router: no such case; look at its number again"
            raise RejectedError(msg, reason="case")
        row = found[0]._mapping
        if labels is None or labels == labels_now(row):
            return Choice(row["suggested"], self._why(row["rule"]))
        route = self._planner.rules.route(self._matter(row, labels))
        return Choice(route.lead, self._why(route.rule))

    async def proposals(self, case_ids: Sequence[int]) -> dict[int, Proposal]:
        """For each of these cases what is suggested and the next best, with reasons; one question for all."""
        return {row.id: await self._proposal(row._mapping) for row in await self._rows(case_ids)}

    async def _proposal(self, row: Any) -> Proposal:
        zone = self._planner.timekeeper.zone
        habit = await self._habits.of(row["problems"], row["area"], zone)
        shown = row["department"] or row["suggested"]
        known = self._planner.rules.directory.names
        others: dict[str, str] = {}
        for choice in self._others(row, habit):
            if choice.department not in {shown, ""} and choice.department in known:
                others.setdefault(choice.department, choice.why)
        runners = tuple(Choice(*one) for one in others.items())[:MOST]
        counted = self._counted(habit, shown)
        return Proposal(Choice(shown, counted or self._why(row["rule"])), runners)

    def _others(self, row: Any, habit: Habit | None) -> Iterator[Choice]:
        """Offices that could have it, the likeliest first, with repetitions."""
        rules = self._planner.rules
        for department, _ in habit.offices if habit else ():
            yield Choice(department, self._counted(habit, department))
        for route in rules.routes(self._matter(row, labels_now(row))):
            if route.rule != "default":
                yield Choice(route.lead, self._why(route.rule))
        yield Choice(row["area"], TERRITORY)
        yield Choice(row["dept_hint"] or "", HINT)
        yield Choice(rules.directory.default, DEFAULT)

    def _counted(self, habit: Habit | None, department: str) -> str:
        """How often such cases went there; empty when that is not known or never."""
        count = dict(habit.offices).get(department, 0) if habit else 0
        if habit is None or not count:
            return ""
        name = self._planner.rules.directory.names.get(department, department)
        return f"近 {DAYS} 天同类 {habit.total} 件，{count} 件派{name}"

    def _why(self, rule: str) -> str:
        return next((one.why for one in self._planner.rules.rules.rule if one.name == rule), "")

    def _matter(self, row: Any, labels: Labels) -> Matter:
        text = f"{row['title']}\n{row['text']}" if row["title"] else row["text"] or ""
        return Matter(
            labels.kind, labels.problems, labels.campaigns, labels.urgency, row["channel"],
            row["dept_hint"] or "", text, self._planner.rules.directory.areas.get(row["area"]), row["point"],
            row["received_at"].astimezone(self._planner.timekeeper.zone),
        )  # fmt: skip

    async def _rows(self, ids: Sequence[int]) -> list[Any]:
        c, i, v = T.cases.c, T.items.c, T.verdicts.c
        statement = (
            select(
                c.id, c.channel, c.kind, c.problems, c.campaigns, c.urgency, c.department, c.suggested,
                c.rule, c.area, c.point, c.received_at, i.title, i.text, v.dept_hint,
            )
            .outerjoin(T.items, i.id == c.id)
            .outerjoin(T.verdicts, v.item_id == c.id)
            .where(among(c.id, ids, is_sqlite=self._db.is_sqlite))
        )  # fmt: skip
        async with self._db.read() as conn:
            return list((await conn.execute(statement)).all())
