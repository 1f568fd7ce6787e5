"""A table in a Word file: 小四 (12 pt) on the whole width, its head on every page, numbers to the right."""

from __future__ import annotations

from docx.document import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH as ALIGN
from docx.shared import Pt
from docx.table import Table as Grid
from docx.table import _Cell

from desk.papers import docx_parts as parts
from desk.papers.document import EMPTY, Figure, Part, Table, shares
from desk.papers.words import address

TEXT, TIGHT, LEAD = 12.0, 10.5, 1.35
"""Points of a cell, of one in a wide table, and the distance of its lines as a multiple."""
WIDE = 8
"""Columns from which a table is set smaller."""
CORE = 442.0


def put_table(document: Document, table: Table, base_url: str) -> None:
    """Adds ``table`` with its title above and its note below; without rows it says so in words."""
    title = parts.place(document.add_paragraph(), ALIGN.CENTER)
    title.paragraph_format.keep_with_next = True
    parts.dress(title.add_run(table.title), parts.FIRST, 14)
    if not table.columns or not table.rows:
        empty = parts.place(document.add_paragraph(), ALIGN.CENTER)
        parts.dress(empty.add_run(EMPTY), parts.BODY, TEXT)
    else:
        _fill(_grid(document, table), table, base_url)
    if table.note:
        note = parts.place(document.add_paragraph(), line=Pt(20))
        parts.dress(note.add_run(table.note), parts.BODY, TIGHT)
    parts.place(document.add_paragraph(), line=Pt(14))


def _grid(document: Document, table: Table) -> Grid:
    grid: Grid = document.add_table(rows=len(table.rows) + 1, cols=len(table.columns))
    grid.style = "Table Grid"
    grid.alignment = WD_TABLE_ALIGNMENT.CENTER
    grid.autofit = False
    for column, share in zip(grid.columns, shares(table), strict=True):
        column.width = Pt(CORE * share)
    return grid


def _fill(grid: Grid, table: Table, base_url: str) -> None:
    size = TEXT if len(table.columns) < WIDE else TIGHT
    widths = [Pt(CORE * share) for share in shares(table)]
    for n, (row, words) in enumerate(zip(grid.rows, (table.columns, *table.rows), strict=True)):
        properties = row._tr.get_or_add_trPr()
        properties.append(parts.element("cantSplit"))
        if n == 0:
            properties.append(parts.element("tblHeader"))
        for cell, part, width in zip(row.cells, words, widths, strict=True):
            cell.width = width
            _cell(cell, part, base_url=base_url, size=size, is_head=n == 0)


def _cell(cell: _Cell, part: Part, *, base_url: str, size: float, is_head: bool) -> None:
    is_number = isinstance(part, Figure)
    align = ALIGN.CENTER if is_head else ALIGN.RIGHT if is_number else ALIGN.LEFT
    line = parts.place(cell.paragraphs[0], align, line=Pt(size * LEAD), size=size)
    text = part.shown if isinstance(part, Figure) else part
    run = parts.dress(line.add_run(text), parts.FIRST if is_head else parts.BODY, size)
    if is_head:
        parts.fill(cell, "F2F2F2")
    if isinstance(part, Figure) and (where := address(part.link, base_url)):
        parts.link(line, run, where)
