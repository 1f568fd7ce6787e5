"""Signed webhooks: verified by an independent library, retried, ordered, fenced by a breaker."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert, select
from standardwebhooks.webhooks import Webhook

from router.notify.senders import Endpoint
from router.notify.webhook import WebhookSender, headers, parse_secret
from router.notify.worker import OPEN_AFTER, Deliverer, NoticeWorker
from store.db import Database, Tx
from store.dead import DeadLetters
from store.errors import ConfigError, TransientError
from store.model import NoticeRef, dispatch_uid
from store.outbox import Outbox, record
from store.ports import Answer
from store.tables import T
from store.vault import Vault

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
CASE = 202611240000001
ENDPOINTS = {"a": Endpoint("a", "a", "webhook", url="http://a/", secret=SECRET)}


class Office:
    """Stands for the network: answers from a list, then 204; None is a lost connection."""

    def __init__(self, *answers: int | None) -> None:
        self.answers = list(answers)
        self.got: list[tuple[str, Mapping[str, str], bytes]] = []

    async def send(self, method: str, url: str, **more: Any) -> Answer:
        self.got.append((url, more["headers"], more["body"]))
        status = self.answers.pop(0) if self.answers else 204
        if status is None:
            raise TransientError("http: gone")
        return Answer(status, b"", {"retry-after": "7"} if status == 429 else {})


def test_signature_is_accepted_by_the_standards_own_library() -> None:
    body = b'{"type":"work_order.assigned"}'
    stamp = int(datetime.now(UTC).timestamp())
    assert Webhook(SECRET).verify(body.decode(), headers(SECRET, "id-1", stamp, body))


@pytest.mark.parametrize("secret", ["whsec_!!", "whsec_YWJj", ""])
def test_useless_secret_is_refused(secret: str) -> None:
    with pytest.raises(ConfigError, match="webhook_secrets"):
        parse_secret(secret)


@pytest.fixture
async def given(db: Database, clock: Any) -> None:
    """A case with two work orders' notices."""
    now = clock()
    base = {"case_no": "DH1", "channel": "app", "kind": "complaint", "urgency": "normal"}
    base |= {
        "decision": "auto",
        "confidence": 0.9,
        "suggested": "a",
        "rule": "r",
        "received_at": now,
    }

    async def work(tx: Tx) -> None:
        for n in (0, 1):
            case = {"id": CASE + n, "status": "dispatched", "department": "a"}
            await tx.run(insert(T.cases).values(**base, **case))
            item = {"id": CASE + n, "channel": "app", "channel_id": str(n), "content_sha": "x"}
            await tx.run(
                insert(T.items).values(**item, text="楼下有污水", received_at=now, sealed=b"")
            )
            for seq in (1, 2):
                order = {
                    "id": (CASE + n) * 100 + seq,
                    "case_id": CASE + n,
                    "department": "a",
                    "lead": True,
                }
                times = {"due_at": now, "dispatched_at": now}
                await tx.run(
                    insert(T.work_orders).values(**order, status="assigned", seq=seq, **times)
                )

    await db.write(work)


async def notice(db: Database, clock: Any, *seqs: tuple[int, int], department: str = "a") -> None:
    worker = NoticeWorker(db=db, endpoints=ENDPOINTS, clock=clock)
    records = [
        record(f"{case}:{seq}", str(case), NoticeRef(case * 100 + seq, department, "assigned", seq))
        for case, seq in seqs
    ]
    effects = await worker.prepare(records)
    await db.write(lambda tx: worker.apply(tx, effects))
    await db.write(lambda tx: worker.apply(tx, effects))


def deliverer(db: Database, office: Office, clock: Any, vault: Vault, outbox: Outbox) -> Deliverer:
    return Deliverer(
        db=db, http=office, dead=DeadLetters(db, vault, outbox), endpoints=ENDPOINTS,
        senders={"webhook": WebhookSender(clock)}, clock=clock, observe=lambda *_: None,
    )  # fmt: skip


