"""Bursts as pages show them."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import select

from desk.trends.filters import Filters
from router.trends.numbers import Numbers
from store.tables import T
from store.tables_trends import ALL

LISTED = 20
"""Bursts that are listed."""


async def bursts_of(numbers: Numbers, filters: Filters) -> list[Any]:
    """Bursts that touch the period, within the area and label it is narrowed to, the greatest excess first."""
    b, (first, last) = T.bursts.c, filters.period.numbers
    where = [b.last_day >= first, b.start_day <= last]
    where += [b.area == filters.area] if filters.area != ALL else []
    where += [b.label == filters.label] if filters.label != ALL else []
    greatest = select(T.bursts).where(*where).order_by(b.excess.desc(), b.id).limit(LISTED)
    async with numbers.db.read() as conn:
        return list((await conn.execute(greatest)).all())


def why(text: str) -> str:
    """What carried a burst, in words; nothing when that was not found."""
    told = msgspec.json.decode(text)
    return str(told.get("words", "")) if isinstance(told, dict) else ""
