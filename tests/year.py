"""A simulated year of a city: a seasonal cycle, planted bursts, and a topic that no label names and that goes round.

Fictional: the words are the corpus's, the numbers a generator's. Rows are written as the hub's rooms would have left them.
"""

import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from store.db import Database, Tx
from store.numbers import case_no
from store.tables import T

ROOT = Path(__file__).parent.parent
ZONE = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 11, 24)
PROBLEMS = ("litter", "flyposting", "stalls", "sewage", "laundry", "pets")
RATES = {
    "litter": 4.0,
    "flyposting": 1.5,
    "stalls": 3.0,
    "sewage": 2.0,
    "laundry": 0.7,
    "pets": 1.5,
    "": 5.0,
}
AREAS = {"bohai": 0.32, "shengli": 0.27, "minzhu": 0.2, "danjiang": 0.15, "dashitou": 0.06}
CHANNELS = {"app": 0.4, "wechat": 0.3, "forum": 0.15, "weibo": 0.1, "hotline": 0.05}
OFFICES = {
    "urban_enforcement": 0.88,
    "housing_construction": 0.8,
    "public_security": 0.95,
    "real_estate": 0.7,
}
SEASON = {"litter": 0.4, "sewage": 0.5, "stalls": 0.5, "": 0.1}
"""How far a label's rate swings over the year; the peak is in July."""

WEEK = (1.15, 1.1, 1.05, 1.0, 1.0, 0.85, 0.85)
RUMOR = (
    "新华路那座人行天桥的扶手松了，手一搭就晃，接孩子的都不敢走",
    "今早路过新华路天桥，扶手又掉了一截，焊点全锈断了，太吓人",
    "新华路天桥扶手晃得厉害，昨天有个大爷差点翻下去，谁来修修",
    "孩子上学要走新华路天桥，扶手松动一个多月了，桥下就是机动车道",
    "转给大家看看：新华路天桥的扶手用手就能掰开，这桥还能走人吗",
    "新华路天桥扶手松动，建议先围起来再修，出了事谁负责",
)  # fmt: skip


@dataclass(frozen=True)
class Burst:
    """A planted burst: ``extra`` items a day of a label in an area, from ``start`` for ``days``."""

    label: str
    area: str
    start: date
    days: int
    extra: float


@dataclass
class Plan:
    """What the year holds. ``scale`` multiplies the everyday; ``first`` is below its numbers of a day.

    All of it came at ``arrived``, whenever it was written; without, each on its day.
    """

    days: int = 365
    scale: float = 1.0
    bursts: tuple[Burst, ...] = (
        Burst("sewage", "bohai", date(2026, 11, 18), 5, 9),
        Burst("stalls", "shengli", date(2026, 6, 15), 4, 10),
        Burst("pets", "danjiang", date(2026, 3, 9), 3, 7),
    )
    rumor: date = date(2026, 11, 19)
    seed: int = 1
    first: int = 5_000
    until: date = TODAY
    arrived: datetime | None = None
    counts: dict[tuple[str, str, date], int] = field(default_factory=dict)