async def states(db: Database) -> list[str]:
    async with db.read() as conn:
        return [
            r[0]
            for r in await conn.execute(select(T.deliveries.c.state).order_by(T.deliveries.c.id))
        ]


async def test_notice_is_delivered_once_with_its_constant_id(
    db: Database, clock: Any, vault: Vault, outbox: Outbox, given: None
) -> None:
    await notice(db, clock, (CASE, 1))
    office = Office()
    sender = deliverer(db, office, clock, vault, outbox)
    assert await sender.run_once() == 1
    assert await sender.run_once() == 0
    ((_, sent, body),) = office.got
    assert sent["webhook-id"] == str(dispatch_uid(CASE, "a", 1))
    told = json.loads(body)
    assert told["data"]["text"] == "楼下有污水"
    assert told["seq"] == 1
    assert await states(db) == ["delivered"]


async def test_department_without_a_system_is_served_by_the_inbox(
    db: Database, clock: Any, given: None
) -> None:
    await notice(db, clock, (CASE, 1), department="other")
    assert await states(db) == []


async def test_failure_is_tried_again_with_the_same_id_and_order_is_kept(
    db: Database, clock: Any, vault: Vault, outbox: Outbox, given: None
) -> None:
    await notice(db, clock, (CASE, 1), (CASE, 2), (CASE + 1, 1))
    office = Office(500)
    sender = deliverer(db, office, clock, vault, outbox)
    await sender.run_once()
    assert await states(db) == ["pending", "pending", "delivered"]
    await sender.run_once()
    assert len(office.got) == 2
    clock.forward(seconds=6)
    while await sender.run_once():
        pass
    ids = [sent["webhook-id"] for _, sent, _ in office.got]
    assert ids[0] == ids[2]
    assert [
        json.loads(b)["seq"]
        for _, s, b in office.got
        if json.loads(b)["data"]["order"].startswith(str(CASE))
    ] == [1, 1, 2]
    assert await states(db) == ["delivered"] * 3


async def test_retry_after_is_honoured(
    db: Database, clock: Any, vault: Vault, outbox: Outbox, given: None
) -> None:
    await notice(db, clock, (CASE, 1))
    sender = deliverer(db, office := Office(429), clock, vault, outbox)
    await sender.run_once()
    clock.forward(seconds=6)
    assert await sender.run_once() == 0
    clock.forward(seconds=2)
    assert await sender.run_once() == 1
    assert len(office.got) == 2


async def test_refusal_goes_to_dead_after_three_tries(
    db: Database, clock: Any, vault: Vault, outbox: Outbox, given: None
) -> None:
    await notice(db, clock, (CASE, 1))
    sender = deliverer(db, Office(422, 422, 422), clock, vault, outbox)
    for _ in range(5):
        await sender.run_once()
        clock.forward(hours=1)
    assert await states(db) == ["dead"]
    assert [one.stage for one in await DeadLetters(db, vault, outbox).list()] == ["deliver"]


async def test_broken_endpoint_is_probed_with_one_message(
    db: Database, clock: Any, vault: Vault, outbox: Outbox, given: None
) -> None:
    await notice(db, clock, (CASE, 1), (CASE + 1, 1))
    office = Office(*[None] * 40)
    sender = deliverer(db, office, clock, vault, outbox)
    while len(office.got) < OPEN_AFTER + 1:
        await sender.run_once()
        clock.forward(seconds=61)
    before = len(office.got)
    await sender.run_once()
    assert len(office.got) - before <= 1
    clock.forward(seconds=5)
    assert await sender.run_once() == 0
    office.answers.clear()
    for _ in range(4):
        clock.forward(seconds=3601)
        await sender.run_once()
    assert await states(db) == ["delivered"] * 2


async def test_three_days_of_silence_end_in_dead(
    db: Database, clock: Any, vault: Vault, outbox: Outbox, given: None
) -> None:
    await notice(db, clock, (CASE, 1))
    sender = deliverer(db, Office(*[None] * 500), clock, vault, outbox)
    for _ in range(60):
        clock.forward(hours=2)
        await sender.run_once()
    assert await states(db) == ["dead"]
