"""Rows of cases written by hand, for tests that need a month's history in the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from store.db import Database, Tx
from store.tables import T

ZONE = ZoneInfo("Asia/Shanghai")


def at(text: str) -> datetime:
    """A time of the city's clock: ``2026-11-09 10:00``."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


class Ledger:
    """Collects rows, then writes them in one go."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.seq: dict[int, int] = {}
        self.version: dict[int, int] = {}

    def _put(self, table: str, row: dict[str, Any]) -> None:
        self.rows.setdefault(table, []).append(row)

    def case(self, case: int, **more: Any) -> int:
        row = {
            "id": case, "case_no": f"DH{case}", "status": "handling", "channel": "app",
            "kind": "complaint", "urgency": "normal", "decision": "auto", "confidence": 0.9,
            "department": "", "suggested": "", "rule": "", "area": "", "joint": False, "items": 1,
            "relapse_of": None, "received_at": at("2026-10-01 08:00"), "replayed": False,
        }  # fmt: skip
        self._put("cases", row | more)
        return case

    def order(self, case: int, department: str, given: datetime, due: datetime, **more: Any) -> int:
        seq = self.seq[case] = self.seq.get(case, 0) + 1
        row = {
            "id": case * 100 + seq, "case_id": case, "department": department, "lead": True,
            "status": "signed", "seq": seq, "rule": "", "clock": "", "extensions": 0, "reworks": 0,
            "due_at": due, "sign_due_at": None, "dispatched_at": given, "signed_at": None,
            "handled_at": None, "ended_at": None,
        }  # fmt: skip
        self._put("work_orders", row | more)
        return int(row["id"])

    def event(self, case: int, verb: str, when: datetime, order: int | None = None) -> None:
        version = self.version[case] = self.version.get(case, 0) + 1
        row = {"case_id": case, "order_id": order, "verb": verb, "before": "", "after": ""}
        row["version"] = version
        self._put("events", row | {"actor": "desk", "at": when})

    def returned(
        self, case: int, order: int, state: str, when: datetime, judged: datetime | None
    ) -> None:
        row = {"case_id": case, "order_id": order, "department": "", "rule": "", "reason": "other"}
        self._put("returns", row | {"state": state, "actor": "x", "at": when, "judged_at": judged})

    def rated(self, item: int, case: int, satisfied: str, solved: str, when: datetime) -> None:
        row = {"item_id": item, "case_id": case, "solved": solved, "satisfied": satisfied}
        self._put("ratings", row | {"via": "phone", "actor": "desk", "at": when})

    def urged(self, case: int, order: int | None, level: str, when: datetime) -> None:
        n = len(self.rows.get("supervisions", []))
        row = {"mark": f"m{n}", "number": "", "level": level, "case_id": case, "order_id": order}
        row |= {"department": "", "addressee": "", "state": "open", "actor": "x", "at": when}
        self._put("supervisions", row)

    async def write(self, db: Database) -> None:
        async def work(tx: Tx) -> None:
            for name, rows in self.rows.items():
                await tx.insert(getattr(T, name), rows)

        await db.write(work)
        self.rows.clear()
