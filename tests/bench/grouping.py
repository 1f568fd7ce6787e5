"""How fast the cases a message may belong to are found, among a million: milliseconds a search (wall and
processor: the second is what an idle machine needs), pairs a second.

Run from the project's root: ``python tests/bench/grouping.py [cases]``. Builds the cases in a temporary SQLite file
(some minutes), then searches for messages not among them; no text is seen twice, so nothing is cached for it.
"""

import asyncio
import csv
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent.parent))


from router.grouping import Finder
from router.matching import Facts
from router.matters import Grouping
from router.similarity import Matcher
from router.spots import Name, Spots
from store.config import load
from store.db import Database
from store.migrate import migrate
from store.tables import T

ROOT = Path(__file__).parent.parent.parent
CASES = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
SEARCHES, BATCH = 1_000, 5_000
START = datetime(2024, 1, 1, tzinfo=UTC)
SPACING = timedelta(days=730) / CASES
PROBLEMS = {
    "litter": "垃圾 桶满 没人清运 乱堆 纸箱 臭味 苍蝇 塑料袋 装修废料 保洁",
    "flyposting": "小广告 贴满 楼道 电线杆 开锁 撕不掉 墙面 办证 铲除 涂鸦",
    "stalls": "占道 摆摊 堵车 油烟 烧烤 早市 三轮车 吆喝 行人 城管",
    "sewage": "污水 井盖 返水 下水道 堵塞 结冰 臭水 横流 管道 冒出来",
    "laundry": "晾衣服 拉绳 树上 被褥 影响市容 公共绿地 栏杆 晒 衣架 走廊",
    "pets": "狗 不牵绳 粪便 叫 大型犬 咬人 流浪 鸡 养 草坪",
}
FILLER = list(
    "我家门口最近一直天天多次反映没有人管希望尽快处理影响出行老人孩子晚上严重真的麻烦了的"
)


def places() -> list[dict[str, str]]:
    lines = (ROOT / "configs" / "gazetteer.csv").read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def stream(seed: int) -> Iterator[Facts]:
    """Messages: a place of the city's, sometimes a number or coordinates, a problem, some words."""
    rng, known = random.Random(seed), places()
    for n in range(10_000_000):
        place, problem = rng.choice(known), rng.choice(list(PROBLEMS))
        words = rng.choices(PROBLEMS[problem].split(), k=5) + rng.choices(FILLER, k=14)
        rng.shuffle(words)
        number = f"{rng.randrange(1, 30)}号楼" if rng.random() < 0.4 else ""
        here = (43.37 + rng.gauss(0, 0.01), 128.23 + rng.gauss(0, 0.015))
        yield Facts(
            id=n + 1, text=f"{place['name']}{number}{''.join(words)}", at=START + n * SPACING,
            area=place["area"], point=place["point"], here=here if rng.random() < 0.5 else None,
            problems=frozenset({problem}), channel="app", author=f"a{rng.randrange(200_000)}",
        )  # fmt: skip


def rows(facts: Facts) -> tuple[dict[str, Any], dict[str, Any]]:
    """A message as the rows that keep it and its case."""
    item = {
        "id": facts.id, "channel": "app", "channel_id": str(facts.id), "content_sha": "", "text": facts.text,
        "author_key": facts.author, "lat": facts.here and facts.here[0], "lon": facts.here and facts.here[1],
        "received_at": facts.at, "sealed": b"",
    }  # fmt: skip
    case = {
        "id": facts.id, "case_no": str(facts.id), "status": "received", "channel": "app", "kind": "complaint",
        "problems": f'["{min(facts.problems)}"]', "urgency": "normal", "decision": "desk", "confidence": 0.9,
        "department": "", "suggested": "", "rule": "", "area": facts.area, "point": facts.point,
        "received_at": facts.at,
    }  # fmt: skip
    return item, case


async def build(db: Database, finder: Finder) -> None:
    messages = stream(1)
    for _ in range(0, CASES, BATCH):
        batch = [next(messages) for _ in range(BATCH)]
        keys = [{"case_id": f.id, "key": key} for f in batch for key in finder.keys_of(f)]
        pairs = [rows(f) for f in batch]

        async def work(tx: Any, keys: Any = keys, pairs: Any = pairs) -> None:
            await tx.insert(T.items, [item for item, _ in pairs])
            await tx.insert(T.cases, [case for _, case in pairs])
            await tx.insert(T.case_keys, keys)

        await db.write(work)


async def measure(db: Database, finder: Finder, matcher: Matcher) -> None:
    new = stream(2)
    end = START + CASES * SPACING
    spans: list[float] = []
    busy: list[float] = []
    for n in range(SEARCHES + 50):
        facts = next(new)
        facts = Facts(
            **{name: getattr(facts, name) for name in Facts.__slots__}
            | {"id": CASES + n + 1, "at": end}
        )
        began, worked = time.perf_counter(), time.process_time()
        await finder.find(facts, end)
        spans.append((time.perf_counter() - began) * 1000)
        busy.append((time.process_time() - worked) * 1000)
    for what, values in (("wall", spans[50:]), ("processor", busy[50:])):
        p50, p95, p99 = (sorted(values)[int(len(values) * p)] for p in (0.5, 0.95, 0.99))
        print(f"find among {CASES:,}, {what}: p50 {p50:.2f}, p95 {p95:.2f}, p99 {p99:.2f} ms")
    few = [next(new) for _ in range(200)]
    for fact in few:
        matcher.spot(fact)
    began = time.perf_counter()
    for a in few:
        for b in few:
            matcher.compare(a, b)
    print(f"compared: {len(few) ** 2 / (time.perf_counter() - began):,.0f} pairs a second")


async def main() -> None:
    names = {
        word: Name(row["name"], row["kind"])
        for row in places()
        for word in (row["name"], *row["aliases"].split())
    }
    matcher = Matcher(load(ROOT / "configs" / "grouping.toml", Grouping), Spots(names), {})
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{folder}/bench.db")
        await db.open()
        await migrate(db)
        finder = Finder(db, matcher, T.case_keys)
        began = time.perf_counter()
        await build(db, finder)
        print(f"built in {time.perf_counter() - began:.0f} s")
        await measure(db, finder, matcher)
        await db.close()


if __name__ == "__main__":
    asyncio.run(main())
