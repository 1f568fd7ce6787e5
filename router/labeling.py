"""改标签: a person says what a waiting case is about; who should get it follows by the rules."""

from __future__ import annotations

from dataclasses import replace

from router.deciding import Labels, decide, matter_of
from router.ledger import Act, Ledger, moves
from router.planning import Planner
from router.undoing import remember
from router.workflow import Verb
from store.db import Tx


class Labeling:
    """The command that changes labels and leaves the case at the desk."""

    def __init__(self, ledger: Ledger, planner: Planner) -> None:
        self._ledger = ledger
        self._planner = planner

    async def label(
        self, case_id: int, *, version: int, actor: str, labels: Labels, note: str = ""
    ) -> int:
        """Give the case these labels and the office its rules then suggest; returns the new version.

        Kept as the person's decision: no later reading of the message changes it, and learning sees it.
        ConflictError while there is no verdict.
        """

        async def work(tx: Tx) -> int:
            case = await self._ledger.case(tx, case_id, version, actor)
            act = Act(actor, self._ledger.clock(), note)
            step = moves(case, [Verb.LABEL], act)[0]
            decided = await decide(tx, case, labels, "", act)
            rules, zone = self._planner.rules, self._planner.timekeeper.zone
            route = rules.route(await matter_of(tx, case, decided, rules, zone))
            changes = decided.columns() | {"suggested": route.lead, "rule": route.rule}
            changes["snoozed_until"] = case["snoozed_until"]
            steps = [replace(step, undo=remember(case, changes, decided=decided.before))]
            return await self._ledger.save(tx, case, steps, act, **changes)

        return await self._ledger.db.write(work)
