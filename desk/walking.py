"""How a page of the queue is read when there may be a million cases and few of them are wanted.

Open cases are few and read at once. Ended ones are walked by number in windows of ``WINDOW``, so that no page reads
more than that: it may be shorter than asked while its cursor still leads on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from desk.order import Key, Order, beyond, key_of, ordered
from store.tables import T

WINDOW = 10_000

C = T.cases.c
Found = tuple[list[Mapping[Any, Any]], Key | None]


@dataclass(frozen=True, slots=True)
class Walk:
    """What is read: ``statement`` asks for the view's rows, those that pass ``narrow`` are wanted; ``inside`` says
    which cases the windows are made of, none for a view that is read at once."""

    statement: Select[Any]
    order: Order
    narrow: tuple[ColumnElement[bool], ...] = ()
    inside: ColumnElement[bool] | None = None
    window: int = WINDOW

    async def page(self, conn: AsyncConnection, *, after: Key | None, limit: int) -> Found:
        """Up to ``limit`` rows after a key, and the key the next page begins after; none at the end."""
        past = () if after is None else (beyond(self.order, after),)
        if self.inside is not None and self.narrow:
            return await self._window(conn, self.inside, past, limit)
        asked = ordered(self.statement.where(*self.narrow, *past), self.order).limit(limit + 1)
        rows = list((await conn.execute(asked)).mappings())
        return self._cut(rows, limit)

    def _cut(self, rows: list[Mapping[Any, Any]], limit: int) -> Found:
        more = len(rows) > limit
        return rows[:limit], key_of(self.order, rows[limit - 1]) if more else None

    async def _window(
        self,
        conn: AsyncConnection,
        inside: ColumnElement[bool],
        past: tuple[ColumnElement[bool], ...],
        limit: int,
    ) -> Found:
        """The same, over the next ``window`` cases of the view alone: first where they end, then what is among them."""
        part = self.order[0]
        looked = ordered(select(C.id).where(inside, *past), self.order).limit(self.window)
        numbers = looked.subquery("looked").c.id
        last = func.max(numbers) if part.rises else func.min(numbers)
        end, many = (await conn.execute(select(last, func.count(numbers)))).one()
        until = C.id <= end if part.rises else C.id >= end
        asked = self.statement.where(*self.narrow, *past, until)
        rows = list((await conn.execute(ordered(asked, self.order).limit(limit + 1))).mappings())
        if len(rows) > limit:
            return self._cut(rows, limit)
        return rows, (end,) if many == self.window else None
