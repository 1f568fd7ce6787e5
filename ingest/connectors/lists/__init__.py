"""Lists (台账): exports of a 12345 hotline, of digital urban management (数字城管), of any office.

CSV, XLSX, XLS, ODS and HTML called ``.xls``, handed in at the desk or dropped into a folder. The
columns are found by their headers; see ``docs/connectors/lists.md``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import ClassVar
from zoneinfo import ZoneInfo

import msgspec
from pydantic import Field, field_validator

from ingest.connectors.lists.folder import Dropped, Folder
from ingest.connectors.lists.headers import SYNONYMS
from ingest.connectors.lists.preview import Preview, show
from ingest.connectors.lists.report import report
from ingest.connectors.lists.rows import Bad, Problem, Reader, Reading
from ingest.connectors.lists.tables import read_table
from ingest.protocol import Failure, Health, Page, Parsed, Payload
from ingest.remembered import remembered
from store.config import Strict, ZoneName
from store.errors import RejectedError
from store.model import CoordType

REMEMBERED = 200
"""Files whose hash the cursor keeps."""


class ListConfig(Strict):
    """``[connectors.lists.NAME]``: the name becomes the channel.

    ``columns`` maps canonical names (``headers.SYNONYMS``) to the file's own headers; ``sheet`` is a
    name, or a number from 1.
    """

    columns: dict[str, str | tuple[str, ...]] = {}
    timezone: ZoneName = "Asia/Shanghai"
    sheet: str | int = ""
    coord_type: CoordType = CoordType.GCJ02
    folder: Path | None = None
    interval_s: float = Field(default=300, ge=1)

    @field_validator("columns")
    @classmethod
    def _known_columns(
        cls, columns: dict[str, str | tuple[str, ...]]
    ) -> dict[str, str | tuple[str, ...]]:
        if strange := sorted(columns.keys() - SYNONYMS.keys()):
            msg = f"{strange[0]} is none of {', '.join(SYNONYMS)}"
            raise ValueError(msg)
        return columns


class Lists:
    """The lists of one channel."""

    kind: ClassVar[str] = "lists"
    lists_always: ClassVar[bool] = False

    def __init__(self, channel: str, config: ListConfig) -> None:
        self.channel = channel
        self._interval_s = config.interval_s
        self._sheet = str(config.sheet)
        self._own = {
            name: (words,) if isinstance(words, str) else words
            for name, words in config.columns.items()
        }
        self._reader = Reader(channel, ZoneInfo(config.timezone), config.coord_type)
        self._folder = Folder(channel, config.folder) if config.folder else None
        self._warning = ""

    def read(self, payload: Payload) -> Reading:
        """Every row with its facts and problems. Raises RejectedError when it is no list."""
        try:
            table = read_table(payload.body, wanted=self._sheet, own=self._own)
        except RejectedError as error:
            msg = str(error).replace("ingest: lists:", f"ingest: {self.channel}:", 1)
            raise RejectedError(msg, reason=error.reason) from error
        return self._reader.read(table)

    def parse(self, payload: Payload) -> Parsed:
        """Rows as items; a row that can not be used is a failure of its own."""
        reading = self.read(payload)
        sheet = reading.table.sheet.name
        failures = [self.failure(sheet, bad) for bad in reading.bad]
        return Parsed([row.item for row in reading.rows], failures)

    def failure(self, sheet: str, bad: Bad) -> Failure:
        """A bad row with the sheet, row, column and cure."""
        return Failure(bad.key, bad.content, explain(self.channel, sheet, bad.problem))

    def preview(self, payload: Payload) -> Preview:
        """What would be imported, personal details masked. Raises RejectedError like ``parse``."""
        return show(self.read(payload))

    async def pages(self, cursor: str, *, sweep: bool) -> AsyncIterator[Page]:  # noqa: ARG002 - files come once
        """Each new file of the folder. It is moved away when its page is durable.

        A file of which no row can be used goes to ``failed/`` at once and stops no other. Raises
        TransientError when the folder can not be read.
        """
        if self._folder is None:
            return
        seen = remembered(cursor, list[str], list)
        names = await asyncio.to_thread(self._folder.ready)
        if names:
            self._warning = ""
        for name in names:
            file = await asyncio.to_thread(self._folder.take, name)
            if file is None:
                continue
            if file.digest in seen:
                await asyncio.to_thread(self._folder.settle, file, b"", is_good=True)
                continue
            payload = Payload(file.body, "", name)
            found, is_good = await asyncio.to_thread(self._judge, payload)
            if is_good:
                seen = [*seen, file.digest][-REMEMBERED:]
                yield Page(payload, msgspec.json.encode(seen).decode())
            await self._settle(file, found, is_good=is_good)

    def _judge(self, payload: Payload) -> tuple[bytes, bool]:
        """The report of a file's bad rows, and whether anything of it can be used."""
        try:
            reading = self.read(payload)
        except RejectedError as error:
            problem = Problem(0, "", str(error).removeprefix(f"ingest: {self.channel}: "), "")
            return report("", [problem]), False
        problems = [bad.problem for bad in reading.bad]
        found = report(reading.table.sheet.name, problems) if problems else b""
        return found, bool(reading.rows or not problems)

    async def _settle(self, file: Dropped, found: bytes, *, is_good: bool) -> None:
        assert self._folder is not None  # noqa: S101 - only files of a folder are settled
        await asyncio.to_thread(self._folder.settle, file, found, is_good=is_good)
        if found:
            what = "a file has rows that can not be used; see its .errors.csv beside it"
            self._warning = f"ingest: {self.channel}: folder: {what}"

    def wait_s(self) -> float:
        return self._interval_s

    def health(self) -> Health:
        return Health(warning=self._warning)

    def save(self) -> str:
        return ""

    def restore(self, saved: str) -> None:
        """Nothing outlives a restart but the cursor."""


def explain(channel: str, sheet: str, problem: Problem) -> str:
    """One line: sheet, row, column, what is wrong and the cure; no word of the row's."""
    column = f", column {problem.column[:40]}" if problem.column else ""
    where = f"sheet {sheet[:40]}, row {problem.row}{column}"
    return f"ingest: {channel}: {where}: {problem.what}; {problem.cure}"
