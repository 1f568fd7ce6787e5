"""Alerts (提醒): who is told of which burst, written down once, held through quiet hours, then sent.

``mark`` is unique in the database: a burst is told to an official once, whatever restarts, other hubs and later edits
of its numbers do. A burst found again with another first day within ``SAME_DAYS`` is the same one. What waits for one
official goes in one message, bulletins apart, for they bring files.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from router.notify.messages import Attachment, Message, Teller
from router.notify.senders import Endpoint, Sender
from router.tasks import TaskKind, TaskRole, raise_task
from router.trends.days import Period, day_of, number
from router.trends.officials import Alerts, Official
from router.trends.sums import NUMBER, Ask
from store.db import Database, Tx
from store.errors import HubError, RejectedError
from store.ports import Http
from store.tables import T
from store.tables_trends import ALL

log = logging.getLogger(__name__)

PENDING, SENDING, SENT, FAILED, DEAD = "pending", "sending", "sent", "failed", "dead"
BURST, BULLETIN = "burst", "bulletin"
SAME_DAYS = 7
LATE_DAYS = 3
"""A burst that was over longer ago is no news: it was found late, as after an import."""

BACKOFF_S = (30, 120, 600, 3600)
GIVE_UP = timedelta(days=3)
FEW_TRIES = 3
STUCK = timedelta(minutes=10)
"""After this a message whose fate nobody wrote down is looked at again."""

BATCH = 200
LOOK_S = 30.0

Files = Callable[[str], Awaitable[Sequence[Attachment]]]
"""The files that go with an alert, by its mark."""


def alert(
    official: Official, mark: str, *, now: datetime, zone: ZoneInfo, title: str, body: str, link: str
) -> dict[str, Any]:  # fmt: skip
    """A row of ``alerts``, due at once or after the official's quiet hours."""
    return {
        "mark": mark, "official": official.id, "endpoint": official.id, "title": title, "body": body, "link": link,
        "state": PENDING, "attempts": 0, "due_at": official.due(now, zone), "created_at": now, "error": "",
    }  # fmt: skip


