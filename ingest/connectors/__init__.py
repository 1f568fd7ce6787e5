"""The channels the hub can hear. A new one is a module here, one line below, a golden payload under
``tests/ingest/golden/``, a stanza in ``configs/hub.toml`` and a row in ``docs/connectors.md``."""

from __future__ import annotations

from ingest.connectors.app import App
from ingest.connectors.discuz import Discuz
from ingest.connectors.feed import Feed
from ingest.connectors.lists import Lists
from ingest.connectors.open311 import Open311
from ingest.connectors.wechat import WeChat
from ingest.connectors.weibo import Weibo

BUILTIN = (App, Discuz, Feed, Lists, Open311, WeChat, Weibo)
"""Every connector class that comes with the hub."""
