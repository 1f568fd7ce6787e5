"""What a connector is: the smallest surface between one channel and admission.

A connector turns a payload into items, purely: no clock, no network in ``parse``. Polled ones also
say how to fetch the next page after a cursor, pushed ones how to check and read a request. Pace,
retries, cursors, duplicates, redaction and metrics belong to the poller, the gateway and admission.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from aiohttp import web

from store.model import Item


@dataclass(frozen=True)
class Payload:
    """Bytes as the channel sent them, with what is needed to read them."""

    body: bytes
    content_type: str = ""
    url: str = ""


@dataclass(frozen=True)
class Failure:
    """One post of a payload that could not be read; its raw form is kept in ``dead``."""

    source_key: str
    content: bytes
    error: str


@dataclass(frozen=True)
class Parsed:
    """What a payload held."""

    items: Sequence[Item]
    failures: Sequence[Failure] = ()


@dataclass(frozen=True)
class Page:
    """One fetch: ``payload`` is None when the source said "not modified"."""

    payload: Payload | None
    cursor: str
    more: bool = False


class Connector(Protocol):
    """One channel citizens speak through (渠道)."""

    kind: ClassVar[str]
    channel: str

    def parse(self, payload: Payload) -> Parsed:
        """Read a payload. Raises RejectedError when it is not this channel's format at all."""
        ...


class Polled(Connector, Protocol):
    """A channel we ask."""

    interval_s: float

    async def fetch(self, cursor: str) -> Page:
        """What is new after ``cursor``. Raises TransientError or RejectedError."""
        ...


class Pushed(Connector, Protocol):
    """A channel that calls us."""

    def routes(self) -> Sequence[web.RouteDef]:
        """The HTTP routes this channel needs; handlers answer only after admission is durable."""
        ...
