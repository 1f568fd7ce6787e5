"""A target that lags or is overdue (滞后、逾期) is put before the supervisors once a month, until it is right again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from router.tasks import TaskKind, TaskRole, raise_task, settle_tasks
from router.trends.book import Standing, TargetBook
from router.trends.numbers import Numbers
from router.trends.progress import STATE_NAMES, State
from router.trends.targets import Target
from store.db import Database, Tx

EVERY_S = 3_600.0
AFTER = timedelta(days=31)
"""For so long after its last day an overdue target is put before somebody."""

HUB = "hub"


class TargetWatch:
    """``run`` is a job of the hub."""

    def __init__(
        self, db: Database, book: TargetBook, numbers: Numbers, *, clock: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._book = book
        self._numbers = numbers
        self._clock = clock

    async def run(self) -> float:
        """Look once; the seconds until the next look."""
        today = self._numbers.today()
        current = [
            one for one in self._book.targets.target if one.start <= today <= one.due + AFTER
        ]
        standings = await self._book.standings(current)
        month = f"{today:%Y%m}"
        if standings:
            await self._db.write(lambda tx: self._tell(tx, standings, month))
        return EVERY_S

    async def _tell(self, tx: Tx, standings: Sequence[Standing], month: str) -> None:
        for one in standings:
            mark, at = _mark(one.target, month), self._clock()
            if one.progress.state in {State.BEHIND, State.OVERDUE}:
                said = (
                    f"{STATE_NAMES[one.progress.state]}：{one.target.title}（{one.progress.words}）"
                )
                await raise_task(
                    tx,
                    mark=mark,
                    kind=TaskKind.TARGET_BEHIND,
                    role=TaskRole.SUPERVISOR,
                    at=at,
                    note=said,
                )
            elif one.progress.state is not State.UNKNOWN:
                await settle_tasks(tx, actor=HUB, at=at, marks=_marks(one.target))


def _mark(target: Target, month: str) -> str:
    return f"target:{target.id}:{month}"


def _marks(target: Target) -> list[str]:
    """Every mark it can have had."""
    months = [f"{target.year}{n:02}" for n in range(1, 13)]
    return [_mark(target, month) for month in (*months, f"{target.year + 1}01")]