async def put(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Write alerts down; those whose mark is there already are not written again."""
    insert = sqlite_insert if tx.conn.dialect.name == "sqlite" else pg_insert
    for row in rows:
        once = insert(T.alerts).values(row).on_conflict_do_nothing(index_elements=["mark"])
        await tx.run(once)
    if rows:
        tx.touched.add("alerts")


def burst_mark(label: str, area: str, start_day: int, official: str) -> str:
    """What makes an alert of a burst unique."""
    return f"{BURST}:{label}:{area}:{start_day}:{official}"


def near_marks(row: Any, official: str) -> list[str]:
    """Marks under which an official may have been told of this burst, its first day having moved since."""
    first = day_of(row.start_day)
    days = [first + timedelta(days=n) for n in range(-SAME_DAYS, SAME_DAYS + 1)]
    return [burst_mark(row.label, row.area, number(day), official) for day in days]


class Bursts:
    """Turns bursts into alerts. ``names`` are those of labels and areas; ``base_url`` is where this hub is reached."""

    def __init__(
        self,
        db: Database,
        alerts: Alerts,
        names: Mapping[str, str],
        *,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
        base_url: str = "",
    ) -> None:
        self._db = db
        self.alerts = alerts
        self._names = names
        self._zone = zone
        self._clock = clock
        self._base_url = base_url.rstrip("/")

    async def tell(self) -> int:
        """Write alerts of the bursts that go on, for officials who were not told yet; how many alerts."""
        b, today = T.bursts.c, self._clock().astimezone(self._zone).date()
        recent = b.last_day >= number(today - timedelta(days=LATE_DAYS))
        asked = select(T.bursts).where(recent).order_by(b.excess.desc(), b.id).limit(BATCH)
        async with self._db.read() as conn:
            rows = (await conn.execute(asked)).all()
        return await self._db.write(lambda tx: self._tell(tx, rows)) if rows else 0

    async def _tell(self, tx: Tx, rows: Sequence[Any]) -> int:
        now, a, b, count = self._clock(), T.alerts.c, T.bursts.c, 0
        for row in rows:
            wanting = [o for o in self.alerts.official if o.wants(row.label, row.area, row.excess)]
            marks = {mark: one.id for one in wanting for mark in near_marks(row, one.id)}
            known = (await tx.run(select(a.mark).where(a.mark.in_(sorted(marks))))).scalars()
            told = {marks[mark] for mark in known}
            fresh = [self._alert(row, one, now) for one in wanting if one.id not in told]
            await put(tx, fresh)
            count += len(fresh)
            if fresh and row.told_at is None:
                await tx.run(update(T.bursts).where(b.id == row.id).values(told_at=now))
        return count

    def _alert(self, row: Any, official: Official, now: datetime) -> dict[str, Any]:
        period = Period(day_of(row.start_day), day_of(row.last_day))
        where = "".join(self._names.get(one, one) for one in (row.area, row.label) if one != ALL)
        name = f"{where or '全市'}诉求"
        since = f"{period.start.month}月{period.start.day}日"
        body = f"{name}{since}起突增：{row.observed:,.0f}件，预期{row.expected:,.1f}件"
        query = Ask("items", period, row.label, row.area).query()
        link = f"{self._base_url}{NUMBER}{query}" if self._base_url else ""
        mark = burst_mark(row.label, row.area, row.start_day, official.id)
        return alert(
            official,
            mark,
            now=now,
            zone=self._zone,
            title=f"突增提醒：{name}",
            body=body,
            link=link,
        )


class Alerting:
    """Sends what is due. ``files`` makes those of a bulletin, for ways that take them."""

    def __init__(
        self,
        db: Database,
        http: Http,
        *,
        endpoints: Mapping[str, Endpoint],
        senders: Mapping[str, Sender],
        clock: Callable[[], datetime],
        files: Files | None = None,
        base_url: str = "",
    ) -> None:
        self._db = db
        self._http = http
        self.endpoints = endpoints
        self._senders = senders
        self._clock = clock
        self._files = files
        self._base_url = base_url.rstrip("/")

    async def run_once(self) -> int:
        """Send what is due now, a message an official and a bulletin; how many alerts were tried."""
        await self._recover()
        rows = await self._claim()
        for group in _messages(rows):
            await self._send(group)
        return len(rows)

    async def _claim(self) -> Sequence[Any]:
        """Take what is due, so that nobody else sends it too."""
        a, now = T.alerts.c, self._clock()

        async def work(tx: Tx) -> Sequence[Any]:
            due = select(a.id).where(a.state == PENDING, a.due_at <= now).order_by(a.due_at, a.id)
            ids = list((await tx.run(due.limit(BATCH))).scalars())
            mine = update(T.alerts).where(a.id.in_(ids), a.state == PENDING)
            taken = mine.values(state=SENDING, attempts=a.attempts + 1, due_at=now + STUCK)
            return (await tx.run(taken.returning(T.alerts))).all() if ids else []

        return sorted(await self._db.write(work), key=lambda row: row.id)

    async def _recover(self) -> None:
        """What a hub took and never reported: a letter goes again under its same id, a robot may not speak twice."""
        a, now = T.alerts.c, self._clock()
        stuck = (a.state == SENDING, a.due_at <= now)
        async with self._db.read() as conn:
            rows = (await conn.execute(select(T.alerts).where(*stuck))).all()
        for row in rows:
            endpoint = self.endpoints.get(row.endpoint)
            if endpoint is not None and endpoint.kind == "email":
                await self._settle([row], state=PENDING, due_at=now)
            else:
                await self._fail([row], FAILED, "router: alert: the hub stopped while it was sent")

    async def _send(self, rows: Sequence[Any]) -> None:
        endpoint = self.endpoints.get(rows[0].endpoint)
        teller = self._senders.get(endpoint.kind) if endpoint is not None else None
        if endpoint is None or not isinstance(teller, Teller):
            msg = "router: alert: its official is not configured; correct alerts.toml"
            await self._fail(rows, FAILED, msg)
            return
        try:
            message = await self._message(rows, takes_files=teller.takes_files)
            await teller.tell(message, endpoint, self._http)
        except HubError as error:
            await self._failed(rows, error)
            return
        await self._settle(rows, state=SENT, ended_at=self._clock(), error="")

    async def _message(self, rows: Sequence[Any], *, takes_files: bool) -> Message:
        """One alert in full, or a digest with a line for each."""
        first = rows[0]
        uid = f"alert-{first.id}"
        if len(rows) > 1:
            link = f"{self._base_url}/desk/trends" if self._base_url else ""
            lines = [row.body for row in rows]
            return Message(uid, f"提醒摘要：{len(rows)} 条", lines, first.created_at, link)
        wants_files = takes_files and self._files is not None and first.mark.startswith(BULLETIN)
        files = await self._files(first.mark) if wants_files and self._files else ()
        return Message(
            uid, first.title, first.body.splitlines(), first.created_at, first.link, files
        )

    async def _failed(self, rows: Sequence[Any], error: HubError) -> None:
        """Try again later, or give up what is refused or too old."""
        now, said = self._clock(), str(error)[:300]
        refused = isinstance(error, RejectedError) and rows[0].attempts >= FEW_TRIES
        if refused or now - rows[0].created_at >= GIVE_UP:
            await self._fail(rows, FAILED if refused else DEAD, said)
            return
        step = min(rows[0].attempts, len(BACKOFF_S)) - 1
        wait_s = getattr(error, "retry_after_s", None) or BACKOFF_S[max(step, 0)]
        await self._settle(rows, state=PENDING, due_at=now + timedelta(seconds=wait_s), error=said)

    async def _fail(self, rows: Sequence[Any], state: str, said: str) -> None:
        """Give up, and ask an administrator to look."""
        now, first = self._clock(), rows[0]
        await self._settle(rows, state=state, ended_at=now, error=said)

        async def work(tx: Tx) -> None:
            await raise_task(
                tx, mark=f"alert:{first.id}", kind=TaskKind.UNDELIVERABLE, role=TaskRole.ADMIN, at=now,
                note=first.official,
            )  # fmt: skip

        await self._db.write(work)
        log.warning("alert not sent", extra={"event": "alert_failed", "official": first.official})

    async def _settle(self, rows: Sequence[Any], **values: Any) -> None:
        """Set these columns; a bulletin that reached its first reader is sent."""
        a, b = T.alerts.c, T.bulletins.c
        ids = [row.id for row in rows]
        sent = [int(row.mark.split(":")[1]) for row in rows if row.mark.startswith(f"{BULLETIN}:")]

        async def work(tx: Tx) -> None:
            await tx.run(update(T.alerts).where(a.id.in_(ids)).values(**values))
            if sent and values["state"] == SENT:
                first = update(T.bulletins).where(b.id.in_(sent), b.sent_at.is_(None))
                await tx.run(first.values(sent_at=self._clock()))
                tx.touched.add("desk")

        await self._db.write(work)


def _messages(rows: Sequence[Any]) -> list[list[Any]]:
    """What goes together: all of one official, each bulletin alone."""
    groups: defaultdict[tuple[str, int], list[Any]] = defaultdict(list)
    for row in rows:
        is_alone = row.mark.startswith(f"{BULLETIN}:")
        groups[row.endpoint, row.id if is_alone else 0].append(row)
    return list(groups.values())
