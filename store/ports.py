"""Seams the composition root fills: the rooms name what they need and never who provides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

DAY_S = 86_400.0


@dataclass(frozen=True)
class Answer:
    """What an outside service said; header names are lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def retry_after_s(self) -> float | None:
        """Seconds the service asks to be left alone (RFC 9110, 10.2.3), a day at most; None when it does not say."""
        value = self.headers.get("retry-after", "")
        return min(float(value), DAY_S) if value.isdecimal() else None


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
