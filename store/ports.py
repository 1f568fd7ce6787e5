"""Seams the composition root fills: the rooms name what they need and never who provides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Answer:
    """What an outside service said; header names are lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Http(Protocol):
    """One outside service over HTTP."""

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        max_bytes: int = 5_000_000,
    ) -> Answer:
        """One exchange, no redirects, a total deadline and a cap on the answer.

        Raises TransientError when no whole answer came, RejectedError when the address is
        forbidden or the answer too large.
        """
        ...
