"""Read a workbook apart from the hub: bytes on stdin, MessagePack on stdout.

Office files are hostile input: a cell at XFD1048576 makes any reader ask for gigabytes. Here the kernel
caps memory and time, so a bad file ends this process and nothing else. Macros and formulas are never
run: python-calamine knows the last stored values only. Run as a script; imports nothing of ours.

Arguments: greatest number of rows, of columns, of bytes of memory, of seconds, and the sheet wanted
(a name, or a number from 1; empty for every visible one). Answer: ``{"error", "sheets", "tables"}``, a
table being ``[name, rows, merges]``; dates are ISO 8601 text; merges ``[top, left, bottom, right]``.
"""

from __future__ import annotations

import io
import resource
import sys
from typing import Any

import msgspec
from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

SHEETS = 20


def main(max_rows: int, max_columns: int, memory: int, seconds: int, wanted: str) -> None:
    """Read stdin, answer on stdout."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    body = sys.stdin.buffer.read()
    try:
        answer = _read(body, max_rows, max_columns, wanted)
    except PasswordError:
        answer = {"error": "password"}
    except CalamineError:
        answer = {"error": "broken"}
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


def _read(body: bytes, max_rows: int, max_columns: int, wanted: str) -> dict[str, Any]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(body))
    shown = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    ]
    chosen = _choose(book.sheet_names, wanted) if wanted else shown[:SHEETS]
    tables = [_table(book, name, max_rows, max_columns) for name in chosen]
    return {"error": "", "sheets": book.sheet_names, "tables": tables}


def _choose(names: list[str], wanted: str) -> list[str]:
    if wanted in names:
        return [wanted]
    at = int(wanted) if wanted.isdecimal() else 0
    return names[at - 1 : at] if at else []


def _table(book: CalamineWorkbook, name: str, max_rows: int, max_columns: int) -> list[Any]:
    sheet = book.get_sheet_by_name(name)
    rows = sheet.to_python(skip_empty_area=False, nrows=max_rows + 1)
    merges = [
        [top, left, bottom, right]
        for (top, left), (bottom, right) in sheet.merged_cell_ranges or []
        if top <= max_rows and left <= max_columns
    ]
    return [name, [_row(row[: max_columns + 1]) for row in rows], merges]


def _row(row: list[Any]) -> list[Any]:
    cells = [
        cell
        if isinstance(cell, str | int | float)
        else cell.isoformat()
        if hasattr(cell, "isoformat")
        else str(cell)
        for cell in row
    ]
    while cells and cells[-1] == "":
        cells.pop()
    return cells


if __name__ == "__main__":
    rows, columns, memory, seconds = (int(word) for word in sys.argv[1:5])
    main(rows, columns, memory, seconds, sys.argv[5])
