"""Beside a case: those that may be the same matter, with reasons (疑似同件)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from aiohttp import web
from sqlalchemy import select

from desk.accounts import User
from desk.details import Details
from desk.pages import MARK, require
from router.grouping import Finder
from router.matching import Match
from store.db import Database, among
from store.tables import T

REASONS = 4


class Similar:
    """``GET /desk/api/cases/{id}/similar``."""

    def __init__(
        self,
        db: Database,
        finder: Finder,
        scope: Callable[[User], Collection[str] | None],
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._scope = scope
        self._finder = finder
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [web.get(f"/desk/api/cases/{MARK}/similar", self._similar)]

    async def _similar(self, request: web.Request) -> web.Response:
        areas = self._scope(require(request, User.may_watch))
        case_id = int(request.match_info["id"])
        if areas is not None and not await Details(self._db).visible(case_id, areas):
            raise web.HTTPNotFound(text="desk: no such case; look at its number again")
        matches = await self._finder.similar(case_id, self._clock())
        c = T.cases.c
        ids = [match.case_id for match in matches]
        statement = select(c.id, c.case_no, c.status, c.summary, c.received_at).where(
            among(c.id, ids, is_sqlite=self._db.is_sqlite),
            *(() if areas is None else (c.area.in_(areas),)),
        )
        async with self._db.read() as conn:
            rows = {row.id: row for row in (await conn.execute(statement)).all()} if ids else {}
        return web.json_response(
            {"similar": [_line(one, rows[one.case_id]) for one in matches if one.case_id in rows]}
        )


def _line(match: Match, row: Any) -> dict[str, Any]:
    reasons = sorted(match.reasons, key=lambda reason: -abs(reason.weight))[:REASONS]
    return {
        "id": str(row.id),
        "case_no": row.case_no,
        "status": row.status,
        "summary": row.summary,
        "received_at": row.received_at.isoformat(),
        "score": round(match.score, 2),
        "relapse": match.relapse,
        "reasons": [{"text": reason.text, "against": reason.weight < 0} for reason in reasons],
    }
