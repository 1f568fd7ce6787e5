"""A paper as a Word file in the official format.

Source: GB/T 9704-2012 党政机关公文格式: A4, core of 156 by 225 mm, 22 lines of 28 characters of 三号 (16 pt) 仿宋.
Charts become tables of their numbers.
"""

from __future__ import annotations

from datetime import UTC, datetime, time

import docx
from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH as ALIGN
from docx.enum.text import WD_TAB_ALIGNMENT
from docx.shared import Pt
from docx.text.paragraph import Paragraph as Line

from desk.papers import docx_parts as parts
from desk.papers.document import (
    DRAFT,
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
from desk.papers.docx_table import put_table
from desk.papers.words import address, day, ems

MASTHEAD, KIND, TITLE, BODY, SMALL = 36.0, 26.0, 22.0, 16.0, 14.0
"""Points: 发文机关标志 at most, kind of the paper, 二号, 三号, 四号."""
CORE = 442.0
"""Points between the side margins: 156 mm."""
HEADINGS = (
    (parts.FIRST, False),
    (parts.SECOND, False),
    (parts.BODY, True),
    (parts.BODY, False),
)
"""Font and boldness of headings, by level."""


def docx_of(paper: Paper, *, base_url: str = "") -> bytes:
    """The Word file; its figures are links below ``base_url``, an http address, if that is given."""
    ready = prepare(paper)
    document = docx.Document()
    _properties(document, ready)
    parts.base(document)
    parts.page(document.sections[0])
    _every_page(document, is_draft=ready.is_draft)
    _head(document, ready)
    for block in ready.blocks:
        _block(document, block, base_url)
    _signature(document, ready)
    _imprint(document, ready)
    return parts.packed(document)


def _properties(document: Document, paper: Paper) -> None:
    at = datetime.combine(paper.dated, time(), UTC)
    core = document.core_properties
    core.title, core.author = paper.title[:255], paper.issuer[:255]
    core.last_modified_by, core.comments = paper.issuer[:255], ""
    core.subject, core.language = paper.kind_name[:255], "zh-CN"
    core.created = core.modified = at


def _every_page(document: Document, *, is_draft: bool) -> None:
    document.settings.odd_and_even_pages_header_footer = True
    section = document.sections[0]
    for footer, align, side in (
        (section.footer, ALIGN.RIGHT, "right"),
        (section.even_page_footer, ALIGN.LEFT, "left"),
    ):
        line = parts.place(footer.paragraphs[0], align, line=None, size=SMALL, **{side: 1.0})
        _say(line, "— ", parts.NUMBER, SMALL)
        parts.field(line, "PAGE", parts.NUMBER, SMALL)
        _say(line, " —", parts.NUMBER, SMALL)
    for header in (section.header, section.even_page_header) if is_draft else ():
        line = parts.place(header.paragraphs[0], ALIGN.CENTER, line=None)
        parts.dress(line.add_run(DRAFT), parts.FIRST, BODY, color=parts.RED)


def _head(document: Document, paper: Paper) -> None:
    if paper.urgency:
        _say(parts.place(document.add_paragraph()), paper.urgency, parts.FIRST, BODY)
    for words, most in ((paper.issuer, MASTHEAD), (paper.kind_name, KIND)):
        size = max(BODY, min(most, CORE / max(ems(words), 1)))
        line = parts.place(document.add_paragraph(), ALIGN.CENTER, line=Pt(size * 1.5))
        parts.dress(line.add_run(words), parts.TITLE, size, color=parts.RED)
    parts.place(document.add_paragraph())
    _number(document, paper)
    parts.rule(document, parts.RULE_RED, str(parts.RED))
    parts.place(document.add_paragraph())
    title = parts.place(document.add_paragraph(), ALIGN.CENTER, line=Pt(TITLE * 1.6))
    _say(title, paper.title, parts.TITLE, TITLE)
    if paper.period:
        period = parts.place(document.add_paragraph(), ALIGN.CENTER)
        _say(period, f"（{paper.period}）", parts.SECOND, BODY)
    parts.place(document.add_paragraph())
    if paper.to:
        to = parts.place(document.add_paragraph())
        _say(to, f"{paper.to}：", parts.BODY, BODY)


def _number(document: Document, paper: Paper) -> None:
    """The line of 发文字号; with 签发人 the number goes left and the name right, a character off the edge."""
    line = document.add_paragraph()
    if not paper.signed_by:
        _say(parts.place(line, ALIGN.CENTER), paper.number, parts.BODY, BODY)
        return
    parts.place(line, left=1.0, right=1.0)
    line.paragraph_format.tab_stops.add_tab_stop(Pt(CORE - BODY), WD_TAB_ALIGNMENT.RIGHT)
    _say(line, f"{paper.number}\t签发人：", parts.BODY, BODY)
    _say(line, paper.signed_by, parts.SECOND, BODY)


def _block(document: Document, block: Block, base_url: str) -> None:
    match block:
        case Heading():
            font, bold = HEADINGS[block.level - 1]
            line = parts.place(document.add_paragraph(), first=2.0)
            line.paragraph_format.keep_with_next = True
            outline = parts.element("outlineLvl", val=str(block.level - 1))
            line._element.get_or_add_pPr().append(outline)
            parts.dress(line.add_run(block.text), font, BODY, bold=bold)
        case Paragraph():
            line = parts.place(document.add_paragraph(), ALIGN.JUSTIFY, first=2.0)
            for part in block.parts:
                _part(line, part, base_url)
        case Table():
            put_table(document, block, base_url)
        case Chart():
            put_table(document, table_of(block), base_url)


def _part(line: Line, part: Part, base_url: str) -> None:
    if not isinstance(part, Figure):
        _say(line, part, parts.BODY, BODY)
        return
    run = parts.dress(line.add_run(part.shown), parts.BODY, BODY)
    if where := address(part.link, base_url):
        parts.link(line, run, where)


def _say(line: Line, words: str, font: str, size: float) -> None:
    parts.dress(line.add_run(words), font, size)


def _signature(document: Document, paper: Paper) -> None:
    """署名 and 成文日期: the date ends four characters off the edge, the office is centered over it."""
    parts.place(document.add_paragraph())
    dated = day(paper.dated)
    off = 4.0 + (ems(dated) - ems(paper.issuer)) / 2
    date_off = 4.0 if off >= 0 else 4.0 - off
    for words, right in ((paper.issuer, max(off, 0.0)), (dated, date_off)):
        line = parts.place(document.add_paragraph(), ALIGN.RIGHT, right=right)
        line.paragraph_format.keep_with_next = True
        _say(line, words, parts.BODY, BODY)
    if paper.note:
        note = parts.place(document.add_paragraph(), first=2.0)
        _say(note, f"（{paper.note}）", parts.BODY, BODY)


def _imprint(document: Document, paper: Paper) -> None:
    """版记 in 四号: who gets copies, who printed it and when, between a bold, a thin and a bold rule."""
    parts.place(document.add_paragraph())
    parts.rule(document, parts.RULE_BOLD)
    if paper.copied_to:
        copied = _small(document, left=4.0, first=-3.0)
        _say(copied, f"抄送：{paper.copied_to}。", parts.BODY, SMALL)
        parts.rule(document, parts.RULE)
    line = _small(document, left=1.0)
    line.paragraph_format.tab_stops.add_tab_stop(Pt(CORE - SMALL), WD_TAB_ALIGNMENT.RIGHT)
    _say(line, f"{paper.issuer}\t{day(paper.dated)}印发", parts.BODY, SMALL)
    parts.rule(document, parts.RULE_BOLD).paragraph_format.keep_with_next = False


def _small(document: Document, *, left: float, first: float = 0) -> Line:
    line = parts.place(
        document.add_paragraph(), left=left, first=first, right=1.0, line=Pt(24), size=SMALL
    )
    line.paragraph_format.keep_together = line.paragraph_format.keep_with_next = True
    return line
