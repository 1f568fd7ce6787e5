"""Cases that wait for somebody else than the desk: put off (暂缓), or until the citizen has answered (请市民补充).

A sleeping case keeps its status, and its clocks run on. Any other command wakes it; so does the citizen's next
message in the same channel, which the history then says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from router.ledger import Act, Ledger, Step, event_row, moves, needed
from router.lifecycle import Lifecycle
from router.undoing import remember
from router.workflow import Verb
from store.db import Tx, among
from store.errors import RejectedError, WorkflowError
from store.numbers import case_no
from store.tables import T

CITIZEN = "citizen"
"""Who woke a case by writing again, in the history."""

ANSWERED = "answered"
"""Why: the reason of that line."""


class Snoozing:
    """The commands that let a case sleep and wake."""

    def __init__(self, ledger: Ledger, lifecycle: Lifecycle) -> None:
        self._ledger = ledger
        self.lifecycle = lifecycle

    async def snooze(
        self, case_id: int, *, version: int, actor: str, until: datetime, note: str
    ) -> int:
        """Put the case off until then; citizens are not told. Returns the new version.

        RejectedError when ``until`` is over or further off than the city allows.
        """

        async def work(tx: Tx) -> int:
            case = await self._ledger.case(tx, case_id, version, actor)
            act = Act(actor, self._ledger.clock(), note)
            longest = self.lifecycle.snooze_days
            if not act.at < until <= act.at + timedelta(days=longest):
                msg = f"router: until: over, or more than {longest:g} days off; choose another time"
                raise RejectedError(msg, reason="until")
            steps = moves(case, [Verb.SNOOZE], act)
            return await self._ledger.save(tx, case, steps, act, snoozed_until=until)

        return await self._ledger.db.write(work)

    async def wake(self, case_id: int, *, version: int, actor: str, note: str = "") -> int:
        """Take a sleeping case up again; WorkflowError when it does not sleep."""

        async def work(tx: Tx) -> int:
            case = await self._ledger.case(tx, case_id, version, actor)
            if case["snoozed_until"] is None:
                raise WorkflowError(Verb.WAKE, case["status"])
            act = Act(actor, self._ledger.clock(), note)
            return await self._ledger.save(tx, case, moves(case, [Verb.WAKE], act), act)

        return await self._ledger.db.write(work)

    async def ask(self, case_id: int, *, version: int, actor: str, text: str) -> int:
        """Ask the case's citizens in their own channels, and sleep until they answer or the time is over.

        ``text`` must be redacted; it leaves once it can not be undone. RejectedError, before anything is
        written, when no citizen of the case can be reached that way.
        """
        needed(text, "write what the citizen is asked")

        async def work(tx: Tx) -> int:
            case = await self._ledger.case(tx, case_id, version, actor)
            act = Act(actor, self._ledger.clock(), text)
            if not await self._ledger.answers.can_tell(tx, case_id):
                msg = "router: text: no channel of this case can speak; call the citizen instead"
                raise RejectedError(msg, reason="channel")
            until = act.at + timedelta(hours=self.lifecycle.ask_hours)
            changes = {"snoozed_until": until}
            step = moves(case, [Verb.ASK], act)[0]
            steps = [replace(step, undo=remember(case, changes))]
            version_now = await self._ledger.save(tx, case, steps, act, **changes)
            leaves = act.at + timedelta(seconds=self.lifecycle.hold_s)
            await self._ledger.tell_citizens(tx, case_id, "question", version_now, leaves, text)
            return version_now

        return await self._ledger.db.write(work)


async def wake_answered(
    tx: Tx, item_ids: Sequence[int], *, prefix: str, at: datetime, is_sqlite: bool
) -> None:
    """Wake the cases whose citizens have just written these items: same author or thread, same channel.

    A message judged again is no news: it must be younger than the command the case sleeps by.
    """
    c, ci, i = T.cases.c, T.case_items.c, T.items.c
    asleep = (
        select(c.id, c.status, c.version, *_VOICE)
        .join(T.case_items, ci.case_id == c.id)
        .join(T.items, i.id == ci.item_id)
        .where(c.snoozed_until > at)
        .order_by(c.id)
    )
    sleeping = (await tx.run(asleep)).all()
    if not sleeping:
        return
    fresh = select(i.id.label("item_id"), i.received_at, *_VOICE)
    written = fresh.where(among(i.id, item_ids, is_sqlite=is_sqlite)).order_by(i.id)
    said = (await tx.run(written)).all()
    woken: set[int] = set()
    for row in sleeping:
        for item in said:
            if row.id not in woken and _is_answer(item, row) and await _is_news(tx, row.id, item):
                woken.add(row.id)
                note = "" if item.item_id == row.id else case_no(prefix, item.item_id)
                await _wake(tx, row, Act(CITIZEN, at, note, ANSWERED))


_VOICE = tuple(T.items.c[name] for name in ("channel", "channel_id", "author_key", "thread"))


def _is_answer(item: Any, heard: Any) -> bool:
    """Whether ``item`` is of the same author, or in the same thread, as what was ``heard`` before."""
    if item.channel != heard.channel:
        return False
    threads = {heard.thread, heard.channel_id} - {""}
    same = item.author_key != "" and item.author_key == heard.author_key
    return same or item.channel_id == heard.channel_id or item.thread in threads


async def _is_news(tx: Tx, case_id: int, item: Any) -> bool:
    """Whether the item came, or was added to, after its case was laid to sleep."""
    e, r = T.events.c, T.revisions.c
    asleep = select(func.max(e.at)).where(e.case_id == case_id, e.verb.in_((Verb.SNOOZE, Verb.ASK)))
    since = (await tx.run(asleep)).scalar_one_or_none()
    added = select(func.max(r.replaced_at)).where(r.item_id == item.item_id)
    changed_at = (await tx.run(added)).scalar_one_or_none()
    newest = max(item.received_at, changed_at or item.received_at)
    return since is not None and bool(newest > since)


async def _wake(tx: Tx, row: Any, act: Act) -> None:
    """Awake with a line of history, unless somebody has changed the case meanwhile."""
    c = T.cases.c
    same = (c.id == row.id, c.version == row.version)
    awake = update(T.cases).where(*same).values(snoozed_until=None, version=row.version + 1)
    if (await tx.run(awake)).rowcount:
        step = Step(Verb.WAKE, row.status, row.status, reason=act.reason, note=act.note)
        values = event_row(row.id, step, act, version=row.version + 1)
        await tx.run(insert(T.events).values(**values))
        tx.touched.add("desk")
