"""Bring the schema up to date: Alembic's ordered list in ``store/migrations/versions``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from store.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from store.db import Database, Tx

HOME = Path(__file__).parent / "migrations"
_LOCK = 7_164_301


def config() -> Config:
    """Alembic's configuration, found from the package and from nowhere else."""
    cfg = Config()
    cfg.set_main_option("script_location", str(HOME))
    return cfg


async def migrate(db: Database) -> tuple[str, str]:
    """Upgrade to the newest revision; returns (before, after). Concurrent hubs wait for each other."""

    async def work(tx: Tx) -> tuple[str, str]:
        if not db.is_sqlite:
            await tx.conn.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        return await tx.conn.run_sync(_upgrade)

    try:
        return await db.write(work)
    except DBAPIError as error:
        cause = str(error.orig).splitlines()[0]
        msg = f"store: migration of {db.shown_url} failed ({cause}); restore the backup or report this"
        raise ConfigError(msg) from error


def _upgrade(conn: Connection) -> tuple[str, str]:
    cfg = config()
    head = ScriptDirectory.from_config(cfg).get_current_head() or ""
    before = MigrationContext.configure(conn).get_current_revision() or ""
    known = {s.revision for s in ScriptDirectory.from_config(cfg).walk_revisions()}
    if before and before not in known:
        msg = (
            f"store: the database is of a newer version ({before}); install that version of the hub"
        )
        raise ConfigError(msg)
    if before != head:
        cfg.attributes["connection"] = conn
        command.upgrade(cfg, "head")
    return before, head
