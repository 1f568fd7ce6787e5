"""A paper as a PDF: the layout of GB/T 9704-2012 as far as two faces can follow it, charts drawn as vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

from desk.papers.breaking import Span
from desk.papers.document import (
    Block,
    Chart,
    Figure,
    Heading,
    Paper,
    Paragraph,
    Part,
    Table,
    prepare,
    table_of,
)
from desk.papers.pdf_canvas import BLACK, BOTTOM, CORE, DEPTH, LEFT, RED, RIGHT, Canvas, Face
from desk.papers.pdf_chart import chart_depth, put_chart
from desk.papers.pdf_table import put_table
from desk.papers.plotting import plot
from desk.papers.words import address, day, ems

MASTHEAD, KIND, TITLE, BODY, SMALL = 36.0, 26.0, 22.0, 16.0, 14.0
"""Points: 发文机关标志 at most, kind of the paper, 二号, 三号, 四号."""
LINE, SMALL_LINE = 28.0, 24.0
HEADINGS: tuple[tuple[Face, bool], ...] = (
    ("sans", False),
    ("serif", True),
    ("serif", True),
    ("serif", False),
)
"""Face and boldness of headings, by level."""
HIGHEST = 900.0
"""Units of a plot; a higher one becomes its table."""


def pdf_of(paper: Paper, *, base_url: str = "") -> bytes:
    """The PDF; its figures are links below ``base_url``, an http address, if that is given.

    It takes a second of the processor: call it in a thread.
    """
    ready = prepare(paper)
    canvas = Canvas(is_draft=ready.is_draft)
    canvas.describe(title=ready.title, author=ready.issuer, dated=ready.dated)
    _head(canvas, ready)
    for n, block in enumerate(ready.blocks):
        canvas.need(_together(ready.blocks[n:]))
        _block(canvas, block, base_url)
    _signature(canvas, ready)
    _imprint(canvas, ready)
    return canvas.bytes()


def _head(canvas: Canvas, paper: Paper) -> None:
    if paper.urgency:
        canvas.font("sans", BODY)
        canvas.say(paper.urgency, lead=LINE)
    for words, most in ((paper.issuer, MASTHEAD), (paper.kind_name, KIND)):
        size = max(BODY, min(most, CORE / max(ems(words), 1)))
        canvas.font("serif", size)
        canvas.say(words, lead=size * 1.5, align="center", color=RED, bold=True)
    canvas.y += LINE
    _number(canvas, paper)
    canvas.y += 11
    canvas.stroke(((LEFT, canvas.y), (RIGHT, canvas.y)), RED, 1.5)
    canvas.y += LINE
    canvas.mark(paper.title, 0)
    canvas.font("serif", TITLE)
    canvas.say(paper.title, lead=TITLE * 1.6, align="center", bold=True)
    canvas.font("serif", BODY)
    if paper.period:
        canvas.say(f"（{paper.period}）", lead=LINE, align="center")
    canvas.y += LINE
    if paper.to:
        canvas.say(f"{paper.to}：", lead=LINE)


def _number(canvas: Canvas, paper: Paper) -> None:
    """The line of 发文字号; with 签发人 the number goes left and the name right, a character off the edge."""
    canvas.font("serif", BODY)
    if not paper.signed_by:
        canvas.say(paper.number, lead=LINE, align="center")
        return
    canvas.pair(paper.number, f"签发人：{paper.signed_by}", lead=LINE, inset=BODY)


def _together(blocks: Sequence[Block]) -> float:
    """Points that must be left on a page for headings to stay with what they head; 0 before other blocks."""
    heads = list(takewhile(lambda one: isinstance(one, Heading), blocks))
    if not heads:
        return 0.0
    after = blocks[len(heads)] if len(heads) < len(blocks) else None
    deep = chart_depth(plot(after)) if isinstance(after, Chart) else LINE * 4
    return LINE * len(heads) + min(deep, DEPTH / 2)


def _block(canvas: Canvas, block: Block, base_url: str) -> None:
    match block:
        case Heading():
            face, bold = HEADINGS[block.level - 1]
            canvas.mark(block.text, block.level)
            canvas.font(face, BODY)
            canvas.say(block.text, lead=LINE, first=BODY * 2, bold=bold)
        case Paragraph():
            canvas.font("serif", BODY)
            canvas.say(spans_of(block.parts, base_url), lead=LINE, align="justify", first=BODY * 2)
        case Table():
            put_table(canvas, block, base_url)
        case Chart():
            drawn = plot(block)
            if drawn.height > HIGHEST or not block.series:
                put_table(canvas, table_of(block), base_url)
            else:
                put_chart(canvas, block.title, drawn)


def spans_of(parts: Iterable[Part], base_url: str) -> list[Span]:
    """``parts`` as spans, with the whole address of each figure."""
    return [
        Span(one.shown, address(one.link, base_url)) if isinstance(one, Figure) else Span(one)
        for one in parts
    ]


def _signature(canvas: Canvas, paper: Paper) -> None:
    """署名 and 成文日期: the date ends four characters off the edge, the office is centered over it."""
    canvas.font("serif", BODY)
    canvas.need(LINE * 3)
    canvas.y += LINE
    issuer, dated = canvas.known(paper.issuer), day(paper.dated)
    wide, narrow = canvas.measure(issuer), canvas.measure(dated)
    middle = RIGHT - max(4 * BODY + narrow / 2, min(wide, CORE) / 2)
    if wide > CORE:
        canvas.say(issuer, lead=LINE, align="right")
    else:
        canvas.put(middle - wide / 2, canvas.y, issuer, lead=LINE)
        canvas.y += LINE
    canvas.need(LINE)
    canvas.put(middle - narrow / 2, canvas.y, dated, lead=LINE)
    canvas.y += LINE
    if paper.note:
        canvas.say(f"（{paper.note}）", lead=LINE, first=BODY * 2)


def _imprint(canvas: Canvas, paper: Paper) -> None:
    """版记 in 四号 at the foot of the last page: copies, office and day between a bold, a thin and a bold rule."""
    canvas.font("serif", SMALL)
    copied = f"抄送：{paper.copied_to}。" if paper.copied_to else ""
    copies = len(canvas.lines([Span(copied)], CORE - 2 * SMALL)) if copied else 0
    printing = f"{day(paper.dated)}印发"
    last = canvas.pair_depth(paper.issuer, printing, lead=SMALL_LINE, inset=SMALL)
    depth = SMALL_LINE * copies + last
    canvas.need(min(depth + LINE, DEPTH))
    canvas.y = max(BOTTOM - depth, canvas.y)
    _rule(canvas, 1.0)
    if copied:
        canvas.say(copied, lead=SMALL_LINE, inset=SMALL)
        _rule(canvas, 0.7)
    canvas.pair(paper.issuer, printing, lead=SMALL_LINE, inset=SMALL)
    _rule(canvas, 1.0)


def _rule(canvas: Canvas, width: float) -> None:
    canvas.stroke(((LEFT, canvas.y), (RIGHT, canvas.y)), BLACK, width)
