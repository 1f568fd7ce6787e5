"""How fast the trends page is with two years of history: 1,000,000 cases, 10,000,000 items. Milliseconds in the server, without HTTP.

Run from the project's root: ``python tests/bench/trends.py [--items N] [--cases N] [--engine sqlite|postgres|both] [--keep DIR]``.
Contributions and roll-ups are drawn as whole cubes and written in bulk (some minutes an engine). Goal: 300 ms at the 95th
percentile. Beside it the lag of the roll-ups (goal 5 s) and what a contribution costs, through the real tally.
"""

import argparse
import asyncio
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent.parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

from year import Plan, fill

from desk.papers.docx import docx_of
from desk.papers.pdf import pdf_of
from desk.papers.xlsx import xlsx_of
from desk.reports.drafting import Drafting
from desk.reports.making import Naming
from desk.reports.paper import paper_of
from desk.reports.periods import read_span
from desk.trends.board import Boards
from desk.trends.filters import read_filters
from desk.trends.notes import notes
from hub.city import load_city
from router.trends.behind import Evidence
from router.trends.numbers import Ask, Numbers
from router.trends.parts import bucket
from router.trends.tally import Tally
from store.db import Database
from store.migrate import migrate
from store.numbers import case_no
from store.tables import T

ROOT = Path(__file__).parent.parent.parent
ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
TODAY, DAYS = date(2026, 11, 24), 730
CITY = load_city(ROOT / "configs")
AREAS = [area.id for area in CITY.directory.area]
CHANNELS = ["app", "wechat", "forum", "weibo", "hotline", "news", "open311"]
OFFICES = [office.id for office in CITY.directory.department][:12]
LABELS = [*CITY.taxonomy.problems, *CITY.taxonomy.campaigns]
CHUNK = 100_000
ROUNDS = 40

Rows = Iterator[tuple[Any, ...]]


def numbers_of_days() -> list[int]:
    return [int((TODAY - timedelta(days=DAYS - 1 - n)).strftime("%Y%m%d")) for n in range(DAYS)]


class History:
    """Items and cases as arrays, and the rows that follow from them."""

    def __init__(self, items: int, cases: int) -> None:
        rng = np.random.default_rng(1)
        self.items, self.cases = items, cases
        self.day = np.sort(rng.integers(0, DAYS, items))
        self.area = rng.choice(len(AREAS), items, p=_falling(len(AREAS)))
        self.channel = rng.choice(len(CHANNELS), items, p=_falling(len(CHANNELS)))
        self.label = rng.choice(len(LABELS), items, p=_falling(len(LABELS)))
        self.case_day = np.sort(rng.integers(0, DAYS, cases))
        self.case_area = rng.choice(len(AREAS), cases, p=_falling(len(AREAS)))
        self.office = rng.choice(len(OFFICES), cases, p=_falling(len(OFFICES)))
        self.late = rng.random(cases) < 0.1
        self.hours = rng.gamma(2.0, 12.0, cases)
        self.days = numbers_of_days()

    def item_id(self, n: int) -> int:
        return self.days[self.day[n]] * 10_000_000 + n % 9_999_999

    def tallied(self) -> Rows:
        of = self.cases
        for n in range(self.items):
            labels = f"|*|{LABELS[self.label[n]]}|complaint|"
            yield (
                n + 1,
                n % of + 1,
                self.days[self.day[n]],
                CHANNELS[self.channel[n]],
                AREAS[self.area[n]],
                labels,
                f"a{n % 200_000}",
            )

    def item_days(self) -> Rows:
        shape = (len(LABELS), len(AREAS), len(CHANNELS), DAYS)
        flat = np.ravel_multi_index((self.label, self.area, self.channel, self.day), shape)
        cube = np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)
        for label, sums in (
            *zip(LABELS, cube, strict=True),
            ("*", cube.sum(0)),
            ("complaint", cube.sum(0)),
        ):
            for a, b in ((0, 0), (1, 0), (0, 1), (1, 1)):
                told = sums.sum(0, keepdims=True) if a else sums
                told = told.sum(1, keepdims=True) if b else told
                for i, j, k in zip(*np.nonzero(told), strict=True):
                    yield (
                        label,
                        "*" if a else AREAS[i],
                        "*" if b else CHANNELS[j],
                        self.days[k],
                        int(told[i, j, k]),
                    )

    def case_rows(self) -> Rows:
        """Rows of cases, the newest open."""
        rng = random.Random(2)
        for n in range(self.cases):
            number = self.days[self.case_day[n]] * 10_000_000 + n % 9_999_999 + 1
            is_open = n >= self.cases - 5_000
            at = NOW - timedelta(days=DAYS - 1 - int(self.case_day[n]))
            yield (
                n,
                number,
                at,
                "dispatched" if is_open else "closed",
                at + timedelta(hours=rng.uniform(10, 90)),
            )

    def parts(self, n: int) -> list[tuple[str, str, str, int, int]]:
        day = self.days[self.case_day[n]]
        timely = not self.late[n]
        names = [
            "cases",
            "filed",
            "orders",
            "due",
            "sign_due",
            "closed",
            "rated",
            "answered",
            "marked",
        ]
        names += ["on_time", "signed", "solved", "satisfied"] if timely else ["returned"]
        end = NOW + timedelta(hours=float(self.hours[n]))
        names += [bucket("turn", NOW, end), bucket("work", NOW, end)]
        return [(name, OFFICES[self.office[n]], AREAS[self.case_area[n]], day, 1) for name in names]

    def case_days(self) -> Rows:
        sums: dict[tuple[str, str, str, int], int] = {}
        for n in range(self.cases):
            for name, office, area, day, _ in self.parts(n):
                for key in (
                    (name, office, area, day),
                    (name, "*", area, day),
                    (name, office, "*", day),
                    (name, "*", "*", day),
                ):
                    sums[key] = sums.get(key, 0) + 1
        for key, count in sums.items():
            yield *key, count


