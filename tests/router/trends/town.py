"""A town whose rows change at random, and what its numbers must be, counted anew by other means than the hub's."""

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import LABEL_STYLE_TABLENAME_PLUS_COL, delete, select, update

from store.db import Database, Tx
from store.tables import T

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
PROBLEMS, CAMPAIGNS = ("litter", "sewage", "pets"), ("traffic", "markets")
AREAS, CHANNELS, OFFICES = ("", "bohai", "shengli", "inner"), ("app", "weibo"), ("a", "b")
BASE = 202611240000001


class Town:
    """Rows of items, verdicts, cases, orders and ratings; each act is one transaction."""

    def __init__(self, db: Database, seed: int) -> None:
        self.db, self.rng, self.count = db, random.Random(seed), 0

    def one(self, values: Any) -> Any:
        return self.rng.choice(values)

    def some(self, values: Any) -> str:
        return json.dumps([value for value in values if self.rng.random() < 0.4])

    def at(self) -> datetime:
        return NOW - timedelta(minutes=self.rng.randrange(40 * 24 * 60))

    def labels(self) -> dict[str, Any]:
        kinds = ("complaint", "complaint", "request", "inquiry", "praise")
        return {
            "kind": self.one(kinds), "problems": self.some(PROBLEMS), "campaigns": self.some(CAMPAIGNS),
            "area": self.one(AREAS), "urgency": "normal", "decision": "desk",
        }  # fmt: skip

    async def _write(self, *acts: Any) -> None:
        async def work(tx: Tx) -> None:
            for act in acts:
                await act(tx)

        await self.db.write(work)

    async def _set(self, table: Any, key: Any, value: Any, **changes: Any) -> None:
        where = table.c[key] == value
        await self._write(lambda tx: tx.run(update(table).where(where).values(**changes)))

    async def arrive(self) -> None:
        """A message with its verdict and, mostly, a case."""
        self.count += 1
        item, at = BASE + self.count, self.at()
        own = self.one(
            (None, at - timedelta(days=300), at + timedelta(days=9), at - timedelta(hours=3))
        )
        row = {
            "id": item, "channel": self.one(CHANNELS), "channel_id": str(item), "content_sha": "x", "text": "x",
            "author_key": self.one(("", "a", "b")), "received_at": at, "posted_at": own, "sealed": b"",
        }  # fmt: skip
        verdict = self.labels() | {
            "item_id": item,
            "revision": 1,
            "model": "m",
            "trust": 0.5,
            "at": at,
        }
        await self._write(
            lambda tx: tx.insert(T.items, [row]), lambda tx: tx.insert(T.verdicts, [verdict])
        )
        if self.rng.random() < 0.8:
            await self._file(item, verdict, at)

    async def _file(self, item: int, verdict: dict[str, Any], at: datetime) -> None:
        names = ("kind", "problems", "campaigns", "area", "urgency", "decision")
        case = {name: verdict[name] for name in names} | {
            "id": item, "case_no": f"N{item}", "status": "received", "channel": "app", "confidence": 0.5,
            "department": "", "suggested": "a", "rule": "r", "received_at": at,
        }  # fmt: skip
        await self._write(
            lambda tx: tx.insert(T.cases, [case]),
            lambda tx: tx.insert(T.case_items, [{"item_id": item, "case_id": item}]),
        )

    async def _pick(self, table: Any) -> Any:
        async with self.db.read() as conn:
            rows = (await conn.execute(select(table).order_by(*table.primary_key))).all()
        return self.one(rows) if rows else None

    async def relabel(self) -> None:
        """A person gives a case other labels; or a verdict is made anew."""
        table, key = self.one(((T.cases, "id"), (T.verdicts, "item_id")))
        row = await self._pick(table)
        if row is not None:
            labels = self.labels()
            await self._set(
                table,
                key,
                row[0],
                **{k: labels[k] for k in ("kind", "problems", "campaigns", "area")},
            )

    async def join(self) -> None:
        """A case is joined to another, or what was joined is taken apart again."""
        case, other = await self._pick(T.cases), await self._pick(T.cases)
        if case is None or case.id == other.id or other.status == "merged":
            return
        if case.status == "merged":
            moves = (
                update(T.case_items)
                .where(T.case_items.c.item_id == case.id)
                .values(case_id=case.id)
            )
            await self._write(lambda tx: tx.run(moves))
            await self._set(T.cases, "id", case.id, status="received", version=case.version + 1)
            return
        moves = (
            update(T.case_items).where(T.case_items.c.case_id == case.id).values(case_id=other.id)
        )
        await self._write(lambda tx: tx.run(moves))
        await self._set(T.cases, "id", case.id, status="merged", version=case.version + 1)

    async def dispatch(self) -> None:
        """A case gets a work order and moves."""
        case = await self._pick(T.cases)
        if case is None or case.status == "merged":
            return
        self.count += 1
        at = self.at()
        order = {
            "id": BASE * 10 + self.count, "case_id": case.id, "department": self.one(OFFICES), "lead": True,
            "status": "assigned", "seq": self.count, "dispatched_at": at, "due_at": at + timedelta(hours=50),
            "sign_due_at": self.one((None, at + timedelta(hours=1))),
        }  # fmt: skip
        closed = self.one((None, at + timedelta(hours=self.rng.randrange(1, 400))))
        status = "closed" if closed else self.one(("handling", "suspended", "declined", "referred"))
        changes = {
            "status": status,
            "department": order["department"],
            "filed_at": at,
            "closed_at": closed,
        }
        await self._write(lambda tx: tx.insert(T.work_orders, [order]))
        await self._set(T.cases, "id", case.id, version=case.version + 1, **changes)

    async def handle(self) -> None:
        """An order is signed, handled, returned or taken back."""
        order = await self._pick(T.work_orders)
        if order is None:
            return
        at = order.dispatched_at + timedelta(minutes=self.rng.randrange(6000))
        changes = self.one(
            (
                {"status": "signed", "signed_at": at}, {"status": "handled", "handled_at": at},
                {"status": "returned", "ended_at": at}, {"status": "withdrawn", "ended_at": at},
                {"due_at": at, "extensions": 1},
            )
        )  # fmt: skip
        await self._set(T.work_orders, "id", order.id, **changes)

    async def rate(self) -> None:
        """A citizen rates, perhaps again."""
        case = await self._pick(T.cases)
        if case is None:
            return
        row = {
            "item_id": case.id, "case_id": case.id, "solved": self.one(("", "solved", "partly", "unsolved")),
            "satisfied": self.one(("none", "satisfied", "fair", "dissatisfied")), "via": "page", "actor": "x", "at": self.at(),
        }  # fmt: skip
        gone = delete(T.ratings).where(T.ratings.c.item_id == case.id)
        await self._write(lambda tx: tx.run(gone), lambda tx: tx.insert(T.ratings, [row]))

    async def redate(self) -> None:
        """The source corrects when a message was written."""
        item = await self._pick(T.items)
        if item is not None:
            await self._set(T.items, "id", item.id, posted_at=self.at())

    async def act(self) -> None:
        """Something happens."""
        acts = (self.arrive,) * 3 + (
            self.relabel,
            self.join,
            self.dispatch,
            self.handle,
            self.rate,
            self.redate,
        )
        await self.one(acts)()


