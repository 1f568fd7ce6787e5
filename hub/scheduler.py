"""The one door to APScheduler: when polled sources are asked and months are frozen.

In memory, built from the configuration: nothing to migrate, nothing shared between hubs. Each job says
how long to wait before it runs again; a tick only says "look now from your cursor", so a missed or
doubled one is harmless.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler

JITTER = 0.2
"""Share of a pause by which it may be longer or shorter, so that sources are not asked in step."""

AFTER_DEFECT_S = 60.0


class Scheduler:
    """Jobs on the running loop, each at its own pace."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def keep(self, name: str, job: Callable[[], Awaitable[float]]) -> None:
        """Run ``job`` now and again after as many seconds as it returns, within ``JITTER``."""
        self._at(name, job, 0.0)

    def _at(self, name: str, job: Callable[[], Awaitable[float]], wait_s: float) -> None:
        pause = wait_s * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
        self._scheduler.add_job(
            partial(self._tick, name, job),
            "date",
            run_date=datetime.now(UTC) + timedelta(seconds=pause),
            id=name,
            replace_existing=True,
        )

    async def _tick(self, name: str, job: Callable[[], Awaitable[float]]) -> None:
        wait_s = AFTER_DEFECT_S
        try:
            wait_s = await job()
        finally:
            self._at(name, job, wait_s)

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()

    def stop(self) -> None:
        """End; a job that runs is cancelled with the loop."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)


async def keep_all(jobs: Mapping[str, Callable[[], Awaitable[float]]]) -> None:
    """Run each job at its own pace until cancelled."""
    scheduler = Scheduler()
    for name, job in jobs.items():
        scheduler.keep(name, job)
    scheduler.start()
    try:
        await asyncio.Event().wait()
    finally:
        scheduler.stop()
