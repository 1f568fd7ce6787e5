"""``make bench``: the whole pipeline against the naive composition, paired in one run.

Naive is what one writes first: one message at a time, jieba, a TfidfVectorizer and one estimator a
label, one ORM session and one durable commit a stage. Ours is the hub: admission with redaction and
encryption, journal, classification, routing, cases, history. Both on SQLite with synchronous=FULL,
the same texts, the same labels, one process. Rounds alternate; the median ratio is the result.
"""

import argparse
import asyncio
import json
import logging
import random
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
SEED = ROOT / "classify" / "corpus"


def texts(count: int) -> list[str]:
    """Messages of the corpus, each made unlike the others."""
    lines = [
        line
        for path in sorted(SEED.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    pick = random.Random(3)
    return [f"{json.loads(pick.choice(lines))['text']}（{n}号）" for n in range(count)]


class Naive:
    """The composition of the performance notes."""

    def __init__(self, home: Path) -> None:
        import jieba
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.multiclass import OneVsRestClassifier
        from sklearn.preprocessing import MultiLabelBinarizer
        from sqlalchemy import text
        from sqlmodel import Field, Session, SQLModel, create_engine

        jieba.setLogLevel(logging.ERROR)
        rows = [
            json.loads(line)
            for line in (SEED / "seed.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        self.vectorizer = TfidfVectorizer(tokenizer=jieba.lcut, token_pattern=None)
        x = self.vectorizer.fit_transform([row["text"] for row in rows])
        self.labels = MultiLabelBinarizer()
        y = self.labels.fit_transform([[*r["problems"], *r["campaigns"], r["kind"]] for r in rows])
        self.model = OneVsRestClassifier(LogisticRegression()).fit(x, y)

        class NaiveItem(SQLModel, table=True):
            __tablename__ = "naive_items"
            __table_args__ = {"extend_existing": True}
            id: int | None = Field(default=None, primary_key=True)
            text: str
            received_at: str

        class NaiveVerdict(SQLModel, table=True):
            __tablename__ = "naive_verdicts"
            __table_args__ = {"extend_existing": True}
            id: int | None = Field(default=None, primary_key=True)
            item_id: int
            labels: str

        class NaiveCase(SQLModel, table=True):
            __tablename__ = "naive_cases"
            __table_args__ = {"extend_existing": True}
            id: int | None = Field(default=None, primary_key=True)
            item_id: int
            department: str

        class NaiveEvent(SQLModel, table=True):
            __tablename__ = "naive_events"
            __table_args__ = {"extend_existing": True}
            id: int | None = Field(default=None, primary_key=True)
            item_id: int
            topic: str
            payload: str

        self.rows = (NaiveItem, NaiveVerdict, NaiveCase, NaiveEvent)
        self.engine = create_engine(f"sqlite:///{home / 'naive.db'}")
        for table in self.rows:
            table.__table__.create(self.engine)
        with self.engine.connect() as conn:
            conn.execute(text("PRAGMA journal_mode=WAL"))
        self.session = Session

    def one(self, message: str) -> None:
        item_row, verdict_row, case_row, event_row = self.rows
        with self.session(self.engine) as session:
            item = item_row(text=message, received_at=datetime.now(UTC).isoformat())
            session.add(item)
            session.commit()
            item_id = item.id
        p = self.model.predict_proba(self.vectorizer.transform([message]))[0]
        labels = [name for name, q in zip(self.labels.classes_, p, strict=True) if q > 0.5]
        with self.session(self.engine) as session:
            session.add(verdict_row(item_id=item_id, labels=json.dumps(labels)))
            session.add(
                event_row(item_id=item_id, topic="verdicts", payload=json.dumps({"id": item_id}))
            )
            session.commit()
        with self.session(self.engine) as session:
            session.add(case_row(item_id=item_id, department="x"))
            session.add(
                event_row(item_id=item_id, topic="notices", payload=json.dumps({"id": item_id}))
            )
            session.commit()

    def run(self, messages: list[str]) -> float:
        start = time.perf_counter()
        for message in messages:
            self.one(message)
        return len(messages) / (time.perf_counter() - start)


class Ours:
    """The hub itself, fed as ``minsheng replay`` feeds it."""

    def __init__(self, home: Path, database_url: str = "", journal_url: str = "") -> None:
        from hub.app import Hub
        from hub.city import load_city
        from hub.settings import Settings

        settings = Settings.model_validate(
            {"database_url": database_url, "journal_url": journal_url, "classify_batch": 512}
        )
        self.hub = Hub(settings, load_city(ROOT / "configs"), home)
        self.round = 0

    async def run(self, messages: list[str], home: Path) -> float:
        from hub.replay import replay

        self.round += 1
        path = home / f"round{self.round}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for n, message in enumerate(messages):
                file.write(
                    json.dumps({"id": f"{self.round}-{n}", "text": message}, ensure_ascii=False)
                    + "\n"
                )
        start = time.perf_counter()
        counts = await replay(self.hub, path, "app")
        if counts["admitted"] != len(messages):
            sys.exit(f"bench: {counts}")
        return len(messages) / (time.perf_counter() - start)


async def bench(
    rounds: int, naive_size: int, size: int, database_url: str, journal_url: str
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        naive = Naive(home)
        ours = Ours(home, database_url, journal_url)
        await ours.hub.open()
        await ours.hub.start(("ingest", "classify", "router"))
        try:
            naive.run(texts(20))
            await ours.run(texts(500), home)
            pairs = []
            for _ in range(rounds):
                pairs.append((naive.run(texts(naive_size)), await ours.run(texts(size), home)))
                print(
                    f"  naive {pairs[-1][0]:8.0f}/s   hub {pairs[-1][1]:8.0f}/s   {pairs[-1][1] / pairs[-1][0]:6.1f}×"
                )
        finally:
            await ours.hub.close()
    return {
        "naive_per_s": round(statistics.median(p[0] for p in pairs)),
        "hub_per_s": round(statistics.median(p[1] for p in pairs)),
        "ratio": round(statistics.median(p[1] / p[0] for p in pairs), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--naive", type=int, default=400)
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--journal-url", default="")
    args = parser.parse_args()
    result = asyncio.run(
        bench(args.rounds, args.naive, args.size, args.database_url, args.journal_url)
    )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
