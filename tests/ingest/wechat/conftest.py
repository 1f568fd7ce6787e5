"""An official account over a real admission, its simulated WeChat, and citizens who write to it."""

import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from hub.http import GuardedHttp
from hub.sim.wechat import Citizen, WeChatSim
from ingest.admit import Admission
from ingest.connectors.wechat import WeChat, WeChatConfig
from ingest.connectors.wechat.conversations import SqlConversations
from ingest.connectors.wechat.gateway import Status, WeChatGateway
from ingest.sealing import Sealer
from store.db import Database
from store.vault import Vault

sys.path.insert(0, str(Path(__file__).parent))

from conftest_wechat import APP_ID, SECRET, TOKEN

PLACES = ("渤海街", "江滨小区", "胜利大街")


@dataclass
class Account:
    """Everything around one account. ``url`` is the callback's address."""

    account: WeChat
    gateway: WeChatGateway
    sim: WeChatSim
    url: str

    def citizen(self, openid: str = "oCitizen1", *, aes_key: str = "") -> Citizen:
        return Citizen(self.sim, self.url, token=TOKEN, openid=openid, aes_key=aes_key)


Connect = Callable[..., Any]


@pytest.fixture
async def connect(
    db: Database, vault: Vault, admission: Admission, clock: Any
) -> AsyncIterator[Connect]:
    """Connects an account with these settings."""
    http = GuardedHttp(["127.0.0.0/8"])
    servers: list[TestServer] = []

    async def made(**more: Any) -> Account:
        sim = WeChatSim(clock, APP_ID, SECRET)
        api = TestServer(sim.app())
        await api.start_server()
        servers.append(api)
        values = {"mode": "plain", "token": TOKEN, "app_secret": SECRET, "app_id": APP_ID, **more}
        config = WeChatConfig.model_validate({"api": str(api.make_url("")).rstrip("/"), **values})
        account = WeChat("wechat", config, http, clock=clock)
        blind = lambda openid: Sealer(vault).author_key("wechat", openid)  # noqa: E731

        async def of(item_id: int) -> str:
            return f"第{item_id}号目前：处置中"

        async def by_receipt(receipt: str) -> str | None:
            return f"{receipt} 已派遣" if receipt.endswith("ABCDEFGHJKLM") else None

        gateway = WeChatGateway(
            account=account, admission=admission, conversations=SqlConversations(db, "wechat", blind),
            has_place=lambda text: any(place in text for place in PLACES),
            status=Status(of, by_receipt), clock=clock,
        )  # fmt: skip
        application = web.Application()
        application.add_routes(gateway.routes())
        server = TestServer(application)
        await server.start_server()
        servers.append(server)
        return Account(account, gateway, sim, str(server.make_url("/wechat/wechat")))

    yield made
    for server in servers:
        await server.close()
    await http.close()


@pytest.fixture
async def account(connect: Connect) -> Account:
    made: Account = await connect()
    return made
