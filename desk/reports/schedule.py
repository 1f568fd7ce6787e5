"""Drafts made when their period is over: each once, those that were missed too, at most the last of each kind.

A period before the first message gets none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from desk.reports.keeping import Bulletins
from desk.reports.periods import Span, last_of, span_of
from desk.reports.section import SYSTEM
from desk.reports.settings import Kind
from store.errors import HubError

log = logging.getLogger(__name__)

LOOK_S = 3600.0
"""Longest wait before the schedule looks again."""

SOON_S = 60.0


class Schedule:
    """The job of the scheduler."""

    def __init__(
        self, bulletins: Bulletins, *, zone: ZoneInfo, clock: Callable[[], datetime]
    ) -> None:
        self._bulletins = bulletins
        self._zone = zone
        self._clock = clock

    async def run(self) -> float:
        """Make the drafts that are due and not there; seconds to wait. A kind that fails does not stop the others."""
        waits = [LOOK_S]
        for kind in self._bulletins.settings.kind:
            if kind.enabled:
                waits.append(await self._keep(kind))
        return max(SOON_S, min(waits))

    async def _keep(self, kind: Kind) -> float:
        now = self._clock()
        span = due_span(kind, now, self._zone)
        try:
            known = await self._bulletins.has(kind.id, span.name)
            if not known and await self._bulletins.has_numbers(span):
                await self._bulletins.make(kind, span.name, SYSTEM)
        except HubError:
            log.exception("draft not made", extra={"event": "draft_failed", "kind": kind.id})
            return SOON_S
        return (next_due(kind, span, self._zone) - now).total_seconds()


def due_span(kind: Kind, now: datetime, zone: ZoneInfo) -> Span:
    """The last period whose draft is due."""
    span = last_of(kind.cycle, now.astimezone(zone).date())
    while kind.due(span, zone) > now:
        span = span_of(kind.cycle, span.period.start - timedelta(days=1))
    return span


def next_due(kind: Kind, span: Span, zone: ZoneInfo) -> datetime:
    """When the draft of the period after ``span`` is made."""
    return kind.due(span_of(kind.cycle, span.period.end + timedelta(days=1)), zone)
