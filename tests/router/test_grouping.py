"""Which messages are one matter: measured on 500 written pairs, and what must never happen on any."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classify.places import read_gazetteer
from router.similarity import Facts, Grouping, Match, Matcher
from router.spots import Name, Spots
from store.config import load

ROOT = Path(__file__).parent.parent.parent
PAIRS = [json.loads(line) for line in (Path(__file__).parent / "pairs.jsonl").read_text(encoding="utf-8").splitlines()]
AT = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def matcher() -> Matcher:
    gazetteer = read_gazetteer(ROOT / "configs" / "gazetteer.csv")
    names = {
        word: Name(entry.name, str(entry.kind))
        for entry in gazetteer.entries
        for word in (entry.name, *entry.aliases)
    }
    labels = {"litter": "垃圾乱扔", "sewage": "污水乱排"}
    return Matcher(load(ROOT / "configs" / "grouping.toml", Grouping), Spots(names), labels)


MATCHER = matcher()


def facts(side: dict[str, Any], number: int) -> Facts:
    """One side of a written pair."""
    values = {k: v for k, v in side.items() if k not in {"lat", "lon", "problems", "at", "closed_at"}}
    closed = side.get("closed_at")
    return Facts(
        id=number,
        at=datetime.fromisoformat(side["at"]),
        here=(side["lat"], side["lon"]) if "lat" in side else None,
        problems=frozenset(side["problems"]),
        closed_at=datetime.fromisoformat(closed) if closed else None,
        **values,
    )


def judged() -> list[tuple[dict[str, Any], Match]]:
    return [(p, MATCHER.compare(facts(p["a"], 1), facts(p["b"], 2))) for p in PAIRS]
