"""回复: an office answers a document of supervision. Words end the climb; only the work ends the ladder."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from router.supervision import State, read_mark
from router.tasks import settle_tasks
from store.db import Database, Tx
from store.errors import ConflictError, RejectedError
from store.tables import T

LONGEST = 2000
"""Characters of a reply."""


class Replies:
    """The answers of offices, on record with the documents they answer."""

    def __init__(self, db: Database, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock

    async def of_office(self, office: str, *, limit: int = 100) -> list[dict[str, Any]]:
        """Documents that wait for an answer of ``office``, the most pressing first."""
        s = T.supervisions.c
        statement = (
            select(T.supervisions, T.cases.c.case_no)
            .join(T.cases, T.cases.c.id == s.case_id)
            .where(s.state == State.ISSUED, s.addressee == office)
            .order_by(s.reply_by, s.id)
            .limit(limit)
        )
        async with self._db.read() as conn:
            return [dict(row) for row in (await conn.execute(statement)).mappings()]

    async def reply(self, supervision_id: int, *, actor: str, scope: str, text: str) -> None:
        """Keep the answer of office ``scope``; a late one is kept too and ends what climbed from it.

        RejectedError when ``scope`` has no such document, it asks for no answer, or there are no words;
        ConflictError when it was answered.
        """
        words = text.replace("\0", "").strip()[:LONGEST]
        if not words:
            msg = (
                "router: reply: nothing is written; say what was done and when it will be finished"
            )
            raise RejectedError(msg, reason="note")

        async def work(tx: Tx) -> None:
            s, now = T.supervisions.c, self._clock()
            row = await _asked(tx, supervision_id, scope)
            values = {"reply": words, "replied_by": actor, "replied_at": now}
            where = (s.id == supervision_id, s.replied_at.is_(None))
            change = update(T.supervisions).where(*where)
            done = await tx.run(change.values(**values, state=State.ANSWERED))
            if done.rowcount != 1:
                msg = "router: reply: this document was answered already; look again"
                raise ConflictError(msg)
            await _end_climb(tx, row, actor, now)
            tx.touched.add("desk")

        await self._db.write(work)


async def _asked(tx: Tx, supervision_id: int, scope: str) -> Any:
    """The document; RejectedError when it is not for ``scope`` to answer."""
    s = T.supervisions.c
    columns = (s.order_id, s.mark, s.level, s.addressee, s.number)
    row = (await tx.run(select(*columns).where(s.id == supervision_id))).first()
    if row is None or row.addressee != scope:
        msg = "router: no such document for this office; look again"
        raise RejectedError(msg, reason="supervision")
    if not row.number:
        msg = "router: reply: a lamp asks for no answer; sign, handle or ask for more time"
        raise RejectedError(msg, reason="supervision")
    return row


async def _end_climb(tx: Tx, row: Any, actor: str, now: datetime) -> None:
    """What asked higher offices for the same answer asks no more."""
    s = T.supervisions.c
    round_, rung = read_mark(row.mark)
    base = f"{row.order_id}:{round_}:{row.level}"
    where = (s.order_id == row.order_id, s.level == row.level, s.state == State.ISSUED)
    waiting = (await tx.run(select(s.id, s.mark).where(*where))).all()
    ids = [one.id for one in waiting if _climbed(one.mark, round_, rung)]
    if ids:
        await tx.run(update(T.supervisions).where(s.id.in_(ids)).values(state=State.SUPERSEDED))
    await settle_tasks(tx, actor=actor, at=now, marks=[f"{base}:unanswered"])


def _climbed(mark: str, round_: int, rung: int) -> bool:
    """Whether this mark is of the same document, higher up."""
    its_round, its_rung = read_mark(mark)
    return its_round == round_ and its_rung > rung
