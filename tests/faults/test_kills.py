"""Killed at every named place and at random: nothing lost, nothing doubled, the same cases.

The short version runs in the gate; ``make faults`` runs it longer (MINSHENG_TEST_FAULTS=full).
"""

import asyncio
import json
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from conftest_faults import Command, Department, Nursery, make_command, write_recording
from sharing import once
from sqlalchemy import select, text

from store.db import Database
from store.faults import CRASH_POINTS
from store.tables import T

pytestmark = pytest.mark.slow

FULL = os.environ.get("MINSHENG_TEST_FAULTS") == "full"
MESSAGES = int(os.environ.get("MINSHENG_TEST_MESSAGES", "10000" if FULL else "1200"))
KILLS = 40 if FULL else 5
POINTS = [
    point for point in CRASH_POINTS if not point.startswith(("relay", "poll", "photos", "answers"))
]

CASE = (
    "id",
    "case_no",
    "status",
    "kind",
    "problems",
    "campaigns",
    "urgency",
    "department",
    "rule",
    "due_at",
)
ORDER = ("id", "case_id", "department", "lead", "seq", "due_at")


async def state(url: str) -> dict[str, list[Any]]:
    """Everything the pipeline decided, in a comparable form."""
    db = Database(url, exclusive=False)
    await db.open()
    try:
        async with db.read() as conn:
            cases = (
                await conn.execute(select(*(T.cases.c[n] for n in CASE)).order_by(T.cases.c.id))
            ).all()
            orders = await conn.execute(
                select(*(T.work_orders.c[n] for n in ORDER)).order_by(T.work_orders.c.id)
            )
            events = await conn.execute(
                select(T.events.c.case_id, T.events.c.verb).order_by(
                    T.events.c.case_id, T.events.c.id
                )
            )
            items = await conn.execute(
                select(T.items.c.id, T.items.c.channel_id).order_by(T.items.c.id)
            )
            verdicts = await conn.execute(
                select(T.verdicts.c.item_id).order_by(T.verdicts.c.item_id)
            )
            dead = (await conn.execute(text("SELECT count(*) FROM dead"))).scalar_one()
            deliveries = await conn.execute(
                select(T.deliveries.c.webhook_id, T.deliveries.c.state).order_by(
                    T.deliveries.c.webhook_id
                )
            )
            return {
                "cases": [tuple(row) for row in cases],
                "orders": [tuple(row) for row in orders],
                "events": [tuple(row) for row in events],
                "items": [tuple(row) for row in items],
                "verdicts": [tuple(row) for row in verdicts],
                "dead": [dead],
                "deliveries": [tuple(row) for row in deliveries],
            }
    finally:
        await db.close()


def drain(command: Command, url: str) -> dict[str, list[Any]]:
    """Let the hub deliver what it owes, stop it, and read its state."""
    process = command.start("run", "--port", "0", "--only", "router")
    try:
        for _ in range(200):
            time.sleep(0.25)
            found = asyncio.run(state(url))
            if found["deliveries"] and all(row[1] == "delivered" for row in found["deliveries"]):
                break
    finally:
        process.terminate()
        stopped_early = (
            -signal.SIGTERM
        )  # nothing was owed, and it was told so before it could listen
        assert process.wait(15) in {0, stopped_early}
    return asyncio.run(state(url))


@pytest.fixture(scope="module")
def reference(shared: Path, models: Path, nursery: Nursery) -> dict[str, Any]:
    """One undisturbed run on the embedded default."""

    def make() -> dict[str, Any]:
        home = shared / "reference"
        home.mkdir()
        recording = write_recording(home / "recording.jsonl", MESSAGES)
        command = make_command(home, Department(url="http://127.0.0.1:9/"), models, {}, nursery)
        done = command.fresh("replay", str(recording), "--channel", "app", "--json")
        assert done.returncode == 0, done.stderr
        url = f"sqlite:///{command.data / 'minsheng.db'}"
        return {"recording": str(recording), "counts": json.loads(done.stdout), "url": url}

    made = once(shared, "undisturbed", make)
    counts = made["counts"]
    assert counts["admitted"] == MESSAGES == counts["labelled"] + counts["abstained"]
    return made | {"state": asyncio.run(state(made["url"]))}


@pytest.fixture(
    params=[
        "embedded",
        pytest.param("kafka_postgres", marks=[pytest.mark.kafka, pytest.mark.postgres]),
    ]
)
def target(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    models: Path,
    department: Department,
    nursery: Nursery,
) -> tuple[Command, str]:
    environment: dict[str, str] = {}
    url = f"sqlite:///{tmp_path / 'data' / 'minsheng.db'}"
    if request.param == "kafka_postgres":
        url = request.getfixturevalue("postgres_url")
        environment = {
            "MINSHENG_DATABASE_URL": url,
            "MINSHENG_JOURNAL_URL": request.getfixturevalue("kafka_url"),
        }
    return make_command(tmp_path, department, models, environment, nursery), url


def judge(
    command: Command, url: str, reference: dict[str, Any], department: Department, kills: int
) -> None:
    done = command.run("replay", reference["recording"], "--channel", "app", "--json")
    assert done.returncode == 0, done.stderr
    found, wanted = drain(command, url), reference["state"]
    for table in ("items", "verdicts", "cases", "orders", "events", "dead"):
        assert found[table] == wanted[table], table
    counts = json.loads(done.stdout)
    for key in ("read", "labelled", "abstained", "filed", "dispatched", "dead"):
        assert counts[key] == reference["counts"][key], key
    assert sorted(department.acted) == [row[0] for row in found["deliveries"]]
    assert len(department.raw) - len(department.acted) <= kills


def test_killed_at_every_named_place(
    target: tuple[Command, str], reference: dict[str, Any], department: Department
) -> None:
    command, url = target
    points = [*POINTS, *(p for p in CRASH_POINTS if p.startswith("relay") and "postgresql" in url)]
    for point in points:
        passes = 2 if point.startswith("admit") else 4
        done = command.run(
            "replay", reference["recording"], "--channel", "app", crash_at=f"{point}:{passes}"
        )
        assert done.returncode in {0, 137}, done.stderr
    judge(command, url, reference, department, kills=len(points))


def test_killed_at_random(
    target: tuple[Command, str], reference: dict[str, Any], department: Department
) -> None:
    command, url = target
    pick = random.Random(11)
    for _ in range(KILLS):
        process = command.start("replay", reference["recording"], "--channel", "app")
        time.sleep(pick.uniform(0.4, 3.0))
        process.kill()
        process.wait()
    judge(command, url, reference, department, kills=KILLS)
