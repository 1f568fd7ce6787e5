"""Bytes to sheets. The content decides what a file is, never its name.

Government systems export CSV in GB18030 with or without a mark, UTF-16 text of tabs, workbooks of
every age, and HTML tables called ``.xls``. Each is read here into ``Sheet``; everything else is
refused with the cure.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ingest.connectors.lists.headers import ANY, Header, find, plain
from ingest.connectors.lists.page import read_page
from ingest.connectors.lists.sheet import MAX_BYTES, MAX_COLUMNS, MAX_ROWS, Cell, Sheet
from ingest.connectors.lists.workbook import OLE, ZIP, kind_of, read_workbook
from store.errors import RejectedError

DELIMITERS = (",", ";", "\t", "｜", "|")
_HEAD = 100_000
"""Characters of a text looked at to tell its encoding and delimiter."""

_LOST = "\ufffd"
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True)
class Table:
    """The sheet that is the list, what it came in, and its header."""

    kind: str
    encoding: str
    sheets: Sequence[str]
    sheet: Sheet
    header: Header


def read_table(body: bytes, *, wanted: str, own: Mapping[str, Sequence[str]]) -> Table:
    """The list in a file. ``wanted`` is a workbook's sheet by name or number from 1, or empty.

    Raises RejectedError: ``oversize``, ``password``, ``broken``, ``no_sheet``, or ``layout`` when no row
    looks like a header.
    """
    if len(body) > MAX_BYTES:
        msg = f"ingest: lists: the file has more than {MAX_BYTES // 1_000_000} MB; split it"
        raise RejectedError(msg, reason="oversize")
    kind, encoding, names, sheets = _read(body, wanted, own)
    if not sheets:
        msg = (
            "ingest: lists: sheet: the file has no such table; check the file, or sheet in hub.toml"
        )
        raise RejectedError(msg, reason="no_sheet")
    for sheet in sheets:
        if header := find(sheet, own):
            _check(sheet, header, own)
            return Table(kind, encoding, names, sheet, header)
    msg = (
        "ingest: lists: no row of the first 20 looks like a header; name the columns as in "
        "docs/connectors/lists.md or map them with columns in hub.toml"
    )
    raise RejectedError(msg, reason="layout")


def _read(
    body: bytes, wanted: str, own: Mapping[str, Sequence[str]]
) -> tuple[str, str, list[str], list[Sheet]]:
    if body.startswith((OLE, ZIP)):
        kind = kind_of(body)
        return kind, "", *read_workbook(body, wanted)
    text, encoding, lossy = decode(body)
    if text.lstrip().startswith("<"):
        sheets = read_page(text)
        return "html", encoding, [sheet.name for sheet in sheets], sheets
    return "csv", encoding, ["csv"], [_read_text(text, own, lossy=lossy)]


def _check(sheet: Sheet, header: Header, own: Mapping[str, Sequence[str]]) -> None:
    if len(sheet.rows) > MAX_ROWS:
        msg = f"ingest: lists: the sheet has more than {MAX_ROWS} rows; split it"
        raise RejectedError(msg, reason="oversize")
    if len(sheet.rows[header.last]) > MAX_COLUMNS:
        msg = f"ingest: lists: the header has more than {MAX_COLUMNS} columns; delete those not needed"
        raise RejectedError(msg, reason="oversize")
    if missing := [name for name in own if not header.of(name)]:
        msg = f"ingest: lists: columns.{missing[0]}: no such header in the file; correct hub.toml or the file"
        raise RejectedError(msg, reason="layout")


def decode(body: bytes) -> tuple[str, str, bool]:
    """The text, its encoding, and whether characters were lost.

    Raises RejectedError when it is no text in UTF-8, UTF-16 or GB18030.
    """
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return _checked(body.decode(encoding, "replace"), encoding)
    if b"\0" in body[:200]:
        encoding = "utf-16-be" if body[:1] == b"\0" else "utf-16-le"
        return _checked(body.decode(encoding, "replace"), encoding)
    try:
        return body.decode("utf-8"), "utf-8", False
    except UnicodeDecodeError:
        texts = {name: body.decode(name, "replace") for name in ("gb18030", "utf-8")}
    encoding = max(texts, key=lambda name: (_familiar(texts[name]), -texts[name].count(_LOST)))
    return _checked(texts[encoding], encoding)


def _familiar(text: str) -> int:
    head = text[:_HEAD]
    return sum(word in head for word in ANY)


def _checked(text: str, encoding: str) -> tuple[str, str, bool]:
    lost = text.count(_LOST)
    if lost > 1 + len(text) // 100:
        msg = (
            "ingest: lists: the text is neither UTF-8, UTF-16 nor GB18030; export it again as UTF-8"
        )
        raise RejectedError(msg, reason="encoding")
    return text, encoding, lost > 0


def _read_text(text: str, own: Mapping[str, Sequence[str]], *, lossy: bool) -> Sheet:
    head = text[:_HEAD]
    rows = {mark: list(_records(head, mark, 25)) for mark in DELIMITERS}
    words = ANY.keys() | {plain(word) for words in own.values() for word in words}
    delimiter = max(DELIMITERS, key=lambda mark: _known(rows[mark], words))
    sheet = Sheet("csv", list(_records(text, delimiter, MAX_ROWS + 1)))
    if lossy:
        sheet.broken = frozenset(
            n for n, row in enumerate(sheet.rows) if _LOST in "".join(map(str, row))
        )
    return sheet


def _known(rows: Sequence[Sequence[Cell]], words: set[str]) -> tuple[int, int]:
    """Most known headers in one row, then most cells."""
    best = max((sum(plain(cell) in words for cell in row[:MAX_COLUMNS]) for row in rows), default=0)
    return best, max((len(row) for row in rows), default=0)


def _records(text: str, delimiter: str, most: int) -> Iterator[list[Cell]]:
    """Records as Excel counts them. One too long to be a cell is one row that can not be used.

    A quote that is never closed swallows what follows up to the module's limit of a field (131,072
    characters); reading goes on behind it.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    for _ in range(most):
        try:
            row: list[Cell] = list(next(reader)[: MAX_COLUMNS + 1])
        except StopIteration:
            return
        except csv.Error:
            row = [_LOST]
        while row and row[-1] == "":
            row.pop()
        yield row
