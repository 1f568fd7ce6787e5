"""Follows ``verdicts``: joins what is certainly one matter to the case that is open, links what came back (并案、复发).

The order matters. In ``prepare``: the keys of the batch are written and durable, the cases of the batch are
waited for (another group files them), and only then each case is searched for. So two duplicates meet whether
they come in one batch, in two, or on two partitions at once: whoever searches second sees both. Of a pair
the later number is always joined to the earlier, whichever is looked at, so they never join each other.

A recording is left as it is: which of many near copies meet depends on who comes first, and a replay must give
the same cases in every run.

The commands are transactions of their own, before the offset moves. A batch that is read again finds its cases
joined or linked already and does nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import exists, select, update

from router.grouping import Finder
from router.keeping import KeyWorker, item_ids
from router.matching import Match
from router.workflow import FINAL, CaseStatus, Verb
from store.db import Database, Tx, among
from store.errors import ConflictError, RejectedError
from store.model import Decision, Kind, Record
from store.tables import T

log = logging.getLogger(__name__)

ACTOR = "grouping@1"
"""Who joined, in the history."""

PATIENCE = timedelta(minutes=2)
"""A verdict this old whose case is still missing will not be waited for: its record is in ``dead``."""

PACE = 100
"""Searches a second at most: each costs some milliseconds, and a rush must not wait for them."""

LOOK_S = 1.0
"""Seconds between looks for cases not filed yet, unless a commit wakes us."""

REASONS = 4
"""Reasons told in the history, the strongest."""

FILED_BY_RULE = frozenset({Verb.RECEIVE, Verb.FILE, Verb.DISPATCH})
"""Commands the router gives by itself. After any other, a person has touched the case."""


class Commands(Protocol):
    """The commands this needs; each raises ConflictError or RejectedError when it may not be given."""

    async def merge(
        self, case_id: int, *, into: int, version: int | None, actor: str, note: str
    ) -> int:
        """Join a case to another."""

    async def relapse(
        self, case_id: int, *, of: int, actor: str, note: str, version: int | None = None
    ) -> int:
        """Link a case to a closed one."""


class JoinWorker(KeyWorker):
    """The ``KeyWorker`` of a city that lets certain joins happen by themselves."""

    def __init__(
        self, *, db: Database, finder: Finder, cases: Commands, clock: Callable[[], datetime]
    ) -> None:
        super().__init__(finder)
        self._db = db
        self._cases = cases
        self._clock = clock

    async def prepare(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        """Raises TransientError when the database is away."""
        rows = await super().prepare(records)

        async def work(tx: Tx) -> None:
            await tx.insert(T.case_keys, rows, again="ignore")

        await self._db.write(work)
        ids = item_ids(records)
        await self._filed(ids)
        await self.join(ids)
        return []

    async def join(self, ids: Sequence[int]) -> None:
        """Join or link each of these cases that nobody has touched, the earliest first."""
        filed = await self._rows(ids)
        mine = [n for n, row in filed.items() if row.status not in FINAL and not row.replayed]
        found = await self._finder.facts(mine) if mine else []
        for facts in sorted(found, key=lambda f: f.id):
            await asyncio.sleep(1 / PACE)
            matches = await self._finder.find(facts, self._clock())
            await self._mark(facts.id, matches)
            likely = [m for m in matches if m.proven]
            if not likely:
                continue
            rows = await self._rows([facts.id, *(m.case_id for m in likely)])
            own = rows.get(facts.id)
            if own is not None and own.status not in FINAL:
                await self._settle(own, likely, rows)

    async def _mark(self, case_id: int, matches: Sequence[Match]) -> None:
        """Both sides of what may be one open matter, for the desk's view of them."""
        others = [match.case_id for match in matches if not match.relapse]
        c = T.cases.c
        which = among(c.id, [case_id, *others], is_sqlite=self._db.is_sqlite)

        async def work(tx: Tx) -> None:
            await tx.run(update(T.cases).where(which, c.alike.is_(False)).values(alike=True))

        if others:
            await self._db.write(work)

    async def _settle(self, own: Any, matches: Sequence[Match], rows: dict[int, Any]) -> None:
        """Give the one command the best match calls for, if any. A joined case stands for what it was joined to."""
        known = [(m, rows[m.case_id]) for m in matches if m.case_id in rows]
        for match, row in known:
            later, earlier = (own, row) if own.id > row.id else (row, own)
            is_open = row.status not in FINAL or row.status == CaseStatus.MERGED
            if match.certain and is_open and self._may_join(later, earlier):
                await self._give(self._cases.merge, later, match, into=earlier.id)
                return
        for match, row in known:
            if match.relapse and row.status == CaseStatus.CLOSED and not own.touched:
                await self._give(self._cases.relapse, own, match, of=row.id)
                return

    def _may_join(self, later: Any, earlier: Any) -> bool:
        """Whether no person and no office has taken the later case up, and both are of one kind.

        A case sent by rule is still free while its orders are held back. Problems agree already: without that
        nothing is certain; so labels people gave can not differ either.
        """
        if later.touched or later.replayed or later.kind != earlier.kind:
            return False
        if later.status == CaseStatus.RECEIVED:
            return True
        return later.status == CaseStatus.DISPATCHED and not later.left

    async def _give(self, command: Callable[..., Any], row: Any, match: Match, **to: int) -> None:
        """A command that comes too late is no fault: somebody else has decided meanwhile."""
        note = "；".join([reason.text for reason in match.reasons if reason.weight > 0][:REASONS])
        try:
            await command(row.id, version=row.version, actor=ACTOR, note=note, **to)
        except (ConflictError, RejectedError) as error:
            log.info("not joined", extra={"event": "join_refused", "cause": type(error).__name__})

    async def _rows(self, ids: Iterable[int]) -> dict[int, Any]:
        """Of these cases: where they stand, whether a person touched them, whether an order has left."""
        c, e, o, r = T.cases.c, T.events.c, T.work_orders.c, T.corrections.c
        now = self._clock()
        by_person = exists().where(e.case_id == c.id, e.verb.not_in(FILED_BY_RULE))
        corrected = exists().where(r.item_id == c.id)
        left = exists().where(o.case_id == c.id, o.leaves_at.is_(None) | (o.leaves_at <= now))
        statement = select(
            c.id, c.status, c.version, c.kind, c.replayed,
            (by_person | corrected).label("touched"), left.label("left"),
        ).where(among(c.id, list(ids), is_sqlite=self._db.is_sqlite))  # fmt: skip
        async with self._db.read() as conn:
            return {row.id: row for row in (await conn.execute(statement)).all()}

    async def _filed(self, ids: Sequence[int]) -> None:
        """Wait until the router has filed what it will file of these items."""
        while True:
            heard = self._db.pulse.listen("desk")
            if not await self._unfiled(ids):
                return
            await self._db.pulse.wait(heard, LOOK_S)

    async def _unfiled(self, ids: Sequence[int]) -> bool:
        """Whether an item with a fresh verdict that needs a case has none yet."""
        v, c = T.verdicts.c, T.cases.c
        needs_case = (v.decision == Decision.DESK) | v.kind.not_in({Kind.PRAISE, Kind.CHATTER})
        statement = (
            select(v.item_id)
            .where(
                among(v.item_id, list(ids), is_sqlite=self._db.is_sqlite),
                v.at > self._clock() - PATIENCE,
                needs_case,
                ~exists().where(c.id == v.item_id),
            )
            .limit(1)
        )
        async with self._db.read() as conn:
            return (await conn.execute(statement)).first() is not None
