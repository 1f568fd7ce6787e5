"""Which bulletins a city makes, when, their heads and numbers, and who gets them (``configs/bulletins.toml``)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from desk.reports.periods import Cycle, Span
from desk.reports.plans import PLANS, PlanName
from store.config import Strict

TITLE_WORDS = {"period", "year"}
NUMBER_WORDS = {"year", "n"}
SHORTEST = {Cycle.WEEK: 7, Cycle.MONTH: 28, Cycle.QUARTER: 90, Cycle.YEAR: 365}
"""Days a cycle has at least: a draft is due before the next period is over."""


class Kind(Strict):
    """One kind of bulletin. ``day`` is the day after the period's end on which its draft is made, at ``hour``.

    ``title`` may hold ``{period}`` and ``{year}``, ``number`` (发文字号) ``{year}`` and ``{n}``, the count of the year.
    ``to`` 主送 and ``copied_to`` 抄送 are printed; ``recipients`` are officials of alerts.toml who are sent it.
    ``closing`` are last paragraphs an editor begins with.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    plan: PlanName
    name: str = Field(min_length=1, max_length=30)
    cycle: Cycle
    enabled: bool = True
    day: int = Field(default=1, ge=1, le=365)
    hour: int = Field(default=8, ge=0, le=23)
    issuer: str = Field(min_length=1, max_length=60)
    title: str = Field(min_length=1, max_length=100)
    number: str = Field(min_length=1, max_length=60)
    to: str = ""
    copied_to: str = ""
    recipients: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Kind:
        self._check_words("title", self.title, TITLE_WORDS)
        self._check_words("number", self.number, NUMBER_WORDS)
        if "{n}" not in self.number or "{year}" not in self.number:
            msg = f"{self.id}: number: needs {{year}} and {{n}}; write like 通报〔{{year}}〕{{n}}号"
            raise ValueError(msg)
        if self.day > SHORTEST[self.cycle]:
            msg = f"{self.id}: day: {self.day} is after the next {self.cycle} is over; at most {SHORTEST[self.cycle]}"
            raise ValueError(msg)
        for text in self.closing:
            if "{{" in text or "}}" in text:
                msg = f"{self.id}: closing: figures have no ids before a draft; write words only"
                raise ValueError(msg)
        return self

    def _check_words(self, key: str, pattern: str, known: Collection[str]) -> None:
        try:
            pattern.format(**dict.fromkeys(known, "1"))
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            listed = ", ".join(f"{{{one}}}" for one in sorted(known))
            msg = f"{self.id}: {key}: not a pattern; use {listed} and no other braces"
            raise ValueError(msg) from error

    @property
    def stories(self) -> bool:
        """Whether an editor chooses typical cases."""
        return PLANS[self.plan].stories

    def titled(self, span: Span) -> str:
        """The title of one period's."""
        return self.title.format(period=span.shown, year=span.period.end.year)

    def numbered(self, year: int, n: int) -> str:
        """发文字号."""
        return self.number.format(year=year, n=n)

    def due(self, span: Span, zone: ZoneInfo) -> datetime:
        """When the draft of a period is made."""
        day: date = span.period.end + timedelta(days=self.day)
        return datetime.combine(day, time(self.hour), zone)


class BulletinSettings(Strict):
    """``configs/bulletins.toml``."""

    kind: tuple[Kind, ...] = ()

    @model_validator(mode="after")
    def _apart(self) -> BulletinSettings:
        ids = [one.id for one in self.kind]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            msg = f"kind {twice[0]} is there twice; remove one"
            raise ValueError(msg)
        patterns: dict[str, str] = {}
        for one in self.kind:
            if other := patterns.get(one.number):
                msg = f"{one.id}: number: the same as of {other}; each kind counts its own, so write another"
                raise ValueError(msg)
            patterns[one.number] = one.id
        return self

    @cached_property
    def by_id(self) -> dict[str, Kind]:
        """Kinds by id, in order."""
        return {one.id: one for one in self.kind}

    def strangers(self, officials: Collection[str]) -> list[tuple[str, str]]:
        """Kind and recipient for each that nobody knows."""
        return [
            (one.id, name) for one in self.kind for name in one.recipients if name not in officials
        ]
