"""How fast the desk's queue, search and whole cases are among a million cases: milliseconds in the server, without HTTP.

Run from the project's root: ``python tests/bench/queueing.py [--cases N] [--engine sqlite|postgres|both] [--keep DIR]``.
Builds the cases first (some minutes an engine; ``--keep`` uses a SQLite file again). 5,000 are open, the rest ended.
Goals at a million, 95th percentile: a page of the queue with all counts 30 ms, a search 150 ms.
"""

import argparse
import asyncio
import csv
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from desk.around import Around
from desk.details import Details
from desk.queue import VIEWS, Asker, Filters, Queue
from desk.searching import Searching
from store.columns import raw_insert
from store.db import Database
from store.migrate import migrate
from store.numbers import case_no
from store.tables import T
from store.terms import as_number, number_terms, terms

ROOT = Path(__file__).parent.parent.parent
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
DAYS, OPEN, BATCH, ROUNDS = 730, 5_000, 5_000, 60
PROBLEMS = ("litter", "flyposting", "stalls", "sewage", "laundry", "pets")
CAMPAIGNS = ("streets", "markets", "snow", "dust")
CHANNELS = ("app",) * 60 + ("wechat",) * 25 + ("forum",) * 13 + ("mail",) * 2
OFFICES = ("urban_enforcement", "housing_construction", "traffic_police", "environment", "out")
AREAS = tuple(f"area{n}" for n in range(16))
PLACES = {area: frozenset({area}) for area in AREAS}
STAGES = ("received",) * 40 + ("filed",) * 10 + ("dispatched",) * 30 + ("handling",) * 10 + ("suspended",) * 3 + ("handled",) * 7  # fmt: skip
ENDS = ("closed",) * 85 + ("declined",) * 5 + ("referred",) * 5 + ("merged",) * 5
NOISE = os.urandom(20_000)
ASKER = Asker("user3", NOW, "out")


