"""Slows a client that asks too often."""

from __future__ import annotations

import time


class Bucket:
    """Token bucket: ``rate`` requests a second, bursts of ``burst``."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level: dict[str, tuple[float, float]] = {}

    def take(self, client: str, cost: float = 1.0) -> float:
        """0 when there was room, else the seconds to wait."""
        now = time.monotonic()
        level, at = self._level.get(client, (self._burst, now))
        level = min(self._burst, level + (now - at) * self._rate)
        if level < cost:
            self._level[client] = (level, now)
            return (cost - level) / self._rate
        self._level[client] = (level - cost, now)
        return 0.0
