"""A whole hub on SQLite and on Kafka with PostgreSQL, and a client of its web server."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from desk.app import Desk
from hub.app import Hub
from hub.web import build

sys.path.insert(0, str(Path(__file__).parent))

from people import KEY

Start = Callable[..., Awaitable[Hub]]


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("kafka_postgres", marks=[pytest.mark.kafka, pytest.mark.postgres]),
    ]
)
async def start(
    request: pytest.FixtureRequest, make_hub: Callable[..., Hub]
) -> AsyncIterator[Start]:
    """Start a hub with these connectors beside the app; on each pair of stores."""
    made: list[Hub] = []

    async def begin(*, undo_s: float = 0, **connectors: Any) -> Hub:
        app = {"keys": {"city": KEY}}
        open311 = {"enabled": True}
        more = {
            "connectors": {"app": app, "open311": open311, **connectors},
            "net": {"allow": ["127.0.0.0/8"]},
            "undo_s": undo_s,
        }
        urls = [request.getfixturevalue("sqlite_url")]
        if request.param != "sqlite":
            urls = [request.getfixturevalue(name) for name in ("postgres_url", "kafka_url")]
        hub = make_hub(*urls, **more)
        made.append(hub)
        await hub.open()
        await hub.start()
        return hub

    yield begin
    for hub in made:
        await hub.close()


@pytest.fixture
async def hub(start: Start) -> Hub:
    return await start()


DeskOf = Callable[[Hub], Awaitable[TestClient[Any, Any]]]


@pytest.fixture
async def desk_of() -> AsyncIterator[DeskOf]:
    """A client of a hub's web server, with people who may log in."""
    async with AsyncExitStack() as stack:

        async def serve(hub: Hub) -> TestClient[Any, Any]:
            desk = Desk(
                db=hub.db, vault=hub.vault, commands=hub.commands, city="测试市民声", taxonomy=hub.city.taxonomy,
                directory=hub.city.directory, charges=hub.city.charges, replies=hub.routing.replies, reckoner=hub.routing.reckoner, numbers=hub.trends.numbers, bulletins=hub.reporting.bulletins, trends=hub.city.trends, topics=hub.city.topics, book=hub.trends.book, supervisor=hub.routing.supervisor(), admission=hub.admission, sources=hub.channels.names, lists=hub.channels.lists, finder=hub.routing.finder, zone=hub.zone, clock=hub.clock, channels={"app": "手机APP"},
                rules={},
            )  # fmt: skip
            await desk.accounts.put("wang", "correct horse", role="dispatcher", display="派遣员")
            await desk.accounts.put(
                "fa", "correct horse", role="department", display="执法", scope="urban_enforcement"
            )
            await desk.accounts.put(
                "jie", "correct horse", role="subdistrict", display="街道", scope="bohai"
            )
            await desk.accounts.put("ducha", "correct horse", role="supervisor", display="督查")
            await desk.accounts.put("lead", "correct horse", role="official", display="领导")
            server = TestServer(build(hub, mounts=(desk.mount,)))
            client = await stack.enter_async_context(TestClient(server))
            stack.push_async_callback(desk.close)
            return client

        yield serve


@pytest.fixture
async def client(hub: Hub, desk_of: DeskOf) -> TestClient[Any, Any]:
    return await desk_of(hub)
