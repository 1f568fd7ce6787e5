"""From settings to connectors: each source with its own way out, and who can answer or fetch media."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from hub.calls import Calls
from hub.settings import Settings
from ingest.connectors.feed import Feed
from ingest.protocol import Answers, Connector, HasMedia, Polled
from store.ports import Http


class Channels:
    """Every connector that is configured, by the name of its channel."""

    def __init__(self, settings: Settings, http: Http, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock
        self.polled: tuple[Polled, ...] = tuple(self._polled())

    def _polled(self) -> Iterator[Polled]:
        for name, feed in self._settings.connectors.feeds.items():
            yield Feed(name, feed, Calls(self._http, name))

    def _all(self) -> Iterator[Connector]:
        yield from self.polled

    @property
    def names(self) -> list[tuple[str, bool]]:
        """Every channel's name and whether it is asked (True) or calls us."""
        polled = [(one.channel, True) for one in self.polled]
        return [*polled, *(("app", False) for _ in range(self._settings.connectors.app.enabled))]

    @property
    def speakers(self) -> dict[str, Answers]:
        """Channels that can tell their citizens something."""
        return {one.channel: one for one in self._all() if isinstance(one, Answers)}

    @property
    def media(self) -> dict[str, HasMedia]:
        """Channels that fetch their own pictures."""
        return {one.channel: one for one in self._all() if isinstance(one, HasMedia)}
