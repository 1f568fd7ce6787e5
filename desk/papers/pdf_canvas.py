"""Pages of a PDF with a cursor: text with links, rules, fonts. Lengths are points from the upper left corner.

Noto Serif SC stands for 仿宋 and 小标宋, Noto Sans SC for 黑体. Both are under OFL 1.1; of each, only the characters
in use are embedded.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Literal

from fpdf import FPDF
from fpdf.enums import TextMode
from fpdf.fonts import TTFFont
from pylopdf_fonts_zh_cn import sans_path, serif_path

from desk.papers.breaking import Line, Span, lines_of
from desk.papers.document import DRAFT
from desk.papers.words import GETA

MM = 72 / 25.4
LEFT, TOP, RIGHT, BOTTOM = 28 * MM, 37 * MM, 184 * MM, 262 * MM
"""Edges of the core, as GB/T 9704-2012 sets them."""
CORE, DEPTH = RIGHT - LEFT, BOTTOM - TOP
NUMBER = 14.0
"""Points of page numbers, 四号."""
BLACK, RED, BLUE = (0, 0, 0), (230, 0, 18), (31, 95, 191)
_BASELINE = 0.36
"""How far below the middle of a line, in ems, its baseline is."""
_STROKE = 0.028
"""Ems of outline that make a regular face look bold."""

Color = tuple[int, int, int]
Face = Literal["serif", "sans"]
Align = Literal["left", "center", "right", "justify"]

logging.getLogger("fontTools").setLevel(logging.ERROR)


class Canvas:
    """A PDF being drawn; ``y`` is where the next line begins."""

    def __init__(self, *, is_draft: bool) -> None:
        self._pdf = FPDF(unit="pt", format="A4")
        self._pdf.set_auto_page_break(False)
        self._pdf.set_margin(0)
        for face, path in (("serif", serif_path()), ("sans", sans_path())):
            self._pdf.add_font(face, "", path)
        self._is_draft = is_draft
        self._widths: dict[tuple[str, str], float] = {}
        self._face: Face = "serif"
        self._size = 0.0
        self.y = TOP
        self.turn()

    def describe(self, *, title: str, author: str, dated: date) -> None:
        """What the file says of itself; its day stands for a clock, so that a paper is always the same file."""
        self._pdf.set_title(title)
        self._pdf.set_author(author)
        self._pdf.set_lang("zh-CN")
        self._pdf.set_creation_date(datetime.combine(dated, time(), UTC))

    def turn(self) -> None:
        """A new page with its number, right on odd ones and left on even ones, and the mark of a draft."""
        self._pdf.add_page()
        number = self._pdf.page_no()
        self.font("serif", NUMBER)
        words = f"— {number} —"
        wide = self.measure(words)
        x = RIGHT - NUMBER - wide if number % 2 else LEFT + NUMBER
        self.put(x, BOTTOM + 7 * MM, words, lead=NUMBER)
        if self._is_draft:
            self.font("sans", 16)
            x = (LEFT + RIGHT - self.measure(DRAFT)) / 2
            self.put(x, TOP - 15 * MM, DRAFT, lead=16, color=RED)
        self.y = TOP

    def need(self, depth: float) -> None:
        """Turns the page unless ``depth`` points are left on it."""
        if self.y + depth > BOTTOM + 0.01 and self.y > TOP:
            self.turn()

    def font(self, face: Face, size: float) -> None:
        """The face and size of what follows."""
        self._face, self._size = face, size
        self._pdf.set_font(face, size=size)

    def measure(self, text: str) -> float:
        """Width of ``text`` in the font of now, after ``known``."""
        return sum(map(self._em, text)) * self._size

    def known(self, text: str) -> str:
        """``text`` with 〓 for what the font lacks; what only changes its neighbor (joiners, variants) goes."""
        cmap = self._font().cmap
        return "".join(
            char if ord(char) in cmap or char == "\n" else "" if _is_mark(char) else GETA
            for char in text
        )

    def put(
        self,
        x: float,
        y: float,
        text: str,
        *,
        lead: float,
        color: Color = BLACK,
        link: str = "",
        bold: bool = False,
        spread: float = 0,
    ) -> float:
        """``text`` on the line that begins at ``y`` and is ``lead`` high; returns where it ends."""
        shown = self.known(text.replace("\n", " "))
        end = x + self.measure(shown) + spread * len(shown)
        pdf = self._pdf
        pdf.set_text_color(*color)
        pdf.set_draw_color(*color)
        pdf.set_line_width(self._size * _STROKE)
        pdf.set_char_spacing(spread)
        with pdf.local_context(text_mode=TextMode.FILL_STROKE if bold else TextMode.FILL):
            pdf.text(x, y + lead / 2 + self._size * _BASELINE, shown)
        if link:
            pdf.link(x, y, end - x, lead, link)
        return end

    def lines(self, spans: Iterable[Span], room: float, first: float = 0) -> tuple[Line, ...]:
        """``spans`` broken into lines in the font of now."""
        known = (Span(self.known(one.text), one.link) for one in spans)
        return lines_of(known, self.measure, room, first=first)

    def draw(
        self,
        line: Line,
        x: float,
        room: float,
        *,
        lead: float,
        align: Align = "left",
        color: Color = BLACK,
        bold: bool = False,
    ) -> None:
        """One line of text at ``y``, which stays; links are blue."""
        spread = line.spread(room) if align == "justify" else 0.0
        x += {"center": 0.5, "right": 1.0}.get(align, 0.0) * (room - line.width)
        for span in line.spans:
            ink = BLUE if span.link else color
            x = self.put(
                x, self.y, span.text, lead=lead, color=ink, link=span.link, bold=bold, spread=spread
            )

    def say(
        self,
        spans: Iterable[Span] | str,
        *,
        lead: float,
        align: Align = "left",
        first: float = 0,
        inset: float = 0,
        color: Color = BLACK,
        bold: bool = False,
    ) -> None:
        """A paragraph over the core, ``inset`` off both edges; the cursor goes below it."""
        given = [Span(spans)] if isinstance(spans, str) else spans
        room = CORE - 2 * inset
        for n, line in enumerate(self.lines(given, room, first)):
            off = first if n == 0 else 0.0
            self.need(lead)
            self.draw(
                line, LEFT + inset + off, room - off, lead=lead, align=align, color=color, bold=bold
            )
            self.y += lead

    def pair(self, left: str, right: str, *, lead: float, inset: float) -> None:
        """Words at either end of a line, ``inset`` off the edges; on lines of their own if they do not fit."""
        if self.pair_depth(left, right, lead=lead, inset=inset) > lead:
            self.say(left, lead=lead, inset=inset)
            self.say(right, lead=lead, inset=inset, align="right")
            return
        self.need(lead)
        self.put(LEFT + inset, self.y, left, lead=lead)
        x = RIGHT - inset - self.measure(self.known(right))
        self.put(x, self.y, right, lead=lead)
        self.y += lead

    def pair_depth(self, left: str, right: str, *, lead: float, inset: float) -> float:
        """Points that ``pair`` takes."""
        room = CORE - 2 * inset
        both = self.measure(self.known(left)) + self.measure(self.known(right)) + 2 * lead
        lines = [*self.lines([Span(left)], room), *self.lines([Span(right)], room)]
        return lead if both <= room else lead * len(lines)

    def stroke(
        self,
        points: Iterable[tuple[float, float]],
        color: Color,
        width: float,
        dash: tuple[float, float] | None = None,
    ) -> None:
        """A line through ``points``; ``dash`` is the length of a dash and of the gap after it."""
        pdf = self._pdf
        pdf.set_draw_color(*color)
        pdf.set_line_width(width)
        pdf.set_dash_pattern(*(dash or (0, 0)))
        pdf.polyline(list(points))
        pdf.set_dash_pattern()

    def fill(self, x: float, y: float, width: float, height: float, color: Color) -> None:
        """A filled box."""
        self._pdf.set_fill_color(*color)
        self._pdf.rect(x, y, width, height, style="F")

    def mark(self, name: str, level: int) -> None:
        """A bookmark here."""
        self._pdf.set_y(self.y)
        self._pdf.start_section(name, level, strict=False)

    def bytes(self) -> bytes:
        """The file."""
        return bytes(self._pdf.output())

    def _font(self) -> TTFFont:
        font = self._pdf.current_font
        if not isinstance(font, TTFFont):
            raise TypeError("desk: font: not one of those embedded; call font() first")
        return font

    def _em(self, char: str) -> float:
        key = (self._face, char)
        if key not in self._widths:
            self._widths[key] = self._font().cw[ord(char)] / 1000
        return self._widths[key]


def _is_mark(char: str) -> bool:
    return char == "\u200d" or "\ufe00" <= char <= "\ufe0f" or "\U0001f3fb" <= char <= "\U0001f3ff"
