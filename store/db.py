"""The one way to the database: ``read()`` for questions, ``write(work)`` for everything else.

SQLite has one writer connection; it owns every write and every checkpoint (SQLite before 3.51.3
can corrupt a WAL that two connections reset at once). ``write`` queues its work there, and what
waits together commits together: one ``fsync`` for up to 200 callers, each in its own savepoint.
PostgreSQL runs each ``write`` in its own transaction and repeats it after a serialization failure.
Either way the caller's ``await`` returns only after the commit is durable.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import sqlalchemy
from sqlalchemy import ARRAY, BigInteger, Integer, Table, Text, any_, event
from sqlalchemy import cast as cast_to
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.engine import URL, CursorResult, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql.base import Executable

from store.columns import raw_insert
from store.errors import ConfigError, TransientError
from store.lock import FileLock
from store.pulse import Pulse
from store.turns import Turns

log = logging.getLogger(__name__)
R = TypeVar("R")

GROUP = 200
"""Callers that may share one SQLite commit."""

OLDEST_SQLITE = (3, 35, 0)


class Tx:
    """One open transaction. Statements go through ``run``; ``touch`` names topics to wake."""

    def __init__(self, conn: AsyncConnection) -> None:
        self.conn = conn
        self.touched: set[str] = set()

    async def insert(
        self, table: Table, rows: Sequence[dict[str, Any]], *, again: str = ""
    ) -> None:
        """Many rows of the same columns in one call; ``again="ignore"`` skips those already there.

        On SQLite past SQLAlchemy's work for each value, which costs more than SQLite's own.
        """
        if not rows:
            return
        if self.conn.dialect.name == "sqlite":
            statement, values = raw_insert(table, rows, again=again)
            await self.conn.exec_driver_sql(statement, values)
            return
        made = pg_insert(table)
        await self.conn.execute(made.on_conflict_do_nothing() if again else made, rows)

    async def run(
        self, statement: Executable, rows: Sequence[dict[str, Any]] | None = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """Execute once, or once for each of ``rows`` in one call to the driver."""
        if rows is None:
            return await self.conn.execute(statement)
        return await self.conn.execute(statement, rows)


@dataclass
class _Job:
    work: Callable[[Tx], Awaitable[Any]]
    done: asyncio.Future[Any] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


def parse_url(url: str) -> URL:
    """Read a database URL; ``sqlite:///path`` and ``postgresql://…`` are understood."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        msg = f"store: database_url {url!r} is not a URL; write sqlite:///var/minsheng.db or postgresql://user@host/name"
        raise ConfigError(msg) from error
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
    backend = parsed.get_backend_name()
    if backend not in drivers:
        msg = f"store: database_url names {backend!r}; only sqlite and postgresql are supported"
        raise ConfigError(msg)
    return parsed.set(drivername=drivers[backend])