def _falling(n: int) -> Any:
    shares = 1 / np.arange(1, n + 1)
    return shares / shares.sum()


def chunks(rows: Rows) -> Iterator[list[tuple[Any, ...]]]:
    made: list[tuple[Any, ...]] = []
    for row in rows:
        made.append(row)
        if len(made) == CHUNK:
            yield made
            made = []
    yield made


CASE = {
    "version": 3, "channel": "app", "kind": "complaint", "problems": '["litter"]', "campaigns": "[]", "urgency": "normal",
    "decision": "auto", "confidence": 0.9, "suggested": "a", "rule": "r", "point": "", "teach": 0.0, "summary": "楼下垃圾没人收",
    "items": 10, "decision_seq": 1, "notices": 1, "joint": False, "alike": False, "final": False, "returns": 0, "reworks": 0, "reopens": 0,
    "replayed": False,
}  # fmt: skip


def whole(history: History) -> Iterator[tuple[str, tuple[str, ...], list[tuple[Any, ...]]]]:
    """Table, columns and rows in chunks."""
    of = {
        name: tuple(c.name for c in getattr(T, name).c)
        for name in ("tallied", "item_days", "case_days", "case_tallied")
    }
    for name in ("tallied", "item_days", "case_days"):
        for made in chunks(getattr(history, name)()):
            yield name, of[name], made
    tallied = (
        (
            number,
            history.days[history.case_day[n]],
            history.days[history.case_day[n]],
            json.dumps(history.parts(n)),
        )
        for n, number, *_ in history.case_rows()
    )
    for made in chunks(tallied):
        yield "case_tallied", of["case_tallied"], made
    names = (*CASE, "id", "case_no", "status", "department", "area", "received_at", "due_at")
    cases = (
        (
            *CASE.values(),
            number,
            case_no("DH", number),
            status,
            OFFICES[history.office[n]],
            AREAS[history.case_area[n]],
            at,
            due,
        )
        for n, number, at, status, due in history.case_rows()
    )
    for made in chunks(cases):
        yield "cases", names, made


def months() -> Iterator[str]:
    """Sums of months from those of days."""
    for table, keys in (
        ("item_days", "label, area, channel"),
        ("case_days", "measure, department, area"),
    ):
        yield (
            f"INSERT INTO {table} SELECT {keys}, -(day / 100), sum(n) FROM {table} "  # noqa: S608 - our names
            f"WHERE day > 0 GROUP BY {keys}, day / 100"
        )


def fill_sqlite(path: Path, history: History) -> None:
    conn = sqlite3.connect(path)
    sqlite3.register_adapter(datetime, lambda at: at.isoformat(" ", "microseconds")[:26])
    conn.execute("PRAGMA synchronous=OFF")
    conn.execute("PRAGMA cache_size=-400000")
    conn.execute("DROP INDEX ix_tallied_day")
    for name, columns, made in whole(history):
        marks = ",".join("?" * len(columns))
        insert = f"INSERT INTO {name} ({','.join(columns)}) VALUES ({marks})"  # noqa: S608 - our names
        conn.executemany(insert, made)
        conn.commit()
    for statement in (*months(), "CREATE INDEX ix_tallied_day ON tallied (day, item_id)"):
        conn.execute(statement)
    conn.commit()
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()


async def fill_postgres(url: str, history: History) -> None:
    import asyncpg

    conn = await asyncpg.connect(url)
    await conn.execute("DROP INDEX ix_tallied_day")
    for name, columns, made in whole(history):
        await conn.copy_records_to_table(name, columns=list(columns), records=made)
    for statement in (*months(), "CREATE INDEX ix_tallied_day ON tallied (day, item_id)"):
        await conn.execute(statement)
    await conn.execute("VACUUM ANALYZE")
    await conn.close()


