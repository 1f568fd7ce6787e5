"""Recorded payloads of every connector, and how a test makes each: ``parse`` needs no network."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.connectors.app import App
from ingest.connectors.discuz import Discuz, DiscuzConfig
from ingest.connectors.feed import Feed, FeedConfig
from ingest.connectors.lists import ListConfig, Lists
from ingest.connectors.open311 import Open311, Open311Config
from ingest.connectors.open311.services import services_of
from ingest.connectors.wechat import WeChat, WeChatConfig
from ingest.connectors.weibo import Weibo, WeiboConfig
from ingest.protocol import Connector, Payload

GOLDEN = Path(__file__).parent / "golden"
TYPES = {
    ".xml": "application/rss+xml",
    ".json": "application/json",
    ".txt": "application/x-www-form-urlencoded",
    ".csv": "text/csv",
    ".xls": "application/vnd.ms-excel",
    ".xlsx": "application/octet-stream",
    ".html": "text/html; charset=utf-8",
}
NOWHERE: Any = None
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
ACCOUNT = WeiboConfig.model_validate({"uid": "1000", "access_token": "token"})
OFFICIAL = WeChatConfig.model_validate(
    {"app_id": "wx" + "0" * 16, "mode": "plain", "token": "AAAAA", "app_secret": "secret"}
)
SERVICES = services_of({"litter": "垃圾乱扔", "stalls": "摊位乱摆"}, {"c1": "行动"})
FORUM = DiscuzConfig(url="https://bbs.invalid/", boards=(2,))


MAKE: dict[type, Callable[[], Connector]] = {
    App: App,
    Discuz: lambda: Discuz("forum", FORUM, NOWHERE, clock=lambda: NOW),
    Lists: lambda: Lists("hotline", ListConfig()),
    Open311: lambda: Open311(
        "open311",
        Open311Config(),
        SERVICES,
        admission=NOWHERE,
        keys={},
        requests=NOWHERE,
        statuses={},
        closed=(),
        departments={},
        zone=UTC,
        clock=lambda: NOW,
    ),
    WeChat: lambda: WeChat("wechat", OFFICIAL, NOWHERE, clock=lambda: NOW),
    Weibo: lambda: Weibo("weibo", ACCOUNT, NOWHERE, clock=lambda: NOW),
    Feed: lambda: Feed("forum", FeedConfig(url="http://forum.invalid/rss"), NOWHERE),
}
"""How a test makes each connector; ``parse`` needs no network, so there is none."""


def make(kind: type) -> Connector:
    return MAKE[kind]()


def payloads(kind: str) -> list[Path]:
    return sorted(p for p in (GOLDEN / kind).iterdir() if not p.name.endswith(".expected.json"))


def read(path: Path) -> Payload:
    return Payload(path.read_bytes(), TYPES[path.suffix], "city")
