"""Whole cases for the screen: message, verdict, orders, history and more; one question of each kind for all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Table, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from desk.rows import labelled, plain
from store.db import Database, among
from store.tables import T

MOST = 50
"""Cases of one question."""

BESIDE = 50
"""Joined cases that are named with a case."""

_any = msgspec.json.Decoder()
_ITEM = ("title", "text", "address", "url")


class Details:
    """Reads cases; ``scope``: the only areas the person sees, none: all."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of(
        self, ids: Sequence[int], scope: Collection[str] | None = None
    ) -> list[dict[str, Any]]:
        """These cases with their ``events`` in raw form, in the order of ``ids``; unknown ones are left out."""
        wanted = list(dict.fromkeys(ids))[:MOST]
        c = T.cases.c
        statement = select(T.cases).where(self._among(c.id, wanted))
        if scope is not None:
            statement = statement.where(c.area.in_(sorted(scope)))
        async with self._db.read() as conn:
            found = {row["id"]: row for row in (await conn.execute(statement)).mappings()}
            known = [case_id for case_id in wanted if case_id in found]
            if not known:
                return []
            items = await self._by(conn, T.items, "id", known)
            verdicts = await self._by(conn, T.verdicts, "item_id", known)
            many = {
                "orders": await self._many(conn, T.work_orders, known),
                "events": await self._many(conn, T.events, known),
                "supervisions": await self._many(conn, T.supervisions, known),
                "proposals": await self._many(conn, T.returns, known),
            }
            others = await self._others(conn, [found[case_id] for case_id in known], scope)
        return [
            _whole(found[n], items.get(n), verdicts.get(n), others)
            | {"proposed": _proposed(many["proposals"].get(n, ()))}
            | {name: [plain(row) for row in many[name].get(n, ())] for name in ("orders", "events")}
            | {"supervisions": [_paper(row) for row in many["supervisions"].get(n, ())]}
            for n in known
        ]

    async def visible(self, case_id: int, scope: Collection[str] | None) -> bool:
        """Whether there is such a case in these areas."""
        c = T.cases.c
        statement = select(c.id).where(c.id == case_id)
        if scope is not None:
            statement = statement.where(c.area.in_(sorted(scope)))
        async with self._db.read() as conn:
            return (await conn.execute(statement)).first() is not None

    def _among(self, column: Any, ids: Sequence[int]) -> Any:
        return among(column, ids, is_sqlite=self._db.is_sqlite)

    async def _by(
        self, conn: AsyncConnection, table: Table, key: str, ids: Sequence[int]
    ) -> dict[int, Mapping[Any, Any]]:
        """The one row of each."""
        rows = await conn.execute(select(table).where(self._among(table.c[key], ids)))
        return {row[key]: row for row in rows.mappings()}

    async def _many(
        self, conn: AsyncConnection, table: Table, ids: Sequence[int]
    ) -> dict[int, list[Mapping[Any, Any]]]:
        """The rows of each, in their order."""
        statement = select(table).where(self._among(table.c.case_id, ids)).order_by(table.c.id)
        found: dict[int, list[Mapping[Any, Any]]] = {}
        for row in (await conn.execute(statement)).mappings():
            found.setdefault(row["case_id"], []).append(row)
        return found

    async def _others(
        self,
        conn: AsyncConnection,
        cases: Sequence[Mapping[Any, Any]],
        scope: Collection[str] | None,
    ) -> list[Mapping[Any, Any]]:
        """Cases these were joined to, came back from, or took in; only those the person may see."""
        c = T.cases.c
        named = [n for row in cases for n in (row["merged_into"], row["relapse_of"]) if n]
        statement = select(c.id, c.case_no, c.status, c.summary, c.merged_into).where(
            or_(
                self._among(c.merged_into, [row["id"] for row in cases]),
                self._among(c.id, named or [0]),
            )
        )
        if scope is not None:
            statement = statement.where(c.area.in_(sorted(scope)))
        limited = statement.order_by(c.id).limit(BESIDE * len(cases))
        return list((await conn.execute(limited)).mappings())


def _whole(
    case: Mapping[Any, Any],
    item: Mapping[Any, Any] | None,
    verdict: Mapping[Any, Any] | None,
    others: Sequence[Mapping[Any, Any]],
) -> dict[str, Any]:
    """The case's own part of its detail."""
    row = labelled(case)
    row["placed"] = verdict["placed"] if verdict else 0.0
    row["reasons"] = _any.decode(verdict["reasons"]) if verdict else []
    row["scores"] = _any.decode(verdict["confidence"]) if verdict else {}
    row["model"] = verdict["model"] if verdict else ""
    if item is not None:
        row |= {name: item[name] for name in _ITEM}
        row["media"] = item["media_count"]
        row["gone_at"] = item["gone_at"].isoformat() if item["gone_at"] else None
    row["joined"] = [plain(one) for one in others if one["merged_into"] == case["id"]]
    for name, link in (("joined_to", "merged_into"), ("relapsed", "relapse_of")):
        row[name] = _number(others, case[link])
        row[link] = row[link] if row[name] else None
    return row


def _number(others: Sequence[Mapping[Any, Any]], case_id: int | None) -> str:
    return next((one["case_no"] for one in others if one["id"] == case_id), "")


def _paper(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A document of supervision, without its words."""
    shown = ("number", "level", "title", "addressee", "at", "reply_by", "state", "reply")
    return plain({name: row[name] for name in shown})


def _proposed(returns: Sequence[Mapping[Any, Any]]) -> dict[str, str] | None:
    """Which office the one that returned the case last names instead, while the desk has not judged it."""
    open_ = [row for row in returns if row["state"] == "open" and row["proposed"]]
    if not open_:
        return None
    last = open_[-1]
    return {"department": last["proposed"], "by": last["department"], "note": last["note"]}
