"""What a reader must know of the numbers of a period before believing a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from sqlalchemy import select

from router.trends.days import Period, day_of
from store.db import Database
from store.tables import T

MANY = 100
"""Old messages of one channel and day that are worth a note."""


async def notes(db: Database, period: Period, channels: Mapping[str, str]) -> list[str]:
    """Changes of the taxonomy within the period or the year before, and imports of old messages since its beginning."""
    n = T.count_notes.c
    asked = select(n.kind, n.day, n.mark, n.text).order_by(n.id)
    async with db.read() as conn:
        rows = (await conn.execute(asked)).all()
    versions = [row for row in rows if row.kind == "taxonomy"]
    earliest, (first, last) = period.year_ago().numbers[0], period.numbers
    said = [
        f"{day_of(now.day)} 起分类口径由第 {before.text} 版改为第 {now.text} 版，此前此后的分类数不完全可比"
        for before, now in pairwise(versions)
        if earliest <= now.day <= last
    ]
    late = [
        row for row in rows if row.kind == "late" and int(row.text) >= MANY and row.day >= first
    ]
    for row in late:
        channel = row.mark.split(":")[1]
        said.append(
            f"{day_of(row.day)} {channels.get(channel, channel)}补录 {int(row.text):,} 件早先的诉求，按其自身日期计入"
        )
    return said
