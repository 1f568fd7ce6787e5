"""Orders of the queue, and pages by key: a page begins after the last row of the one before (keyset)."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, true

from store.errors import RejectedError
from store.tables import T

C = T.cases.c
Key = tuple[Any, ...]

RANK = case({"emergency": 0, "urgent": 1}, value=C.urgency, else_=2)
DUE = func.coalesce(C.stage_due_at, C.due_at, C.received_at)

LARGEST = 2**62
"""Beyond every number that is kept."""


class Part(NamedTuple):
    """One thing rows are sorted by: the name it has in a row, its expression, its type, whether it rises."""

    name: str
    expression: Any
    kind: type
    rises: bool = True


_ID = Part("id", C.id, int)
ORDERS: Mapping[str, tuple[Part, ...]] = {
    "danger": (Part("rank", RANK, int), _ID),
    "due": (Part("due", DUE, datetime), _ID),
    "oldest": (_ID,),
    "newest": (_ID._replace(rises=False),),
    "teach": (Part("teach", C.teach, float, rises=False), _ID),
}
"""The id is last, so that no two rows are equal."""

KEYS = (RANK.label("rank"), DUE.label("due"))
"""Columns a statement must have besides those of ``cases``."""

Order = Sequence[Part]


def ordered(statement: Select[Any], order: Order) -> Select[Any]:
    """The statement in this order."""
    by = (p.expression.asc() if p.rises else p.expression.desc() for p in order)
    return statement.order_by(*by)


def key_of(order: Order, row: Mapping[Any, Any]) -> Key:
    """Where a row stands in the order."""
    return tuple(row[part.name] for part in order)


def beyond(order: Order, key: Key) -> ColumnElement[bool]:
    """What comes after the key."""
    steps = []
    for n, part in enumerate(order):
        same = [p.expression == value for p, value in zip(order[:n], key, strict=False)]
        later = part.expression > key[n] if part.rises else part.expression < key[n]
        steps.append(and_(true(), *same, later))
    return or_(*steps)


def write(key: Key) -> str:
    """A key as the cursor of an address."""
    return urlsafe_b64encode(msgspec.json.encode(key)).decode()


def read(order: Order, cursor: str) -> Key:
    """The key of a cursor; RejectedError for one that was not given in this order."""
    try:
        values = msgspec.json.decode(urlsafe_b64decode(cursor.encode()), type=list[Any])
        key: Key = tuple(msgspec.convert(v, p.kind) for v, p in zip(values, order, strict=True))
        if any(isinstance(v, int) and abs(v) > LARGEST for v in key):
            raise ValueError
        if any(isinstance(v, datetime) and v.tzinfo is None for v in key):
            raise ValueError
        key = tuple(v.astimezone(UTC) if isinstance(v, datetime) else v for v in key)
    except (ValueError, OverflowError, msgspec.DecodeError) as error:
        msg = "desk: after: not a cursor of this page; begin again without it"
        raise RejectedError(msg, reason="after") from error
    return key
