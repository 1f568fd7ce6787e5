"""An official account between a simulated WeChat and a real admission, for every test of this channel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from hub.http import GuardedHttp
from hub.sim.wechat import WeChatSim
from hub.sim.wechat_citizen import Account, Citizen
from ingest.admit import Admission
from ingest.connectors.wechat import WeChat, WeChatConfig
from ingest.connectors.wechat.conversations import SqlConversations
from ingest.connectors.wechat.gateway import Status, WeChatGateway
from store.db import Database
from store.vault import Vault

APP_ID = "wx0123456789abcdef"
SECRET = "app-secret-of-the-tests"
TOKEN = "tokenOfTheTests"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OLD_KEY = "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcbZ"
OPENID = "oFictional_citizen-000000001"
STREETS = ("渤海街", "长江路", "万达广场")


def names_a_place(text: str) -> bool:
    return any(street in text for street in STREETS)


@pytest.fixture
def db_url(sqlite_url: str) -> str:
    """SQLite alone; conversations are tested on both."""
    return sqlite_url


@pytest.fixture
def sim(clock: Any) -> WeChatSim:
    return WeChatSim(APP_ID, SECRET, clock=clock)


@pytest.fixture
async def api_url(sim: WeChatSim) -> AsyncIterator[str]:
    async with TestServer(sim.app(), host="127.0.0.1") as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture
async def http() -> AsyncIterator[GuardedHttp]:
    made = GuardedHttp(["127.0.0.0/8"])
    yield made
    await made.close()


MakeAccount = Callable[..., WeChat]


@pytest.fixture
def make_account(api_url: str, http: GuardedHttp, clock: Any) -> MakeAccount:
    def make(**more: Any) -> WeChat:
        values = {
            "app_id": APP_ID,
            "api": api_url,
            "token": TOKEN,
            "app_secret": SECRET,
            "aes_key": KEY,
        }
        return WeChat("wx", WeChatConfig.model_validate(values | more), http, clock=clock)

    return make


class Hub:
    """The callback's address over a real admission. ``statuses`` is what numbers are answered."""

    def __init__(self, gateway: WeChatGateway, conversations: SqlConversations) -> None:
        self.gateway = gateway
        self.conversations = conversations
        self.url = ""


MakeHub = Callable[..., Any]


@pytest.fixture
async def make_hub(
    make_account: MakeAccount, admission: Admission, db: Database, vault: Vault, clock: Any
) -> AsyncIterator[MakeHub]:
    servers: list[tuple[TestServer, WeChatGateway]] = []

    async def status_of(item_id: int) -> str:
        return f"受理号{item_id}：正在办理"

    async def by_receipt(receipt: str) -> str | None:
        return "已办结" if receipt.endswith("-ABCDEFGHJKLM") else None

    async def make(*, door: Any = None, deadline_s: float = 4.0, **more: Any) -> Hub:
        conversations = SqlConversations(db, "wx", lambda a: vault.blind("author", f"wx|{a}"))
        gateway = WeChatGateway(
            account=make_account(**more), admission=door or admission, conversations=conversations,
            has_place=names_a_place, status=Status(status_of, by_receipt), clock=clock,
            deadline_s=deadline_s, again_s=0.01,
        )  # fmt: skip
        app = web.Application()
        app.add_routes(gateway.routes())
        server = TestServer(app, host="127.0.0.1")
        await server.start_server()
        servers.append((server, gateway))
        hub = Hub(gateway, conversations)
        hub.url = str(server.make_url("/wechat/wx"))
        return hub

    yield make
    for server, gateway in servers:
        await gateway.close()
        await server.close()


MakeCitizen = Callable[..., Citizen]


@pytest.fixture
def make_citizen(clock: Any, sim: WeChatSim) -> MakeCitizen:
    def make(mode: Any = "aes", *, openid: str = OPENID, key: str = KEY, **more: Any) -> Citizen:
        account = Account(more.pop("app_id", APP_ID), more.pop("token", TOKEN), key, mode)
        return Citizen(openid, account, clock=clock, sim=sim, **more)

    return make
