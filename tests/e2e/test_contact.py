"""A citizen's telephone stays sealed: no row in plain, no byte that leaves for an office."""

from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from people import case_of, log_in, submit
from sqlalchemy import select

from hub.app import Hub
from router.ladder import Level
from router.notify.endpoints import build_senders
from router.notify.senders import Endpoint
from router.notify.words import Speech
from router.notify.worker import Deliverer, NoticeWorker
from store.dead import DeadLetters
from store.model import Record
from store.ports import Answer
from store.tables import T

PHONE = "13812345678"
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
TEXT = f"翰章大街建设银行门口垃圾桶满了，请打{PHONE}，或 138-1234-5678、１３８１２３４５６７８，微信号：abc{PHONE[:6]}"


class Ear:
    """Keeps every byte it is sent."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def send(self, method: str, url: str, *, headers: Any = None, body: bytes = b"", **_: Any) -> Answer:  # fmt: skip
        self.heard.append(f"{method} {url} {headers} {body.decode()}")
        return Answer(200, b'{"errcode":0}')


async def everything(hub: Hub) -> str:
    """All rows of all tables, as text; what is sealed can not be read."""
    told = []
    async with hub.db.read() as conn:
        for table in T.items.metadata.sorted_tables:
            told += [str(tuple(row)) for row in await conn.execute(select(table))]
    return "\n".join(told)


async def test_telephone_leaves_nowhere(hub: Hub, client: TestClient[Any, Any]) -> None:
    if not hub.embedded:
        pytest.skip("the notices are in the journal outside")
    contact = {"name": "某市民", "phone": PHONE}
    await submit(client, id="c", text=TEXT, title=f"回电{PHONE}", author=PHONE, contact=contact)
    case = await case_of(hub, "city:c")
    wang = await log_in(client, "wang")
    body = {"version": case.version, "department": "urban_enforcement"}
    answer = await client.post(f"/desk/api/cases/{case.id}/dispatch", json=body, headers=wang)
    assert answer.status in {200, 409}
    async with hub.db.read() as conn:
        [order] = (await conn.execute(select(T.work_orders).where(T.work_orders.c.lead))).all()
    await hub.routing.supervisor().issue_now(order.id, level=Level.URGE, actor="ducha")
    endpoint = Endpoint(order.department, order.department, "webhook", url="https://a.example", secret=SECRET)  # fmt: skip
    endpoints = {endpoint.key: endpoint}
    ear = Ear()
    worker = NoticeWorker(db=hub.db, endpoints=endpoints, clock=hub.clock)
    async with hub.db.read() as conn:
        log = (await conn.execute(select(T.log).where(T.log.c.topic == "notices"))).all()
    effects = await worker.prepare([Record(one.record_id, one.key, one.payload) for one in log])
    await hub.db.write(lambda tx: worker.apply(tx, effects))
    deliverer = Deliverer(
        db=hub.db, http=ear, dead=DeadLetters(hub.db, hub.vault, hub.outbox), endpoints=endpoints,
        senders=build_senders(speech=Speech({}, hub.zone), clock=hub.clock, mail=None), clock=hub.clock, observe=lambda *_: None,
    )  # fmt: skip
    while await deliverer.run_once():
        pass
    assert len(ear.heard) == len(effects) > 0
    digits = "".join(ear.heard) + await everything(hub)
    for written in (PHONE, "1234-5678", "１３８１２３"):
        assert written not in digits, written