class Database:
    """Engine, writer and wake-up signal of one database."""

    def __init__(self, url: str, *, exclusive: bool = True) -> None:
        self.url = parse_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.exclusive = exclusive
        self.pulse = Pulse()
        self.turns = Turns()
        self._queue: asyncio.Queue[_Job] = asyncio.Queue()
        self._loop_task: asyncio.Task[None] | None = None
        self._lock = (
            FileLock(self._file().with_name(self._file().name + ".lock"))
            if self.is_sqlite
            else None
        )
        self._writer: AsyncEngine | None = None
        self._reader: AsyncEngine | None = None

    def _file(self) -> Path:
        return Path(self.url.database or "minsheng.db")

    @property
    def shown_url(self) -> str:
        """The URL without its password, for messages."""
        return self.url.render_as_string(hide_password=True)

    async def open(self) -> None:
        """Connect, take the single-hub lock (SQLite), start the writer.

        Raises ConfigError when the file is not a database, the server does not answer, or another
        hub holds the lock.
        """
        if self.is_sqlite:
            self._open_sqlite()
        else:
            self._writer = self._reader = create_async_engine(
                self.url,
                pool_size=10,
                max_overflow=5,
                pool_pre_ping=True,
                pool_recycle=1800,
                connect_args={
                    "timeout": 10,
                    "server_settings": {
                        "statement_timeout": "60000",
                        "idle_in_transaction_session_timeout": "60000",
                        "TimeZone": "UTC",
                    },
                },
            )
        try:
            async with self.read() as conn:
                await conn.execute(sqlalchemy.text("SELECT 1"))
                if self.is_sqlite:
                    await conn.execute(sqlalchemy.text("SELECT count(*) FROM sqlite_master"))
        except (DBAPIError, OSError) as error:
            await self.close()
            raise ConfigError(_cannot_open(self.shown_url, error)) from error
        if self.is_sqlite and self.exclusive:
            self._loop_task = asyncio.create_task(self._write_loop(), name="store-writer")

    def _open_sqlite(self) -> None:
        import sqlite3  # noqa: PLC0415 - only asked for its version

        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            msg = f"store: SQLite {sqlite3.sqlite_version} is too old; 3.35 or newer is needed"
            raise ConfigError(msg)
        path = self._file()
        if str(path) != ":memory:":
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                msg = f"store: database_url: can not create {path.parent} ({error.strerror}); choose another --data"
                raise ConfigError(msg) from error
        if self.exclusive:
            assert self._lock is not None  # noqa: S101
            self._lock.acquire()
        self._writer = create_async_engine(self.url, pool_size=1, max_overflow=0)
        self._reader = create_async_engine(self.url, pool_size=4, max_overflow=4)
        _prepare_sqlite(self._writer, begin="BEGIN IMMEDIATE", writes=True)
        _prepare_sqlite(self._reader, begin="BEGIN", writes=False)

    async def close(self) -> None:
        """Finish queued work, close every connection (the writer last), release the lock."""
        if self._loop_task is not None:
            await self._queue.join()
            self._loop_task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop_task
            self._loop_task = None
        for engine in (self._reader, self._writer):
            if engine is not None:
                await engine.dispose()
        self._reader = self._writer = None
        if self._lock is not None:
            self._lock.release()

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that only asks; all its questions see one snapshot."""
        if self._reader is None:
            msg = "store: the database is closed"
            raise TransientError(msg)
        async with self._reader.connect() as conn:
            yield conn

    async def write(self, work: Callable[[Tx], Awaitable[R]]) -> R:
        """Run ``work`` in a transaction; return its result once that is durable.

        ``work`` may run more than once (PostgreSQL, after a serialization failure) and must do
        nothing but talk to the database. Raises TransientError when the database is full, locked
        or gone; whatever ``work`` raises undoes its changes and comes through. What holds
        ``turns.alone()`` meets no ``work`` that has begun and not ended.
        """
        if self._writer is None:
            msg = "store: the database is closed"
            raise TransientError(msg)

        async def in_turn(tx: Tx) -> R:
            async with self.turns.among():
                return await work(tx)

        if not self.is_sqlite:
            return await asyncio.shield(asyncio.ensure_future(self._write_alone(in_turn)))
        job = _Job(in_turn)
        self._queue.put_nowait(job)
        return cast("R", await asyncio.shield(job.done))

    async def _write_loop(self) -> None:
        while True:
            jobs = [await self._queue.get()]
            while len(jobs) < GROUP and not self._queue.empty():
                jobs.append(self._queue.get_nowait())
            try:
                await self._write_group(jobs)
            finally:
                for _ in jobs:
                    self._queue.task_done()

    async def _write_group(self, jobs: list[_Job]) -> None:
        results: list[tuple[_Job, Any, BaseException | None]] = []
        touched: set[str] = set()
        try:
            async with cast("AsyncEngine", self._writer).begin() as conn:
                for job in jobs:
                    tx = Tx(conn)
                    alone = len(jobs) == 1
                    results.append(
                        (job, await job.work(tx), None) if alone else await _in_savepoint(tx, job)
                    )
                    touched |= tx.touched
        except Exception as error:  # noqa: BLE001 - the commit failed: every caller must know
            for job in jobs:
                _settle(job, None, _translate(error))
            return
        for job, result, failure in results:
            _settle(job, result, failure)
        self.pulse.wake(touched)

    async def _write_alone(self, work: Callable[[Tx], Awaitable[R]]) -> R:
        for attempt in range(6):
            try:
                async with cast("AsyncEngine", self._writer).begin() as conn:
                    tx = Tx(conn)
                    result = await work(tx)
                self.pulse.wake(tx.touched)
            except DBAPIError as error:
                if attempt < 5 and _may_repeat(error):  # noqa: PLR2004
                    await asyncio.sleep(0.01 * 2**attempt)
                    continue
                raise _translate(error) from error
            except OSError as error:
                raise _translate(error) from error
            else:
                return result
        msg = "store: the transaction kept colliding with others"
        raise TransientError(msg)


async def _in_savepoint(tx: Tx, job: _Job) -> tuple[_Job, Any, BaseException | None]:
    try:
        async with tx.conn.begin_nested():
            return job, await job.work(tx), None
    except OperationalError:
        raise  # the disk or the file is in trouble: nobody's commit can be promised
    except Exception as error:  # noqa: BLE001 - undone by the savepoint, handed to the caller
        return job, None, error


def among(column: Any, values: Sequence[int | str], *, is_sqlite: bool) -> Any:
    """``column IN values`` as one parameter, so that the statement is compiled once."""
    if is_sqlite:
        listed = sqlalchemy.func.json_each(json.dumps(list(values))).table_valued("value")
        return column.in_(sqlalchemy.select(listed.c.value))
    kind = BigInteger if isinstance(column.type, Integer) else Text
    return column == any_(cast_to(list(values), ARRAY(kind)))


def _settle(job: _Job, result: Any, failure: BaseException | None) -> None:
    if job.done.done():
        return
    if failure is None:
        job.done.set_result(result)
    else:
        job.done.set_exception(failure)


def _may_repeat(error: DBAPIError) -> bool:
    """Whether PostgreSQL asks for the transaction to be repeated (40001, 40P01), or a twin won (23505)."""
    return getattr(error.orig, "sqlstate", "") in {"40001", "40P01", "23505"}


def _translate(error: Exception) -> Exception:
    if isinstance(error, OperationalError | OSError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    ):
        cause = getattr(error, "orig", None) or error
        return TransientError(
            f"store: the database refuses to write ({cause}); nothing was lost", retry_after_s=5
        )
    return error


def _cannot_open(url: str, error: Exception) -> str:
    cause = str(getattr(error, "orig", None) or error).splitlines()[0]
    cure = (
        "restore it from a backup or move it away to start empty"
        if "not a database" in cause or "malformed" in cause
        else "check that it exists, runs and accepts this user"
    )
    return f"store: database_url: can not open {url} ({cause}); {cure}"


def _prepare_sqlite(engine: AsyncEngine, *, begin: str, writes: bool) -> None:
    """Take transactions into our own hands and set what durability needs, on each connection."""
    pragmas = ["PRAGMA busy_timeout=10000", "PRAGMA foreign_keys=ON", "PRAGMA temp_store=MEMORY"]
    if writes:
        pragmas = [
            *pragmas,
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "PRAGMA wal_autocheckpoint=16000",
            "PRAGMA journal_size_limit=67108864",
            "PRAGMA cache_size=-65536",
        ]
    else:
        pragmas = [*pragmas, "PRAGMA wal_autocheckpoint=0", "PRAGMA query_only=ON"]

    @event.listens_for(engine.sync_engine, "connect")
    def connect(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def start(conn: Any) -> None:
        conn.exec_driver_sql(begin)
