"""Draws a table over as many pages as it needs, its head on each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from desk.papers.breaking import Line, Span
from desk.papers.document import EMPTY, Figure, Part, Table, shares
from desk.papers.pdf_canvas import BOTTOM, CORE, DEPTH, LEFT, Align, Canvas, Color
from desk.papers.words import address

TEXT, TIGHT, LEAD, WIDE = 12.0, 10.5, 1.45, 8
"""Points of a cell, of one in a table of ``WIDE`` columns or more, and the distance of lines as a multiple."""
TITLE, PAD = 14.0, 4.0
_RULE: Color = (90, 90, 90)
_SHADE: Color = (242, 242, 242)

Row = Sequence[tuple[Line, ...]]


def put_table(canvas: Canvas, table: Table, base_url: str) -> None:
    """``table`` with its title above and its note below; without rows it says so in words."""
    canvas.need(TITLE * 6)
    canvas.font("sans", TITLE)
    canvas.say(table.title, lead=TITLE * 2, align="center")
    if table.columns and table.rows:
        _Grid(canvas, table, base_url).write()
    else:
        canvas.font("serif", TEXT)
        canvas.say(EMPTY, lead=TEXT * 2, align="center")
    if table.note:
        canvas.font("serif", TIGHT)
        canvas.say(table.note, lead=TIGHT * 1.7)
    canvas.y += TITLE


class _Grid:
    """A table being drawn."""

    def __init__(self, canvas: Canvas, table: Table, base_url: str) -> None:
        self._canvas, self._table, self._base_url = canvas, table, base_url
        self._size = TEXT if len(table.columns) < WIDE else TIGHT
        self._lead = self._size * LEAD
        self._widths = [CORE * share for share in shares(table)]

    def write(self) -> None:
        """Head and rows; the head again after each turn of the page."""
        self._head()
        for parts in self._table.rows:
            self._canvas.font("serif", self._size)
            aligns: list[Align] = ["right" if isinstance(p, Figure) else "left" for p in parts]
            for row in self._slices(self._broken(parts)):
                self._row(row, aligns)

    def _head(self) -> None:
        self._canvas.font("sans", self._size)
        row = [lines[:12] for lines in self._broken(self._table.columns)]
        self._canvas.need(self._depth(row) + self._lead + 2 * PAD)
        self._row(row, ["center"] * len(row), shade=True)

    def _broken(self, parts: Sequence[Part]) -> list[tuple[Line, ...]]:
        return [
            self._canvas.lines([self._span(part)], width - 2 * PAD)
            for part, width in zip(parts, self._widths, strict=True)
        ]

    def _span(self, part: Part) -> Span:
        if isinstance(part, Figure):
            return Span(part.shown, address(part.link, self._base_url))
        return Span(part)

    def _slices(self, row: Row) -> Iterator[Row]:
        """``row`` whole, on a new page if need be; one deeper than a page is cut between its lines."""
        canvas = self._canvas
        rest: Row = row
        while True:
            if canvas.y + self._depth(rest) > BOTTOM and canvas.y > BOTTOM - DEPTH * 0.8:
                canvas.turn()
                self._head()
                canvas.font("serif", self._size)
            fits = max(1, int((BOTTOM - canvas.y - 2 * PAD) / self._lead))
            yield [lines[:fits] for lines in rest]
            rest = [lines[fits:] for lines in rest]
            if not any(rest):
                return

    def _depth(self, row: Row) -> float:
        return max(map(len, row)) * self._lead + 2 * PAD

    def _row(self, row: Row, aligns: Sequence[Align], *, shade: bool = False) -> None:
        canvas, depth, top = self._canvas, self._depth(row), self._canvas.y
        x = LEFT
        for lines, width, align in zip(row, self._widths, aligns, strict=True):
            if shade:
                canvas.fill(x, top, width, depth, _SHADE)
            box = ((x, top), (x + width, top), (x + width, top + depth), (x, top + depth), (x, top))
            canvas.stroke(box, _RULE, 0.5)
            canvas.y = top + PAD
            for line in lines:
                canvas.draw(line, x + PAD, width - 2 * PAD, lead=self._lead, align=align)
                canvas.y += self._lead
            x += width
        canvas.y = top + depth
