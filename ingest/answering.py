"""Tell citizens what became of their message, in the channel they used (答复).

Rows of ``answers`` are written with the command they tell of; here they are worded, and handed to the
channel's connector. What can not be sent now is tried again for two days, WeChat's own window; a
channel that refuses for good leaves the row ``unsent`` with the reason, which the desk shows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from ingest import protocol
from ingest.jobs import due, later
from ingest.redact import redact
from ingest.sealing import Sealer
from store.db import Database, Tx
from store.errors import RejectedError, TransientError
from store.faults import crash_point
from store.parts import key_of
from store.pulse import Pulse
from store.tables import T
from store.vault import Vault

log = logging.getLogger(__name__)

GIVE_UP = timedelta(days=2)
BATCH = 50

WORDS = {
    "dispatched": "您反映的问题（受理号 {receipt}）已转{office}办理，预计{due}前答复。",
    "closed": "您反映的问题（受理号 {receipt}）已办结，承办单位：{office}。{text}",
    "declined": "您反映的问题（受理号 {receipt}）经核实不予立案。{text}",
    "referred": "您反映的问题（受理号 {receipt}）已转12345政务服务便民热线办理。{text}",
    "merged": "您反映的问题（受理号 {receipt}）与正在办理的事项相同，已并案办理，办理情况将一并告知您。",
    "extended": "您反映的问题（受理号 {receipt}）因情况复杂，经批准延长办理时间，预计{due}前答复。",
    "suspended": "您反映的问题（受理号 {receipt}）暂时无法解决，已列入挂账清单，条件具备后继续办理。{text}",
    "question": "关于您反映的问题（受理号 {receipt}）：{text}",
}
"""Stage → what the citizen reads of it."""


class Answering:
    """Sends what is due. One a database at a time: the caller holds the lease."""

    def __init__(
        self,
        *,
        db: Database,
        vault: Vault,
        speakers: Mapping[str, protocol.Answers],
        offices: Mapping[str, str],
        zone: ZoneInfo,
        clock: Callable[[], datetime],
        observe: Callable[[str, str, int], None],
    ) -> None:
        self._db = db
        self._vault = vault
        self._sealer = Sealer(vault)
        self._speakers = speakers
        self._offices = offices
        self._zone = zone
        self._clock = clock
        self._observe = observe

    async def run(self) -> None:
        """Send for ever."""
        while True:
            heard = self._db.pulse.listen("answers")
            if not await self.run_once():
                await Pulse.wait(heard, 5.0)

    async def run_once(self) -> int:
        """Send what is due now, one after the other; returns how many were tried."""
        rows = await due(self._db, T.answers, self._clock(), limit=BATCH)
        for row in rows:
            await self._send(row)
        return len(rows)

    async def _send(self, row: Any) -> None:
        speaker = self._speakers.get(row.channel)
        try:
            if speaker is None:
                msg = f"ingest: {row.channel}: this channel is not configured to answer"
                raise RejectedError(msg, reason="unanswerable")
            told = await self._told(row, in_public=speaker.in_public)
            await speaker.answer(told)
        except TransientError as error:
            await self._again(row, error)
        except RejectedError as error:
            await self._settle(row, "unsent", error=str(error)[:300], ended_at=self._clock())
            log.warning("answer refused", extra={"event": "answer_refused", "channel": row.channel})
        else:
            crash_point("answers.after_send")
            await self._settle(row, "sent", error="", ended_at=self._clock())
            self._observe("answered", row.channel, 1)

    async def _told(self, row: Any, *, in_public: bool) -> protocol.Told:
        i, ci, c, v = T.items.c, T.case_items.c, T.cases.c, T.conversations.c
        statement = (
            select(T.items, c.department, c.due_at, c.promise_at, v.updated_at)
            .outerjoin(T.case_items, ci.item_id == i.id)
            .outerjoin(T.cases, c.id == ci.case_id)
            .outerjoin(T.conversations, (v.channel == i.channel) & (v.author_key == i.author_key))
            .where(i.id == row.item_id)
        )
        async with self._db.read() as conn:
            found = (await conn.execute(statement)).first()
            if found is None or found.key is None:
                msg = "ingest: the message was erased; nobody is left to answer"
                raise RejectedError(msg, reason="erased")
            key, channel_id = await key_of(conn, self._vault, found)
        item = self._sealer.open(found, key)
        code = self._vault.code("receipt", str(item.uid))
        receipt = str(found.id) if in_public else f"{found.id}-{code}"
        promise_at = found.promise_at or found.due_at
        due_at = promise_at.astimezone(self._zone).strftime("%m月%d日") if promise_at else ""
        facts = {
            "receipt": receipt,
            "office": self._offices.get(found.department or "", "有关部门"),
            "due": due_at,
            "text": redact(row.text),
        }
        return protocol.Told(
            channel_id=channel_id,
            author=item.author,
            thread=item.thread,
            receipt=receipt,
            stage=row.stage,
            text=WORDS[row.stage].format(**facts),
            heard_at=max(found.received_at, found.updated_at or found.received_at),
            facts=facts,
        )

    async def _again(self, row: Any, error: TransientError) -> None:
        now = self._clock()
        if now - row.created_at >= GIVE_UP:
            await self._settle(row, "unsent", error=str(error)[:300], ended_at=now)
            return
        when = later(now, row.attempts, error.retry_after_s)
        await self._settle(
            row, "pending", error=str(error)[:300], due_at=when, attempts=row.attempts + 1
        )

    async def _settle(self, row: Any, state: str, **values: Any) -> None:
        async def work(tx: Tx) -> None:
            changed = update(T.answers).where(T.answers.c.id == row.id)
            await tx.run(changed.values(state=state, **values))
            tx.touched.add("desk")

        await self._db.write(work)
