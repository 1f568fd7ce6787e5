"""The table ``deliveries``: what waits for an endpoint, read with all that must be told of it.

Its column ``department`` holds the endpoint's key (``router.notify.endpoints``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import and_, exists, or_, select, update

from router.notify.senders import Dispatch
from router.notify.told import SUPERVISED, Paper, papers
from router.tasks import TaskKind, TaskRole, raise_task
from store.db import Database, Tx
from store.dead import DeadLetters
from store.tables import T

_labels = msgspec.json.Decoder(list[str])


@dataclass(frozen=True)
class Backlog:
    """Reads and settles delivery rows. ``link`` makes the office's answer page for an order."""

    db: Database
    dead: DeadLetters
    link: Callable[[int, datetime], str]

    async def waiting(self, keys: Collection[str], now: datetime) -> list[str]:
        """Those of ``keys`` for which something is due."""
        d = T.deliveries.c
        statement = select(d.department).where(
            d.state == "pending", d.due_at <= now, d.department.in_(keys)
        )
        async with self.db.read() as conn:
            return list((await conn.execute(statement.distinct())).scalars())

    async def due(self, key: str, now: datetime, limit: int) -> list[Dispatch]:
        """Due at one endpoint, the longest waiting first, none behind an earlier one of its case."""
        d, earlier = T.deliveries, T.deliveries.alias()
        o, c, i = T.work_orders.c, T.cases.c, T.items.c
        blocked = exists().where(
            and_(
                earlier.c.state == "pending",
                earlier.c.case_id == d.c.case_id,
                earlier.c.department == d.c.department,
                earlier.c.seq < d.c.seq,
            )
        )
        told = (o.department, o.lead, o.due_at, c.case_no, c.kind, c.problems, c.campaigns)
        more = (c.urgency, c.area, c.received_at, i.title, i.text)
        times = (d.c.id, d.c.webhook_id, d.c.change, d.c.seq, d.c.attempts, d.c.created_at)
        statement = (
            select(*times, d.c.case_id, d.c.order_id, *told, *more)
            .join(T.work_orders, o.id == d.c.order_id)
            .join(T.cases, c.id == d.c.case_id)
            .outerjoin(T.items, i.id == d.c.case_id)
            .where(d.c.state == "pending", d.c.due_at <= now, d.c.department == key, ~blocked)
            .where(or_(d.c.change != "assigned", o.ended_at.is_(None), o.ended_at >= o.leaves_at))
            .order_by(d.c.due_at, d.c.id)
            .limit(limit)
        )
        async with self.db.read() as conn:
            rows = (await conn.execute(statement)).all()
            supervised = [row.order_id for row in rows if row.change == SUPERVISED]
            known = await papers(conn, supervised, key.partition("/")[0])
        return [self._dispatch(row, key, known) for row in rows]

    def _dispatch(self, row: Any, key: str, known: Mapping[str, Paper]) -> Dispatch:
        """With the link where the order is this office's own and goes on; a paper stands for the text."""
        paper = known.get(row.webhook_id.partition("/")[0]) if row.change == SUPERVISED else None
        own = row.change != "withdrawn" and row.department == key.partition("/")[0]
        link = self.link(row.order_id, row.created_at) if own else ""
        return Dispatch(
            delivery_id=row.id,
            webhook_id=row.webhook_id,
            change=row.change,
            seq=row.seq,
            attempts=row.attempts,
            since=row.created_at,
            case_id=row.case_id,
            case_no=row.case_no,
            order_id=row.order_id,
            department=row.department,
            lead=row.lead,
            kind=row.kind,
            problems=_labels.decode(row.problems),
            campaigns=_labels.decode(row.campaigns),
            urgency=row.urgency,
            area=row.area,
            received_at=row.received_at,
            due_at=row.due_at,
            text="" if row.change == SUPERVISED else f"{row.title or ''}\n{row.text or ''}".strip(),
            link=link,
            paper=paper,
        )

    async def settle(self, dispatches: Sequence[Dispatch], **values: Any) -> None:
        """Set these columns of the rows and count the attempt."""
        d = T.deliveries.c

        async def work(tx: Tx) -> None:
            ids = [one.delivery_id for one in dispatches]
            change = update(T.deliveries).where(d.id.in_(ids))
            await tx.run(change.values(attempts=d.attempts + 1, **values))
            tx.touched.add("desk")

        await self.db.write(work)

    async def give_up(self, dispatch: Dispatch, error: str, now: datetime) -> None:
        """Move one row to ``dead``, from where a redrive begins anew."""
        d = T.deliveries.c

        async def work(tx: Tx) -> None:
            change = update(T.deliveries).where(d.id == dispatch.delivery_id)
            await tx.run(change.values(state="dead", error=error, ended_at=now))
            await self.dead.put(
                tx,
                stage="deliver",
                source_key=dispatch.webhook_id,
                reason="undeliverable",
                error=error,
                content=msgspec.json.encode({"delivery": dispatch.delivery_id}),
            )
            await raise_task(
                tx,
                mark=f"undeliverable:{dispatch.webhook_id}:{dispatch.since.isoformat()}",
                kind=TaskKind.UNDELIVERABLE,
                role=TaskRole.ADMIN,
                at=now,
                case_id=dispatch.case_id,
                order_id=dispatch.order_id,
                note=dispatch.department,
            )
            tx.touched.add("desk")

        await self.db.write(work)
