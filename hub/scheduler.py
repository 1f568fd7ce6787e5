"""The one door to APScheduler: when polled sources are asked.

In memory, built from the configuration: nothing to migrate, nothing shared between hubs. A tick only
says "look now from your cursor", so a missed or doubled one is harmless.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler


class Scheduler:
    """Interval jobs on the running loop."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def every(
        self, name: str, seconds: float, job: Callable[[], Awaitable[None]], *, now: bool = True
    ) -> None:
        """Run ``job`` each ``seconds``, with up to a fifth of jitter, from now on."""
        first = datetime.now(UTC) + timedelta(seconds=0 if now else seconds)
        self._scheduler.add_job(
            job,
            "interval",
            seconds=seconds,
            jitter=max(1, int(seconds / 5)),
            id=name,
            next_run_time=first,
        )

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()

    def stop(self) -> None:
        """End; a job that runs is left to finish with the loop."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
