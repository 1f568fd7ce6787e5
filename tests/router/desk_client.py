"""The desk's sections over a town, and a client that says who asks in a header."""

from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import insert

from desk.accounts import User
from desk.bulk import Bulk
from desk.canned import CannedTexts, Standing
from desk.claims import Claims
from desk.deciding import Deciding
from desk.doing import Doing
from desk.extras import Extras
from desk.security import SESSION
from desk.sessions import Session
from hub.web import errors
from store.tables import T

PEOPLE = {
    "wang": User("wang", "派遣员甲", "dispatcher", ""),
    "li": User("li", "派遣员乙", "dispatcher", ""),
    "du": User("du", "督查员", "supervisor", ""),
    "admin": User("admin", "管理员", "admin", ""),
    "ling": User("ling", "领导", "official", ""),
}
STANDING = (Standing(purpose="decline", title="不属本部门", text="建议向主管部门反映。"),)


@web.middleware
async def known(request: web.Request, handler: Any) -> Any:
    request[SESSION] = Session(user=PEOPLE[request.headers["X-User"]], csrf="")
    return await handler(request)


class Desk:
    """People at a desk."""

    def __init__(self, town: Any, city: Any) -> None:
        self.town = town
        self.claims = Claims(town.db, lambda _: None, clock=town.clock)
        self.doing = Doing(town.db, town.commands, city.taxonomy, self.claims, clock=town.clock)
        self.extras = Extras(town.db, town.commands.proposing, clock=town.clock)
        self.sections = (
            self.claims,
            Bulk(self.doing),
            CannedTexts(town.db, STANDING, clock=town.clock),
            Deciding(town.db, town.commands, city.taxonomy, None, self.doing),  # type: ignore[arg-type]
        )
        self.client: Any = None

    async def open(self) -> TestClient[Any, Any]:
        application = web.Application(middlewares=[errors, known])
        for section in self.sections:
            application.add_routes(section.routes())  # type: ignore[attr-defined]
        self.client = TestClient(TestServer(application))
        rows = [
            {
                "name": one.name,
                "display": one.display,
                "role": one.role,
                "scope": "",
                "password": "",
            }
            for one in PEOPLE.values()
        ]
        await self.town.db.write(lambda tx: tx.run(insert(T.users), rows))
        return self.client

    async def ask(self, who: str, path: str, body: Any = None, method: str = "POST") -> tuple[int, Any]:  # fmt: skip
        """Status and answer of a request to the desk's API."""
        answer = await self.client.request(
            method, f"/desk/api/{path}", json=body, headers={"X-User": who}
        )
        return answer.status, await answer.json()

    async def do(self, who: str, case: int, command: str, **body: Any) -> tuple[int, Any]:
        """One command on a case as it stands now."""
        body.setdefault("version", (await self.town.row(case)).version)
        return await self.ask(who, f"cases/{case}/{command}", body)

    async def here(self, who: str, case: int | None, *, idle: bool = False) -> Any:
        """A heartbeat; what the page is told."""
        named = None if case is None else str(case)
        return (await self.ask(who, "presence", {"case_id": named, "idle": idle}))[1]

    async def detail(self, case: int) -> dict[str, Any]:
        """What is added to a case on screen."""
        shown: dict[str, Any] = {"id": str(case)}
        await self.extras.add([shown])
        return shown
