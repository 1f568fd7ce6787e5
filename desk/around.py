"""Around a case: the same citizen's other items (by the pseudonym of one channel), and what happened nearby lately."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from math import asin, cos, radians, sin, sqrt
from typing import Any

from sqlalchemy import Select, and_, or_, select

from desk.rows import plain
from store.db import Database
from store.tables import T

LATELY = timedelta(days=90)
NEAR_M = 300.0
MOST = 12
EARTH_M = 6_371_000.0
DEGREE_M = 111_320.0
"""Meters of a degree of latitude."""


class Around:
    """Finds them."""

    def __init__(self, db: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock

    async def of(
        self, case_id: int, scope: Collection[str] | None = None
    ) -> dict[str, list[dict[str, Any]]]:
        """``citizen`` and ``nearby``: other cases, the newest first; those nearby with ``distance_m`` where known."""
        c, i = T.cases.c, T.items.c
        own = select(c.point, c.area, i.author_key, i.channel, i.lat, i.lon).join(
            T.items, i.id == c.id
        )
        async with self._db.read() as conn:
            here = (await conn.execute(own.where(c.id == case_id))).first()
            if here is None:
                return {"citizen": [], "nearby": []}
            citizen = [
                plain(row)
                for row in (await conn.execute(_of_author(here, case_id, scope))).mappings()
            ]
            near = _near(here, case_id, self._clock() - LATELY, scope)
            rows = (await conn.execute(near)).mappings().all() if near is not None else []
        return {"citizen": citizen, "nearby": _by_distance(here, rows)}


def _shown(scope: Collection[str] | None) -> Select[Any]:
    c, i = T.cases.c, T.items.c
    statement = select(
        c.id,
        c.case_no,
        c.status,
        c.summary,
        c.area,
        c.channel,
        c.received_at,
        c.point,
        i.lat,
        i.lon,
    ).join(T.items, i.id == c.id)
    return statement if scope is None else statement.where(c.area.in_(sorted(scope)))


def _of_author(here: Any, case_id: int, scope: Collection[str] | None) -> Select[Any]:
    """Cases that answer an item of the same author, this one aside."""
    i, ci, c = T.items.alias("said").c, T.case_items.c, T.cases.c
    said = (
        select(ci.case_id)
        .join(i.id.table, i.id == ci.item_id)
        .where(i.author_key == here.author_key, i.channel == here.channel, i.author_key != "")
    )
    return _shown(scope).where(c.id.in_(said), c.id != case_id).order_by(c.id.desc()).limit(MOST)


def _near(
    here: Any, case_id: int, since: datetime, scope: Collection[str] | None
) -> Select[Any] | None:
    """Cases at the same point, or whose first item lies in the square around this one's; none without a place."""
    c, i = T.cases.c, T.items.c
    places = []
    if here.point:
        places.append(and_(c.area == here.area, c.point == here.point))
    if here.lat is not None and here.lon is not None:
        high = NEAR_M / DEGREE_M
        wide = high / max(0.01, cos(radians(here.lat)))
        places.append(
            and_(
                i.lat.between(here.lat - high, here.lat + high),
                i.lon.between(here.lon - wide, here.lon + wide),
            )
        )
    if not places:
        return None
    statement = _shown(scope).where(or_(*places), c.id != case_id, c.received_at > since)
    return statement.order_by(c.id.desc()).limit(MOST * 2)


def _by_distance(here: Any, rows: Collection[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    """With the distance where both places are known; corners of the square are left out."""
    found = []
    for row in rows:
        shown = plain({k: v for k, v in row.items() if k not in {"lat", "lon", "point"}})
        away = distance_m(here.lat, here.lon, row["lat"], row["lon"])
        shown["distance_m"] = None if away is None else round(away)
        if away is None or away <= NEAR_M or row["point"] == here.point != "":
            found.append(shown)
    return found[:MOST]


def distance_m(
    lat: float | None, lon: float | None, lat2: float | None, lon2: float | None
) -> float | None:
    """Meters between two places (haversine); none when one is unknown."""
    if lat is None or lon is None or lat2 is None or lon2 is None:
        return None
    a, b = radians(lat), radians(lat2)
    part = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(lon2 - lon) / 2) ** 2
    return 2 * EARTH_M * asin(sqrt(min(1.0, part)))
