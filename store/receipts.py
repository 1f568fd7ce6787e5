"""What a citizen may know with number and code: where the message stands, never who said what."""

from __future__ import annotations

import hmac
from typing import Any

from sqlalchemy import select

from store.db import Database
from store.model import item_uid
from store.tables import T
from store.vault import Vault


class Receipts:
    """Answers receipts ``<number>-<code>``; a wrong code and an unknown number look the same."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault

    async def status(self, receipt: str) -> dict[str, Any] | None:
        """Number, status, times and department of the case behind ``receipt``; None when wrong."""
        number, _, code = receipt.strip().partition("-")
        if not number.isdecimal() or len(number) > 18:  # noqa: PLR2004 - wider than any id
            return None
        row = await self._row(int(number))
        uid = str(item_uid(row.channel, row.channel_id)) if row else "nobody"
        given = code.upper().encode("utf-8", "replace")
        good = hmac.compare_digest(self._vault.code("receipt", uid).encode(), given)
        return _told(row) if row is not None and good else None

    async def item_of(self, receipt: str) -> int | None:
        """The item behind ``receipt``; None when it is wrong."""
        if await self.status(receipt) is None:
            return None
        return int(receipt.strip().partition("-")[0])

    async def of(self, item_id: int) -> dict[str, Any] | None:
        """The same for whom the caller knows to be the item's author; None when there is no such item."""
        row = await self._row(item_id)
        return _told(row) if row is not None else None

    async def _row(self, item_id: int) -> Any:
        i, ci, c = T.items.c, T.case_items.c, T.cases.c
        statement = (
            select(
                i.channel, i.channel_id, i.received_at,
                c.case_no, c.status, c.department, c.dispatched_at, c.due_at, c.promise_at, c.closed_at,
            )
            .outerjoin(T.case_items, ci.item_id == i.id)
            .outerjoin(T.cases, c.id == ci.case_id)
            .where(i.id == item_id)
        )  # fmt: skip
        async with self._db.read() as conn:
            return (await conn.execute(statement)).first()


def _told(row: Any) -> dict[str, Any]:
    times = ("received_at", "dispatched_at", "due_at", "promise_at", "closed_at")
    told = {name: value.isoformat() if (value := getattr(row, name)) else None for name in times}
    return {
        "case_no": row.case_no,
        "status": row.status or "received",
        "department": row.department or "",
        **told,
    }
