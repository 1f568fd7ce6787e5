"""The database door: durability, one writer, savepoints, clear errors; SQLite and PostgreSQL."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text, update

from store.db import Database, Tx, parse_url
from store.errors import ConfigError
from store.migrate import migrate
from store.tables import T


async def count(db: Database) -> int:
    async with db.read() as conn:
        return int((await conn.execute(select(func.count()).select_from(T.counters))).scalar_one())


async def test_write_returns_result_and_is_visible_to_readers(db: Database) -> None:
    async def work(tx: Tx) -> str:
        await tx.run(insert(T.counters).values(day="20261124", n=1))
        return "done"

    assert await db.write(work) == "done"
    assert await count(db) == 1


async def test_failed_write_leaves_nothing_and_spares_its_neighbours(db: Database) -> None:
    async def good(tx: Tx, day: str) -> None:
        await tx.run(insert(T.counters).values(day=day, n=1))

    async def bad(tx: Tx) -> None:
        await tx.run(insert(T.counters).values(day="bad", n=1))
        raise ValueError("mine")

    results = await asyncio.gather(
        db.write(lambda tx: good(tx, "a")),
        db.write(bad),
        db.write(lambda tx: good(tx, "b")),
        return_exceptions=True,
    )
    assert isinstance(results[1], ValueError)
    assert await count(db) == 2


async def test_read_modify_write_by_many_loses_nothing(db: Database) -> None:
    async def start(tx: Tx) -> None:
        await tx.run(insert(T.counters).values(day="x", n=0))

    await db.write(start)

    async def add(tx: Tx) -> None:
        await tx.run(update(T.counters).values(n=T.counters.c.n + 1))

    await asyncio.gather(*(db.write(add) for _ in range(100)))
    async with db.read() as conn:
        assert (await conn.execute(select(T.counters.c.n))).scalar_one() == 100


async def test_cancelled_caller_does_not_undo_a_commit(db: Database) -> None:
    async def work(tx: Tx) -> None:
        await tx.run(insert(T.counters).values(day="c", n=1))

    task = asyncio.create_task(db.write(work))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(100):
        if await count(db):
            break
        await asyncio.sleep(0.02)
    assert await count(db) == 1


async def test_commit_wakes_who_listens(db: Database) -> None:
    heard = db.pulse.listen("items")

    async def work(tx: Tx) -> None:
        tx.touched.add("items")

    await db.write(work)
    assert heard.is_set()


async def test_migrating_twice_changes_nothing(db: Database) -> None:
    before, after = await migrate(db)
    assert before == after != ""


async def test_newer_schema_is_refused(db: Database) -> None:
    async def work(tx: Tx) -> None:
        await tx.run(text("UPDATE alembic_version SET version_num = '9999'"))

    await db.write(work)
    with pytest.raises(ConfigError, match="newer version"):
        await migrate(db)


async def test_sqlite_syncs_fully_and_readers_can_not_write(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await database.open()
    try:

        async def ask(tx: Tx) -> tuple[int, str]:
            synchronous = (await tx.run(text("PRAGMA synchronous"))).scalar_one()
            return synchronous, (await tx.run(text("PRAGMA journal_mode"))).scalar_one()

        assert await database.write(ask) == (2, "wal")
        async with database.read() as conn:
            assert (await conn.execute(text("PRAGMA query_only"))).scalar_one() == 1
    finally:
        await database.close()


async def test_second_hub_on_one_file_is_told_who_has_it(sqlite_url: str) -> None:
    first, second = Database(sqlite_url), Database(sqlite_url)
    await first.open()
    try:
        with pytest.raises(ConfigError, match=r"in use by another hub \(process \d+\)"):
            await second.open()
    finally:
        await first.close()
    await second.open()
    await second.close()


async def test_damaged_file_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "minsheng.db"
    path.write_bytes(b"this is not a database, surely not" * 100)
    with pytest.raises(ConfigError, match="restore it from a backup"):
        await Database(f"sqlite:///{path}").open()


async def test_unreachable_server_is_one_clear_line() -> None:
    with pytest.raises(ConfigError, match="check that it exists"):
        await Database("postgresql://nobody@127.0.0.1:1/none").open()


@pytest.mark.parametrize("url", ["mysql://x/y", "not a url", "redis://localhost"])
def test_wrong_url_names_what_is_supported(url: str) -> None:
    with pytest.raises(ConfigError, match="sqlite"):
        parse_url(url)


def test_password_is_never_shown() -> None:
    assert "secret" not in Database("postgresql://u:secret@h/d").shown_url


def test_sqlite_is_new_enough_here() -> None:
    assert sqlite3.sqlite_version_info >= (3, 35, 0)
