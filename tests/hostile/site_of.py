"""What stands in these tests: the site, its people, and addresses made from the application's own table of routes."""

import asyncio
import hashlib
import io
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient
from sqlalchemy import insert, select, update
from yarl import URL

from desk.accounts import user_of
from desk.security import OURS
from desk.sessions import Sessions
from hub.app import Hub
from store.model import Item, Media
from store.tables import T

ROLES = {
    "dispatcher": "", "department": "urban_enforcement", "subdistrict": "bohai", "official": "", "supervisor": "", "admin": "",
}  # fmt: skip
SECRET = "胜利街隔壁机密"
"""Words of the case that is another's."""

ALL = os.environ.get("MINSHENG_TEST_FAULTS") == "full"
UNSAFE = ("POST", "PUT", "DELETE", "PATCH")


@dataclass
class Site:
    """The hub, its web application, a client of it; ``own`` and ``other`` are numbers of what there is."""

    hub: Hub
    application: web.Application
    client: TestClient[Any, Any]
    own: dict[str, str] = field(default_factory=dict)
    other: dict[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return str(self.client.make_url("/")).rstrip("/")

    async def enter(self, name: str) -> dict[str, str]:
        """Headers of a new login of this person, as their page sends them."""
        sessions = Sessions(self.hub.db, clock=self.hub.clock)
        u = T.users.c
        async with self.hub.db.read() as conn:
            row = (await conn.execute(select(T.users).where(u.name == name))).first()
        token = await sessions.begin(user_of(row))
        session = await sessions.find(token)
        assert session is not None
        return {"Cookie": f"minsheng={token}", "X-Token": session.csrf, "Origin": self.origin}

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, data: Any = None
    ) -> tuple[ClientResponse, str]:
        """An answer and its words; a stream is closed after its head."""
        url = URL(self.origin).join(URL(path, encoded=True))
        async with self.client.session.request(
            method,
            url,
            headers=headers,
            data=io.BytesIO(data) if isinstance(data, bytes) and data else data,
            allow_redirects=False,
        ) as answer:
            if answer.content_type == "text/event-stream":
                return answer, (await answer.content.readline()).decode()
            return answer, (await answer.read()).decode(errors="replace")

    def routes(self, *, doors: bool = False) -> Iterator[tuple[str, str, str]]:
        """(method, the address as written, regular expression) of each route of the desk, or of each door beside it."""
        for route in self.application.router.routes():
            if route.resource is None or route.method == "HEAD":
                continue
            info = route.resource.get_info()
            if "directory" in info:
                continue
            raw = route.resource.canonical
            pattern = info["pattern"].pattern if "pattern" in info else re.escape(raw)
            if (raw == "/" or raw.startswith(OURS)) is not doors:
                yield route.method, raw, pattern

    def paths(self, numbers: Mapping[str, str], *, doors: bool = False) -> list[tuple[str, str]]:
        """(method, address) of each route, with every word it knows and these numbers."""
        return [
            (method, path)
            for method, raw, pattern in self.routes(doors=doors)
            for path in filled(raw, pattern, numbers)
        ]


def filled(raw: str, pattern: str, numbers: Mapping[str, str]) -> Iterator[str]:
    """The addresses of one route: words of its own expression, else a number of the noun before it."""
    names = re.findall(r"{(\w+)}", raw)
    choices = []
    for name in names:
        found = re.search(rf"\(\?P<{name}>([\w/|\\-]+)\)", pattern)
        words = found[1].replace("\\", "").split("|") if found else []
        noun = raw.partition(f"/{{{name}}}")[0].rsplit("/", 1)[-1]
        number = numbers.get(name) or numbers.get(noun) or numbers["cases"]
        digits = not words or all(re.fullmatch(r"d", word) for word in words)
        choices.append([number] if digits else words)
    for values in product(*choices):
        yield raw.format(**dict(zip(names, values, strict=True)))


def kept(*what: Any, one_in: int) -> bool:
    """Whether this one belongs to the cut of the gate: always the same ones; all in a full run."""
    if ALL:
        return True
    mark = hashlib.blake2s(repr(what).encode(), digest_size=4).digest()
    return int.from_bytes(mark) % one_in == 0


TABLES = (
    T.cases, T.items, T.work_orders, T.events, T.requests, T.returns, T.supervisions, T.tasks, T.order_photos, T.case_notes, T.claims,
    T.saved_views, T.canned_texts, T.users, T.answers,
)  # fmt: skip
"""What people change."""


