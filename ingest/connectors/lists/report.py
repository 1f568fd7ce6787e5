"""The report of a list's bad rows as CSV a person opens in Excel; no cell of it is a formula."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable

from ingest.connectors.lists.rows import Problem
from ingest.normalize import clean

_SIGNS = ("=", "+", "-", "@")
_CONTROLS = ("\t", "\r", "\n")


def report(sheet: str, problems: Iterable[Problem]) -> bytes:
    """``sheet, row, column, what, cure`` in UTF-8 with a byte order mark, which Excel needs."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("sheet", "row", "column", "what", "cure"))
    for p in sorted(problems, key=lambda problem: problem.row):
        row = (sheet, str(p.row or ""), p.column, p.what, p.cure)
        writer.writerow([harmless(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig")


def harmless(cell: str) -> str:
    """The cell with ``'`` before it when a spreadsheet could take it for a formula.

    Full-width signs and leading blanks or invisible characters count too: some programs fold or trim
    them (OWASP, CSV injection).
    """
    folded = unicodedata.normalize("NFKC", clean(cell)).lstrip()
    return f"'{cell}" if folded.startswith(_SIGNS) or cell.startswith(_CONTROLS) else cell
