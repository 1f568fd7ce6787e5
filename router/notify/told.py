"""The documents of supervision on their way to offices: their ids, and what a message says of them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from store.model import NAMESPACE
from store.tables import T

SUPERVISED = "supervised"
"""The change of a notice that an order has a new document or lamp."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A document or lamp as one office hears of it; ``is_copy`` when another must answer."""

    number: str
    level: str
    title: str
    body: str
    addressee: str
    reply_by: datetime | None
    is_copy: bool


def record_id(mark: str, office: str) -> str:
    """The journal's id of the notice to ``office`` about the document ``mark``."""
    return f"supervision|{mark}|{office}"


def uid(record: str) -> uuid.UUID:
    """The constant ``webhook-id`` of a notice, from its record's id."""
    return uuid.uuid5(NAMESPACE, record)


async def papers(conn: AsyncConnection, orders: Sequence[int], office: str) -> dict[str, Paper]:
    """The papers on these orders by the ``webhook-id`` under which ``office`` hears of them."""
    if not orders:
        return {}
    s = T.supervisions.c
    columns = (s.mark, s.number, s.level, s.title, s.body, s.addressee, s.reply_by)
    rows = await conn.execute(select(*columns).where(s.order_id.in_(orders)))
    return {
        str(uid(record_id(row.mark, office))): Paper(
            number=row.number,
            level=row.level,
            title=row.title,
            body=row.body,
            addressee=row.addressee,
            reply_by=row.reply_by,
            is_copy=row.addressee != office,
        )
        for row in rows
    }
