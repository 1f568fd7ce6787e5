"""Around a case: the same citizen's other cases (by the pseudonym of one channel), and what happened nearby lately.

Both are found by the keys cases are kept under to be found as one matter (``router.grouping``): no index of their own.
A case of more than two problems may therefore be missed under the others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from desk.rows import labelled
from router.grouping import founded, key_of_author, keys_around
from router.matching import Facts
from store.coords import meters
from store.db import Database, among
from store.numbers import PER_DAY
from store.tables import T

LATELY = timedelta(days=90)
NEAR_M = 300.0
MOST, READ = 12, 120
"""Cases shown of each kind, and read."""

C = T.cases.c
_COLUMNS = (
    C.id, C.case_no, C.status, C.summary, C.problems, C.campaigns, C.department, C.area, C.channel, C.received_at,
)  # fmt: skip
Line = dict[str, Any]


class Around:
    """Finds them. ``problems`` are the labels of the city."""

    def __init__(
        self, db: Database, problems: Iterable[str], *, clock: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._problems = tuple(problems)
        self._clock = clock

    async def of(self, case_id: int, scope: Collection[str] | None = None) -> dict[str, list[Line]]:
        """``citizen`` and ``nearby``: other cases, the newest first; those nearby with ``distance_m`` where known."""
        async with self._db.read() as conn:
            for own in await founded(conn, [case_id]):
                keys = [key_of_author(own.channel, own.author)] if own.author else []
                citizen = await self._under(conn, keys, case_id, since=0)
                keys = keys_around(self._problems, own)
                since = int((self._clock() - LATELY).strftime("%Y%m%d")) * PER_DAY
                near = await self._near(conn, own, await self._under(conn, keys, case_id, since))
                lines = await self._lines(conn, [*citizen, *near], scope)
                return {
                    "citizen": [lines[one] for one in citizen if one in lines][:MOST],
                    "nearby": [
                        lines[one] | {"distance_m": away}
                        for one, away in near.items()
                        if one in lines
                    ][:MOST],
                }
        return {"citizen": [], "nearby": []}

    async def _under(
        self, conn: AsyncConnection, keys: Sequence[str], but: int, since: int
    ) -> list[int]:
        """Cases kept under any of the keys, the newest first; a case's number begins with its day."""
        if not keys:
            return []
        k = T.case_keys.c
        asked = (
            select(k.case_id)
            .distinct()
            .where(among(k.key, keys, is_sqlite=self._db.is_sqlite), k.case_id > since)
            .where(k.case_id != but)
            .order_by(k.case_id.desc())
            .limit(READ)
        )
        return list((await conn.execute(asked)).scalars())

    async def _near(
        self, conn: AsyncConnection, own: Facts, ids: Sequence[int]
    ) -> dict[int, int | None]:
        """Those at the same point or near enough, the newest first, with meters where both places are known."""
        found: dict[int, int | None] = {}
        others = {facts.id: facts for facts in await founded(conn, ids)}
        for one in sorted(others, reverse=True):
            other = others[one]
            away = meters(own.here, other.here) if own.here and other.here else None
            same = bool(own.point) and (own.area, own.point) == (other.area, other.point)
            if same or (away is not None and away <= NEAR_M):
                found[one] = None if away is None else round(away)
        return found

    async def _lines(
        self, conn: AsyncConnection, ids: Sequence[int], scope: Collection[str] | None
    ) -> dict[int, Line]:
        """Each case the person may see, with enough to judge."""
        asked = select(*_COLUMNS).where(among(C.id, ids, is_sqlite=self._db.is_sqlite))
        if scope is not None:
            asked = asked.where(C.area.in_(sorted(scope)))
        return {row["id"]: labelled(row) for row in (await conn.execute(asked)).mappings()}
