"""Follows ``notices`` and delivers them: at least once, in order for each case, nobody forgotten.

An office gets a delivery row for each of its endpoints; one without any is served by the built-in
inbox, which reads work orders directly. Deliveries are found by state. Endpoints know nothing of each
other: one that hangs, refuses or has used up its minute holds up its own rows only. An endpoint that
fails five times in a row is probed every 30 s with one message; after three days a delivery goes to
``dead``.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from router.notify.backlog import Backlog
from router.notify.contacts import Contacts
from router.notify.pace import Pace
from router.notify.senders import Dispatch, Endpoint, Limit, Sender
from router.notify.told import SUPERVISED
from router.notify.told import uid as paper_uid
from store.db import Database, Tx
from store.dead import DeadLetters
from store.errors import HubError, RejectedError
from store.faults import crash_point
from store.model import NoticeRef, Record, dispatch_uid
from store.ports import Http
from store.pulse import Pulse
from store.tables import T

log = logging.getLogger(__name__)

_notice = msgspec.json.Decoder(NoticeRef)

BACKOFF_S = (5, 60, 300, 1800, 7200)
OPEN_AFTER = 5
PROBE_S = 30
GIVE_UP = timedelta(days=3)
FEW_TRIES = 3
BATCH = 50
DIGEST_OVER = 10
"""Dispatches waiting for a robot above which one message tells several."""

LOOK_S = 0.25
PLACE = frozenset({"private_network", "answer_size"})
"""Reasons of our own door that are about the endpoint, not about one message."""


class NoticeWorker:
    """Handler of topic ``notices``: turns each into a delivery for each endpoint of its office, once."""

    group = "notify"
    topic = "notices"

    def __init__(
        self, *, db: Database, endpoints: Mapping[str, Endpoint], clock: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._clock = clock
        self.adopt(endpoints)

    def adopt(self, endpoints: Mapping[str, Endpoint]) -> None:
        """Notices read from now on go to these."""
        of: defaultdict[str, list[Endpoint]] = defaultdict(list)
        for endpoint in endpoints.values():
            of[endpoint.department].append(endpoint)
        self._of: Mapping[str, list[Endpoint]] = of

    async def prepare(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        now = self._clock()
        notices = [(record, _notice.decode(record.payload)) for record in records]
        return [
            _row(record, notice, endpoint, now)
            for record, notice in notices
            for endpoint in self._of.get(notice.department, ())
        ]

    async def apply(self, tx: Tx, effects: list[dict[str, Any]]) -> None:
        upsert = sqlite_insert if self._db.is_sqlite else pg_insert
        given = [row for row in effects if row["change"] != "withdrawn"]
        if given:
            await tx.run(upsert(T.deliveries).on_conflict_do_nothing(), given)
        for row in effects:
            if row["change"] == "withdrawn" and not await self._undone(tx, row):
                await tx.run(upsert(T.deliveries).values(row).on_conflict_do_nothing())
        if effects:
            tx.touched.add("deliveries")

    async def _undone(self, tx: Tx, row: dict[str, Any]) -> bool:
        """Whether what is taken back had not left yet, so that the office need not hear of either."""
        d, o = T.deliveries.c, T.work_orders.c
        undone = select(o.id).where(o.id == row["order_id"], o.ended_at < o.leaves_at)
        if (await tx.run(undone)).first() is None:
            return False
        told = (d.order_id == row["order_id"], d.department == row["department"])
        unsent = (*told, d.state == "pending", d.attempts == 0)
        values = {"state": "cancelled", "ended_at": row["created_at"]}
        await tx.run(update(T.deliveries).where(*unsent).values(**values))
        return (await tx.run(select(d.id).where(*told, d.state != "cancelled"))).first() is None


def _row(record: Record, notice: NoticeRef, endpoint: Endpoint, now: datetime) -> dict[str, Any]:
    case_id = int(record.key)
    uid = (
        paper_uid(record.id)
        if notice.change == SUPERVISED
        else dispatch_uid(case_id, notice.department, notice.seq)
    )
    return {
        "webhook_id": str(uid) if endpoint.kind == "webhook" else f"{uid}/{endpoint.kind}",
        "case_id": case_id,
        "order_id": notice.order_id,
        "department": endpoint.key,
        "seq": notice.seq,
        "change": notice.change,
        "state": "pending",
        "attempts": 0,
        "due_at": max(now, datetime.fromtimestamp(notice.leaves_at, UTC)),
        "created_at": now,
        "error": "",
    }


@dataclass
class _State:
    """How an endpoint fares. ``rest_until``: no probe or message before."""

    failures: int = 0
    rest_until: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.failures >= OPEN_AFTER

    def rests(self, now: datetime) -> bool:
        return self.rest_until is not None and now < self.rest_until


class Deliverer:
    """Sends what is due. One a database at a time: the caller holds the lease.

    ``link(order_id, since)`` is the office's one-time page for an order, empty when pages are not public.
    """

    def __init__(
        self,
        *,
        db: Database,
        http: Http,
        dead: DeadLetters,
        endpoints: Mapping[str, Endpoint],
        senders: Mapping[str, Sender],
        clock: Callable[[], datetime],
        observe: Callable[[str, str, int], None],
        link: Callable[[int, datetime], str] = lambda _order, _since: "",
        contacts: Contacts | None = None,
    ) -> None:
        self._db = db
        self._http = http
        self._contacts = contacts
        self._endpoints = endpoints
        self._senders = senders
        self._clock = clock
        self._observe = observe
        self._backlog = Backlog(db, dead, link)
        self._states: defaultdict[str, _State] = defaultdict(_State)
        self._paces: dict[str, Pace] = {}
        self._busy: set[str] = set()

    def adopt(self, endpoints: Mapping[str, Endpoint]) -> None:
        """Send to these from now on; what waits for one that is gone goes on waiting, unsent.

        An endpoint that changed is tried at once, whatever the failures of the old.
        """
        for key in [k for k in self._states if endpoints.get(k) != self._endpoints.get(k)]:
            del self._states[key]
        self._endpoints = endpoints

    async def run(self) -> None:
        """Deliver for ever, each endpoint in a task of its own."""
        async with asyncio.TaskGroup() as group:
            while True:
                heard = self._db.pulse.listen("deliveries")
                for key in await self._ready():
                    self._busy.add(key)
                    group.create_task(self._keep(key))
                await Pulse.wait(heard, self._pause_s())

    async def run_once(self) -> int:
        """Send a batch to each endpoint, side by side; returns how many dispatches were tried."""
        return sum(await asyncio.gather(*(self._drain(key) for key in await self._ready())))

    async def _keep(self, key: str) -> None:
        try:
            while await self._drain(key):
                pass
        finally:
            self._busy.discard(key)

    async def _ready(self) -> list[str]:
        now = self._clock()
        awake = [
            k for k in self._endpoints if k not in self._busy and not self._states[k].rests(now)
        ]
        return await self._backlog.waiting(awake, now) if awake else []

    def _pause_s(self) -> float:
        """Until the first endpoint has rested, at most until the next look."""
        now = self._clock()
        rests = [s.rest_until for s in self._states.values() if s.rest_until is not None]
        waits = [(until - now).total_seconds() for until in rests if until > now]
        return min([LOOK_S, *waits])

    async def _drain(self, key: str) -> int:
        """Send one batch; 0 when nothing was due or the endpoint must rest."""
        endpoint, state, now = self._endpoints.get(key), self._states[key], self._clock()
        if endpoint is None or state.rests(now):
            return 0
        due = await self._backlog.due(key, now, 1 if state.is_open else BATCH)
        sender = self._senders[endpoint.kind]
        tried = 0
        for group in _groups(due, sender.digest):
            if self._endpoints.get(key) != endpoint or not self._may_send(endpoint, sender, state):
                break
            await self._deliver(group, endpoint, sender, state)
            tried += len(group)
            if state.is_open:
                break
        return tried

    def _may_send(self, endpoint: Endpoint, sender: Sender, state: _State) -> bool:
        """Take one message from the robot's minute, or let the endpoint rest until there is one."""
        if sender.limit is None:
            return True
        now = self._clock()
        wait_s = self._pace(endpoint, sender.limit).take(now)
        if wait_s > 0:
            state.rest_until = now + timedelta(seconds=wait_s)
        return wait_s <= 0

    def _pace(self, endpoint: Endpoint, limit: Limit) -> Pace:
        return self._paces.setdefault(endpoint.shared, Pace(limit))

    async def _deliver(
        self, group: Sequence[Dispatch], endpoint: Endpoint, sender: Sender, state: _State
    ) -> None:
        try:
            if endpoint.contact and self._contacts is not None:
                group = [await self._contacts.add(one) for one in group]
            crash_point("deliver.before_send")
            await sender.send(group, endpoint, self._http)
            crash_point("deliver.after_send")
        except HubError as error:
            await self._failed(group, endpoint, state, error)
            return
        state.failures, state.rest_until = 0, None
        await self._backlog.settle(group, state="delivered", ended_at=self._clock(), error="")
        self._observe("delivered", endpoint.department, len(group))

    async def _failed(
        self, group: Sequence[Dispatch], endpoint: Endpoint, state: _State, error: HubError
    ) -> None:
        """Try again later, or give up what is refused or too old."""
        now, asked_s = self._clock(), getattr(error, "retry_after_s", None)
        is_refusal = isinstance(error, RejectedError) and error.reason not in PLACE
        lost = [one for one in group if _is_lost(one, now, is_refusal=is_refusal)]
        for one in lost:
            await self._backlog.give_up(one, str(error)[:300], now)
        self._rest(endpoint, state, now, asked_s, is_refusal=is_refusal)
        kept = [one for one in group if one not in lost]
        if kept:
            wait_s = asked_s or BACKOFF_S[min(kept[0].attempts, len(BACKOFF_S) - 1)]
            if state.is_open:
                wait_s = max(PROBE_S, asked_s or 0)
            due_at = now + timedelta(seconds=wait_s)
            await self._backlog.settle(kept, due_at=due_at, error=str(error)[:300])
        self._observe("delivery_failed", endpoint.department, len(group))
        log.warning("delivery failed", extra={"event": "delivery_failed", "endpoint": endpoint.key})

    def _rest(
        self,
        endpoint: Endpoint,
        state: _State,
        now: datetime,
        asked_s: float | None,
        *,
        is_refusal: bool,
    ) -> None:
        """Count the failure; leave an open endpoint alone, and everybody a robot that is out of breath."""
        state.failures += 1
        if state.is_open:
            state.rest_until = now + timedelta(seconds=max(PROBE_S, asked_s or 0))
        limit = self._senders[endpoint.kind].limit
        if limit is not None and asked_s and not is_refusal:
            until = now + timedelta(seconds=asked_s)
            self._pace(endpoint, limit).hold(until)


def _groups(due: Sequence[Dispatch], digest: int) -> Iterator[Sequence[Dispatch]]:
    """One message each; of many that wait, several a message, except what failed before."""
    fresh = [one for one in due if one.attempts == 0]
    size = digest if len(due) > DIGEST_OVER else 1
    for start in range(0, len(fresh), size):
        yield fresh[start : start + size]
    for one in due:
        if one.attempts:
            yield [one]


def _is_lost(one: Dispatch, now: datetime, *, is_refusal: bool) -> bool:
    refused = is_refusal and one.attempts + 1 >= FEW_TRIES
    return refused or now - one.since >= GIVE_UP
