"""A whole hub on SQLite with everything mounted, one logged-in client of each role, and two cases: one's own and another's."""

import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from desk.app import Desk
from hub.app import Hub
from hub.backstage import backstage
from hub.web import build

sys.path.insert(0, str(Path(__file__).parent))

from site_of import ROLES, Site, founded

from store.tables import T

CONFIGS = Path(__file__).parents[2] / "configs"
PEOPLE = [
    {
        "name": role,
        "display": role,
        "role": role,
        "scope": scope,
        "password": "",
        "failures": 0,
        "active": True,
    }
    for role, scope in ROLES.items()
    if role != "admin"
]
"""Who comes in by a login of the test's own making: hashing passwords takes long."""


@pytest.fixture
async def site(
    sqlite_url: str, make_hub: Callable[..., Hub], tmp_path: Path
) -> AsyncIterator[Site]:
    """The hub, its application and its people."""
    connectors = {"app": {"keys": {"city": "k" * 32}}, "open311": {"enabled": True}}
    hub = make_hub(sqlite_url, connectors=connectors)
    await hub.open()
    await hub.start()
    configs = tmp_path / "configs"
    shutil.copytree(CONFIGS, configs)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(hub.close)
        desk = Desk(
            db=hub.db, vault=hub.vault, commands=hub.commands, city="测试市民声", taxonomy=hub.city.taxonomy,
            directory=hub.city.directory, charges=hub.city.charges, replies=hub.routing.replies, reckoner=hub.routing.reckoner, numbers=hub.trends.numbers, bulletins=hub.reporting.bulletins, trends=hub.city.trends, topics=hub.city.topics, book=hub.trends.book, supervisor=hub.routing.supervisor(), admission=hub.admission, sources=hub.channels.names, lists=hub.channels.lists, finder=hub.routing.finder, zone=hub.zone, clock=hub.clock, channels={"app": "手机APP"},
            rules={rule.name: rule.why for rule in hub.city.router.rules.rule}, canned=hub.city.canned, people=hub.settings.accounts, http=hub.http, backstage=backstage(hub, configs, ()),
        )  # fmt: skip
        stack.push_async_callback(desk.close)
        application = build(hub, mounts=(desk.mount,))
        client = TestClient(TestServer(application))
        await stack.enter_async_context(client)
        made = Site(hub, application, client)
        await desk.accounts.put("admin", "correct horse", role="admin", display="admin")
        await hub.db.write(lambda tx: tx.insert(T.users, PEOPLE))
        await founded(made)
        yield made
