"""A bulletin's first draft: all its figures of one moment, frozen, and its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from desk.reports.frozen import Content, Frozen, write
from desk.reports.making import Making, Naming
from desk.reports.periods import Span
from desk.reports.plans import PLANS
from desk.reports.settings import Kind
from desk.reports.stories import stories
from desk.trends.notes import notes
from router.trends.numbers import Numbers
from store.db import Database
from store.still import still


@dataclass(frozen=True)
class Draft:
    """What a row keeps of it."""

    title: str
    content: Content
    figures: tuple[Frozen, ...]
    as_of: datetime

    def values(self) -> dict[str, Any]:
        """Columns."""
        return {
            "title": self.title,
            "content": write(self.content),
            "figures": write(self.figures),
            "as_of": self.as_of,
        }


class Drafting:
    """Makes drafts. ``places`` are names finer than an area, with the area's name, that no paper prints."""

    def __init__(
        self, db: Database, numbers: Numbers, naming: Naming, places: Mapping[str, str]
    ) -> None:
        self._db = db
        self._numbers = numbers
        self.naming = naming
        self.places = places

    async def draft(self, kind: Kind, span: Span, corrects: str = "") -> Draft:
        """The draft of a kind for one period; ``corrects`` is the number of the bulletin it corrects."""
        async with still(self._db) as moment:
            made = Making(self._numbers.over(moment), self.naming, span, kind.closing)
            await made.begin()
            plan = PLANS[kind.plan]
            for section in plan.sections:
                await section(made)
            told = await stories(made, self.places) if plan.stories else ()
        said = await notes(self._db, span.period, self.naming.channels)
        content = Content(
            kind_name=kind.name,
            issuer=kind.issuer,
            cycle=kind.cycle,
            to=kind.to,
            copied_to=kind.copied_to,
            blocks=tuple(made.blocks),
            stories=told,
            notes=tuple(dict.fromkeys((*made.notes, *said))),
            corrects=corrects,
        )
        title = kind.titled(span)
        title = f"关于更正{corrects}的通报：{title}" if corrects else title
        return Draft(title, content, tuple(made.book.figures.values()), made.book.as_of)
