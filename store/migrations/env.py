"""Alembic's entry: uses the connection it was handed, or MINSHENG_DATABASE_URL for developers."""

import os

from alembic import context
from sqlalchemy import create_engine
from sqlmodel import SQLModel

import store.tables  # noqa: F401 - registers every table

connection = context.config.attributes.get("connection")
if connection is None:
    engine = create_engine(os.environ.get("MINSHENG_DATABASE_URL", "sqlite://"))
    connection = engine.connect()
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=False,
)
context.run_migrations()
