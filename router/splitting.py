"""拆分: one message that holds several matters becomes several cases, each answered to its citizen.

The message keeps its case; each further matter becomes a case that waits at the desk with the labels a person gave.
The classifier reads a part's words too, for the reasons on screen and for what is similar; its labels change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from router.ledger import Act, Ledger, Row, Step, event_row, moves, needed
from router.parts import Part, case_row, item_row, verdict_row
from router.planning import DESK, Planner
from router.rules import Matter
from router.undoing import remember
from router.workflow import CaseStatus, Verb
from store.db import Tx
from store.errors import ConflictError, RejectedError
from store.model import ItemRef
from store.numbers import take_numbers
from store.outbox import record
from store.tables import T
from store.vault import Vault

MOST = 9
"""Parts of one command."""

PART = "part"
"""The reason of a part's own first line."""


class Splitting:
    """The command that takes a message apart."""

    def __init__(self, ledger: Ledger, planner: Planner, vault: Vault) -> None:
        self._ledger = ledger
        self._planner = planner
        self._vault = vault

    async def split(
        self, case_id: int, *, version: int, actor: str, parts: Sequence[Part]
    ) -> tuple[int, list[int]]:
        """Make a case of each part; returns the case's new version and the numbers of the new ones.

        RejectedError for no part, too many, a part without words, an unknown office or an erased message.
        """
        self._check(parts)

        async def work(tx: Tx) -> tuple[int, list[int]]:
            case = await self._ledger.case(tx, case_id, version, actor)
            act = Act(actor, self._ledger.clock())
            step = moves(case, [Verb.SPLIT], act)[0]
            rows = await self._rows(tx, case, parts, act)
            numbers = [row["id"] for row in rows]
            note = "、".join(row["case_no"] for row in rows)
            steps = [replace(step, note=note, undo=remember(case, {}, parts=numbers))]
            return await self._ledger.save(tx, case, steps, act), numbers

        return await self._ledger.db.write(work)

    def _check(self, parts: Sequence[Part]) -> None:
        if not 1 <= len(parts) <= MOST:
            msg = f"router: parts: one to {MOST} may be split off at once; change their number"
            raise RejectedError(msg, reason="parts")
        for part in parts:
            needed(part.words, "give each part the words that tell its matter")
            if part.department and part.department not in self._planner.rules.directory.names:
                msg = f"router: department {part.department[:40]} is unknown; choose one of the directory"
                raise RejectedError(msg, reason="department")

    async def _rows(
        self, tx: Tx, case: Row, parts: Sequence[Part], act: Act
    ) -> list[dict[str, Any]]:
        """Write items, cases and first lines of the parts, and hand their words to the classifier."""
        origin = (await tx.run(select(T.items).where(T.items.c.id == case["id"]))).one()
        found = await tx.run(select(T.verdicts).where(T.verdicts.c.item_id == case["id"]))
        verdict = found.first()
        if verdict is None:
            msg = "router: this case has no verdict yet; try again in a moment"
            raise ConflictError(msg)
        day = act.at.astimezone(self._planner.timekeeper.zone).strftime("%Y%m%d")
        ledger = self._ledger
        numbers = await take_numbers(tx, [day] * len(parts), is_sqlite=ledger.db.is_sqlite)
        numbered = list(zip(parts, numbers, strict=True))
        cases = [
            case_row(case, p, n, self._suggest(case, p, verdict.dept_hint)) for p, n in numbered
        ]
        await tx.insert(T.items, [item_row(self._vault, origin, p, n) for p, n in numbered])
        await tx.insert(T.cases, cases)
        await tx.insert(T.case_items, [{"item_id": n, "case_id": n} for n in numbers])
        await tx.insert(T.verdicts, [verdict_row(verdict, one, act.at) for one in cases])
        first = Step(Verb.SPLIT, "", CaseStatus.RECEIVED, reason=PART, note=case["case_no"])
        told = replace(act, reason=PART)
        await tx.insert(T.events, [event_row(n, first, told, version=1) for n in numbers])
        words = [record(f"{n}:1", str(n), ItemRef(n, 1)) for n in numbers]
        await ledger.publish(tx, "items", words)
        return cases

    def _suggest(self, case: Row, part: Part, hint: str) -> tuple[str, str]:
        """The office a part should go to, and the rule that says so."""
        if part.department:
            return part.department, DESK
        rules, zone = self._planner.rules, self._planner.timekeeper.zone
        labels = part.labels
        route = rules.route(
            Matter(
                labels.kind, labels.problems, labels.campaigns, labels.urgency, case["channel"], hint,
                part.words, rules.directory.areas.get(case["area"]), case["point"],
                case["received_at"].astimezone(zone),
            )
        )  # fmt: skip
        return route.lead, route.rule
