"""From settings to connectors: each source with its own way out, and who can answer or fetch media."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from hub.calls import TRIES, Calls
from hub.settings import Settings
from ingest.connectors.discuz import Discuz
from ingest.connectors.feed import Feed
from ingest.connectors.lists import Lists
from ingest.connectors.wechat import WeChat
from ingest.connectors.weibo import Weibo
from ingest.protocol import Answers, Connector, HasMedia, Polled
from ingest.robots import Robots
from store.errors import ConfigError
from store.ports import Http

FROM_WEIBO = {"referer": "https://weibo.com/"}
"""Weibo's picture servers want to be asked from Weibo's own pages."""

AGENT = "minsheng"
"""Our name in robots.txt and in the User-Agent."""


class Channels:
    """Every connector that is configured, by the name of its channel."""

    def __init__(self, settings: Settings, http: Http, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock
        self._robots = Robots(http, AGENT, clock)
        self.doors: dict[str, Http] = {}
        self.lists = {name: Lists(name, one) for name, one in settings.connectors.lists.items()}
        self.polled: tuple[Polled, ...] = tuple(self._polled())
        self.wechat = {
            name: WeChat(name, account, self._door(name), clock=clock)
            for name, account in settings.connectors.wechat.items()
        }

    def _polled(self) -> Iterator[Polled]:
        connectors = self._settings.connectors
        for name, feed in connectors.feeds.items():
            yield Feed(name, feed, self._door(name, robots=feed.robots))
        for name, forum in connectors.forums.items():
            robots = forum.robots and not forum.json_api
            door = self._door(name, robots=robots, gap_s=forum.gap_s)
            yield Discuz(name, forum, door, clock=self._clock)

        for name, account in connectors.weibo.items():
            door = self._door(name, tries=1, headers=FROM_WEIBO)
            yield Weibo(name, account, door, clock=self._clock)
        for name, one in connectors.lists.items():
            if one.folder is not None:
                yield self.lists[name]

    def _door(
        self,
        name: str,
        *,
        robots: bool = False,
        gap_s: float = 0.0,
        tries: int = TRIES,
        headers: Mapping[str, str] | None = None,
    ) -> Http:
        """The way out of one channel; two sources may not share a name."""
        if name in self.doors:
            msg = f"config: hub.toml: connectors: two sources are called {name}; rename one"
            raise ConfigError(msg)
        manners = self._robots if robots else None
        door = Calls(self._http, name, gap_s=gap_s, robots=manners, tries=tries, headers=headers)
        self.doors[name] = door
        return door

    def _all(self) -> Iterator[Connector]:
        yield from self.polled
        yield from self.wechat.values()

    @property
    def by_name(self) -> dict[str, Connector]:
        """The connector of each channel."""
        return {**self.lists, **{one.channel: one for one in self._all()}}

    @property
    def names(self) -> list[tuple[str, str]]:
        """Every channel's name and how it is heard: polled, pushed, imported."""
        polled = [one.channel for one in self.polled]
        pushed = ["app"] if self._settings.connectors.app.enabled else []
        pushed += ["open311"] if self._settings.connectors.open311.enabled else []
        pushed += list(self.wechat)
        imported = [name for name in self.lists if name not in polled]
        hows = (("polled", polled), ("pushed", pushed), ("imported", imported))
        return [(name, how) for how, names in hows for name in names]

    @property
    def speakers(self) -> dict[str, Answers]:
        """Channels that tell their citizens something."""
        found = (one for one in self._all() if isinstance(one, Answers))
        return {one.channel: one for one in found if one.speaks}

    @property
    def media(self) -> dict[str, HasMedia]:
        """Channels that fetch their own pictures."""
        return {one.channel: one for one in self._all() if isinstance(one, HasMedia)}
