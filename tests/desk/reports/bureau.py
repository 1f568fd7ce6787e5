"""The bureau that writes bulletins about a small town."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select
from town import Town

from desk.reports.drafting import Drafting
from desk.reports.frozen import Content, Frozen, read_content, read_figures
from desk.reports.keeping import Bulletins
from desk.reports.making import Naming
from desk.reports.schedule import Schedule
from desk.reports.sending import Sending
from desk.reports.settings import BulletinSettings, Kind
from router.trends.numbers import Numbers
from router.trends.officials import Alerts, Official
from router.trends.tally import Tally
from store.db import Database, Tx
from store.tables import T

ZONE = ZoneInfo("Asia/Shanghai")
OFFICES = {
    "a": "甲局",
    "b": "乙局",
    "bohai": "渤海街道",
    "shengli": "胜利街道",
    "inner": "里仁社区",
}
CYCLES = {"express": "week", "monthly": "month", "supervision": "month", "joint": "quarter", "annual": "year", "cases": "month"}  # fmt: skip
NOVEMBER = "2026-11"


def kind(plan: str, **more: Any) -> Kind:
    values = {
        "id": plan, "plan": plan, "name": "民声通报", "cycle": CYCLES[plan], "issuer": "市城管办", "title": "{period}通报",
        "number": f"{plan}〔{{year}}〕{{n}}号", "to": "各单位", "closing": ["请抓好落实。"],
    }  # fmt: skip
    return Kind.model_validate(values | more)


OFFICIAL = Official(id="duty", name="值班室", email=("duty@city.example",))


class Bureau:
    """Bulletins with a clock that is moved."""

    def __init__(self, db: Database, city: Any, clock: Any) -> None:
        self.db, self.clock = db, clock
        league = city.catalogue.league.model_copy(update={"rank_from": 3})
        catalogue = city.catalogue.model_copy(update={"league": league})
        areas = {"bohai": ("bohai", "inner"), "shengli": ("shengli",), "inner": ("inner",)}
        self.numbers = Numbers(db, catalogue, areas, zone=ZONE, clock=clock)
        naming = Naming(
            city.taxonomy,
            OFFICES,
            {"app": "手机APP", "weibo": "微博"},
            ["bohai", "shengli"],
            ["a", "b"],
        )
        self.drafting = Drafting(db, self.numbers, naming, {"翰林苑": "渤海街道"})
        kinds = tuple(
            kind(name, recipients=["duty"] if name == "monthly" else []) for name in CYCLES
        )
        self.settings = BulletinSettings(kind=kinds)
        self.sending = Sending(
            db, Alerts(official=(OFFICIAL,)), zone=ZONE, clock=clock, base_url="https://hub.example"
        )
        self.bulletins = self.beside()
        self.schedule = Schedule(self.bulletins, zone=ZONE, clock=clock)

    def beside(self) -> Bulletins:
        """Another hub's over the same database."""
        return Bulletins(
            self.db, self.drafting, self.settings, zone=ZONE, clock=self.clock, announce=self.sending.announce
        )  # fmt: skip

    async def made(self, name: str = "monthly", period: str = NOVEMBER) -> int:
        return await self.bulletins.make(self.settings.by_id[name], period, "wang")

    async def row(self, bulletin: int) -> Any:
        return await self.bulletins.find(bulletin)

    async def figures(self, bulletin: int) -> dict[str, Frozen]:
        return read_figures((await self.row(bulletin)).figures)

    async def content(self, bulletin: int) -> Content:
        return read_content((await self.row(bulletin)).content)

    async def move(self, bulletin: int, *verbs: str, reason: str = "因故") -> None:
        for verb in verbs:
            version = (await self.row(bulletin)).version
            await self.bulletins.move(bulletin, version, verb, actor="zhang", display="局长", reason=reason)  # fmt: skip

    async def rows(self, table: Any) -> list[Any]:
        async with self.db.read() as conn:
            return list((await conn.execute(select(table).order_by(*table.primary_key))).all())

    async def insert(self, table: Any, *rows: dict[str, Any]) -> None:
        async def work(tx: Tx) -> None:
            for row in rows:
                await tx.run(table.insert().values(row))

        await self.db.write(work)


def burst(**more: Any) -> dict[str, Any]:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    values = {
        "label": "sewage", "area": "bohai", "start_day": 20261118, "last_day": 20261121, "observed": 12.0, "expected": 3.5,
        "excess": 8.5, "voices": 9, "citizens": 8, "why": '{"words": "集中在一个小区"}', "found_at": now,
    }  # fmt: skip
    return values | more


async def furnish(bureau: Bureau, acts: int = 260) -> None:
    """Cases, orders, ratings of six weeks; a burst, a topic, a circular; all counted."""
    town = Town(bureau.db, 5)
    for _ in range(acts):
        await town.act()
    now = datetime(2026, 11, 20, tzinfo=UTC)
    told = {"count": 14, "expected": 4.5, "first_day": 20261115, "areas": {"bohai": 9}}
    topic = {
        "name": "路灯不亮", "phrases": "[]", "state": "found", "first_day": 20261115, "sentence": "", "score": 9.0,
        "told": msgspec.json.encode(told).decode(), "actor": "hub", "at": now, "updated_at": now,
    }  # fmt: skip
    circular = {
        "mark": "m1", "number": "督1", "level": "order", "case_id": 1, "department": "a", "addressee": "a", "title": "督办",
        "body": "", "state": "open", "actor": "hub", "at": now, "reply_by": now + timedelta(days=2),
    }  # fmt: skip
    await bureau.insert(T.bursts, burst())
    await bureau.insert(T.topics, topic)
    await bureau.insert(T.supervisions, circular)
    await Tally(bureau.db, ZONE, clock=bureau.clock).settle()
