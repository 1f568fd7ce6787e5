"""Work orders on a real database, told to any set of endpoints."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select

from router.notify.endpoints import build_senders
from router.notify.senders import Endpoint
from router.notify.words import Speech
from router.notify.worker import Deliverer, NoticeWorker
from store.db import Database, Tx
from store.dead import DeadLetters
from store.model import NoticeRef
from store.outbox import Outbox, record
from store.ports import Http
from store.tables import T
from store.vault import Vault

CASE = 202611240000001
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="


class Desk:
    """Makes cases and tells offices of them."""

    def __init__(self, db: Database, clock: Any, vault: Vault, outbox: Outbox) -> None:
        self.db, self.clock, self.vault, self.outbox = db, clock, vault, outbox
        self.speech = Speech({"a": "甲局"}, ZoneInfo("Asia/Shanghai"))

    async def case(self, n: int = 0, *, department: str = "a", text: str = "楼下有污水") -> int:
        """A dispatched case with one work order; the order's id."""
        now, case = self.clock(), CASE + n
        base = {"channel": "app", "kind": "complaint", "urgency": "normal", "decision": "auto"}
        base |= {"confidence": 0.9, "suggested": "a", "rule": "r", "received_at": now, "version": 3}
        row = {
            "id": case,
            "case_no": f"DH20261124-{n:04}",
            "status": "dispatched",
            "decision_seq": 1,
        }
        item = {
            "id": case,
            "channel": "app",
            "channel_id": str(n),
            "content_sha": "x",
            "text": text,
        }
        order = {"id": case * 100 + 1, "case_id": case, "department": department, "lead": True}
        times = {"due_at": now, "dispatched_at": now}

        async def work(tx: Tx) -> None:
            await tx.run(insert(T.cases).values(**base, **row, department=department))
            await tx.run(insert(T.items).values(**item, received_at=now, sealed=b""))
            await tx.run(insert(T.work_orders).values(**order, status="assigned", seq=1, **times))

        await self.db.write(work)
        return case * 100 + 1

    async def tell(self, endpoints: dict[str, Endpoint], *orders: int, department: str = "a", seq: int = 1) -> None:  # fmt: skip
        """What the notify group does with the orders' notices."""
        worker = NoticeWorker(db=self.db, endpoints=endpoints, clock=self.clock)
        records = [
            record(f"{one}:{seq}", str(one // 100), NoticeRef(one, department, "assigned", seq))
            for one in orders
        ]
        effects = await worker.prepare(records)
        await self.db.write(lambda tx: worker.apply(tx, effects))

    def deliverer(self, endpoints: dict[str, Endpoint], http: Http, **more: Any) -> Deliverer:
        senders = build_senders(speech=self.speech, clock=self.clock, mail=None)
        senders |= more.pop("senders", {})
        return Deliverer(
            db=self.db, http=http, dead=DeadLetters(self.db, self.vault, self.outbox), endpoints=endpoints,
            senders=senders, clock=self.clock, observe=lambda *_: None, **more,
        )  # fmt: skip

    async def states(self, key: str = "") -> list[str]:
        d = T.deliveries.c
        async with self.db.read() as conn:
            rows = await conn.execute(select(d.department, d.state).order_by(d.id))
            return [row.state for row in rows if key in ("", row.department)]


@pytest.fixture
def desk(db: Database, clock: Any, vault: Vault, outbox: Outbox) -> Desk:
    return Desk(db, clock, vault, outbox)
