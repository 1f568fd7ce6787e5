"""A paper as an Excel file: its words and key figures, then a sheet for every table and every chart.

Numbers are numbers, charts are native and read their cells; text is written as text, so that nothing a citizen
or an official wrote is ever run as a formula.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, time
from io import BytesIO

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from desk.papers.document import (
    DRAFT,
    EMPTY,
    Chart,
    Figure,
    Heading,
    Paper,
    Paragraph,
    Part,
    Table,
    key_figures,
    prepare,
    table_of,
)
from desk.papers.words import address, cut, day, ems
from desk.papers.xlsx_names import names_of

LONGEST_CELL = 32_000
"""Characters; Excel takes 32,767."""
HEAD = 4
"""Row of a sheet, from 0, where its columns are named; above it title, period, note and the way back."""
TEXT_WIDTH, MOST_WIDTH, LEAST_WIDTH = 100, 60, 8
"""Widths of columns in characters."""
CHART_SIZE = (760, 380)
"""Pixels."""
FRONT = "正文"
_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": True,
}


def xlsx_of(paper: Paper, *, base_url: str = "") -> bytes:
    """The Excel file; its figures are links below ``base_url``, an http address, if that is given."""
    ready = prepare(paper)
    out = BytesIO()
    book = Workbook(out, _OPTIONS)
    at = datetime.combine(ready.dated, time())
    book.set_properties({"title": ready.title, "author": ready.issuer, "created": at})
    _Book(book, base_url).write(ready)
    book.close()
    return out.getvalue()


class _Book:
    """A workbook being written, with its formats."""

    def __init__(self, book: Workbook, base_url: str) -> None:
        self._book = book
        self._base_url = base_url
        self._formats: dict[str, Format] = {}
        self._title = book.add_format({"bold": True, "font_size": 16})
        self._bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._draft = book.add_format({"bold": True, "font_color": "#C00000"})
        self._dim = book.add_format({"font_color": "#556273"})
        self._wrap = book.add_format({"text_wrap": True, "valign": "top"})
        self._link = book.add_format({"font_color": "#1F5FBF", "underline": 1})
        self._head = book.add_format(
            {"bold": True, "bg_color": "#E7EFFB", "border": 1, "text_wrap": True, "align": "center"}
        )

    def write(self, paper: Paper) -> None:
        """All sheets of ``paper``."""
        tables = [block for block in paper.blocks if isinstance(block, Table | Chart)]
        names = names_of([one.title for one in tables], taken=FRONT)
        front = self._book.add_worksheet(FRONT)
        self._front(front, paper, names)
        for name, block in zip(names, tables, strict=True):
            sheet = self._book.add_worksheet(name)
            table = table_of(block) if isinstance(block, Chart) else block
            self._table(sheet, table, paper)
            if isinstance(block, Chart) and table.rows and block.series:
                self._chart(sheet, block, name)

    def _front(self, sheet: Worksheet, paper: Paper, names: Sequence[str]) -> None:
        sheet.set_column(0, 0, TEXT_WIDTH)
        sheet.set_column(1, 1, 16)
        lines = [(paper.title, self._title), *((words, self._dim) for words in _about(paper))]
        lines += [(DRAFT, self._draft)] if paper.is_draft else []
        lines += [(f"主送：{paper.to}", self._wrap)] if paper.to else []
        for block in paper.blocks:
            if isinstance(block, Heading):
                lines.append((block.text, self._bold))
            elif isinstance(block, Paragraph):
                words = "".join(p.shown if isinstance(p, Figure) else p for p in block.parts)
                lines.append((words, self._wrap))
        for row, (words, form) in enumerate(lines):
            _text(sheet, row, 0, words, form)
        row = self._key_figures(sheet, paper, len(lines) + 1)
        for n, name in enumerate(names):
            self._inside(sheet, row + n, name, name)

    def _key_figures(self, sheet: Worksheet, paper: Paper, row: int) -> int:
        """The numbers of the text in a list from ``row``; returns the row after it."""
        found = list(key_figures(paper))
        if not found:
            return row
        for column, words in enumerate(("关键数字", "数值")):
            _text(sheet, row, column, words, self._head)
        for n, (words, figure) in enumerate(found, start=row + 1):
            _text(sheet, n, 0, words, self._wrap)
            self._part(sheet, n, 1, figure)
        return row + len(found) + 2

    def _table(self, sheet: Worksheet, table: Table, paper: Paper) -> None:
        _text(sheet, 0, 0, table.title, self._title)
        _text(sheet, 1, 0, "　".join(filter(None, (_days(paper), _state(paper)))), self._dim)
        _text(sheet, 2, 0, "　".join(filter(None, (paper.note, table.note))), self._dim)
        self._inside(sheet, 3, FRONT, "返回正文")
        sheet.freeze_panes(HEAD + 1, 1)
        for column, words in enumerate(table.columns):
            _text(sheet, HEAD, column, words, self._head)
            sheet.set_column(column, column, _width(table, column))
        for n, row in enumerate(table.rows, start=HEAD + 1):
            for column, part in enumerate(row):
                self._part(sheet, n, column, part)
        if table.columns and table.rows:
            sheet.autofilter(HEAD, 0, HEAD + len(table.rows), len(table.columns) - 1)
        else:
            _text(sheet, HEAD + 1, 0, EMPTY, self._dim)
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(HEAD)

    def _part(self, sheet: Worksheet, row: int, column: int, part: Part) -> None:
        if not isinstance(part, Figure):
            _text(sheet, row, column, part, self._wrap)
            return
        where = address(part.link, self._base_url)
        form = self._number(part, is_link=bool(where))
        if where:
            sheet.write_url(row, column, where, form, cut(part.shown, 100))
        if part.value is None:
            _text(sheet, row, column, part.shown, form)
        else:
            sheet.write_number(row, column, part.value, form)

    def _number(self, figure: Figure, *, is_link: bool) -> Format:
        """A number with as many decimals as its text has."""
        found = re.search(r"\.(\d+)", figure.text)
        decimals = len(found[1]) if found else 0
        pattern = ("0" if figure.percent else "#,##0") + ("." + "0" * decimals if decimals else "")
        pattern += "%" if figure.percent else ""
        key = f"{pattern}{is_link}"
        if key not in self._formats:
            look = {"font_color": "#1F5FBF", "underline": 1} if is_link else {}
            self._formats[key] = self._book.add_format(
                {"num_format": pattern, "align": "right", "valign": "top"} | look
            )
        return self._formats[key]

    def _chart(self, sheet: Worksheet, block: Chart, name: str) -> None:
        chart = self._book.add_chart({"type": block.kind})
        last = HEAD + len(block.categories)
        for n, one in enumerate(block.series, start=1):
            chart.add_series(
                {
                    "name": cut(one.name, 100),
                    "categories": [name, HEAD + 1, 0, last, 0],
                    "values": [name, HEAD + 1, n, last, n],
                }
            )
        chart.set_title({"name": cut(block.title, 60), "name_font": {"size": 14}})
        chart.set_y_axis({"name": block.unit, "major_gridlines": {"visible": True}})
        chart.set_x_axis({"name": block.axis})
        if block.kind == "bar":
            chart.set_y_axis({"reverse": True, "name": block.axis})
            chart.set_x_axis({"name": block.unit})
        chart.set_legend({"position": "bottom"} if len(block.series) > 1 else {"none": True})
        chart.set_size({"width": CHART_SIZE[0], "height": CHART_SIZE[1]})
        sheet.insert_chart(HEAD, len(block.series) + 2, chart, {"description": block.title[:250]})

    def _inside(self, sheet: Worksheet, row: int, name: str, words: str) -> None:
        sheet.write_url(row, 0, f"internal:'{name}'!A1", self._link, words)


def _text(sheet: Worksheet, row: int, column: int, words: str, form: Format) -> None:
    sheet.write_string(row, column, words[:LONGEST_CELL], form)


def _width(table: Table, column: int) -> float:
    """Characters that the widest cell needs, a Chinese one counted twice."""
    cells = (row[column] for row in (table.columns, *table.rows))
    widest = max(ems(one.shown if isinstance(one, Figure) else one) for one in cells)
    return min(MOST_WIDTH, max(LEAST_WIDTH, widest * 2 + 4))


def _days(paper: Paper) -> str:
    return f"统计时段：{paper.period}" if paper.period else ""


def _state(paper: Paper) -> str:
    return DRAFT if paper.is_draft else ""


def _about(paper: Paper) -> list[str]:
    """The lines below the title of the first sheet; none of them empty."""
    office = "　".join(filter(None, (paper.issuer, paper.number, day(paper.dated))))
    return [
        one
        for one in (paper.kind_name, office, paper.urgency, _days(paper), paper.note)
        if one
    ]  # fmt: skip