def sentences() -> list[str]:
    """What citizens write, from the corpus."""
    lines = [
        line
        for path in sorted((ROOT / "classify" / "corpus").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return [json.loads(line)["text"] for line in lines]


def places() -> list[str]:
    lines = (ROOT / "configs" / "gazetteer.csv").read_text(encoding="utf-8").splitlines()
    return [row["name"] for row in csv.DictReader(x for x in lines if not x.startswith("#"))]


@lru_cache(maxsize=100_000)
def terms_of(text: str) -> frozenset[str]:
    return frozenset(terms(text))


Made = tuple[dict[str, Any], dict[str, Any], frozenset[str]]


def stream(cases: int) -> Iterator[Made]:
    """Item, case and terms of each, the oldest first."""
    rng, said, where = random.Random(1), sentences(), places()
    a_day = -(-cases // DAYS)
    strays = {rng.randrange(cases) for _ in range(OPEN // 10)}
    for n in range(cases):
        day, k = divmod(n, a_day)
        at = NOW - timedelta(days=DAYS - 1 - day, seconds=(a_day - k) % 28_000)
        case_id = int(at.strftime("%Y%m%d")) * 10_000_000 + k + 1
        parts = [rng.choice(where), f"{rng.randrange(1, 40)}号楼", *rng.choices(said, k=rng.choice((1, 1, 1, 2, 3)))]  # fmt: skip
        found = frozenset(number_terms(case_id)).union(*map(terms_of, parts))
        is_open = n >= cases - OPEN * 9 // 10 or n in strays
        yield *_rows(rng, case_id, at, "，".join(parts), is_open=is_open), found


def _rows(
    rng: random.Random, case_id: int, at: datetime, text: str, *, is_open: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    status = rng.choice(STAGES if is_open else ENDS)
    near = rng.random() < 0.3
    item = {
        "id": case_id, "channel": "app", "channel_id": str(case_id), "revision": 1, "content_sha": "0" * 64, "title": "",
        "text": text, "author_key": f"a{rng.randrange(200_000)}", "address": "",
        "lat": 43.37 + rng.gauss(0, 0.01) if near else None, "lon": 128.23 + rng.gauss(0, 0.015) if near else None,
        "received_at": at, "sealed": NOISE[: 200 + 3 * len(text)], "key": b"k" * 60,
    }  # fmt: skip
    waits = status in {"received", "filed"}
    case = {
        "id": case_id, "case_no": case_no("DH", case_id), "status": status, "version": 3, "channel": rng.choice(CHANNELS),
        "kind": "complaint" if rng.random() < 0.9 else "inquiry", "problems": json.dumps([rng.choice(PROBLEMS)]),
        "campaigns": json.dumps([rng.choice(CAMPAIGNS)] if rng.random() < 0.2 else []),
        "urgency": "normal" if rng.random() < 0.93 else rng.choice(("urgent", "emergency")),
        "decision": "desk" if rng.random() < 0.3 else "auto", "confidence": rng.random(),
        "department": "" if waits else rng.choice(OFFICES), "suggested": rng.choice(OFFICES), "rule": "r",
        "area": rng.choice(AREAS), "point": "", "teach": rng.random(), "summary": text[:60],
        "returns": int(rng.random() < 0.05), "alike": is_open and rng.random() < 0.1, "received_at": at,
        "due_at": NOW + timedelta(hours=rng.uniform(-3, 72)), "stage_due_at": NOW + timedelta(hours=rng.uniform(-1, 9)) if waits else None,
        "snoozed_until": NOW + timedelta(hours=3) if waits and rng.random() < 0.05 else None,
    }  # fmt: skip
    return item, case


def batches(cases: int) -> Iterator[list[Made]]:
    made: list[Made] = []
    for one in stream(cases):
        made.append(one)
        if len(made) == BATCH:
            yield made
            made = []
    yield made


def tables(made: list[Made]) -> list[tuple[Any, list[dict[str, Any]]]]:
    """Rows of a batch by table, without the index."""
    ids = [one["id"] for one, _, _ in made]
    events = [
        {"case_id": one, "verb": verb, "before": "", "after": "", "actor": "m", "at": NOW}
        for one in ids
        for verb in ("receive", "dispatch")
    ]
    claims = [
        {"case_id": c["id"], "user": f"user{c['id'] % 20}", "since": NOW, "until": NOW + timedelta(days=99)}
        for _, c, _ in made
        if c["stage_due_at"] and c["id"] % 10 == 3
    ]  # fmt: skip
    return [
        (T.items, [item for item, _, _ in made]),
        (T.cases, [case for _, case, _ in made]),
        (T.case_items, [{"item_id": one, "case_id": one} for one in ids]),
        (T.events, events),
        (T.claims, claims),
    ]


def fill_sqlite(path: Path, cases: int) -> None:
    conn = sqlite3.connect(path)
    conn.execute("PRAGMA synchronous=OFF")
    conn.execute("PRAGMA cache_size=-400000")
    for made in batches(cases):
        for table, rows in tables(made):
            if rows:
                conn.executemany(*raw_insert(table, rows))
        ids = [(item["id"],) for item, _, _ in made]
        conn.executemany("INSERT INTO searched(item_id) VALUES (?)", ids)
        words = [(item["id"], " ".join(sorted(found))) for item, _, found in made]
        conn.executemany("INSERT INTO search_words(rowid, words) VALUES (?, ?)", words)
        conn.commit()
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()


async def fill_postgres(url: str, cases: int) -> None:
    import asyncpg

    conn = await asyncpg.connect(url)
    await conn.execute("DROP INDEX ix_searched_terms")
    for made in batches(cases):
        for table, rows in tables(made):
            defaults = {
                c.name: c.default.arg for c in table.c if c.default is not None and c.default.is_scalar
            }  # fmt: skip
            whole = [defaults | row for row in rows]
            if whole:
                await conn.copy_records_to_table(
                    table.name,
                    columns=list(whole[0]),
                    records=[tuple(row.values()) for row in whole],
                )
        listed = [(i["id"], [as_number(t) for t in sorted(found)]) for i, _, found in made]
        await conn.copy_records_to_table("searched", columns=["item_id", "terms"], records=listed)
    await conn.execute("SET maintenance_work_mem = '512MB'")
    await conn.execute("CREATE INDEX ix_searched_terms ON searched USING gin (terms)")
    await conn.execute("VACUUM ANALYZE")
    await conn.close()


Work = Callable[[int], Awaitable[Any]]


class Works:
    """What is measured, each told how often it was done."""

    def __init__(self, db: Database) -> None:
        self.queue = Queue(db, PLACES)
        self.searching = Searching(db, self.queue)
        self.details = Details(db)
        self.around = Around(db, PROBLEMS, clock=lambda: NOW)
        self.rng, self.said, self.where = random.Random(7), sentences(), places()

    def all(self) -> dict[str, Work]:
        return {
            **self.pages(),
            **self.filters(),
            **self.searches(),
            "details of 20 and their page": self.batch,
            "around one and its page": self.beside,
        }

    def pages(self) -> dict[str, Work]:
        mine = ASKER._replace(scope=PLACES["area3"])
        some = ("waiting", "closed", "all")
        return (
            {f"queue {v}": lambda _, v=v: self.page(v) for v in VIEWS}
            | {f"queue {v}, one area": lambda _, v=v: self.page(v, asker=mine) for v in some}
            | {f"next page {v}": lambda _, v=v: self.second(v) for v in some}
        )

    def filters(self) -> dict[str, Work]:
        asked = {
            "problem": {"problem": "pets"},
            "rare channel": {"channel": "mail"},
            "nothing": {"channel": "none"},
            "three": {"problem": "pets", "area": "area3", "urgency": "emergency"},
        }
        return {
            f"filter {name}, {v}": lambda _, f=filters, v=v: self.page(v, **f)
            for name, filters in asked.items()
            for v in ("waiting", "closed")
        }

    def searches(self) -> dict[str, Work]:
        made: dict[str, Work] = {}
        for name, f in (("", {}), (", one area", {"area": "area3"})):
            made |= {
                f"search {size} characters{name}": lambda _, s=size, f=f: self.find(self.piece(s), **f)
                for size in (1, 2, 4)
            }  # fmt: skip
            made[f"search two words{name}"] = lambda _, f=f: self.find(self.pair(), **f)
        return made | {
            "search nothing there": lambda _: self.find("魑魅魍魉"),
            "search case number": lambda n: self.find(number(n)),
            "search end of number": lambda n: self.find(number(n)[-5:]),
            "search day of number": lambda n: self.find(number(n)[:10]),
        }

    async def page(self, view: str, *, asker: Asker = ASKER, **filters: str) -> None:
        await self.queue.page(view, asker, Filters(**filters), limit=100)
        await self.queue.counts(asker)

    async def second(self, view: str) -> None:
        first = await self.queue.page(view, ASKER, Filters(), limit=100)
        await self.queue.page(view, ASKER, Filters(), limit=100, after=first.next)

    async def find(self, words: str, **filters: str) -> None:
        await self.searching.page(words, ASKER, Filters(**filters), limit=50)

    def piece(self, size: int) -> str:
        """So many characters of what somebody wrote."""
        while True:
            text = self.rng.choice(self.said)
            at = self.rng.randrange(max(1, len(text) - size))
            cut = text[at : at + size]
            if len(cut) == size and all("\u4e00" <= char < "\ua000" for char in cut):
                return cut

    def pair(self) -> str:
        return f"{self.rng.choice(self.where)} {self.piece(2)}"

    async def some(self) -> list[int]:
        rows = (await self.queue.page("waiting", ASKER, Filters(), limit=200)).rows
        return [int(row["id"]) for row in self.rng.sample(rows, 20)]

    async def batch(self, _: int) -> None:
        await self.details.of(await self.some())

    async def beside(self, _: int) -> None:
        await self.around.of((await self.some())[0])


def number(n: int) -> str:
    """A case number of some day."""
    day = NOW - timedelta(days=n * 7 % DAYS)
    return case_no("DH", int(day.strftime("%Y%m%d")) * 10_000_000 + 1 + n)


async def measure(db: Database, name: str) -> None:
    print(f"{name}: milliseconds, {'':>20} p50     p95     p99  p95 of this process's processor")
    for what, work in Works(db).all().items():
        spans, busy = [], []
        for n in range(ROUNDS + 3):
            began, worked = time.perf_counter(), time.process_time()
            await work(n)
            spans.append((time.perf_counter() - began) * 1000)
            busy.append((time.process_time() - worked) * 1000)
        p = [*(quantile(spans[3:], q) for q in (0.5, 0.95, 0.99)), quantile(busy[3:], 0.95)]
        print(f"  {what:<40} {p[0]:7.1f} {p[1]:7.1f} {p[2]:7.1f} {p[3]:9.1f}", flush=True)


def quantile(values: list[float], q: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * q))]


async def bench(url: str, name: str, fill: Callable[[], Any]) -> None:
    db = Database(url)
    await db.open()
    await migrate(db)
    await db.close()
    began = time.perf_counter()
    made = fill()
    if asyncio.iscoroutine(made):
        await made
    print(f"{name}: filled in {time.perf_counter() - began:.0f} s")
    await db.open()
    await measure(db, name)
    await db.close()


def postgres() -> Iterator[str]:
    """The address of a server that ends with this generator."""
    command = [sys.executable, str(ROOT / "tests" / "postgres" / "server.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split(maxsplit=1)[1].strip()
        process.send_signal(signal.SIGTERM)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--engine", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--keep", type=Path)
    args = parser.parse_args()
    if args.engine != "postgres":
        with tempfile.TemporaryDirectory() as folder:
            path = (args.keep or Path(folder)) / f"queue{args.cases}.db"
            is_there = path.exists()
            fill = (lambda: None) if is_there else (lambda: fill_sqlite(path, args.cases))
            asyncio.run(bench(f"sqlite:///{path}", "sqlite", fill))
    if args.engine != "sqlite":
        for url in postgres():
            asyncio.run(bench(url, "postgres", lambda url=url: fill_postgres(url, args.cases)))


if __name__ == "__main__":
    main()
