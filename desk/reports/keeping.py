"""The table ``bulletins``: drafts made once a period, edited under a version, signed with a number, withdrawn.

draft → submitted (送审) → signed (签发); back to draft (退回) or withdrawn (撤回) with a reason. A signed one never
changes; a correction is a new part that names it. All on the audit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace
from sqlalchemy import Row, insert, select, update

from desk.reports.drafting import Draft, Drafting
from desk.reports.editing import Form, edited, renewed
from desk.reports.frozen import (
    Act,
    Content,
    check_text,
    read_content,
    read_figures,
    read_trail,
    texts_of,
    write,
)
from desk.reports.making import first_day
from desk.reports.periods import Span, read_span
from desk.reports.settings import BulletinSettings, Kind
from router.tasks import TaskKind, TaskRole, raise_task, settle_tasks
from store.audit import audited
from store.db import Database, Tx
from store.errors import ConflictError, RejectedError
from store.numbers import count_up
from store.tables import T

DRAFT, SUBMITTED, SIGNED, WITHDRAWN = "draft", "submitted", "signed", "withdrawn"
STATE_NAMES: Mapping[str, str] = {
    DRAFT: "草稿", SUBMITTED: "送审", SIGNED: "已签发", WITHDRAWN: "已撤回",
}  # fmt: skip
LISTED = 200
LONGEST_REASON = 500
CHANGED = "desk: version: somebody else changed the bulletin; load it again"

Announce = Callable[[Tx, Any, Kind], Awaitable[None]]
"""Puts a signed bulletin on its way, in the transaction of the signing."""


@dataclass(frozen=True, slots=True)
class Step:
    """A move of the workflow: from which states, to which, and whether it needs a reason."""

    before: tuple[str, ...]
    after: str
    reason: bool = False


STEPS: Mapping[str, Step] = {
    "submit": Step((DRAFT,), SUBMITTED),
    "back": Step((SUBMITTED,), DRAFT, reason=True),
    "sign": Step((SUBMITTED,), SIGNED),
    "withdraw": Step((DRAFT, SUBMITTED, SIGNED), WITHDRAWN, reason=True),
}
STEP_NAMES: Mapping[str, str] = {
    "submit": "送审", "sign": "签发", "back": "退回", "withdraw": "撤回",
}  # fmt: skip


class Bulletins:
    """Reads and moves bulletins. ``announce`` is called when one is signed."""

    def __init__(
        self,
        db: Database,
        drafting: Drafting,
        settings: BulletinSettings,
        *,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
        announce: Announce | None = None,
    ) -> None:
        self._db = db
        self._drafting = drafting
        self.settings = settings
        self._zone = zone
        self._clock = clock
        self._announce = announce

    def today(self) -> Any:
        """The city's present day."""
        return self._clock().astimezone(self._zone).date()

    def kind(self, name: str) -> Kind:
        """RejectedError (reason ``kind``) when there is none of that id."""
        found = self.settings.by_id.get(name)
        if found is None:
            msg = f"desk: kind: {name[:40]} is unknown; one of {', '.join(self.settings.by_id)}"
            raise RejectedError(msg, reason="kind")
        return found

    async def find(self, bulletin: int) -> Row[Any]:
        """One bulletin; RejectedError (reason ``bulletin``) when there is none."""
        async with self._db.read() as conn:
            row = (
                await conn.execute(select(T.bulletins).where(T.bulletins.c.id == bulletin))
            ).first()
        if row is None:
            msg = "desk: bulletin: unknown; look at the list"
            raise RejectedError(msg, reason="bulletin")
        return row

    async def listed(self, kind: str = "") -> Sequence[Any]:
        """The newest, without their words and figures."""
        b = T.bulletins.c
        columns = (
            b.id,
            b.kind,
            b.period,
            b.part,
            b.number,
            b.title,
            b.state,
            b.made_at,
            b.signed_at,
            b.sent_at,
        )
        asked = select(*columns).where(*([b.kind == kind] if kind else []))
        async with self._db.read() as conn:
            return (await conn.execute(asked.order_by(b.id.desc()).limit(LISTED))).all()

    async def has(self, kind: str, period: str) -> bool:
        """Whether a period has a bulletin of this kind, withdrawn or not."""
        return await self._last(kind, period) is not None

    async def has_numbers(self, span: Span) -> bool:
        """Whether there is anything to tell of a period."""
        return await first_day(self._db) <= span.period.numbers[1]

    async def make(self, kind: Kind, period: str, actor: str) -> int:
        """A draft of one period that is over; its id.

        RejectedError (reason ``period``) while the period goes on, (reason ``exists``) when it has one already.
        """
        span = read_span(kind.cycle, period)
        if span.period.end >= self.today():
            msg = f"desk: period: {span.name} is not over; choose an earlier one"
            raise RejectedError(msg, reason="period")
        last = await self._last(kind.id, span.name)
        if last is not None and last.state != WITHDRAWN:
            msg = f"desk: period: {span.name} has this bulletin already; open it, or correct it once it is signed"
            raise RejectedError(msg, reason="exists")
        corrects = last.number if last is not None else ""
        part = 0 if last is None else last.part + 1
        draft = await self._drafting.draft(kind, span, corrects)
        return await self._keep(kind, span, draft, part, actor)

    async def correct(self, bulletin: int, actor: str) -> int:
        """A new part that corrects a signed bulletin; its id."""
        row = await self.find(bulletin)
        kind = self.kind(row.kind)
        if row.state != SIGNED:
            msg = "desk: bulletin: only a signed one is corrected; edit the draft"
            raise ConflictError(msg, reason="workflow")
        span = read_span(kind.cycle, row.period)
        last = await self._last(row.kind, row.period)
        if last is not None and last.part != row.part and last.state != WITHDRAWN:
            msg = "desk: bulletin: a later part is there already; open that one"
            raise RejectedError(msg, reason="exists")
        draft = await self._drafting.draft(kind, span, row.number)
        return await self._keep(kind, span, draft, (last or row).part + 1, actor)

    async def _last(self, kind: str, period: str) -> Any:
        b = T.bulletins.c
        asked = select(b.id, b.part, b.state, b.number).where(b.kind == kind, b.period == period)
        async with self._db.read() as conn:
            return (await conn.execute(asked.order_by(b.part.desc()).limit(1))).first()

    async def _keep(self, kind: Kind, span: Span, draft: Draft, part: int, actor: str) -> int:
        """Insert the draft and ask a supervisor to look at it; ConflictError when somebody else was first."""
        now = self._clock()
        row = draft.values() | {
            "kind": kind.id, "period": span.name, "part": part, "state": DRAFT, "made_by": actor, "made_at": now,
            "trail": write([Act("made", actor, now.isoformat())]),
        }  # fmt: skip
        b = T.bulletins.c
        same = (b.kind == kind.id, b.period == span.name, b.part == part)

        async def work(tx: Tx) -> int:
            if (await tx.run(select(b.id).where(*same))).first() is not None:
                msg = "desk: bulletin: somebody else made it just now; load the list again"
                raise ConflictError(msg)
            made = await tx.run(insert(T.bulletins).values(row).returning(b.id))
            key = int(made.scalar_one())
            target, note = f"bulletin:{key}", f"{kind.id} {span.name}"
            await audited(tx, actor=actor, act="bulletin.made", target=target, note=note, at=now)
            await raise_task(
                tx, mark=f"bulletin:{key}", kind=TaskKind.BULLETIN_DRAFTED, role=TaskRole.SUPERVISOR, at=now,
                note=draft.title,
            )  # fmt: skip
            return key

        return await self._db.write(work)

    async def edit(self, bulletin: int, version: int, form: Form, actor: str) -> int:
        """Change a draft's words; its new version. RejectedError, for the screen, when a placeholder is wrong."""
        row = await self._draft(bulletin, version)
        figures, content = read_figures(row.figures), read_content(row.content)
        made = edited(row.title, content, figures, form)
        values = {"title": made.title, "content": write(made.content)}
        return await self._change(row, values, "edited", actor)

    async def renew(self, bulletin: int, version: int, actor: str) -> int:
        """Take figures and words anew, own paragraphs and chosen cases kept; the draft's new version."""
        row = await self._draft(bulletin, version)
        kind = self.kind(row.kind)
        content = read_content(row.content)
        draft = await self._drafting.draft(
            kind, read_span(kind.cycle, row.period), content.corrects
        )
        made = renewed(content, draft.content)
        known = {one.id: one for one in draft.figures}
        for text in (text for block in made.blocks for text in texts_of(block)):
            check_text(text, known)
        values = draft.values() | {"title": row.title, "content": write(made)}
        return await self._change(row, values, "renewed", actor)

    async def _draft(self, bulletin: int, version: int) -> Any:
        row = await self.find(bulletin)
        if row.state != DRAFT:
            msg = f"desk: bulletin: it is {row.state}, not a draft; send it back first, or correct a signed one"
            raise ConflictError(msg, reason="workflow")
        if row.version != version:
            raise ConflictError(CHANGED)
        return row

    async def _change(self, row: Any, values: dict[str, Any], act: str, actor: str) -> int:
        b, now = T.bulletins.c, self._clock()
        guard = (b.id == row.id, b.version == row.version, b.state == DRAFT)
        more = {"version": row.version + 1, "edited_by": actor, "edited_at": now}

        async def work(tx: Tx) -> int:
            more["trail"] = await self._note(tx, row, act, actor, "")
            done = await tx.run(update(T.bulletins).where(*guard).values(**values, **more))
            if done.rowcount != 1:
                raise ConflictError(CHANGED)
            return int(row.version) + 1

        return await self._db.write(work)

    async def move(
        self, bulletin: int, version: int, verb: str, *, actor: str, display: str, reason: str = ""
    ) -> None:
        """Submit, sign, send back or withdraw. ConflictError when somebody was first, or out of turn."""
        step, reason = STEPS[verb], reason.replace("\0", "").strip()[:LONGEST_REASON]
        row = await self.find(bulletin)
        if row.state not in step.before:
            msg = f"desk: bulletin: it is {row.state}; {verb} is for {' or '.join(step.before)}"
            raise ConflictError(msg, reason="workflow")
        if row.version != version:
            raise ConflictError(CHANGED)
        if step.reason and not reason:
            msg = "desk: reason: empty; say why"
            raise RejectedError(msg, reason="reason")
        content = read_content(row.content)
        self._check(row, content, verb)
        signed = write(replace(content, signer=display)) if verb == "sign" else ""
        await self._db.write(lambda tx: self._move(tx, row, verb, actor, reason, signed))

    def _check(self, row: Any, content: Content, verb: str) -> None:
        """A column of cases is not submitted before an editor chose one."""
        kind = self.settings.by_id.get(row.kind)
        lacks = kind is not None and kind.stories and not any(s.ticked for s in content.stories)
        if verb == "submit" and lacks:
            msg = "desk: cases: none is chosen; read and tick those to be printed"
            raise RejectedError(msg, reason="stories")

    async def _move(
        self, tx: Tx, row: Any, verb: str, actor: str, reason: str, signed: str
    ) -> None:
        """The number is counted with the signing, so that a signing that fails leaves no gap."""
        b, now, step = T.bulletins.c, self._clock(), STEPS[verb]
        values: dict[str, Any] = {"state": step.after, "version": row.version + 1}
        if verb == "sign":
            number = await self._number(tx, self.kind(row.kind))
            values |= {"number": number, "signed_by": actor, "signed_at": now, "content": signed}
        values["trail"] = await self._note(tx, row, verb, actor, reason or values.get("number", ""))
        guard = (b.id == row.id, b.version == row.version, b.state == row.state)
        done = await tx.run(
            update(T.bulletins).where(*guard).values(**values).returning(T.bulletins)
        )
        after = done.first()
        if after is None:
            raise ConflictError(CHANGED)
        await settle_tasks(tx, actor=actor, at=now, marks=[f"bulletin:{row.id}"])
        if verb == "sign" and self._announce is not None:
            await self._announce(tx, after, self.kind(row.kind))
        tx.touched.add("desk")

    async def _number(self, tx: Tx, kind: Kind) -> str:
        year = self._clock().astimezone(self._zone).year
        n = await count_up(tx, f"bulletin:{kind.id}:{year}", is_sqlite=self._db.is_sqlite)
        return kind.numbered(year, n)

    async def _note(self, tx: Tx, row: Any, act: str, actor: str, note: str) -> str:
        """Write an act down; the row's trail with it."""
        now, target = self._clock(), f"bulletin:{row.id}"
        await audited(tx, actor=actor, act=f"bulletin.{act}", target=target, note=note, at=now)
        return write([*read_trail(row.trail), Act(act, actor, now.isoformat(), note)])
