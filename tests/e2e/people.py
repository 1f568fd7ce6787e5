"""What a test of the whole hub does as a person or as the city's app."""

import asyncio
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from sqlalchemy import select

from hub.app import Hub
from store.tables import T

KEY = "a-secret-key-of-the-city-app"
AUTH = {"Authorization": f"Bearer {KEY}"}


async def case_of(hub: Hub, channel_id: str) -> Any:
    """The case of a message, once the rooms have made it."""
    for _ in range(300):
        async with hub.db.read() as conn:
            found = (
                await conn.execute(
                    select(T.cases).join(T.items, T.items.c.id == T.cases.c.id)
                    .where(T.items.c.channel_id == channel_id)
                )
            ).first()  # fmt: skip
        if found is not None:
            return found
        await asyncio.sleep(0.1)
    pytest.fail(f"no case for {channel_id}")


async def submit(client: TestClient[Any, Any], **body: Any) -> dict[str, Any]:
    answer = await client.post("/api/v1/items", json=body, headers=AUTH)
    assert answer.status in {200, 201}, await answer.text()
    return dict(await answer.json())


async def log_in(client: TestClient[Any, Any], name: str) -> dict[str, str]:
    origin = {"Origin": str(client.make_url("/")).rstrip("/")}
    form = {"name": name, "password": "correct horse"}
    answer = await client.post("/login", data=form, headers=origin, allow_redirects=False)
    assert answer.status == 302, await answer.text()
    page = await (await client.get("/desk" if name != "fa" else "/inbox")).text()
    mark = 'data-token="' if 'data-token="' in page else 'name="token" value="'
    return origin | {"X-Token": page.split(mark)[1].split('"')[0]}
