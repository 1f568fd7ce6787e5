"""The app's door under broken requests: always a clear answer, never a 5xx, neighbours are kept."""

import json
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from recorded import payloads
from sqlalchemy import func, select
from test_malformed import mutate

from hub.web import errors
from ingest.admit import Admission
from ingest.connectors.app import App
from ingest.gateway import Gateway
from store.db import Database
from store.tables import T

KEY = "a-secret-key-of-the-city-app"
HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
REQUESTS = 1_000


@pytest.fixture
async def client(admission: Admission) -> AsyncIterator[TestClient[Any, Any]]:
    async def status_of(_receipt: str) -> None:
        return None

    async def rated(_receipt: str, _said: Any) -> bool:
        return False

    gateway = Gateway(
        admission=admission, app=App(), keys={"city": KEY}, status_of=status_of, rated=rated, rate=1e6, burst=1e6,
    )  # fmt: skip
    application = web.Application(middlewares=[errors], client_max_size=10_000_000)
    application.add_routes(gateway.routes())
    async with TestClient(TestServer(application)) as made:
        yield made


async def count(db: Database) -> int:
    async with db.read() as conn:
        return int((await conn.execute(select(func.count()).select_from(T.items))).scalar_one())


async def test_broken_bodies_get_a_clear_answer(client: TestClient[Any, Any]) -> None:
    pick = random.Random(4)
    whole = payloads("app")[0].read_bytes()
    one = json.dumps(json.loads(whole)["items"][0], ensure_ascii=False).encode()
    for n in range(REQUESTS):
        path, body = ("/api/v1/items", one) if n % 2 else ("/api/v1/items/batch", whole)
        answer = await client.post(path, data=mutate(body, pick), headers=HEADERS)
        assert answer.status < 500, await answer.text()
        told = await answer.json()
        assert answer.status < 400 or told["error"].startswith("ingest: ")


async def test_wrong_neighbours_cost_nobody_their_place(
    client: TestClient[Any, Any], db: Database
) -> None:
    pick = random.Random(5)
    wrong: list[Any] = [
        5, None, [], {}, {"id": "x"}, {"text": "x"}, {"id": 1, "text": "x"}, {"id": "x" * 300, "text": "x"},
        {"id": "n\u0000l", "text": "x"}, {"id": "y", "text": "\u200b"}, {"id": "z", "text": "长" * 10_001},
        {"id": "p", "text": "x", "place": {"lat": 999}}, {"id": "t", "text": "x", "time": "2026-11-24T08:00:00"},
        {"id": "c", "text": "x", "contact": {"phone": "1" * 99}}, {"id": "a", "text": "x", "author": "x" * 999},
    ]  # fmt: skip
    good = 0
    for batch in range(20):
        items = [pick.choice(wrong) for _ in range(20)]
        for n in range(10):
            items.insert(pick.randrange(len(items)), {"id": f"{batch}-{n}", "text": f"路灯坏了{n}"})
        answer = await client.post("/api/v1/items/batch", json={"items": items}, headers=HEADERS)
        told = (await answer.json())["items"]
        good += sum("receipt" in one for one in told)
        assert all("error" in one or one["receipt"] for one in told)
    assert good == 200
    assert await count(db) == 200


async def test_lone_surrogates_are_refused_or_cleaned(
    client: TestClient[Any, Any], db: Database
) -> None:
    for n, body in enumerate(
        (b'{"id": "\\ud800", "text": "x"}', b'{"id": "1", "text": "a\\ud800b"}')
    ):
        answer = await client.post("/api/v1/items", data=body, headers=HEADERS)
        assert answer.status in {200, 201, 422}, n
