"""What the desk adds to cases on screen: notes, claim, parts, and where each could go; one question for all of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from desk.claims import claim_of
from desk.queue import inside
from desk.rows import plain
from router.proposing import Proposing
from store.db import Database, among
from store.tables import T


class Extras:
    """Adds ``notes``, ``claim``, ``split_from``, ``splits``, ``why`` and ``runners`` to details of cases."""

    def __init__(
        self, db: Database, proposing: Proposing, *, clock: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._proposing = proposing
        self._clock = clock

    async def add(
        self, details: Sequence[dict[str, Any]], scope: Collection[str] | None = None
    ) -> None:
        """Complete these details, each with its ``id`` as text; parts outside ``scope`` are not named."""
        ids = [int(one["id"]) for one in details]
        if not ids:
            return
        proposals = await self._proposing.proposals(ids)
        notes, claims, family = (
            await self._notes(ids),
            await self._claims(ids),
            await self._family(ids, scope),
        )
        for one in details:
            case_id = int(one["id"])
            named = next((row["split_from"] for row in family if row["id"] == case_id), None)
            origin = next((row["id"] for row in family if row["id"] == named), None)
            one["notes"] = notes.get(case_id, [])
            one["claim"] = claims.get(case_id)
            one["split_from"] = str(origin) if origin else ""
            one["split_from_no"] = next((r["case_no"] for r in family if r["id"] == origin), "")
            one["splits"] = [_beside(row) for row in family if row["split_from"] == case_id]
            proposal = proposals.get(case_id)
            one["why"] = proposal.first.why if proposal else ""
            one["runners"] = [choice._asdict() for choice in proposal.runners] if proposal else []

    async def _notes(self, ids: Sequence[int]) -> dict[int, list[dict[str, str]]]:
        n, u = T.case_notes.c, T.users.c
        statement = (
            select(n.case_id, n.actor, n.text, n.at, u.display)
            .outerjoin(T.users, u.name == n.actor)
            .where(among(n.case_id, ids, is_sqlite=self._db.is_sqlite))
            .order_by(n.id)
        )
        found: dict[int, list[dict[str, str]]] = {}
        async with self._db.read() as conn:
            for row in await conn.execute(statement):
                note = {"who": row.display or row.actor, "text": row.text, "at": row.at.isoformat()}
                found.setdefault(row.case_id, []).append(note)
        return found

    async def _claims(self, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        k, u = T.claims.c, T.users.c
        statement = (
            select(k.case_id, k.user, k.kept, k.until, u.display)
            .outerjoin(T.users, u.name == k.user)
            .where(among(k.case_id, ids, is_sqlite=self._db.is_sqlite), k.until > self._clock())
        )
        async with self._db.read() as conn:
            return {row.case_id: claim_of(row) for row in await conn.execute(statement)}

    async def _family(
        self, ids: Sequence[int], scope: Collection[str] | None
    ) -> list[dict[str, Any]]:
        """These cases, those split from them, and those they were split from, as far as the person may see them."""
        c, part, is_sqlite = T.cases.c, T.cases.alias("part").c, self._db.is_sqlite
        origins = select(part.split_from).where(among(part.id, ids, is_sqlite=is_sqlite))
        own = among(c.id, ids, is_sqlite=is_sqlite)
        split = among(c.split_from, ids, is_sqlite=is_sqlite)
        columns = select(c.id, c.case_no, c.status, c.summary, c.split_from)
        found: dict[int, dict[str, Any]] = {}
        async with self._db.read() as conn:
            for where in (or_(own, c.id.in_(origins)), split):
                rows = await conn.execute(columns.where(where, *inside(scope)).order_by(c.id))
                found |= {row["id"]: dict(row) for row in rows.mappings()}
        return list(found.values())


def _beside(row: dict[str, Any]) -> dict[str, Any]:
    return plain({name: row[name] for name in ("id", "case_no", "status", "summary")})
