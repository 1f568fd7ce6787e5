"""``/desk/admin/dead``: rejects (死信) by reason; fed again or given up with a reason. Contents stay sealed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from aiohttp import web
from sqlalchemy import func, select, update

from desk.accounts import User
from desk.admin import TABS, Redrive
from desk.pages import Pages, require, storable
from store.audit import audit, audited
from store.db import Database, Tx, among
from store.tables import T

STATES = {"dead": "待处理", "replayed": "已重放", "dismissed": "不再处理"}
SHOWN, MOST = 200, 1000
LEAST = 4
"""Characters of a reason for giving up."""

SAID = {
    "none": "请先选择死信。",
    "note": "不再处理须填写理由（至少四个字）。",
    "given_up": "已标记为不再处理。",
}
_number = re.compile(r"[0-9]{1,18}")


class DeadPage:
    """``redrive`` is the hub's."""

    def __init__(
        self, db: Database, pages: Pages, redrive: Redrive, *, clock: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._pages = pages
        self._redrive = redrive
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/desk/admin/dead", self._page),
            web.post("/desk/admin/dead/{act:replay|dismiss}", self._act),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        return await self._show(request)

    async def _show(
        self, request: web.Request, said: str = "", *, status: int = 200
    ) -> web.Response:
        require(request, User.may_administer)
        state = request.query.get("state", "dead")
        reason = storable(request.query.get("reason", ""))
        state = state if state in STATES else "dead"
        return self._pages.render(
            "admin_dead.html",
            request,
            status=status,
            tabs=TABS,
            said=SAID.get(said, said),
            bad=status != 200,  # noqa: PLR2004
            states=STATES,
            state=state,
            reason=reason,
            counts=await self._counts(),
            rows=await self._rows(state, reason),
        )

    async def _counts(self) -> Sequence[Any]:
        """State, room, reason and how many, the most first."""
        d = T.dead.c
        n = func.count().label("n")
        asked = select(d.state, d.stage, d.reason, n).group_by(d.state, d.stage, d.reason)
        async with self._db.read() as conn:
            return (await conn.execute(asked.order_by(n.desc(), d.stage, d.reason))).all()

    async def _rows(self, state: str, reason: str) -> Sequence[Any]:
        d = T.dead.c
        asked = select(d.id, d.stage, d.source_key, d.reason, d.error, d.attempts, d.at)
        asked = asked.where(d.state == state, *([d.reason == reason] if reason else []))
        async with self._db.read() as conn:
            return (await conn.execute(asked.order_by(d.id.desc()).limit(SHOWN))).all()

    async def _act(self, request: web.Request) -> web.Response:
        user = require(request, User.may_administer)
        form = await request.post()
        given = [str(one) for one in form.getall("id", [])]
        ids = [int(one) for one in given if _number.fullmatch(one)][:MOST]
        if not ids:
            return await self._show(request, "none", status=422)
        if request.match_info["act"] == "replay":
            return await self._replay(request, user.name, ids)
        note = storable(str(form.get("note", ""))).strip()[:1000]
        if len(note) < LEAST:
            return await self._show(request, "note", status=422)
        await self._dismiss(user.name, ids, note)
        return await self._show(request, "given_up")

    async def _replay(self, request: web.Request, actor: str, ids: Sequence[int]) -> web.Response:
        target = f"dead {_listed(ids)}"
        await audit(
            self._db,
            actor=actor,
            act="dead_replay",
            target=target,
            note="dead → replayed",
            at=self._clock(),
        )
        done = await self._redrive(ids)
        left = len(ids) - done
        return await self._show(
            request, f"已重放 {done} 条" + (f"，{left} 条仍无法处理，保留在此。" if left else "。")
        )

    async def _dismiss(self, actor: str, ids: Sequence[int], note: str) -> None:
        d = T.dead.c

        async def work(tx: Tx) -> None:
            mine = among(d.id, ids, is_sqlite=self._db.is_sqlite)
            target, now = f"dead {_listed(ids)}", self._clock()
            told = f"dead → dismissed: {note}"
            await audited(tx, actor=actor, act="dead_dismiss", target=target, note=told, at=now)
            await tx.run(update(T.dead).where(mine, d.state == "dead").values(state="dismissed"))

        await self._db.write(work)


def _listed(ids: Sequence[int]) -> str:
    """Numbers for the audit, however many."""
    return " ".join(str(one) for one in ids)