def texts() -> dict[str, list[dict[str, Any]]]:
    """The corpus's complaints by problem; those of none under the empty name."""
    found: dict[str, list[dict[str, Any]]] = {one: [] for one in (*PROBLEMS, "")}
    for path in sorted((ROOT / "classify" / "corpus").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["kind"] == "complaint" and len(row["text"]) < 160 and len(row["problems"]) < 2:
                found[row["problems"][0] if row["problems"] else ""].append(row)
    return found


def poisson(rng: random.Random, mean: float) -> int:
    """Knuth's method; for small means."""
    limit, n, p = math.exp(-mean), 0, rng.random()
    while p > limit:
        n, p = n + 1, p * rng.random()
    return n


def pick(rng: random.Random, shares: dict[str, float]) -> str:
    return rng.choices(list(shares), list(shares.values()))[0]


def told(plan: Plan) -> Iterator[tuple[date, str, str, str, str, dict[str, Any]]]:
    """Day, label, area, channel, author and corpus row of every message, in order."""
    rng, said = random.Random(plan.seed), texts()
    for n in range(plan.days):
        day = plan.until - timedelta(days=plan.days - 1 - n)
        swing = math.cos(2 * math.pi * (day.timetuple().tm_yday - 200) / 365)
        for label, rate in RATES.items():
            mean = rate * plan.scale * WEEK[day.weekday()] * (1 + SEASON.get(label, 0.0) * swing)
            for _ in range(poisson(rng, mean)):
                yield (
                    day,
                    label,
                    pick(rng, AREAS),
                    pick(rng, CHANNELS),
                    f"c{rng.randrange(4000)}",
                    rng.choice(said[label]),
                )
        for burst in plan.bursts:
            if 0 <= (day - burst.start).days < burst.days:
                for _ in range(poisson(rng, burst.extra)):
                    yield (
                        day,
                        burst.label,
                        burst.area,
                        pick(rng, CHANNELS),
                        f"b{rng.randrange(4000)}",
                        rng.choice(said[burst.label]),
                    )
        since = (day - plan.rumor).days
        for k in range((4, 9, 12, 8)[since] if 0 <= since < 4 else 0):
            channel = "weibo" if since == 0 else rng.choice(("weibo", "forum", "wechat", "app"))
            row = {
                "text": RUMOR[(k + since) % len(RUMOR)],
                "problems": [],
                "campaigns": [],
                "kind": "complaint",
            }
            yield day, "", "minzhu", channel, f"r{since}-{k}", row


def rows(plan: Plan) -> Iterator[dict[str, Any]]:
    """Per message, the rows of each table."""
    rng = random.Random(plan.seed + 1)
    today, k = None, 0
    for day, label, area, channel, author, row in told(plan):
        k = k + 1 if day == today else 1
        today = day
        plan.counts[label, area, day] = plan.counts.get((label, area, day), 0) + 1
        at = datetime.combine(day, time(8), ZONE).astimezone(UTC) + timedelta(
            seconds=rng.randrange(36_000)
        )
        made = message(
            rng,
            int(day.strftime("%Y%m%d")) * 10_000_000 + plan.first + k,
            at,
            area,
            channel,
            author,
            row,
        )
        if plan.arrived is not None:
            made["items"]["received_at"] = plan.arrived
        yield made


def message(
    rng: random.Random,
    number: int,
    at: datetime,
    area: str,
    channel: str,
    author: str,
    row: dict[str, Any],
) -> dict[str, Any]:
    """One message, its verdict and its case with an order, and perhaps a rating."""
    labels = {
        "kind": row["kind"], "problems": json.dumps(row["problems"]), "campaigns": json.dumps(row["campaigns"]),
        "urgency": "normal", "area": area,
    }  # fmt: skip
    office = rng.choice(list(OFFICES))
    due, took = at + timedelta(hours=50), timedelta(hours=rng.expovariate(1 / 20))
    late = rng.random() > OFFICES[office]
    done = due + took if late else at + min(took, timedelta(hours=48))
    now = datetime.combine(TODAY, time(9), ZONE).astimezone(UTC)
    is_done = done <= now
    made: dict[str, Any] = {
        "items": {
            "id": number, "channel": channel, "channel_id": str(number), "content_sha": "x", "text": row["text"],
            "author_key": author, "received_at": at, "posted_at": at, "sealed": b"", "key": b"k",
        },
        "verdicts": labels | {"item_id": number, "revision": 1, "model": "m", "decision": "auto", "trust": 0.9, "at": at},
        "cases": labels | {
            "id": number, "case_no": case_no("DH", number), "channel": channel, "decision": "auto", "confidence": 0.9,
            "department": office, "suggested": office, "rule": "r", "summary": row["text"][:80], "received_at": at,
            "filed_at": at, "dispatched_at": at, "due_at": due, "status": "closed" if is_done else "handling",
            "closed_at": done + timedelta(hours=1) if is_done else None, "handled_at": done if is_done else None,
        },
        "case_items": {"item_id": number, "case_id": number},
        "work_orders": {
            "id": number * 100 + 1, "case_id": number, "department": office, "lead": True, "seq": 1, "rule": "r",
            "status": "handled" if is_done else "signed", "dispatched_at": at, "due_at": due, "sign_due_at": at + timedelta(hours=2),
            "signed_at": at + timedelta(hours=rng.random() * 2.2), "handled_at": done if is_done else None, "reworks": int(rng.random() < 0.05),
        },
    }  # fmt: skip
    if is_done and rng.random() < 0.3:
        made["ratings"] = {
            "item_id": number, "case_id": number, "via": "page", "actor": "citizen", "at": min(done + timedelta(hours=30), now),
            "solved": rng.choice(("solved", "solved", "solved", "partly", "unsolved")),
            "satisfied": rng.choice(("satisfied", "satisfied", "fair", "dissatisfied", "none")),
        }  # fmt: skip
    return made


async def fill(db: Database, plan: Plan, *, batch: int = 2_000) -> int:
    """Write the year; how many messages it has."""
    kept: dict[str, list[dict[str, Any]]] = {}
    count = 0
    for made in rows(plan):
        count += 1
        for name, row in made.items():
            kept.setdefault(name, []).append(row)
        if count % batch == 0:
            await _write(db, kept)
            kept = {}
    await _write(db, kept)
    return count


async def _write(db: Database, kept: dict[str, list[dict[str, Any]]]) -> None:
    async def work(tx: Tx) -> None:
        for name, listed in kept.items():
            await tx.insert(getattr(T, name), listed)

    await db.write(work)
