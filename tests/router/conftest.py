"""Work orders on a real database, told to any set of endpoints; an office that answers."""

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import insert, select

from hub.web import errors
from router.clocking import Timekeeper
from router.commands import build_commands
from router.filing import Filer, Understood
from router.ledger import Ledger
from router.notify.callbacks import Callbacks
from router.notify.endpoints import build_senders
from router.notify.links import Links
from router.notify.senders import Endpoint
from router.notify.webhook import headers
from router.notify.words import Speech
from router.notify.worker import Deliverer, NoticeWorker
from router.planning import Planner
from router.workflow import Verb
from store.answers import Answers
from store.db import Database, Tx
from store.dead import DeadLetters
from store.model import NoticeRef, Record, item_uid
from store.outbox import Outbox, record
from store.ports import Http
from store.tables import T
from store.vault import Vault

sys.path.insert(0, str(Path(__file__).parent))

OTHER = "whsec_" + "enl4d3Z1dHNycXBvbm1sa2ppaGdmZWRjYmE5ODc2NTQ="
BASE = "https://hub.example"
CASE = 202611240000001
SAID = dict.fromkeys(("title", "name", "phone", "email", "address"), "") | {"author": "openid"}
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


class Office:
    """The client side: signs as an office does, opens links as a person does."""

    def __init__(self, desk: Any, client: TestClient[Any, Any], links: Links) -> None:
        self.desk, self.client, self.links = desk, client, links

    async def call(
        self, order: int, verb: str, body: Any = None, *, webhook_id: str = "id-1", secret: str = SECRET,
        late_s: float = 0, forge: dict[str, str] | None = None,
    ) -> tuple[int, Any]:  # fmt: skip
        sent = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        stamp = int(self.desk.clock().timestamp() - late_s)
        signed = headers(secret, webhook_id, stamp, sent) | (forge or {})
        answer = await self.client.post(
            f"/office/v1/orders/{order}/{verb}", data=sent, headers=signed
        )
        told = await answer.read()
        return answer.status, json.loads(told) if answer.content_type.endswith("json") else told

    def link(self, order: int) -> str:
        return self.links.url(order, self.desk.clock()).removeprefix(BASE)

    async def post(self, path: str, **form: str) -> tuple[int, str]:
        answer = await self.client.post(path, data=form)
        return answer.status, await answer.text()

    async def history(self, order: int) -> list[tuple[str, str, str]]:
        e = T.events.c
        async with self.desk.db.read() as conn:
            rows = await conn.execute(
                select(e.verb, e.actor, e.note).where(e.case_id == order // 100).order_by(e.id)
            )
            return [tuple(row) for row in rows]


@pytest.fixture
async def office(desk: Any, city: Any, vault: Vault) -> AsyncIterator[Office]:
    answers = Answers((), is_sqlite=desk.db.is_sqlite)
    ledger = Ledger(db=desk.db, outbox=desk.outbox, answers=answers, clock=desk.clock)
    planner = Planner(city.router, Timekeeper(city.deadlines, desk.speech.zone))
    commands = build_commands(ledger, planner, city.lifecycle, vault)
    links = Links(vault, base_url=BASE + "/", clock=desk.clock)
    callbacks = Callbacks(
        db=desk.db, commands=commands, links=links, secrets={"a": SECRET, "b": OTHER}, speech=desk.speech, clock=desk.clock
    )  # fmt: skip
    application = web.Application(middlewares=[errors])
    application.add_routes(callbacks.routes())
    async with TestClient(TestServer(application)) as client:
        yield Office(desk, client, links)


class Town:
    """Cases as the router files them, the commands over them, and looks into the database."""

    def __init__(self, db: Database, clock: Any, outbox: Outbox, city: Any, vault: Vault) -> None:
        self.db, self.clock, self.vault = db, clock, vault
        answers = Answers(("app",), is_sqlite=db.is_sqlite)
        self.ledger = Ledger(db=db, outbox=outbox, answers=answers, clock=clock)
        self.planner = Planner(city.router, Timekeeper(city.deadlines, ZoneInfo("Asia/Shanghai")))
        self.commands = build_commands(self.ledger, self.planner, city.lifecycle, vault)
        self.filer = Filer(planner=self.planner, prefix="DH", clock=clock, hold_s=city.lifecycle.hold_s)  # fmt: skip
        endpoints = {
            one: Endpoint(one, one, "webhook", url="https://a.example", secret=SECRET)
            for one in city.directory.names
        }
        self.notices = NoticeWorker(db=db, endpoints=endpoints, clock=clock)
        self.followed = 0

    async def case(self, n: int = 0, *, author: str = "", **more: Any) -> int:
        """A case of one citizen that waits at the desk; its number."""
        case, now = CASE + n, self.clock()
        values: dict[str, Any] = {
            "item_id": case, "channel": "app", "title": "", "text": f"楼下有污水{n}", "address": "",
            "received_at": now, "replayed": False, "kind": "complaint", "problems": ("sewage",), "campaigns": (),
            "urgency": "normal", "decision": "desk", "hint": "housing_construction", "trust": 0.5, "model": "m@1",
        }  # fmt: skip
        one = Understood(**(values | more))
        filing = self.filer.file_all([one])
        item = {
            "id": case,
            "channel": "app",
            "channel_id": str(n),
            "content_sha": "x",
            "text": one.text,
        }
        box = self.vault.seal(
            str(item_uid("app", str(n))), json.dumps(SAID | {"text": one.text}).encode()
        )
        verdict = {
            "item_id": case,
            "revision": 1,
            "model": one.model,
            "kind": one.kind,
            "problems": '["sewage"]',
        }
        verdict |= {
            "urgency": one.urgency,
            "decision": one.decision,
            "dept_hint": one.hint,
            "trust": 0.5,
            "at": now,
        }

        async def work(tx: Tx) -> None:
            await tx.run(
                insert(T.items).values(
                    **item, author_key=author, received_at=now, sealed=box.sealed, key=box.key
                )
            )
            await tx.run(insert(T.verdicts).values(**verdict))
            for table, rows in (
                (T.cases, filing.cases), (T.case_items, filing.case_items),
                (T.work_orders, filing.work_orders), (T.events, filing.events),
            ):  # fmt: skip
                await tx.insert(table, rows)

        await self.db.write(work)
        return case

    async def rows(self, table: Any, *where: Any) -> list[Any]:
        async with self.db.read() as conn:
            keys = list(table.primary_key.columns)
            return list((await conn.execute(select(table).where(*where).order_by(*keys))).all())

    async def row(self, case: int) -> Any:
        return (await self.rows(T.cases, T.cases.c.id == case))[0]

    async def orders(self, case: int) -> list[Any]:
        return await self.rows(T.work_orders, T.work_orders.c.case_id == case)

    async def order(self, case: int) -> Any:
        """The newest of the lead's orders."""
        return [order for order in await self.orders(case) if order.lead][-1]

    async def history(self, case: int) -> list[Any]:
        return await self.rows(T.events, T.events.c.case_id == case)

    async def dispatch(self, case: int, department: str, **more: Any) -> int:
        version = (await self.row(case)).version
        return await self.commands.cases.dispatch(
            case, version=version, actor="wang", department=department, **more
        )

    async def sent(self, case: int, department: str, **more: Any) -> Any:
        """Dispatched, and out of the hub."""
        await self.dispatch(case, department, **more)
        self.clock.forward(seconds=8.25)
        return await self.order(case)

    async def act(self, order: Any, verb: Verb, note: str = "", **more: Any) -> int:
        return await self.commands.orders.progress(
            order.id, actor="office", scope=order.department, verb=verb, note=note, **more
        )

    async def ask(self, order: Any, what: str, limit: Any) -> int:
        return await self.commands.requests.ask(
            order.id, actor="office", scope=order.department, what=what, note="雨天", limit=limit
        )

    async def done(self, case: int, department: str) -> Any:
        """Dispatched, signed and handled; the order as it was before."""
        order = await self.sent(case, department)
        await self.act(order, Verb.SIGN)
        await self.act(order, Verb.HANDLE, "已办")
        return order

    async def deliver(self) -> list[Any]:
        """Follow the notices; what may leave now, in order."""
        log = await self.rows(T.log, T.log.c.topic == "notices", T.log.c.id > self.followed)
        if log:
            self.followed = log[-1].id
            records = [Record(one.record_id, one.key, one.payload) for one in log]
            effects = await self.notices.prepare(records)
            await self.db.write(lambda tx: self.notices.apply(tx, effects))
        found = await self.rows(T.deliveries, T.deliveries.c.state == "pending")
        return [one for one in found if one.due_at <= self.clock()]


@pytest.fixture
def town(db: Database, clock: Any, outbox: Outbox, city: Any, vault: Vault) -> Town:
    return Town(db, clock, outbox, city, vault)