async def timed(name: str, work: Callable[[int], Awaitable[Any]], rounds: int = ROUNDS) -> None:
    await work(0)
    took, cpu = [], []
    for n in range(rounds):
        began, used = time.perf_counter(), time.process_time()
        await work(n)
        took.append((time.perf_counter() - began) * 1000)
        cpu.append((time.process_time() - used) * 1000)
    p50, p95, p99 = (float(np.percentile(took, q)) for q in (50, 95, 99))
    print(
        f"  {name:<40}{p50:8.1f}{p95:8.1f}{p99:8.1f}{float(np.percentile(cpu, 95)):10.1f}",
        flush=True,
    )


PAGES = {
    "page, 30 days": {}, "page, 60 days": {"preset": "60d"}, "page, this year": {"preset": "year"},
    "page, two years": {"from": "2024-11-25", "to": "2026-11-24"}, "page, one area": {"area": AREAS[1]},
    "page, one label and channel": {"label": "sewage", "channel": "wechat"},
}  # fmt: skip


async def measure(db: Database) -> None:
    numbers = Numbers(db, CITY.catalogue, CITY.directory.places, zone=ZONE, clock=lambda: NOW)
    boards = Boards(
        numbers,
        CITY.taxonomy,
        CITY.directory,
        channels={},
        offices=CITY.directory.names,
        settings=CITY.trends.bursts,
    )
    evidence = Evidence(db, CITY.directory.places, clock=lambda: NOW)
    for name, query in PAGES.items():
        filters = read_filters(query, TODAY)

        async def page(_: int, filters: Any = filters) -> None:
            await boards.board(filters)
            await notes(db, filters.period, {})

        await timed(name, page, 10 if "year" in name else ROUNDS)
    await bulletin(db, numbers)
    month = read_filters({"preset": "month"}, TODAY).period
    asks = {
        "items of a label": Ask("items", month, "pets"),
        "on time": Ask("on_time_rate", month),
        "returned": Ask("returned_rate", month).of(department=OFFICES[3]),
    }
    for name, ask in asks.items():
        indicator = numbers.indicator(ask.indicator)
        await timed(f"cases behind {name}", lambda _, i=indicator, a=ask: evidence.of(i, a), 10)


async def bulletin(db: Database, numbers: Numbers) -> None:
    """A monthly bulletin from its figures to the three files."""
    naming = Naming(
        taxonomy=CITY.taxonomy, offices=CITY.directory.names, channels={}, areas=AREAS,
        departments=[one.id for one in CITY.directory.department],
    )  # fmt: skip
    kind = next(one for one in CITY.bulletins.kind if one.plan == "monthly")
    began = time.perf_counter()
    draft = await Drafting(db, numbers, naming, CITY.fine_places()).draft(
        kind, read_span(kind.cycle, "2026-10")
    )
    drafted = time.perf_counter() - began
    row = SimpleNamespace(
        **draft.values(), period="2026-10", number="", state="draft", signed_at=None
    )
    paper = paper_of(row, zone=ZONE, today=TODAY)
    sizes = [len(make(paper)) // 1000 for make in (docx_of, xlsx_of, pdf_of)]
    print(
        f"  monthly bulletin: figures {drafted:.2f} s, with docx, xlsx, pdf {time.perf_counter() - began:.2f} s; kB {sizes}",
        flush=True,
    )


async def lag(db: Database) -> None:
    """What the tally does in a second, on a year of messages beside the history."""
    tally = Tally(db, ZONE, clock=lambda: NOW)
    count = await fill(db, Plan(days=120))
    began = time.perf_counter()
    await tally.settle()
    took = time.perf_counter() - began
    print(
        f"  tally: {count / took:,.0f} messages a second; at rest it looks every 0.5 s", flush=True
    )


async def on(url: str, history: History, path: Path | None) -> None:
    is_new = path is None or not path.exists()
    db = Database(url)
    await db.open()
    await migrate(db)
    began = time.perf_counter()
    if is_new and path is not None:
        await db.close()
        fill_sqlite(path, history)
        await db.open()
    elif is_new:
        await fill_postgres(url, history)
    print(
        f"{'sqlite' if path else 'postgres'}: filled in {time.perf_counter() - began:.0f} s",
        flush=True,
    )
    print(
        f"  {'milliseconds':<40}{'p50':>8}{'p95':>8}{'p99':>8}  p95 of this process's processor",
        flush=True,
    )
    await measure(db)
    if is_new:
        await lag(db)
    await db.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=10_000_000)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--engine", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    history = History(given.items, given.cases)
    with tempfile.TemporaryDirectory(dir=given.keep) as folder:
        if given.engine != "postgres":
            home = given.keep or Path(folder)
            path = home / f"trends{given.items}.db"
            asyncio.run(on(f"sqlite:///{path}", history, path))
        if given.engine != "sqlite":
            from queueing import postgres

            for url in postgres():
                asyncio.run(on(url, history, None))


if __name__ == "__main__":
    main()
