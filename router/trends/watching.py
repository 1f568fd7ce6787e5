"""Looks for bursts: every label and watched topic, in the city and in each area, some times an hour.

A burst is kept by its series and the day it began, and grows; what is known of it is never forgotten, so nobody
is told of it twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from sqlalchemy import insert, select, update

from router.trends.behind import Evidence
from router.trends.bursts import BurstSettings, Judged, Run, judge, runs
from router.trends.catalogue import ITEMS
from router.trends.days import Period, day_of, number
from router.trends.expecting import Floats
from router.trends.moving import Reason, Speaker, reasons
from router.trends.numbers import Numbers
from router.trends.sums import Ask
from router.trends.topics import SERIES
from store.db import Database, Tx
from store.tables import T
from store.tables_trends import ALL

PAST_DAYS = 120
"""Days of history a day is judged by."""

RECENT_DAYS = 10
"""Days judged anew each time: messages may come late."""

APART_DAYS = 3
"""A burst that begins so soon after another of the same series is that one, going on."""

WITHIN = 0.7
"""Share of a city's burst that one area's burst must be for the city's not to be told beside it."""

EVERY_S = 300.0

Key = tuple[str, str]
"""Label and area."""


@dataclass(frozen=True, slots=True)
class Series:
    """Daily counts of many series: ``keys`` name the rows, ``days`` the columns."""

    keys: list[Key]
    days: list[date]
    counts: Floats


@dataclass(frozen=True, slots=True)
class Found:
    """A burst with who spoke, and why."""

    label: str
    area: str
    start: int
    end: int
    run: Run
    voices: int
    citizens: int
    reason: Reason


async def read_series(
    numbers: Numbers, labels: Collection[str], areas: Collection[str], period: Period
) -> Series:
    """Counts of these labels in the city and in each area; series without a message are left out."""
    ask = Ask(ITEMS, period)
    rows: dict[Key, Sequence[int]] = {
        (label, ALL): days for label, days in (await numbers.daily(ask, "label", labels)).items()
    }
    for area in areas:
        told = await numbers.daily(ask.of(area=area), "label", labels)
        rows |= {(label, area): days for label, days in told.items()}
    keys = [key for key, days in rows.items() if any(days)]
    counts = np.array([rows[key] for key in keys], dtype=float).reshape(len(keys), period.days)
    return Series(keys, period.each(), counts)


def judged_of(series: Series, settings: BurstSettings, since: int) -> Judged:
    """What was to be expected of each day of each series; nothing is known of the days before ``since``."""
    return judge(series.counts, [day.weekday() for day in series.days], settings, since=since)


class BurstWatch:
    """``run`` is a job of the hub. ``labels`` are the taxonomy's, ``areas`` the names of areas by id."""

    def __init__(
        self,
        db: Database,
        numbers: Numbers,
        evidence: Evidence,
        *,
        settings: BurstSettings,
        labels: Collection[str],
        areas: Mapping[str, str],
        names: Mapping[str, str],
        zone: ZoneInfo,
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._numbers = numbers
        self._evidence = evidence
        self.settings = settings
        self.labels = labels
        self.areas = areas
        self.names = names
        self._zone = zone
        self._clock = clock

    async def run(self) -> float:
        """Look once; the seconds until the next look."""
        await self.look(self._clock().astimezone(self._zone).date())
        return EVERY_S

    async def look(self, today: date, recent: int = RECENT_DAYS) -> list[Found]:
        """Judge the ``recent`` days up to ``today`` and keep what rose; what was found, by excess."""
        period = Period(today - timedelta(days=PAST_DAYS - 1 + recent), today)
        series = await read_series(self._numbers, await self._labels(), [*self.areas, ""], period)
        if not series.keys:
            return []
        since = period.days - recent
        unheard = period.before(await self._numbers.first_day())
        judged = await asyncio.to_thread(judged_of, series, self.settings, unheard)
        found = [
            told
            for run in self._told(series, runs(series.counts, judged, self.settings, since=since))
            if (told := await self._heard(series, run)) is not None
        ]
        at = self._clock()
        await self._db.write(lambda tx: _keep(tx, found, at))
        return found

    async def _labels(self) -> list[str]:
        """The taxonomy's labels, all items, and the topics that are watched."""
        t = T.topics.c
        async with self._db.read() as conn:
            watched = (await conn.execute(select(t.id).where(t.state == "watched"))).scalars().all()
        return [ALL, *self.labels, *(f"{SERIES}{one}" for one in watched)]

    @staticmethod
    def _told(series: Series, found: Sequence[Run]) -> list[Run]:
        """Without bursts of the city that are mostly those of one area, and those of all items that are one label's."""
        kept = []
        for run in found:
            label, area = series.keys[run.series]
            inner = [
                other
                for other in found
                if other is not run
                and other.start <= run.end
                and run.start <= other.end
                and _inside(series.keys[other.series], (label, area))
                and other.excess >= WITHIN * run.excess
            ]
            if not inner:
                kept.append(run)
        return kept

    async def _heard(self, series: Series, run: Run) -> Found | None:
        """The burst with its voices; None when too few spoke."""
        label, area = series.keys[run.series]
        days = Period(series.days[run.start], series.days[run.end])
        ask = Ask(ITEMS, days, label, area)
        voices, citizens = await self._evidence.voices(ask)
        if voices < self.settings.voices or citizens < self.settings.citizens:
            return None
        before = Period(days.start - timedelta(days=28), days.start - timedelta(days=1))
        now = await self._speakers(ask)
        then = await self._speakers(ask.during(before))
        reason = reasons(now, then, share=days.days / before.days, names=self.names)
        return Found(
            label, area, number(days.start), number(days.end), run, voices, citizens, reason
        )

    async def _speakers(self, ask: Ask) -> list[Speaker]:
        return [Speaker(*row) for row in await self._evidence.speakers(ask)]


def _inside(inner: Key, outer: Key) -> bool:
    """Whether a series is a part of another."""
    label, area = (b in (a, ALL) for a, b in zip(inner, outer, strict=True))
    return label and area and inner != outer


async def _keep(tx: Tx, found: Sequence[Found], at: datetime) -> None:
    b = T.bursts.c
    for one in found:
        values: dict[str, Any] = {
            "last_day": one.end,
            "observed": one.run.observed,
            "expected": one.run.expected,
            "excess": one.run.excess,
            "voices": one.voices,
            "citizens": one.citizens,
            "why": msgspec.json.encode(one.reason).decode(),
        }
        same = select(b.id, b.start_day).where(
            b.label == one.label,
            b.area == one.area,
            b.last_day >= _before(one.start),
            b.start_day <= one.end,
        )
        known = (await tx.run(same.order_by(b.start_day).limit(1))).first()
        if known is not None:
            await tx.run(update(T.bursts).where(b.id == known.id).values(values))
            continue
        key = {"label": one.label, "area": one.area, "start_day": one.start, "found_at": at}
        await tx.run(insert(T.bursts).values(key | values))


def _before(day: int) -> int:
    """The day ``APART_DAYS`` before a numbered day."""
    return number(day_of(day) - timedelta(days=APART_DAYS))