def local(at: datetime) -> int:
    return int(at.astimezone(ZONE).strftime("%Y%m%d"))


async def items_of(db: Database) -> Counter[tuple[str, str, str, int]]:
    """Items by label, area, channel and day, counted anew by SQL's plain rows."""
    joined = (
        select(T.items, T.verdicts, T.case_items.c.case_id, T.cases)
        .join(T.verdicts, T.verdicts.c.item_id == T.items.c.id)
        .outerjoin(T.case_items, T.case_items.c.item_id == T.items.c.id)
        .outerjoin(T.cases, T.cases.c.id == T.case_items.c.case_id)
        .set_label_style(LABEL_STYLE_TABLENAME_PLUS_COL)
    )
    sums: Counter[tuple[str, str, str, int]] = Counter()
    async with db.read() as conn:
        for row in (await conn.execute(joined)).mappings():
            holder = "verdicts" if row["cases_id"] is None else "cases"
            kind, area = row[f"{holder}_kind"], row[f"{holder}_area"]
            labels = [kind] + (["*"] if holder == "cases" else [])
            if kind in ("complaint", "request"):
                labels += json.loads(row[f"{holder}_problems"]) + json.loads(
                    row[f"{holder}_campaigns"]
                )
            own, came = row["items_posted_at"], row["items_received_at"]
            day = local(came if own is None or own - came > timedelta(days=1) else own)
            for label in labels:
                for a in {area, "*"}:
                    for channel in (row["items_channel"], "*"):
                        sums[label, a, channel, day] += 1
                        sums[label, a, channel, -(day // 100)] += 1
    return sums


async def rows_of(db: Database, table: Any) -> Counter[tuple[str, str, str, int]]:
    """A roll-up as it stands."""
    async with db.read() as conn:
        return Counter({tuple(row[:4]): row[4] for row in await conn.execute(select(table))})


async def cases_of(db: Database, measure: str) -> Counter[tuple[str, int]]:
    """One measure by department and day, from the rows it is made of."""
    async with db.read() as conn:
        cases = {
            row.id: row for row in await conn.execute(select(T.cases)) if row.status != "merged"
        }
        orders = [row for row in await conn.execute(select(T.work_orders)) if row.case_id in cases]
        ratings = [row for row in await conn.execute(select(T.ratings)) if row.case_id in cases]
    kept = [o for o in orders if o.status not in ("withdrawn", "returned")]
    owed = [o for o in kept if cases[o.case_id].status != "suspended"]
    marks = {"satisfied": ("satisfied", "fair"), "marked": ("satisfied", "fair", "dissatisfied")}
    found: dict[str, list[tuple[str, datetime]]] = {
        "cases": [(c.department, c.received_at) for c in cases.values()],
        "closed": [(c.department, c.closed_at) for c in cases.values() if c.status == "closed"],
        "due": [(o.department, o.due_at) for o in owed],
        "on_time": [(o.department, o.due_at) for o in owed if o.status == "handled" and o.handled_at <= o.due_at],
        "signed": [
            (o.department, o.sign_due_at) for o in kept if o.sign_due_at is not None
            and any(t is not None and t <= o.sign_due_at for t in (o.signed_at, (o.status == "handled" and o.handled_at) or None))
        ],
        "solved": [(cases[r.case_id].department, r.at) for r in ratings if r.solved == "solved"],
        **{
            name: [(cases[r.case_id].department, r.at) for r in ratings if r.satisfied in among]
            for name, among in marks.items()
        },
    }  # fmt: skip
    return Counter((department, local(at)) for department, at in found[measure])
