"""The reference receiver of docs/receiver.md does what the document says, against a real hub's routes."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from router.notify.senders import Endpoint
from store.ports import Answer
from store.tables import T

DOCUMENT = Path(__file__).parents[2] / "docs" / "receiver.md"
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="


async def test_reference_receiver_signs_and_handles(office: Any, desk: Any) -> None:
    code = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)[0]
    assert len([line for line in code.splitlines() if line]) <= 25
    receiver: dict[str, Any] = {}
    exec(code, receiver)  # noqa: S102 - the document's own lines
    receiver |= {"HUB": str(office.client.make_url("")).rstrip("/"), "SECRET": SECRET}
    desk.clock.now = datetime.now(UTC)

    class Wire:
        async def send(self, _method: str, _url: str, **more: Any) -> Answer:
            body = more["body"].decode()
            status = await asyncio.to_thread(receiver["receive"], more["headers"], body)
            return Answer(status, b"")

    order = await desk.case()
    endpoints = {"a": Endpoint("a", "a", "webhook", url="http://a/", secret=SECRET)}
    await desk.tell(endpoints, order)
    await desk.deliverer(endpoints, Wire()).run_once()
    assert await desk.states() == ["delivered"]
    await asyncio.to_thread(receiver["answer"], str(order), "handle", "已清掏")
    async with desk.db.read() as conn:
        assert (await conn.execute(select(T.cases.c.status))).scalar_one() == "handled"
