"""How long after its undo window a dispatch reaches its office: command, journal, notice, sender, loopback HTTP.

Run from the project's root: ``python tests/bench/leaving.py``. Prints milliseconds after ``leaves_at``.
"""

import asyncio
import json
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from aiohttp import web
from sqlalchemy import insert, select

from hub.app import Hub
from hub.city import load_city
from hub.settings import Settings
from router.filing import Understood
from store.db import Tx
from store.tables import T

ROOT = Path(__file__).parent.parent.parent
CASES, UNDO_S, FIRST = 100, 1.0, 202611240000001
OFFICE = "transport"
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="


async def file(hub: Hub, case: int) -> None:
    """A case that waits at the desk."""
    now = hub.clock()
    one = Understood(
        item_id=case, channel="app", title="", text=f"路口信号灯不亮{case}", address="", received_at=now, replayed=False,
        kind="complaint", problems=(), campaigns=(), urgency="normal", decision="desk", hint=OFFICE, trust=0.5, model="m",
    )  # fmt: skip
    filing = hub.routing.filer.file_all([one])
    item = {
        "id": case,
        "channel": "app",
        "channel_id": str(case),
        "content_sha": "x",
        "text": one.text,
    }
    verdict = {
        "item_id": case,
        "revision": 1,
        "model": "m",
        "kind": one.kind,
        "urgency": "normal",
        "decision": "desk",
    }

    async def work(tx: Tx) -> None:
        await tx.run(insert(T.items).values(**item, received_at=now, sealed=b""))
        await tx.run(insert(T.verdicts).values(**verdict, trust=0.5, dept_hint=OFFICE, at=now))
        await tx.insert(T.cases, filing.cases)
        await tx.insert(T.case_items, filing.case_items)
        await tx.insert(T.events, filing.events)

    await hub.db.write(work)


async def main() -> None:
    arrived: dict[str, datetime] = {}

    async def take(request: web.Request) -> web.Response:
        arrived[json.loads(await request.read())["data"]["order"]] = datetime.now(UTC)
        return web.Response(status=204)

    application = web.Application()
    application.router.add_post("/", take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    with tempfile.TemporaryDirectory() as folder:
        values: dict[str, Any] = {"net": {"allow": ["127.0.0.0/8"]}}
        city = load_city(ROOT / "configs")
        city = replace(city, lifecycle=city.lifecycle.model_copy(update={"undo_s": UNDO_S}))
        hub = Hub(Settings.model_validate(values), city, Path(folder))
        hub.routing.webhooks[OFFICE] = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        hub.routing.secrets[OFFICE] = SECRET
        await hub.open()
        await hub.start(("router",))
        for n in range(CASES):
            await file(hub, FIRST + n)
            await hub.commands.cases.dispatch(
                FIRST + n, version=1, actor="bench", department=OFFICE
            )
            await asyncio.sleep(0.05)
        while len(arrived) < CASES:  # noqa: ASYNC110 - filled by the server
            await asyncio.sleep(0.05)
        o = T.work_orders.c
        async with hub.db.read() as conn:
            left = {row[0]: row[1] for row in await conn.execute(select(o.id, o.leaves_at))}
        late = sorted((arrived[str(one)] - at).total_seconds() * 1000 for one, at in left.items())
        print(
            f"{CASES} dispatches: {late[0]:.0f} to {late[-1]:.0f} ms after the window and its"
            f" {1000 * (city.lifecycle.hold_s - UNDO_S):.0f} ms of grace, median {late[CASES // 2]:.0f},"
            f" p99 {late[round(CASES * 0.99) - 1]:.0f}"
        )
        await hub.close()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
