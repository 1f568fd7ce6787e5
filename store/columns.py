"""Column types the tables are made of: times in UTC, keys that grow, texts that are never null."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import UserDefinedType
from sqlmodel import Field


@lru_cache(maxsize=8192)
def _to_text(value: datetime | None) -> str | None:
    """Cached: a batch writes the same few moments many times."""
    return None if value is None else value.astimezone(UTC).isoformat(" ", "microseconds")[:26]


class Utc(UserDefinedType[datetime]):
    """An aware time: ``timestamptz`` in PostgreSQL, ISO 8601 text in UTC in SQLite (it sorts by time).

    Not a TypeDecorator: this is on the hot path, and those cost a microsecond a value.
    """

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "TIMESTAMP WITH TIME ZONE"

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        if dialect.name != "sqlite":
            return None
        return _to_text

    def result_processor(
        self,
        dialect: Dialect,
        coltype: object,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> Callable[[Any], datetime | None] | None:
        if dialect.name != "sqlite":
            return None
        parse = datetime.fromisoformat
        return lambda value: value and parse(value).replace(tzinfo=UTC)


SERIAL = BigInteger().with_variant(Integer, "sqlite")


def serial() -> Any:
    """A key the database counts up; never reused, so that followers never skip."""
    return Field(default=None, sa_column=Column(SERIAL, primary_key=True, autoincrement=True))


def big(*, primary_key: bool = False) -> Any:
    return Field(
        sa_column=Column(SERIAL, primary_key=primary_key, autoincrement=False, nullable=False)
    )


def moment(*, optional: bool = False) -> Any:
    if optional:
        return Field(default=None, sa_column=Column(Utc, nullable=True))
    return Field(sa_column=Column(Utc, nullable=False))


def words(default: str = "") -> Any:
    return Field(default=default, sa_column=Column(Text, nullable=False, server_default=default))
