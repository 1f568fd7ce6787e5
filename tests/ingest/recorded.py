"""Recorded payloads of every connector, and how a test makes each: ``parse`` needs no network."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.connectors.app import App
from ingest.connectors.discuz import Discuz, DiscuzConfig
from ingest.connectors.feed import Feed, FeedConfig
from ingest.connectors.lists import ListConfig, Lists
from ingest.protocol import Connector, Payload

GOLDEN = Path(__file__).parent / "golden"
TYPES = {
    ".xml": "application/rss+xml",
    ".json": "application/json",
    ".csv": "text/csv",
    ".xls": "application/vnd.ms-excel",
    ".xlsx": "application/octet-stream",
    ".html": "text/html; charset=utf-8",
}
NOWHERE: Any = None
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
FORUM = DiscuzConfig(url="https://bbs.invalid/", boards=(2,))


MAKE: dict[type, Callable[[], Connector]] = {
    App: App,
    Discuz: lambda: Discuz("forum", FORUM, NOWHERE, clock=lambda: NOW),
    Lists: lambda: Lists("hotline", ListConfig()),
    Feed: lambda: Feed("forum", FeedConfig(url="http://forum.invalid/rss"), NOWHERE),
}
"""How a test makes each connector; ``parse`` needs no network, so there is none."""


def make(kind: type) -> Connector:
    return MAKE[kind]()


def payloads(kind: str) -> list[Path]:
    return sorted(p for p in (GOLDEN / kind).iterdir() if not p.name.endswith(".expected.json"))


def read(path: Path) -> Payload:
    return Payload(path.read_bytes(), TYPES[path.suffix], "city")
