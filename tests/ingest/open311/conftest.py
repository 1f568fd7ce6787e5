"""Open311 over a real admission on SQLite, and a client of it."""

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from hub.web import errors
from ingest.admit import Admission
from ingest.connectors.app import App
from ingest.connectors.open311 import Open311, Open311Config
from ingest.connectors.open311.requests import StoredRequests
from ingest.gateway import Gateway
from ingest.openapi import openapi, openapi_route
from store.db import Database
from store.receipts import Receipts
from store.vault import Vault

sys.path.insert(0, str(Path(__file__).parent))

from citizens import CLOSED, DEPARTMENTS, KEYS, NAMES, SECRET, SERVICES, STATUSES

Serve = Callable[..., Any]


@pytest.fixture(params=["sqlite"])
def db_url(request: pytest.FixtureRequest) -> str:
    """One kind of database is enough for most; the look-ups are tried on both."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def make(admission: Admission, db: Database, clock: Any) -> Callable[..., Open311]:
    def made(pressure: Callable[[], float] = lambda: 0.0, **config: Any) -> Open311:
        chosen = Open311Config(enabled=True, **config)
        requests = StoredRequests(
            db, "open311", NAMES, CLOSED, every_channel=chosen.public_requests == "all"
        )
        return Open311(
            "open311", chosen, SERVICES, admission=admission, keys=KEYS, requests=requests,
            statuses=STATUSES, closed=CLOSED, departments=DEPARTMENTS,
            zone=ZoneInfo("Asia/Shanghai"), clock=clock, pressure=pressure,
        )  # fmt: skip

    return made


@pytest.fixture
async def serve(make: Callable[..., Open311]) -> AsyncIterator[Serve]:
    """Starts a server with the given settings and gives a client of it."""
    opened: list[TestClient[Any, Any]] = []

    async def started(**more: Any) -> TestClient[Any, Any]:
        application = web.Application(client_max_size=100_000_000)
        application.add_routes(make(**more).routes())
        client = TestClient(TestServer(application))
        await client.start_server()
        opened.append(client)
        return client

    yield started
    for client in opened:
        await client.close()


@pytest.fixture
async def client(serve: Serve) -> TestClient[Any, Any]:
    return await serve()


@pytest.fixture
def gateway(admission: Admission, db: Database, vault: Vault, clock: Any) -> Gateway:
    receipts = Receipts(db, vault)

    async def rated(receipt: str, _said: Any) -> bool:
        return await receipts.item_of(receipt) is not None

    return Gateway(
        admission=admission, app=App(), keys={**KEYS, "signer": SECRET},
        status_of=receipts.status, rated=rated, rate=1e6, burst=1e6, now=clock.now.timestamp,
    )  # fmt: skip


@pytest.fixture
async def api(gateway: Gateway, make: Callable[..., Open311]) -> AsyncIterator[Any]:
    application = web.Application(client_max_size=100_000_000, middlewares=[errors])
    application.add_routes(
        [*gateway.routes(), *make(rate=1e6, burst=1e6).routes(), openapi_route(openapi())]
    )
    async with TestClient(TestServer(application)) as made:
        yield made
