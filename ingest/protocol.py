"""What a connector is: the smallest surface between one channel and admission.

A connector turns a payload into items, purely: no clock, no network in ``parse``. Polled ones also
say how to fetch what is new after a cursor, pushed ones bring routes of their own. Retries, cursors,
duplicates, redaction, photos and metrics belong to the poller, the gateway and admission.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol, runtime_checkable

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
    """What a payload held. ``gone`` names posts (``channel_id``) the source no longer shows."""

    items: Sequence[Item] = ()
    failures: Sequence[Failure] = ()
    gone: Sequence[str] = ()


@dataclass(frozen=True)
class Page:
    """One fetch: ``payload`` is None when the source said "not modified". ``cursor`` may be stored once
    everything of this page is durable."""

    payload: Payload | None
    cursor: str


@dataclass(frozen=True)
class Health:
    """What the source page shows beside times and counts. ``budget`` is calls a day, None when there is
    no such limit; ``warning`` is for a person to act on in time (a token that will expire)."""

    budget: int | None = None
    budget_left: int | None = None
    warning: str = ""


class Connector(Protocol):
    """One channel citizens speak through (渠道)."""

    kind: ClassVar[str]
    channel: str

    def parse(self, payload: Payload) -> Parsed:
        """Read a payload. Raises RejectedError when it is not this channel's format at all
        (``reason="layout"`` when the service changed its pages)."""
        ...


class Polled(Connector, Protocol):
    """A channel we ask."""

    lists_always: ClassVar[bool]
    """The source always lists its newest posts, so two polls that list nothing mean it is broken."""

    def pages(self, cursor: str, *, sweep: bool) -> AsyncIterator[Page]:
        """What is new after ``cursor`` (empty at the very first poll), page by page.

        The next page is asked for only when the last one is durable and its cursor stored. ``sweep``
        asks for the last days again, for what came late, was edited or deleted; the cursor must come
        out of it no smaller. Raises TransientError or RejectedError.
        """
        ...

    def wait_s(self) -> float:
        """Seconds until the source should be asked again, before jitter."""
        ...

    def health(self) -> Health:
        """Budget and warnings as known now."""
        ...

    def save(self) -> str:
        """What must outlive a restart besides the cursor (calls of the day); may be empty."""
        ...

    def restore(self, saved: str) -> None:
        """Take back what ``save`` gave; anything unreadable is ignored."""
        ...


class Pushed(Connector, Protocol):
    """A channel that calls us."""

    def routes(self) -> Sequence[web.RouteDef]:
        """The HTTP routes this channel needs; handlers answer only after admission is durable."""
        ...


@runtime_checkable
class HasMedia(Protocol):
    """A connector whose ``Item.photos`` are not plain addresses, or need its credentials."""

    async def media(self, ref: str) -> tuple[bytes, str]:
        """Content and content type of one reference. Raises TransientError, or RejectedError when it
        is gone for good."""
        ...


@dataclass(frozen=True)
class Told:
    """Something to tell the citizen who wrote an item, in the channel it came through.

    ``stage`` is ``dispatched``, ``closed``, ``declined``, ``question`` …; ``text`` is ready to send, in Chinese;
    ``receipt`` the citizen's number and code; ``heard_at`` when the citizen last wrote.
    """

    channel_id: str
    author: str
    thread: str
    receipt: str
    stage: str
    text: str
    heard_at: datetime
    facts: dict[str, str] = field(default_factory=dict)


@runtime_checkable
class Answers(Protocol):
    """A connector that can speak to its citizens; ``in_public`` when everybody reads what it says, so that no
    code that opens a receipt may be in it. ``speaks`` is False while its settings keep it silent."""

    in_public: ClassVar[bool]
    speaks: bool

    async def answer(self, told: Told) -> None:
        """Send it. Raises TransientError to be asked again, RejectedError when it can not be sent."""
        ...
