"""Databases of earlier versions come up to date with their rows, on both engines."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select

from store.columns import Utc
from store.db import Database
from store.migrate import config, migrate
from store.tables import T

HEAD = ScriptDirectory.from_config(config()).get_current_head()
CASE = 202611240000001
AT = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def before_duty(connection: Connection) -> None:
    """A database of schema 0004 with one case: an order in hand, one handled."""
    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, "0004")
    case = {
        "id": CASE, "case_no": "DH1", "status": "handling", "version": 4, "channel": "app", "kind": "complaint",
        "urgency": "normal", "decision": "auto", "confidence": 0.9, "department": "a", "suggested": "a", "rule": "r",
        "area": "", "point": "", "teach": 0, "summary": "x", "items": 1, "decision_seq": 2, "received_at": AT, "replayed": False,
        "problems": "[]", "campaigns": "[]",
    }  # fmt: skip
    _insert(connection, "cases", case)
    order = {"case_id": CASE, "department": "a", "lead": True, "due_at": AT, "dispatched_at": AT}
    _insert(
        connection, "work_orders", {**order, "id": CASE * 100 + 1, "seq": 1, "status": "signed"}
    )
    done = {"id": CASE * 100 + 2, "seq": 2, "status": "handled", "ended_at": AT}
    _insert(connection, "work_orders", order | done)


def _insert(connection: Connection, name: str, row: dict[str, Any]) -> None:
    """A row of a table as it was then."""
    columns = [sa.column(one, Utc() if one.endswith("_at") else None) for one in row]
    connection.execute(sa.insert(sa.table(name, *columns)).values(row))


async def test_cases_from_before_duty_are_watched_and_numbered_on(empty_url: str) -> None:
    old = Database(empty_url)
    await old.open()
    async with old._writer.begin() as conn:  # type: ignore[union-attr]
        await conn.run_sync(before_duty)
    assert await migrate(old) == ("0004", HEAD)
    async with old.read() as conn:
        case = (await conn.execute(select(T.cases))).one()
        orders = (await conn.execute(select(T.work_orders).order_by(T.work_orders.c.id))).all()
    assert (case.notices, case.joint, case.final, case.merged_into) == (4, False, False, None)
    assert [order.leaves_at == order.dispatched_at for order in orders] == [True, True]
    assert [order.watch_at is not None for order in orders] == [True, False]
    assert [order.handled_at is not None for order in orders] == [False, True]
    await old.close()