async def kept_rows(site: Site) -> dict[str, list[Any]]:
    """All rows of all that a person might change."""
    async with site.hub.db.read() as conn:
        return {table.name: [*(await conn.execute(select(table))).all()] for table in TABLES}


async def cases_of(site: Site, many: int) -> list[Any]:
    """The first cases, once there are so many."""
    for _ in range(200):
        async with site.hub.db.read() as conn:
            found = list((await conn.execute(select(T.cases).order_by(T.cases.c.id))).all())
        if len(found) >= many:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(found)


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c636460f8cf500f0003860180"
    "5a347d6b0000000049454e44ae426082"
)


async def founded(site: Site) -> None:
    """Two cases with a work order each, one in each area, and all that may hang on a case."""
    picture = Media(content=PIXEL, content_type="image/png")
    texts = (("渤海街", "烧烤摊占道经营油烟扰民"), (SECRET, f"{SECRET}，化粪池满了粪水流到楼道里"))
    for n, (title, text) in enumerate(texts):
        item = Item(
            channel="app",
            channel_id=f"h{n}",
            title=title,
            text=text,
            author=title,
            media=(picture,),
        )
        await site.hub.admission.admit([item])
    first, second = await cases_of(site, 2)
    for case, area, department, numbers in (
        (first, "bohai", "urban_enforcement", site.own),
        (second, "shengli", "transport", site.other),
    ):
        order = await _dispatched(site, case, area, department)
        rows = await _hung(
            site, case.id, order, department, SECRET if numbers is site.other else ""
        )
        numbers |= {
            "cases": str(case.id),
            "items": str(case.id),
            "orders": str(order),
            "no": case.case_no,
        }
        numbers |= {"order": str(order), "n": "1", "name": "canned.toml", **rows}
    await _split(site)


async def _dispatched(site: Site, case: Any, area: str, department: str) -> int:
    """The case lies in this area and this office has it."""
    c, o = T.cases.c, T.work_orders.c
    async with site.hub.db.read() as conn:
        now = (await conn.execute(select(c.version, c.status).where(c.id == case.id))).one()
    version = now.version
    if now.status == "dispatched":
        version = await site.hub.commands.cases.recall(
            case.id, version=version, actor="dispatcher", note="重新派遣"
        )
    await site.hub.commands.cases.dispatch(
        case.id, version=version, actor="dispatcher", department=department
    )
    await site.hub.db.write(
        lambda tx: tx.run(update(T.cases).where(c.id == case.id).values(area=area))
    )
    async with site.hub.db.read() as conn:
        asked = select(o.id).where(o.case_id == case.id, o.department == department)
        return int((await conn.execute(asked.order_by(o.id.desc()))).scalars().first())


async def _hung(
    site: Site, case_id: int, order_id: int, department: str, word: str
) -> dict[str, str]:
    """A note, a claim, a request, a document and a saved view of a colleague; their numbers."""
    now = site.hub.clock()
    rows: dict[Any, dict[str, Any]] = {
        T.case_notes: {"case_id": case_id, "actor": "dispatcher", "text": f"备注{word}", "at": now},
        T.requests: {
            "order_id": order_id, "case_id": case_id, "what": "extension", "note": f"延期{word}", "amount": 1, "unit": "work_days",
            "state": "open", "asked_at": now, "asked_by": department,
        },
        T.saved_views: {
            "owner": "dispatcher", "name": f"视图{word}", "query": "view=all", "shared": False, "position": 0, "at": now,
        },
        T.canned_texts: {"owner": "dispatcher", "purpose": "note", "title": "一", "text": f"文{word}", "at": now},
    }  # fmt: skip
    found = {}
    for table, row in rows.items():
        made = insert(table).values(row).returning(table.c.id)
        number = await site.hub.db.write(lambda tx, made=made: _one(tx, made))
        found[
            {"saved_views": "views", "canned_texts": "canned", "order_requests": "requests"}.get(
                table.name, table.name
            )
        ] = str(number)
    return found


async def _one(tx: Any, statement: Any) -> int:
    return int((await tx.run(statement)).scalar_one())


async def _split(site: Site) -> None:
    """The other case counts as split from one's own, and as its relapse: both ways must not be told."""
    c = T.cases.c
    own, other = int(site.own["cases"]), int(site.other["cases"])
    for which, values in (
        (other, {"split_from": own, "relapse_of": own}),
        (own, {"relapse_of": other}),
    ):
        change = update(T.cases).where(c.id == which).values(**values)
        await site.hub.db.write(lambda tx, change=change: tx.run(change))
