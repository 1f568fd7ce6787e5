"""The classifier in a live hub: which model judges, which is on trial, and how they are doing.

The registry on disk is asked every few seconds, so that ``minsheng train`` and ``minsheng models``
take effect without a restart. Once an hour the last four weeks are measured: how often people
correct each label, and how far this week's labels are from the weeks before.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from math import log as ln
from pathlib import Path

from classify.cues import Language
from classify.engine import Engine, Engines, ProcessEngine
from classify.learning import current
from classify.registry import Registry
from hub.telemetry import Telemetry
from store.config import Taxonomy
from store.db import Database
from store.errors import ConfigError
from store.learned import decisions, label_shares

log = logging.getLogger(__name__)

LOOK_S = 5.0
MEASURE_EVERY = 720
"""Looks between two measurings: the rates of weeks need no more than one an hour."""
WEEK = timedelta(days=7)
LEAST = 20
"""Verdicts or decisions below which a rate says nothing."""


class Models:
    """Engines over the saved models of one data folder."""

    def __init__(
        self,
        *,
        home: Path,
        taxonomy: Taxonomy,
        language: Language,
        progress: Callable[[str], None],
    ) -> None:
        self._home = home
        self._taxonomy = taxonomy
        self._language = language
        self._progress = progress
        self._registry = Registry(home, taxonomy)
        self.engines: Engines | None = None

    async def open(self) -> Engines:
        """The engines, once the model in use is there; it is trained first where it is missing."""
        if self.engines is None:
            make = partial(
                current, self._home, self._taxonomy, self._language, progress=self._progress
            )
            classifier = await asyncio.to_thread(make)
            self.engines = Engines(self._start(classifier.name))
        return self.engines

    async def follow(
        self, db: Database, telemetry: Telemetry, clock: Callable[[], datetime]
    ) -> None:
        """Follow the registry and measure, for ever."""
        labels = (*self._taxonomy.problems, *self._taxonomy.campaigns)
        turn = 0
        while True:
            try:
                await self.change()
            except ConfigError as error:  # the models that run go on running
                log.error("registry not followed: %s", error, extra={"event": "registry_error"})  # noqa: TRY400
            if turn % MEASURE_EVERY == 0:
                await measure(db, telemetry, labels, clock())
            turn += 1
            await asyncio.sleep(LOOK_S)

    async def change(self) -> None:
        """Put the engines the registry asks for into place."""
        if self.engines is None or not isinstance(self.engines.in_use, ProcessEngine):
            return  # tests bring their own
        wanted, engines = self._registry.read(), self.engines
        if wanted.in_use and wanted.in_use != engines.in_use.name:
            old, engines.in_use = engines.in_use, await self._ready(wanted.in_use)
            await retire(old)
        shadow = engines.shadow
        if wanted.shadow != (shadow.name if shadow else ""):
            engines.shadow = await self._ready(wanted.shadow) if wanted.shadow else None
            if shadow is not None:
                await retire(shadow)

    def close(self) -> None:
        """Give the processes back."""
        if self.engines is not None:
            self.engines.close()

    async def _ready(self, name: str) -> Engine:
        engine = self._start(name)
        try:
            await engine.ready()
        except RuntimeError as error:
            engine.close()
            msg = f"classify: model {name} does not start; choose another with minsheng models"
            raise ConfigError(msg) from error
        log.info("model changed", extra={"event": "model_changed", "model": name})
        return engine

    def _start(self, name: str) -> ProcessEngine:
        return ProcessEngine(self._home / name, self._language.whole)


async def retire(engine: Engine) -> None:
    """Close an engine once the batch it is at work on is done."""
    with suppress(RuntimeError):
        await engine.ready()
    engine.close()


async def measure(
    db: Database, telemetry: Telemetry, labels: tuple[str, ...], now: datetime
) -> None:
    """Set the gauges ``correction`` and ``drift`` of every label that has enough to go by."""
    decided = await decisions(db, now - 4 * WEEK)
    for label in labels:
        pairs = [
            (label in one.predicted.get("problems", []) + one.predicted.get("campaigns", []),
             label in one.problems + one.campaigns)
            for one in decided
        ]  # fmt: skip
        touched = [said != meant for said, meant in pairs if said or meant]
        if len(touched) >= LEAST:
            telemetry.gauge("correction", label, sum(touched) / len(touched))
    week, new = await label_shares(db, labels, now - WEEK, now)
    before, old = await label_shares(db, labels, now - 5 * WEEK, now - WEEK)
    if min(week, before) >= LEAST:
        for label in labels:
            telemetry.gauge("drift", label, stability(new[label] / week, old[label] / before))


def stability(now: float, before: float) -> float:
    """Population stability index of one label's share: 0 the same, over 0.25 another population."""
    total = 0.0
    for share, was in ((now, before), (1 - now, 1 - before)):
        a, b = max(share, 1e-3), max(was, 1e-3)
        total += (a - b) * ln(a / b)
    return total
