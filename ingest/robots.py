"""robots.txt of the sites we poll (RFC 9309): who does not want to be read is not read.

Read at most once a day a host. No such file (4xx, or a redirect) allows all; a site that can not say (5xx,
unreachable, too large) is not read for now. Rules with ``*`` and ``$`` are honoured (protego).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from protego import Protego

from store.errors import RejectedError, TransientError
from store.ports import Http

MAX_BODY = 512_000
"""Bytes; RFC 9309 asks for at least 500 KiB."""

KEPT = timedelta(days=1)
SERVER_ERROR = 500
TOO_MANY = 429
OK = 200


@dataclass(frozen=True)
class _Rules:
    rules: Protego
    until: datetime


class Robots:
    """``agent`` is the product token sites may name ("minsheng"); ``http`` must not ask Robots itself."""

    def __init__(self, http: Http, agent: str, clock: Callable[[], datetime]) -> None:
        self._http = http
        self._agent = agent
        self._clock = clock
        self._known: dict[str, _Rules] = {}

    async def allows(self, url: str) -> bool:
        """Whether the host lets this address be read. Raises TransientError when it can not say now,
        RejectedError when the address is none."""
        rules = await self._rules(url)
        return rules.can_fetch(url, self._agent)

    async def crawl_delay(self, url: str) -> float | None:
        """Seconds the host asks for between two requests; None when it does not say. Raises as ``allows``."""
        rules = await self._rules(url)
        return rules.crawl_delay(self._agent)

    async def _rules(self, url: str) -> Protego:
        host = _host(url)
        known = self._known.get(host)
        if known and self._clock() < known.until:
            return known.rules
        rules = Protego.parse(await self._read(host))
        self._known[host] = _Rules(rules, self._clock() + KEPT)
        return rules

    async def _read(self, host: str) -> str:
        """The file's text; empty when there is none."""
        address = f"{host}/robots.txt"
        try:
            answer = await self._http.send("GET", address, max_bytes=MAX_BODY)
        except RejectedError as error:
            if error.reason != "answer_size":
                raise
            msg = f"ingest: robots: {address} is too large to be read; it is asked again later"
            raise TransientError(msg) from error
        if answer.status >= SERVER_ERROR or answer.status == TOO_MANY:
            msg = f"ingest: robots: {address} answered {answer.status}; the site is not read until it can say"
            raise TransientError(msg)
        return answer.body.decode("utf-8-sig", "replace") if answer.status == OK else ""


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        msg = "ingest: robots: the address is not http or https; correct url"
        raise RejectedError(msg, reason="address")
    return f"{parts.scheme}://{parts.netloc}"
