"""What a citizen is to be told, written with the command that made it true, sent later by ``ingest.answering``.

Only items of channels that can speak, and never those of a recording, get a row; ``(item, mark)`` is
unique, so whatever is repeated is told once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, literal, select

from store.columns import Utc
from store.db import Tx, among
from store.tables import T


class Answers:
    """The only writer of new rows in ``answers``. ``channels`` are those that can speak."""

    def __init__(self, channels: Sequence[str], *, is_sqlite: bool) -> None:
        self._channels = tuple(channels)
        self._is_sqlite = is_sqlite

    async def tell(
        self,
        tx: Tx,
        case_ids: Sequence[int],
        *,
        stage: str,
        mark: str,
        text: str = "",
        at: datetime,
    ) -> None:
        """Tell every citizen of these cases; ``text`` is what a person wrote for them, if anything.

        A part in one case with its original is the same citizen's.
        """
        if case_ids:
            ci, part, whole = T.case_items.c, T.items.alias("part"), T.case_items.alias("whole")
            among_cases = among(ci.case_id, case_ids, is_sqlite=self._is_sqlite)
            beside = (whole.c.item_id == part.c.part_of) & (whole.c.case_id == ci.case_id)
            items = (
                select(ci.item_id)
                .join(part, part.c.id == ci.item_id)
                .outerjoin(whole, beside)
                .where(among_cases, whole.c.item_id.is_(None))
            )
            await self._tell(tx, T.items.c.id.in_(items), stage, mark, text, at)

    async def tell_items(
        self, tx: Tx, item_ids: Sequence[int], *, stage: str, mark: str, at: datetime
    ) -> None:
        """Tell the citizens of these items."""
        if item_ids:
            which = among(T.items.c.id, item_ids, is_sqlite=self._is_sqlite)
            await self._tell(tx, which, stage, mark, "", at)

    async def can_tell(self, tx: Tx, case_id: int) -> bool:
        """Whether anybody of this case can be told anything."""
        ci, i = T.case_items.c, T.items.c
        of_case = i.id.in_(select(ci.item_id).where(ci.case_id == case_id))
        return (
            await tx.run(select(i.id).where(of_case, *self._heard()).limit(1))
        ).first() is not None

    def _heard(self) -> tuple[Any, ...]:
        """Items whose citizen can be reached: no recording's, not erased, of a channel that speaks."""
        i = T.items.c
        return (i.channel.in_(self._channels), i.replayed.is_(False), i.key.is_not(None))

    async def _tell(
        self, tx: Tx, which: Any, stage: str, mark: str, text: str, at: datetime
    ) -> None:
        if not self._channels:
            return
        i, a = T.items.c, T.answers.c
        columns: dict[Any, Any] = {
            a.item_id: i.id,
            a.channel: i.channel,
            a.mark: literal(mark),
            a.stage: literal(stage),
            a.text: literal(text),
            a.state: literal("pending"),
            a.attempts: literal(0),
            a.due_at: literal(at, Utc()),
            a.created_at: literal(at, Utc()),
            a.error: literal(""),
        }
        told = select(a.item_id).where(a.item_id == i.id, a.mark == mark).exists()
        wanted = select(*columns.values()).where(which, *self._heard(), ~told)
        await tx.run(insert(T.answers).from_select(list(columns), wanted))
        tx.touched.add("answers")
