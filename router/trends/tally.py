"""Keeps the roll-ups ``item_days`` and ``case_days`` right while messages, labels and cases change.

Triggers mark in ``tally_due`` what may have changed, in the transaction that changes it. A step reads what is due as
it stands now, compares it with what it had contributed, and writes the difference, the new contribution and the
deletion of what was due in one transaction: whatever comes late, twice or out of order, the sums are those of a
recount. What changes between the reading and the writing is marked anew and comes with a later step.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ARRAY, Table, bindparam, cast, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.base import Executable

from router.trends.days import day_of, local_day, own_day
from router.trends.parts import (
    CaseFacts,
    CasePart,
    ItemPart,
    OrderFacts,
    RatingFacts,
    add_case,
    case_parts,
    join,
    read_parts,
    series,
)
from store.db import Database, Tx, among
from store.errors import TransientError
from store.tables import T
from store.understood import labels_of

log = logging.getLogger(__name__)

BATCH = 1_000
"""Marks of one step; a message makes two or three."""

LOOK_S = 0.5
"""Seconds between looks for what is due; the lag of the numbers at rest."""

BREATH_S = 0.25
"""Seconds between steps in a rush: messages come first, and the marks of one message are worked at once."""

PAUSE_S = 5.0
"""Seconds waited when the database is away."""

LATE_DAYS = 7
"""Items older than so many days on arrival are counted apart, for a note to readers (补录)."""

LOCK = 0x4D53_0008
"""PostgreSQL's advisory lock of a step: two tallies never write at once."""


class More(Protocol):
    """More series of an item than its labels: watched topics, places."""

    async def refresh(self, conn: AsyncConnection) -> None:
        """Know what is watched now; asked after what is due was read, so that nothing is counted by old words."""
        ...

    def __call__(
        self, text: str, address: str, area: str, labels: Sequence[str]
    ) -> tuple[str, ...]:
        """The further series of a message."""
        ...


class Plain:
    """No topics and no places."""

    async def refresh(self, conn: AsyncConnection) -> None:
        """Nothing to know."""

    def __call__(
        self,
        text: str,  # noqa: ARG002 - the shape of ``More``
        address: str,  # noqa: ARG002
        area: str,  # noqa: ARG002
        labels: Sequence[str],  # noqa: ARG002
    ) -> tuple[str, ...]:
        return ()


_i, _v, _c, _ci, _o, _r = (
    T.items.c, T.verdicts.c, T.cases.c, T.case_items.c, T.work_orders.c, T.ratings.c,
)  # fmt: skip


@dataclass
class Facts:
    """What items and cases that are due contribute now; ``late`` are channel and day of old items that arrived."""

    items: dict[int, dict[str, Any]] = field(default_factory=dict)
    cases: dict[int, list[CasePart]] = field(default_factory=dict)
    late: dict[int, tuple[str, int]] = field(default_factory=dict)


