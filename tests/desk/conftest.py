"""A browser and a running hub with messages in its queue."""

import inspect
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from desk.accounts import User, hash_of
from desk.app import Desk
from desk.security import COOKIE
from desk.sessions import Sessions
from hub.app import Hub
from hub.backstage import backstage
from hub.web import build
from store.model import Item
from store.tables import T

sys.path.insert(0, str(Path(__file__).parent))

from hands import filed

UNREAD = (
    "ignore:unclosed file:ResourceWarning",
    "ignore:Exception ignored in. <_io:pytest.PytestUnraisableExceptionWarning",
)
"""A browser that leaves while a script comes makes the server drop the file it was sending."""

CONFIGS = Path(__file__).parents[2] / "configs"
sys.path.insert(0, str(Path(__file__).parent))
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
TEXTS = (
    "化粪池满了，粪水流到楼道里",
    "校门口三轮车占道卖炸串",
    "楼道里全是开锁的小广告 <img src=x onerror=alert(1)>",
    "邻居家大狗不拴绳追孩子",
    "路灯坏了一个月没人修",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests in the browser share its loop, so that it is started once."""
    for item in items:
        if item.get_closest_marker("browser") and inspect.iscoroutinefunction(item.function):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            for left_alone in UNREAD:
                item.add_marker(pytest.mark.filterwarnings(left_alone))


@pytest.fixture
def undo_s() -> float:
    """Seconds a command may be undone; by default nothing is held."""
    return 0


@pytest.fixture
def speaking() -> tuple[str, ...]:
    """Channels whose citizens can be written to; by default none."""
    return ()


@pytest_asyncio.fixture(loop_scope="session")
async def hub(
    sqlite_url: str, make_hub: Callable[..., Hub], undo_s: float, speaking: tuple[str, ...]
) -> AsyncIterator[Hub]:
    made = make_hub(sqlite_url, undo_s=undo_s)
    made.answers._channels = speaking
    made.models.engines.in_use._classifier.auto_min = 2.0  # everything waits at the desk
    await made.open()
    await made.start()
    yield made
    made.models.engines.in_use._classifier.auto_min = 0.2
    await made.close()


@pytest.fixture
def middlewares() -> list[Any]:
    """What stands before every handler; by default nothing."""
    return []


PEOPLE = (  # login, role, name shown, scope
    ("wang", "dispatcher", "派遣员甲", ""),
    ("zhang", "dispatcher", "派遣员乙", ""),
    ("fa", "department", "执法", "urban_enforcement"),
    ("ad", "admin", "管理员", ""),
    ("lead", "official", "领导", ""),
    ("street", "subdistrict", "街道", "bohai"),
    ("du", "supervisor", "督查员", ""),
)


class House:
    """The web server over a hub; may be stopped and started again on its port."""

    def __init__(self, hub: Hub, middlewares: list[Any]) -> None:
        self._hub, self._middlewares = hub, middlewares
        self.port: int | None = None

    async def start(self) -> None:
        hub = self._hub
        self.desk = Desk(
            db=hub.db, vault=hub.vault, commands=hub.commands, city="测试市民声", taxonomy=hub.city.taxonomy,
            directory=hub.city.directory, charges=hub.city.charges, replies=hub.routing.replies, reckoner=hub.routing.reckoner, numbers=hub.trends.numbers, bulletins=hub.reporting.bulletins, trends=hub.city.trends, topics=hub.city.topics, book=hub.trends.book, supervisor=hub.routing.supervisor(), admission=hub.admission, sources=hub.channels.names, lists=hub.channels.lists, finder=hub.routing.finder, zone=hub.zone, clock=hub.clock, channels={"app": "手机APP"},
            rules={rule.name: rule.why for rule in hub.city.router.rules.rule}, canned=hub.city.canned, people=hub.settings.accounts, http=hub.http, backstage=backstage(hub, CONFIGS, ()),
        )  # fmt: skip
        application = build(hub, mounts=(self.desk.mount,))
        application.middlewares.extend(self._middlewares)
        self._server = TestServer(application, port=self.port)
        await self._server.start_server()
        self.port = self._server.port

    async def stop(self) -> None:
        await self.desk.close()
        await self._server.close()

    async def login(self, name: str) -> Any:
        """The cookie of somebody who has logged in."""
        sessions = Sessions(self._hub.db, clock=self._hub.clock)
        token = await sessions.begin(User(name, name, "dispatcher", ""))
        return {"name": COOKIE, "value": token, "url": self.address}

    @property
    def address(self) -> str:
        return str(self._server.make_url("/")).rstrip("/")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def password() -> str:
    """Everybody's, hashed once: that takes long, as it must."""
    return await hash_of("correct horse")


@pytest_asyncio.fixture(loop_scope="session")
async def house(
    hub: Hub, middlewares: list[Any], texts: tuple[str, ...], password: str
) -> AsyncIterator[House]:
    made = House(hub, middlewares)
    await made.start()
    people = [
        {"name": name, "role": role, "display": display, "scope": scope, "password": password}
        for name, role, display, scope in PEOPLE
    ]
    await hub.db.write(lambda tx: tx.insert(T.users, people))
    await hub.admission.admit(
        [Item(channel="app", channel_id=str(n), text=t) for n, t in enumerate(texts)]
    )
    await filed(hub, len(texts))
    yield made
    await made.stop()


@pytest.fixture
def texts() -> tuple[str, ...]:
    """What citizens have written when the day begins."""
    return TEXTS


@pytest.fixture
def address(house: House) -> str:
    """Where the desk is."""
    return house.address


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = os.environ.get("MINSHENG_TEST_CHROMIUM", "/usr/bin/chromium")
    if not Path(path).exists():
        reason = "Chromium is missing; install the package chromium or set MINSHENG_TEST_CHROMIUM"
        if os.environ.get("MINSHENG_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield made
        await made.close()


@pytest.fixture
def excused() -> tuple[str, ...]:
    """What a console may say of requests that fail as the test wants; refusals always."""
    return ()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(
    browser: Browser, house: House, excused: tuple[str, ...]
) -> AsyncIterator[Callable[..., Any]]:
    """Open a page as somebody, or as nobody; console errors and policy violations fail the test."""
    trouble: list[str] = []
    meant = ("409", "422", *excused)
    contexts: list[BrowserContext] = []

    async def open_as(
        name: str, width: int = 1366, height: int = 768, *, touch: bool = False
    ) -> Page:
        size: Any = {"width": width, "height": height}
        context = await browser.new_context(
            viewport=size, locale="zh-CN", timezone_id="Asia/Shanghai", has_touch=touch
        )
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on(
            "console",
            lambda m: (
                trouble.append(f"{m.text} {m.location.get('url', '')}")
                if m.type == "error" and not any(one in m.text for one in meant)
                else None
            ),
        )
        page.on("dialog", lambda d: None if d.type == "prompt" else trouble.append(d.message))
        if name:
            await context.add_cookies([await house.login(name)])
        await page.goto(house.address)
        return page

    yield open_as
    for context in contexts:
        await context.close()
    assert trouble == []
