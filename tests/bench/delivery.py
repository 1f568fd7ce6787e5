"""How fast work orders reach offices: 500 orders to each of two webhook endpoints over loopback HTTP, on SQLite.

Run from the project's root: ``python tests/bench/delivery.py``. Prints dispatches a second and endpoint.
"""

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from aiohttp import web
from sqlalchemy import func, insert, select

from hub.http import GuardedHttp
from router.notify.endpoints import build_senders
from router.notify.links import Links
from router.notify.senders import Endpoint
from router.notify.words import Speech
from router.notify.worker import Deliverer, NoticeWorker
from store.db import Database, Tx
from store.dead import DeadLetters
from store.migrate import migrate
from store.model import NoticeRef
from store.outbox import Outbox, record
from store.tables import T
from store.vault import Vault

ORDERS = 500
OFFICES = ("a", "b")
CASE = 202611240000001
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="


def clock() -> datetime:
    return datetime.now(UTC)


async def fill(db: Database, endpoints: dict[str, Endpoint]) -> None:
    """Orders for each office, and their deliveries."""
    now = clock()
    case = {
        "channel": "app",
        "kind": "complaint",
        "urgency": "normal",
        "decision": "auto",
        "confidence": 0.9,
    }
    case |= {
        "suggested": "a",
        "rule": "r",
        "received_at": now,
        "status": "dispatched",
        "department": "a",
    }
    item = {
        "channel": "app",
        "content_sha": "x",
        "text": "楼下有污水" * 20,
        "received_at": now,
        "sealed": b"",
    }
    order = {
        "lead": True,
        "status": "assigned",
        "seq": 1,
        "due_at": now + timedelta(days=3),
        "dispatched_at": now,
    }
    ids = [CASE + n for n in range(ORDERS * len(OFFICES))]
    office = {one: OFFICES[n % len(OFFICES)] for n, one in enumerate(ids)}
    worker = NoticeWorker(db=db, endpoints=endpoints, clock=clock)
    notices = [
        record(str(one), str(one), NoticeRef(one * 100 + 1, office[one], "assigned", 1))
        for one in ids
    ]
    effects = await worker.prepare(notices)

    async def work(tx: Tx) -> None:
        await tx.run(insert(T.cases), [{**case, "id": one, "case_no": f"DH{one}"} for one in ids])
        await tx.run(insert(T.items), [{**item, "id": one, "channel_id": str(one)} for one in ids])
        rows = [
            {**order, "id": one * 100 + 1, "case_id": one, "department": office[one]} for one in ids
        ]
        await tx.run(insert(T.work_orders), rows)
        await worker.apply(tx, effects)

    await db.write(work)


async def serve() -> tuple[web.AppRunner, str]:
    """An office that takes everything."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=204)

    application = web.Application()
    application.router.add_post("/{office}", take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


async def left(db: Database) -> int:
    d = T.deliveries.c
    async with db.read() as conn:
        waiting = select(func.count()).select_from(T.deliveries).where(d.state == "pending")
        return int((await conn.execute(waiting)).scalar_one())


async def main() -> None:
    runner, url = await serve()
    http, vault = GuardedHttp(["127.0.0.0/8"]), Vault(b"m" * 32)
    endpoints = {o: Endpoint(o, o, "webhook", url=f"{url}/{o}", secret=SECRET) for o in OFFICES}
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{folder}/minsheng.db")
        await db.open()
        await migrate(db)
        await fill(db, endpoints)
        speech = Speech({}, ZoneInfo("Asia/Shanghai"))
        deliverer = Deliverer(
            db=db, http=http, dead=DeadLetters(db, vault, Outbox(embedded=True)), endpoints=endpoints,
            senders=build_senders(speech=speech, clock=clock, mail=None), clock=clock, observe=lambda *_: None,
            link=Links(vault, base_url="https://hub.example", clock=clock).url,
        )  # fmt: skip
        begun = time.perf_counter()
        running = asyncio.create_task(deliverer.run())
        while await left(db):  # noqa: ASYNC110 - asks the database
            await asyncio.sleep(0.05)
        spent = time.perf_counter() - begun
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        print(
            f"{len(OFFICES)} endpoints × {ORDERS}: {spent:.1f} s, {ORDERS / spent:.0f} dispatches a second each"
        )
        await db.close()
    await http.close()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
