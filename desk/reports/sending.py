"""A signed bulletin on its way to officials: number, title, what it says first, a link, and its files by letter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from desk.papers.docx import docx_of
from desk.papers.pdf import pdf_of
from desk.reports.frozen import Words, read_content, read_figures, spoken
from desk.reports.paper import paper_of
from desk.reports.section import FORMATS
from desk.reports.settings import Kind
from router.notify.messages import Attachment
from router.trends.alerting import BULLETIN, alert, put
from router.trends.officials import Alerts
from store.db import Database, Tx
from store.tables import T

SUMMARY = 2
"""Paragraphs of the bulletin a message repeats."""

LONGEST = 1200
"""Characters of them."""


class Sending:
    """Puts signed bulletins among the alerts and makes their files when they go."""

    def __init__(
        self,
        db: Database,
        alerts: Alerts,
        *,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
        base_url: str = "",
    ) -> None:
        self._db = db
        self.alerts = alerts
        self._zone = zone
        self._clock = clock
        self._base_url = base_url.rstrip("/")

    async def announce(self, tx: Tx, row: Any, kind: Kind) -> None:
        """Within the signing: an alert for each recipient that is known."""
        now = self._clock()
        link = f"{self._base_url}/desk/reports/{row.id}" if self._base_url else ""
        await put(
            tx,
            [
                alert(
                    self.alerts.by_id[name], f"{BULLETIN}:{row.id}:{name}", now=now, zone=self._zone,
                    title=f"{kind.name} {row.number} {row.title}", body=summary(row), link=link,
                )
                for name in kind.recipients
                if name in self.alerts.by_id
            ],
        )  # fmt: skip

    async def files(self, mark: str) -> Sequence[Attachment]:
        """Word and PDF of the bulletin an alert is about; none once it was withdrawn."""
        b = T.bulletins.c
        asked = select(T.bulletins).where(b.id == int(mark.split(":")[1]), b.state == "signed")
        async with self._db.read() as conn:
            row = (await conn.execute(asked)).first()
        return [] if row is None else await asyncio.to_thread(self._files, row)

    def _files(self, row: Any) -> list[Attachment]:
        today = self._clock().astimezone(self._zone).date()
        paper = paper_of(row, zone=self._zone, today=today)
        made = (("docx", docx_of), ("pdf", pdf_of))
        return [
            Attachment(
                f"{row.title}.{suffix}", FORMATS[suffix][1], render(paper, base_url=self._base_url)
            )
            for suffix, render in made
        ]


def summary(row: Any) -> str:
    """The first paragraphs with their figures, a line each."""
    figures, content = read_figures(row.figures), read_content(row.content)
    texts = [spoken(one.text, figures) for one in content.blocks if isinstance(one, Words)]
    return "\n".join(texts[:SUMMARY])[:LONGEST]
