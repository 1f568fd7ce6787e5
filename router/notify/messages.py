"""A message to an official: a title, a few lines, a link, files where the way takes them. No work order in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from router.notify.senders import Endpoint
from store.ports import Http

LINK = "查看详情"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file: its name as the reader sees it, its media type, its bytes."""

    name: str
    kind: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """What one official is told at once. ``uid`` is the same for every attempt."""

    uid: str
    title: str
    lines: Sequence[str]
    at: datetime
    link: str = ""
    files: Sequence[Attachment] = ()


@runtime_checkable
class Teller(Protocol):
    """A sender that takes messages too. ``takes_files``: whether files go with them."""

    kind: str
    takes_files: bool

    async def tell(self, message: Message, endpoint: Endpoint, http: Http) -> None:
        """Send it; raises as ``Sender.send`` does."""
        ...
