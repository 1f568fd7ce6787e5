"""Many questions about one moment: whoever reads through a ``Still`` sees the database as it was when it began."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from store.db import Database


class Reader(Protocol):
    """What answers questions: a ``Database`` or a ``Still`` of it."""

    @property
    def is_sqlite(self) -> bool:
        """Which of the two databases it is."""
        ...

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection that only asks."""
        ...


@dataclass(frozen=True)
class Still:
    """One connection, lent to each question in turn."""

    conn: AsyncConnection
    is_sqlite: bool

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """The connection."""
        yield self.conn


@asynccontextmanager
async def still(db: Database) -> AsyncIterator[Still]:
    """The database as it is now; SQLite's readers have one snapshot anyway."""
    level = {} if db.is_sqlite else {"isolation_level": "REPEATABLE READ"}
    async with db.read() as conn:
        yield Still(await conn.execution_options(**level), db.is_sqlite)
