"""A hub that stands still, its desk, and browsers of people of each role."""

import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from desk.app import Desk
from desk.settings import AccountsConfig
from hub.app import Hub
from hub.backstage import backstage
from hub.web import build

sys.path.insert(0, str(Path(__file__).parent))

from visitors import Office, Opens, put

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
async def open_office(make_hub: Callable[..., Hub], tmp_path: Path) -> AsyncIterator[Opens]:
    """Open a desk over a database with one person a role."""
    async with AsyncExitStack() as stack:

        async def begin(
            url: str,
            roles: tuple[str, ...] = (),
            *,
            http: Any = None,
            public_url: str = "",
            **accounts: Any,
        ) -> Office:
            hub = make_hub(url)
            await hub.open()
            stack.push_async_callback(hub.close)
            configs = tmp_path / "configs"
            shutil.copytree(ROOT / "configs", configs)
            desk = Desk(
                db=hub.db, vault=hub.vault, commands=hub.commands, city="测试市民声", taxonomy=hub.city.taxonomy,
                directory=hub.city.directory, charges=hub.city.charges, replies=hub.routing.replies, reckoner=hub.routing.reckoner, numbers=hub.trends.numbers, bulletins=hub.reporting.bulletins, trends=hub.city.trends,
                supervisor=hub.routing.supervisor(), admission=hub.admission, sources=hub.channels.names, lists=hub.channels.lists,
                finder=hub.routing.finder, zone=hub.zone, clock=hub.clock, channels={"app": "手机APP"}, rules={},
                topics=hub.city.topics, book=hub.trends.book, people=AccountsConfig.model_validate(accounts), http=http, public_url=public_url, backstage=backstage(hub, configs, ()),
            )  # fmt: skip
            for role in roles:
                await put(hub, role)
            server = TestServer(build(hub, mounts=(desk.mount,)))
            await stack.enter_async_context(server)
            stack.push_async_callback(desk.close)
            return Office(hub, desk, server, configs, stack)

        yield begin


@pytest.fixture
async def office(open_office: Opens, sqlite_url: str) -> Office:
    """With an administrator and a dispatcher."""
    return await open_office(sqlite_url, ("admin", "dispatcher"))