class Tally:
    """The one writer of the roll-ups. ``more`` names more series of an item."""

    def __init__(
        self,
        db: Database,
        zone: ZoneInfo,
        *,
        clock: Callable[[], datetime],
        more: More | None = None,
    ) -> None:
        self._db = db
        self._zone = zone
        self._clock = clock
        self.more: More = more or Plain()

    async def remember(self, version: int) -> None:
        """Note from which day labels mean what ``version`` of the taxonomy says."""
        n = T.count_notes.c
        newest = select(n.text).where(n.kind == "taxonomy").order_by(n.id.desc()).limit(1)
        now = self._clock()
        day = local_day(now, self._zone)
        row = {"mark": f"taxonomy:{day}:{version}", "kind": "taxonomy", "day": day, "at": now}

        async def work(tx: Tx) -> None:
            if (await tx.run(newest)).scalar() != str(version):
                await tx.insert(T.count_notes, [row | {"text": str(version)}], again="ignore")

        await self._db.write(work)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                done = await self.step()
                await asyncio.sleep(BREATH_S if done == BATCH else LOOK_S)
            except TransientError as error:
                log.warning("tally: %s; waiting", error)
                await asyncio.sleep(PAUSE_S)

    async def settle(self) -> None:
        """Work until nothing is due."""
        while await self.step():
            pass

    async def step(self, batch: int = BATCH) -> int:
        """Work the oldest marks; returns how many there were."""
        d = T.tally_due.c
        async with self._db.read() as conn:
            due = (
                await conn.execute(select(d.id, d.item_id, d.case_id).order_by(d.id).limit(batch))
            ).all()
            if not due:
                return 0
            facts = await self._facts(conn, {x for _, x, _ in due if x}, {x for *_, x in due if x})
        ids = [row.id for row in due]
        await self._db.write(lambda tx: self._apply(tx, ids, facts))
        return len(due)

    async def _facts(self, conn: AsyncConnection, items: set[int], cases: set[int]) -> Facts:
        """What these items and cases, and those that hang on them, contribute now."""
        await self.more.refresh(conn)
        own = self._among(_ci.item_id, items)
        cases |= set((await conn.execute(select(_ci.case_id).where(own))).scalars())
        held = self._among(_ci.case_id, cases)
        items |= set((await conn.execute(select(_ci.item_id).where(held))).scalars())
        facts = Facts()
        await self._read_items(conn, items, facts)
        await self._read_cases(conn, cases, facts)
        return facts

    async def _read_items(self, conn: AsyncConnection, ids: Collection[int], facts: Facts) -> None:
        statement = (
            select(
                _i.id, _i.channel, _i.title, _i.text, _i.address, _i.author_key, _i.posted_at, _i.received_at,
                _v.kind, _v.problems, _v.campaigns, _v.area, _ci.case_id,
                _c.kind.label("case_kind"), _c.problems.label("case_problems"),
                _c.campaigns.label("case_campaigns"), _c.area.label("case_area"),
            )
            .join(T.verdicts, _v.item_id == _i.id)
            .outerjoin(T.case_items, _ci.item_id == _i.id)
            .outerjoin(T.cases, _c.id == _ci.case_id)
            .where(self._among(_i.id, ids))
        )  # fmt: skip
        for row in await conn.execute(statement):
            facts.items[row.id] = self._item(row, facts)

    def _item(self, row: Any, facts: Facts) -> dict[str, Any]:
        """The row of ``tallied`` of an item."""
        is_case = row.case_id is not None
        kind = row.case_kind if is_case else row.kind
        problems = labels_of(row.case_problems if is_case else row.problems)
        campaigns = labels_of(row.case_campaigns if is_case else row.campaigns)
        area = row.case_area if is_case else row.area
        labels = series(kind=kind, problems=problems, campaigns=campaigns, is_case=is_case)
        if is_case:
            said = f"{row.title}\n{row.text}" if row.title else row.text
            labels = (*labels, *self.more(said, row.address, area, labels))
        day = own_day(row.posted_at, row.received_at, self._zone)
        arrived = local_day(row.received_at, self._zone)
        if (day_of(arrived) - day_of(day)).days > LATE_DAYS:
            facts.late[row.id] = row.channel, arrived
        return {
            "item_id": row.id,
            "case_id": row.case_id or 0,
            "day": day,
            "channel": row.channel,
            "area": area,
            "labels": join(labels),
            "author_key": row.author_key or f"item:{row.id}",
        }

    async def _read_cases(self, conn: AsyncConnection, ids: Collection[int], facts: Facts) -> None:
        if not ids:
            return
        orders = await self._children(conn, T.work_orders, ids, OrderFacts)
        ratings = await self._children(conn, T.ratings, ids, RatingFacts)
        columns = (
            _c.id, _c.status, _c.department, _c.area, _c.relapse_of, _c.received_at, _c.filed_at, _c.closed_at,
        )  # fmt: skip
        for row in await conn.execute(select(*columns).where(self._among(_c.id, ids))):
            case = CaseFacts(
                status=row.status,
                department=row.department,
                area=row.area,
                is_relapse=row.relapse_of is not None,
                received_at=row.received_at,
                filed_at=row.filed_at,
                closed_at=row.closed_at,
                orders=orders[row.id],
                ratings=ratings[row.id],
            )
            facts.cases[row.id] = case_parts(case, self._zone)

    async def _children(
        self, conn: AsyncConnection, table: Table, ids: Collection[int], kind: type[Any]
    ) -> defaultdict[int, list[Any]]:
        """Rows of a table of cases' children as ``kind``, by case."""
        columns = [table.c[name] for name in kind.__slots__]
        wanted = self._among(table.c.case_id, ids)
        found: defaultdict[int, list[Any]] = defaultdict(list)
        for case_id, *values in await conn.execute(select(table.c.case_id, *columns).where(wanted)):
            found[case_id].append(kind(*values))
        return found

    def _among(self, column: Any, ids: Iterable[int]) -> Any:
        return among(column, sorted(ids), is_sqlite=self._db.is_sqlite)

    async def _apply(self, tx: Tx, due: Sequence[int], facts: Facts) -> None:
        """Write what differs, and that these marks are worked."""
        if not self._db.is_sqlite:
            await tx.run(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        await tx.run(delete(T.tally_due).where(self._among(T.tally_due.c.id, due)))
        items, fresh = await self._change_items(tx, facts.items)
        cases = await self._change_cases(tx, facts.cases)
        await self._add(tx, T.item_days, items)
        await self._add(tx, T.case_days, cases)
        await self._note(tx, Counter(told for one, told in facts.late.items() if one in fresh))

    async def _change_items(
        self, tx: Tx, new: Mapping[int, dict[str, Any]]
    ) -> tuple[Counter[tuple[str, str, str, int]], set[int]]:
        """Replace the contributions of items; returns what that changes in the sums, and which had none yet."""
        t = T.tallied.c
        old = {
            row["item_id"]: dict(row)
            for row in (
                await tx.run(select(T.tallied).where(self._among(t.item_id, new)))
            ).mappings()
        }
        changed = [row for key, row in new.items() if old.get(key) != row]
        delta: Counter[tuple[str, str, str, int]] = Counter()
        for row in changed:
            if row["item_id"] in old:
                _item_part(old[row["item_id"]]).add(delta, -1)
            _item_part(row).add(delta, 1)
        await self._replace(tx, T.tallied, t.item_id, changed)
        return delta, new.keys() - old.keys()

    async def _change_cases(
        self, tx: Tx, new: Mapping[int, list[CasePart]]
    ) -> Counter[tuple[str, str, str, int]]:
        """Replace the contributions of cases; returns what that changes in the sums."""
        t = T.case_tallied.c
        kept = select(t.case_id, t.parts).where(self._among(t.case_id, new))
        old = {row.case_id: read_parts(row.parts) for row in await tx.run(kept)}
        changed = {key: parts for key, parts in new.items() if old.get(key, []) != parts}
        delta: Counter[tuple[str, str, str, int]] = Counter()
        rows = []
        for key, parts in changed.items():
            add_case(old.get(key, []), delta, -1)
            add_case(parts, delta, 1)
            days = [day for *_, day, _ in parts] or [0]
            said = msgspec.json.encode(parts).decode()
            rows.append(
                {"case_id": key, "first_day": min(days), "last_day": max(days), "parts": said}
            )
        await self._replace(tx, T.case_tallied, t.case_id, rows)
        return delta

    async def _replace(self, tx: Tx, table: Table, key: Any, rows: list[dict[str, Any]]) -> None:
        """Put these rows in the place of those with their keys."""
        await tx.run(delete(table).where(self._among(key, [row[key.name] for row in rows])))
        await tx.insert(table, rows)

    async def _add(
        self, tx: Tx, table: Table, delta: Mapping[tuple[str, str, str, int], int]
    ) -> None:
        """Add to the sums; a sum that comes to nothing has no row."""
        keys = [column.name for column in table.primary_key]
        rows: list[dict[str, Any]] = [
            {**dict(zip(keys, key, strict=True)), "n": n} for key, n in sorted(delta.items()) if n
        ]
        if not rows:
            return
        await tx.run(*(_upsert if self._db.is_sqlite else _upsert_arrays)(table, keys, rows))
        less = [{f"k_{key}": row[key] for key in keys} for row in rows if row["n"] < 0]
        if less:
            same = [table.c[key] == bindparam(f"k_{key}") for key in keys]
            await tx.run(delete(table).where(*same, table.c.n == 0), less)

    async def _note(self, tx: Tx, late: Mapping[tuple[str, int], int]) -> None:
        """Tell readers of numbers that a channel brought many old messages at once."""
        n = T.count_notes.c
        for (channel, day), count in sorted(late.items()):
            mark = f"late:{channel}:{day}"
            more = update(T.count_notes).where(n.mark == mark)
            known = (await tx.run(select(n.text).where(n.mark == mark))).scalar()
            total = int(known or 0) + count
            if known is not None:
                await tx.run(more.values(text=str(total)))
                continue
            row = {
                "mark": mark,
                "kind": "late",
                "day": day,
                "text": str(total),
                "at": self._clock(),
            }
            await tx.insert(T.count_notes, [row])


Statement = tuple[Executable, list[dict[str, Any]]] | tuple[Executable]


def _upsert(table: Table, keys: list[str], rows: list[dict[str, Any]]) -> Statement:
    """Add each row's ``n`` to what is there."""
    made = sqlite_insert(table)
    adds = {"n": table.c.n + made.excluded.n}
    return made.on_conflict_do_update(index_elements=keys, set_=adds), rows


def _upsert_arrays(table: Table, keys: list[str], rows: list[dict[str, Any]]) -> Statement:
    """The same for PostgreSQL: one statement whose columns come as arrays costs a fifth of a row each."""
    columns = [
        func.unnest(cast([row[c.name] for row in rows], ARRAY(c.type))).label(c.name)
        for c in table.c
    ]
    names = [column.name for column in table.c]
    made = pg_insert(table).from_select(names, select(*columns))
    adds = {"n": table.c.n + made.excluded.n}
    return (made.on_conflict_do_update(index_elements=keys, set_=adds),)


def _item_part(row: Mapping[str, Any]) -> ItemPart:
    return ItemPart(row["day"], row["channel"], row["area"], row["labels"])
