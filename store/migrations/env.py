"""Alembic's entry: uses the connection it was handed, or MINSHENG_DATABASE_URL for developers."""

import os

from alembic import context
from sqlalchemy import create_engine
from sqlmodel import SQLModel

import store.tables  # noqa: F401 - registers every table
from store.columns import Utc

connection = context.config.attributes.get("connection")
if connection is None:
    engine = create_engine(os.environ.get("MINSHENG_DATABASE_URL", "sqlite://"))
    connection = engine.connect()


def same_type(*given: object) -> bool | None:
    """Utc is reflected as what the database calls it; it never changes."""
    return False if isinstance(given[-1], Utc) else None


def ours(name: str | None, kind: str, _parents: object) -> bool:
    """SQLite's full-text index keeps its own tables, which no class describes."""
    return kind != "table" or not str(name).startswith("search_words")


context.configure(
    connection=connection,
    include_name=ours,
    target_metadata=SQLModel.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=False,
    compare_type=same_type,
)
context.run_migrations()
