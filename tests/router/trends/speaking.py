"""A city whose messages are written straight into its tables, with its topics and places."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from router.spots import Name, Spots
from router.trends.curating import Curation
from router.trends.finding import TopicFinder
from router.trends.series import Recount, Series
from router.trends.tally import Tally
from router.trends.topics import Topics
from store.db import Database, Tx
from store.tables import T

ZONE = ZoneInfo("Asia/Shanghai")
USUAL = ("路灯不亮", "垃圾没人收", "下水道堵了", "小广告贴满墙", "摊子占道", "车位不够停")


class City:
    """A city whose messages are written straight into its tables."""

    def __init__(self, db: Database, clock: Any) -> None:
        self.db, self.clock, self.count = db, clock, 0
        topics = Topics.model_validate(
            {"topic": [{"id": "lamps", "name": "路灯", "words": [["路灯"]]}]}
        )
        spots = Spots({"翰章广场": Name("翰章广场", "landmark")})
        self.series = Series(topics, spots)
        self.finder = TopicFinder(
            db, self.series, areas={"bohai": "渤海街道"}, zone=ZONE, clock=clock
        )
        self.curation = Curation(db, zone=ZONE, clock=clock)
        self.recount = Recount(db, self.series, zone=ZONE, clock=clock)
        self.tally = Tally(db, ZONE, clock=clock, more=self.series)

    async def hear(self, text: str, days_ago: float = 0, **more: Any) -> int:
        """A message of its own day, with its verdict and its case; its number."""
        return (await self.hear_all([(text, days_ago)], **more))[0]

    async def hear_all(self, said: Sequence[tuple[str, float]], **more: Any) -> list[int]:
        """Messages with the days since them; ``more`` is said of their cases."""
        rows = [self._rows(text, days_ago, more) for text, days_ago in said]

        async def work(tx: Tx) -> None:
            tables = (T.items, T.verdicts, T.cases, T.case_items)
            for table, made in zip(tables, zip(*rows, strict=True), strict=True):
                await tx.insert(table, list(made))

        await self.db.write(work)
        return [made[0]["id"] for made in rows]

    def _rows(self, text: str, days_ago: float, more: dict[str, Any]) -> list[dict[str, Any]]:
        self.count += 1
        item, at = 202611240000000 + self.count, self.clock() - timedelta(days=days_ago)
        row = {
            "id": item, "channel": "app", "channel_id": str(item), "content_sha": "x", "text": text,
            "author_key": f"a{item}", "received_at": self.clock(), "posted_at": at, "sealed": b"", "key": b"k",
        }  # fmt: skip
        labels = {
            "kind": "complaint", "problems": '["litter"]', "campaigns": "[]", "urgency": "normal",
            "decision": "desk", "area": "bohai",
        }  # fmt: skip
        verdict = {"item_id": item, "revision": 1, "model": "m", "trust": 0.5, "at": at} | labels
        case = {
            "id": item, "case_no": f"N{item}", "status": "received", "channel": "app", "confidence": 0.5,
            "department": "", "suggested": "a", "rule": "r", "received_at": at,
        } | labels | more  # fmt: skip
        return [row, verdict, case, {"item_id": item, "case_id": item}]

    async def usual(self) -> None:
        """What is always said, in 35 days."""
        await self.hear_all([(f"{USUAL[n % 6]}，第{n}次", n % 30) for n in range(60)])

    async def settle(self) -> None:
        """Count all, walking back as far as there is to walk."""
        while True:
            await self.tally.settle()
            if await self.recount.run() == 3.0:
                return

    async def look(self) -> list[Any]:
        """Look for topics; the rows of the table."""
        await self.settle()
        assert await self.finder.run() == 600.0
        return await self.rows()

    async def rows(self, table: Any = T.topics) -> list[Any]:
        async with self.db.read() as conn:
            return list((await conn.execute(select(table).order_by(table.c.id))).all())

    async def count_of(self, label: str) -> int:
        """What the roll-up says of a series."""
        d = T.item_days.c
        whole = (d.label == label, d.area == "*", d.channel == "*", d.day > 0)
        asked = select(func.sum(d.n)).where(*whole)
        async with self.db.read() as conn:
            return (await conn.execute(asked)).scalar() or 0
