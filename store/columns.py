"""Column types the tables are made of: times in UTC, keys that grow, texts that are never null."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import BigInteger, Column, ColumnDefault, Integer, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import UserDefinedType
from sqlmodel import Field


@lru_cache(maxsize=1024)
def _to_text(value: datetime | None) -> str | None:
    """Cached: a batch writes the same few moments many times."""
    return None if value is None else value.astimezone(UTC).isoformat(" ", "microseconds")[:26]


@lru_cache(maxsize=64)
def _plan(
    table: Table, names: tuple[str, ...], again: str
) -> tuple[str, tuple[int, ...], tuple[Any, ...]]:
    """Statement, which of ``names`` are times, and the values of columns that were left out."""
    columns = table.columns
    default = {
        c.name: cast("ColumnDefault", c.default).arg
        for c in columns
        if c.default is not None and c.default.is_scalar
    }
    left_out = [name for name in default if name not in names]
    listed = [*names, *left_out]
    marks = ", ".join("?" * len(listed))
    quoted = ", ".join(f'"{name}"' for name in listed)
    statement = f"INSERT {again} INTO {table.name} ({quoted}) VALUES ({marks})"  # noqa: S608 - our own names
    times = tuple(n for n, name in enumerate(names) if isinstance(columns[name].type, Utc))
    return statement, times, tuple(default[name] for name in left_out)


def raw_insert(
    table: Table, rows: Sequence[dict[str, Any]], *, again: str = ""
) -> tuple[str, list[tuple[Any, ...]]]:
    """A SQLite statement and its values for rows that all have the columns of the first."""
    names = tuple(rows[0])
    statement, times, rest = _plan(table, names, "OR IGNORE" if again else "")
    pick = itemgetter(*names)
    values = []
    for row in rows:
        given = list(pick(row)) if len(names) > 1 else [row[names[0]]]
        for n in times:
            given[n] = _to_text(given[n])
        values.append((*given, *rest))
    return statement, values


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
