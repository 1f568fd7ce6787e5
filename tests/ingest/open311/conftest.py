"""Open311 over a real admission on SQLite, and a client of it."""

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from ingest.admit import Admission
from ingest.connectors.open311 import Open311, Open311Config
from ingest.connectors.open311.requests import StoredRequests
from store.db import Database

sys.path.insert(0, str(Path(__file__).parent))

from citizens import CLOSED, DEPARTMENTS, KEYS, NAMES, SERVICES, STATUSES

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
