"""What GET /requests may show: reports and where they stand, without anything that names a citizen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import msgspec
from sqlalchemy import ColumnElement, Select, and_, or_, select

from store.coords import to_wgs84
from store.db import Database, among
from store.model import CoordType
from store.tables import T


@dataclass(frozen=True)
class Query:
    """Which reports are asked for. ``ids`` override services, times and statuses.

    Times are aware; ``start`` is included, ``end`` too.
    """

    ids: Sequence[int] = ()
    services: Collection[str] = ()
    start: datetime | None = None
    end: datetime | None = None
    statuses: Collection[str] = ()
    limit: int = 1000
    offset: int = 0


@dataclass(frozen=True)
class RequestRow:
    """One report: redacted words, WGS-84 degrees, aware times; ``status`` is the case's, or ``received``."""

    id: int
    service: str
    status: str
    text: str
    department: str
    requested_at: datetime
    updated_at: datetime
    expected_at: datetime | None
    address: str
    lat: float | None
    lon: float | None


class Requests(Protocol):
    """Where reports are looked up."""

    async def find(self, query: Query, *, client: str = "") -> list[RequestRow]:
        """The newest first; of one client alone when it is named."""
        ...

    async def heard_at(self, channel_id: str) -> datetime | None:
        """When this channel heard a report of that identity; None when never."""
        ...


@dataclass(frozen=True)
class StoredRequests:
    """Looks reports up in the hub's own tables.

    ``names`` is a service's shown name by code, ``closed`` the case statuses that count as closed.
    With ``every_channel`` reports of other channels are shown too, under their case's first label.
    """

    db: Database
    channel: str
    names: Mapping[str, str]
    closed: Collection[str]
    every_channel: bool = False
    _codes: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._codes.update({f"【{name}】": code for code, name in self.names.items()})

    async def find(self, query: Query, *, client: str = "") -> list[RequestRow]:
        """The newest first; erased reports, withdrawn ones and parts of one are not shown."""
        i, ci, c = T.items.c, T.case_items.c, T.cases.c
        statement = (
            select(
                i.id, i.channel, i.title, i.text, i.address, i.lat, i.lon, i.coord_type, i.received_at,
                c.status, c.department, c.problems, c.campaigns,
                c.filed_at, c.dispatched_at, c.closed_at, c.due_at,
            )
            .outerjoin(T.case_items, ci.item_id == i.id)
            .outerjoin(T.cases, c.id == ci.case_id)
            .where(i.key.is_not(None), i.gone_at.is_(None), i.part_of.is_(None), *self._scope(client))
            .order_by(i.id.desc())
            .limit(query.limit)
            .offset(query.offset)
        )  # fmt: skip
        async with self.db.read() as conn:
            rows = (await conn.execute(self._narrow(statement, query))).all()
        return [self._row(row) for row in rows]

    async def heard_at(self, channel_id: str) -> datetime | None:
        """When this channel heard a report of that identity; None when never."""
        i = T.items.c
        statement = select(i.received_at).where(
            i.channel == self.channel, i.channel_id == channel_id
        )
        async with self.db.read() as conn:
            found: datetime | None = (await conn.execute(statement)).scalar()
        return found

    def _scope(self, client: str) -> list[ColumnElement[bool]]:
        i, scope = T.items.c, list[ColumnElement[bool]]()
        if not self.every_channel or client:
            scope.append(i.channel == self.channel)
        if client:
            scope.append(i.channel_id.startswith(f"{client}:", autoescape=True))
        return scope

    def _narrow(self, statement: Select[Any], query: Query) -> Select[Any]:
        i = T.items.c
        if query.ids:
            return statement.where(among(i.id, list(query.ids), is_sqlite=self.db.is_sqlite))
        if query.start is not None:
            statement = statement.where(i.received_at >= query.start)
        if query.end is not None:
            statement = statement.where(i.received_at <= query.end)
        if query.services:
            statement = statement.where(or_(*(self._is_of(code) for code in query.services)))
        if set(query.statuses) == {"closed"}:
            statement = statement.where(T.cases.c.status.in_(self.closed))
        if set(query.statuses) == {"open"}:
            status = T.cases.c.status
            statement = statement.where(or_(status.is_(None), status.not_in(self.closed)))
        return statement

    def _is_of(self, code: str) -> ColumnElement[bool]:
        i, c = T.items.c, T.cases.c
        own = and_(i.channel == self.channel, i.title.in_(list(self._codes)))
        mine = and_(own, i.title == f"【{self.names.get(code, '')}】")
        first = f'["{code}"'
        theirs = or_(
            c.problems.startswith(first, autoescape=True),
            and_(c.problems == "[]", c.campaigns.startswith(first, autoescape=True)),
        )
        return or_(mine, and_(~own, theirs))

    def _row(self, row: Any) -> RequestRow:
        times = (row.received_at, row.filed_at, row.dispatched_at, row.closed_at)
        lat, lon = row.lat, row.lon
        if lat is not None and lon is not None:
            lat, lon = (round(v, 7) for v in to_wgs84(lat, lon, CoordType(row.coord_type)))
        return RequestRow(
            id=row.id,
            service=self._service(row),
            status=row.status or "received",
            text=row.text,
            department=row.department or "",
            requested_at=row.received_at,
            updated_at=max(at for at in times if at is not None),
            expected_at=row.due_at,
            address=row.address,
            lat=lat,
            lon=lon,
        )

    def _service(self, row: Any) -> str:
        """The one the citizen chose, else the case's first label."""
        if row.channel == self.channel and row.title in self._codes:
            return self._codes[row.title]
        labels: list[str] = [
            label
            for column in (row.problems, row.campaigns)
            for label in msgspec.json.decode(column or "[]")
        ]
        return labels[0] if labels else ""
