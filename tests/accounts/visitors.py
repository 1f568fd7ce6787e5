"""People of each role and their browsers, for tests of logins."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher
from sqlalchemy import insert, select

from desk.accounts import user_of
from desk.app import Desk
from desk.sessions import Sessions
from hub.app import Hub
from store.db import Tx
from store.tables import T

PASSWORD = "correct horse"
PEOPLE = {
    "dispatcher": "", "department": "urban_enforcement", "subdistrict": "bohai", "official": "",
    "supervisor": "", "admin": "",
}  # fmt: skip
"""One person a role, named as the role, with their scope."""


@dataclass
class Browser:
    """One person's browser: cookies, origin and the login's token."""

    client: TestClient[Any, Any]
    token: str = ""

    @property
    def origin(self) -> str:
        return str(self.client.make_url("/")).rstrip("/")

    async def get(self, path: str, **more: Any) -> ClientResponse:
        return await self.client.get(path, allow_redirects=False, **more)

    async def post(self, path: str, form: Any = None, **more: Any) -> ClientResponse:
        headers = {"Origin": self.origin, "X-Token": self.token} | more.pop("headers", {})
        if form is not None:
            more["data"] = form
        return await self.client.post(path, headers=headers, allow_redirects=False, **more)

    async def log_in(self, name: str, password: str = PASSWORD, **more: str) -> ClientResponse:
        answer = await self.post("/login", {"name": name, "password": password} | more)
        if answer.status == 302:
            await self.read_token()
        return answer

    async def read_token(self) -> None:
        page = await (await self.get("/account")).text()
        self.token = page.split('name="token" value="')[1].split('"')[0]


@dataclass
class Office:
    """The running desk."""

    hub: Hub
    desk: Desk
    server: TestServer
    configs: Path
    stack: AsyncExitStack

    async def browser(self, name: str = "") -> Browser:
        made = Browser(await self.stack.enter_async_context(TestClient(self.server)))
        if name:
            async with self.hub.db.read() as conn:
                row = (await conn.execute(select(T.users).where(T.users.c.name == name))).one()
            token = await Sessions(self.hub.db, clock=self.hub.clock).begin(user_of(row))
            made.client.session.cookie_jar.update_cookies(
                {"minsheng": token}, self.server.make_url("/")
            )
            await made.read_token()
        return made

    async def audit(self, act: str) -> list[Any]:
        async with self.hub.db.read() as conn:
            asked = select(T.audit).where(T.audit.c.act == act).order_by(T.audit.c.id)
            return list((await conn.execute(asked)).all())


@cache
def kept() -> str:
    """The password as it is kept; made once, for it costs on purpose."""
    return PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)


async def put(hub: Hub, name: str, role: str = "", **more: Any) -> None:
    """A person of a role."""
    role = role or name
    row = {"name": name, "display": name, "role": role, "scope": PEOPLE[role], "password": kept()}

    async def work(tx: Tx) -> None:
        await tx.run(insert(T.users).values(row | more))

    await hub.db.write(work)


Opens = Callable[..., Awaitable[Office]]
