"""What an import would do, before it is done: columns, counts, problems, a few rows, all masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ingest.connectors.lists.cells import words
from ingest.connectors.lists.headers import Column
from ingest.connectors.lists.rows import Problem, Reading, Row
from ingest.connectors.lists.sheet import Cell
from ingest.redact import redact

UNKNOWN = "未识别"
SAMPLES, ERRORS, ITEMS = 3, 20, 5
_WIDTH = 60
_PERSONAL = frozenset({"citizen", "phone"})


@dataclass(frozen=True)
class ColumnShown:
    """One column: header, canonical name or ``""``, the same for the screen, masked samples."""

    header: str
    canonical: str
    label: str
    samples: Sequence[str]


@dataclass(frozen=True)
class ItemShown:
    """One row as it would be heard; text, title and address redacted."""

    row: int
    channel_id: str
    title: str
    text: str
    address: str
    posted_at: str
    facts: dict[str, str]


@dataclass(frozen=True)
class Preview:
    """Everything the page before an import shows. ``header_row`` is counted from 1, like Excel's."""

    file_kind: str
    encoding: str
    sheets: Sequence[str]
    sheet: str
    header_row: int
    columns: Sequence[ColumnShown]
    good: int
    bad: int
    skipped: int
    duplicate: int
    errors: Sequence[Problem]
    warnings: Sequence[Problem]
    items: Sequence[ItemShown]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def show(reading: Reading) -> Preview:
    """The preview of a reading."""
    table = reading.table
    below = table.sheet.rows[table.header.last + 1 :]
    return Preview(
        file_kind=table.kind,
        encoding=table.encoding,
        sheets=list(table.sheets),
        sheet=table.sheet.name,
        header_row=table.header.last + 1,
        columns=[_column(column, below) for column in table.header.columns],
        good=len(reading.rows),
        bad=len(reading.bad),
        skipped=reading.skipped,
        duplicate=reading.repeated,
        errors=[bad.problem for bad in reading.bad[:ERRORS]],
        warnings=list(reading.warnings[:ERRORS]),
        items=[_item(row) for row in reading.rows[:ITEMS]],
    )


def _column(column: Column, rows: Sequence[Sequence[Cell]]) -> ColumnShown:
    samples: list[str] = []
    for row in rows:
        if len(samples) == SAMPLES:
            break
        text = words(row[column.at]) if column.at < len(row) else ""
        if text and text != column.header:
            samples.append(_masked(text, column.name))
    return ColumnShown(column.header, column.name, column.name or UNKNOWN, samples)


def _masked(text: str, name: str) -> str:
    if name not in _PERSONAL:
        return redact(text[: _WIDTH * 2])[:_WIDTH]
    kept = 3 if name == "phone" else 1
    return text[:kept] + "*" * min(len(text) - kept, _WIDTH) if len(text) > kept else "*"


def _item(row: Row) -> ItemShown:
    item = row.item
    return ItemShown(
        row=row.number,
        channel_id=item.channel_id,
        title=redact(item.title),
        text=redact(item.text),
        address=redact(item.place.address),
        posted_at=item.posted_at.isoformat() if item.posted_at else "",
        facts={name: redact(value) for name, value in row.facts.items()},
    )
