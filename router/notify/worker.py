"""Follows ``notices`` and delivers them: at least once, in order for each case, nobody forgotten.

An office with a system of its own gets a delivery row; one without is served by the built-in inbox,
which reads work orders directly. Deliveries are found by state. An endpoint that fails five times in
a row is left alone and probed every 30 s with one message, so the others are not held up; after three
days a delivery goes to ``dead``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import and_, exists, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from router.notify import webhook
from store.db import Database, Tx
from store.dead import DeadLetters
from store.errors import HubError, TransientError
from store.faults import crash_point
from store.model import NoticeRef, Record, dispatch_uid
from store.ports import Answer, Http
from store.pulse import Pulse
from store.tables import T

log = logging.getLogger(__name__)

_notice = msgspec.json.Decoder(NoticeRef)

BACKOFF_S = (5, 60, 300, 1800, 7200)
OPEN_AFTER = 5
PROBE_S = 30
GIVE_UP = timedelta(days=3)
FEW_TRIES = 3
PATIENT = frozenset({408, 409, 425, 429})
BATCH = 50


class NoticeWorker:
    """Handler of topic ``notices``: turns each into a delivery, once."""

    group = "notify"
    topic = "notices"

    def __init__(
        self, *, db: Database, webhooks: Mapping[str, str], clock: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._webhooks = webhooks
        self._clock = clock

    async def prepare(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        now = self._clock()
        notices = [(record, _notice.decode(record.payload)) for record in records]
        return [
            {
                "webhook_id": str(dispatch_uid(int(record.key), n.department, n.seq)),
                "case_id": int(record.key),
                "order_id": n.order_id,
                "department": n.department,
                "seq": n.seq,
                "change": n.change,
                "state": "pending",
                "attempts": 0,
                "due_at": now,
                "created_at": now,
                "error": "",
            }
            for record, n in notices
            if n.department in self._webhooks
        ]

    async def apply(self, tx: Tx, effects: list[dict[str, Any]]) -> None:
        if effects:
            upsert = sqlite_insert if self._db.is_sqlite else pg_insert
            await tx.run(upsert(T.deliveries).on_conflict_do_nothing(), effects)
            tx.touched.add("deliveries")


@dataclass
class _Endpoint:
    failures: int = 0
    probe_at: datetime | None = None


class Deliverer:
    """Sends what is due. One a database at a time: the caller holds the lease."""

    def __init__(
        self,
        *,
        db: Database,
        http: Http,
        dead: DeadLetters,
        webhooks: Mapping[str, str],
        secrets: Mapping[str, str],
        clock: Callable[[], datetime],
        observe: Callable[[str, str, int], None],
    ) -> None:
        self._db = db
        self._http = http
        self._dead = dead
        self._webhooks = webhooks
        self._secrets = secrets
        self._clock = clock
        self._observe = observe
        self._endpoints: dict[str, _Endpoint] = {}

    async def run(self) -> None:
        """Deliver for ever."""
        while True:
            heard = self._db.pulse.listen("deliveries")
            if not await self.run_once():
                await Pulse.wait(heard, 1.0)

    async def run_once(self) -> int:
        """Send what is due now, departments side by side; returns how many were tried."""
        due = await self._due()
        by_department: dict[str, list[Any]] = {}
        for row in due:
            by_department.setdefault(row["department"], []).append(row)
        await asyncio.gather(*(self._drain(name, rows) for name, rows in by_department.items()))
        return len(due)

    async def _due(self) -> list[Any]:
        """Pending and due, not behind an earlier one of the same case and office, endpoint not resting."""
        d, earlier = T.deliveries, T.deliveries.alias()
        now = self._clock()
        resting = [
            n for n, e in self._endpoints.items() if e.probe_at is not None and now < e.probe_at
        ]
        blocked = exists().where(
            and_(
                earlier.c.state == "pending",
                earlier.c.case_id == d.c.case_id,
                earlier.c.department == d.c.department,
                earlier.c.seq < d.c.seq,
            )
        )
        statement = (
            select(d)
            .where(
                d.c.state == "pending", d.c.due_at <= now, ~blocked, d.c.department.not_in(resting)
            )
            .order_by(d.c.due_at, d.c.id)
            .limit(BATCH)
        )
        async with self._db.read() as conn:
            return list((await conn.execute(statement)).mappings().all())

    async def _drain(self, department: str, rows: Sequence[Any]) -> None:
        endpoint = self._endpoints.setdefault(department, _Endpoint())
        if endpoint.probe_at is not None:
            rows = rows[:1]
        for row in rows:
            if endpoint.failures >= OPEN_AFTER and row is not rows[0]:
                return
            await self._deliver(row, endpoint)

    async def _deliver(self, row: Mapping[str, Any], endpoint: _Endpoint) -> None:
        department = row["department"]
        try:
            body = await self._body(row)
            stamp = int(self._clock().timestamp())
            signed = webhook.headers(self._secrets[department], row["webhook_id"], stamp, body)
            crash_point("deliver.before_send")
            answer = await self._http.send(
                "POST", self._webhooks[department], headers=signed, body=body, max_bytes=65_536
            )
            crash_point("deliver.after_send")
        except HubError as error:
            retry_after = error.retry_after_s if isinstance(error, TransientError) else None
            await self._failed(row, endpoint, str(error), retry_after_s=retry_after)
            return
        if 200 <= answer.status < 300:  # noqa: PLR2004
            endpoint.failures, endpoint.probe_at = 0, None
            await self._settle(
                row, state="delivered", ended_at=self._clock(), attempts=row["attempts"] + 1
            )
            self._observe("delivered", department, 1)
            return
        await self._refused(row, endpoint, answer)

    async def _body(self, row: Mapping[str, Any]) -> bytes:
        async with self._db.read() as conn:
            orders, cases, items = T.work_orders, T.cases, T.items
            order = (
                (await conn.execute(select(orders).where(orders.c.id == row["order_id"])))
                .mappings()
                .one()
            )
            case = (
                (await conn.execute(select(cases).where(cases.c.id == row["case_id"])))
                .mappings()
                .one()
            )
            item = (
                await conn.execute(
                    select(items.c.title, items.c.text).where(items.c.id == row["case_id"])
                )
            ).one()
        return webhook.encode(row, dict(order), dict(case), f"{item[0]}\n{item[1]}".strip())

    async def _refused(self, row: Mapping[str, Any], endpoint: _Endpoint, answer: Answer) -> None:
        error = f"router: {row['department']} answered {answer.status}"
        patient = answer.status in PATIENT or not 400 <= answer.status < 500  # noqa: PLR2004
        if not patient and row["attempts"] + 1 >= FEW_TRIES:
            await self._give_up(row, error)
            return
        await self._failed(row, endpoint, error, retry_after_s=_retry_after(answer))

    async def _failed(
        self,
        row: Mapping[str, Any],
        endpoint: _Endpoint,
        error: str,
        *,
        retry_after_s: float | None,
    ) -> None:
        now = self._clock()
        endpoint.failures += 1
        if endpoint.failures >= OPEN_AFTER:
            endpoint.probe_at = now + timedelta(seconds=PROBE_S)
        if now - row["created_at"] >= GIVE_UP:
            await self._give_up(row, error)
            return
        wait = retry_after_s or BACKOFF_S[min(row["attempts"], len(BACKOFF_S) - 1)]
        if endpoint.failures >= OPEN_AFTER:
            wait = PROBE_S
        due_at = now + timedelta(seconds=wait)
        await self._settle(row, due_at=due_at, attempts=row["attempts"] + 1, error=error[:300])
        self._observe("delivery_failed", row["department"], 1)
        log.warning(
            "delivery failed", extra={"event": "delivery_failed", "department": row["department"]}
        )

    async def _give_up(self, row: Mapping[str, Any], error: str) -> None:
        async def work(tx: Tx) -> None:
            d = T.deliveries
            await tx.run(
                update(d)
                .where(d.c.id == row["id"])
                .values(state="dead", error=error[:300], ended_at=self._clock())
            )
            await self._dead.put(
                tx,
                stage="deliver",
                source_key=row["webhook_id"],
                reason="undeliverable",
                error=error[:300],
                content=msgspec.json.encode({"delivery": row["id"]}),
            )

        await self._db.write(work)

    async def _settle(self, row: Mapping[str, Any], **values: Any) -> None:
        async def work(tx: Tx) -> None:
            await tx.run(
                update(T.deliveries).where(T.deliveries.c.id == row["id"]).values(**values)
            )
            tx.touched.add("desk")

        await self._db.write(work)


def _retry_after(answer: Answer) -> float | None:
    value = answer.headers.get("retry-after", "")
    return min(float(value), 3600.0) if value.isdecimal() else None
