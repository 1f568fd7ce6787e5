"""Small pieces of WordprocessingML that python-docx has no words for.

Fonts are set by name for Chinese and Latin alike, nothing is embedded; sizes are points, lengths millimeters
or as named. Sources: GB/T 9704-2012 公文格式, ECMA-376 part 1.
"""

from __future__ import annotations

import zipfile
from io import BytesIO

from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.section import Section
from docx.shared import Mm, Pt, RGBColor
from docx.table import _Cell
from docx.text.paragraph import Paragraph
from docx.text.run import Run

TITLE, BODY, SECOND, FIRST, NUMBER = (
    "方正小标宋简体",
    "仿宋_GB2312",
    "楷体_GB2312",
    "黑体",
    "宋体",
)
"""Fonts of title and masthead, body, second-level headings, first-level headings, page numbers."""
RED = RGBColor(0xE6, 0x00, 0x12)
LINE = Pt(28)
"""Distance of lines of the body: 22 of them on 225 mm."""
TIGHTER = -842
"""Change of a character's width in 1/4096 pt, so that 28 of 16 pt stand on 156 mm."""
RULE_RED, RULE_BOLD, RULE = 12, 8, 6
"""Width of rules in eighths of a point: below the masthead, 0.35 mm and 0.25 mm."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


def element(name: str, **attributes: str) -> BaseOxmlElement:
    """An element of the main namespace with attributes of the same."""
    made = OxmlElement(f"w:{name}")
    for key, value in attributes.items():
        made.set(qn(f"w:{key}"), value)
    return made


def dress(
    run: Run, font: str, size: float, *, bold: bool = False, color: RGBColor | None = None
) -> Run:
    """``run`` in the named font for every script."""
    run.font.size = Pt(size)
    run.font.bold = bold
    run.font.name = font
    if color is not None:
        run.font.color.rgb = color
    fonts = run._element.get_or_add_rPr().get_or_add_rFonts()
    fonts.set(qn("w:eastAsia"), font)
    fonts.set(qn("w:hint"), "eastAsia")
    return run


def place(
    paragraph: Paragraph,
    align: WD_ALIGN_PARAGRAPH | None = None,
    *,
    line: Pt | None = LINE,
    first: float = 0,
    left: float = 0,
    right: float = 0,
    size: float = 16,
) -> Paragraph:
    """``paragraph`` aligned, with indents in characters of ``size`` points and lines ``line`` apart.

    A negative ``first`` hangs the first line out.
    """
    form = paragraph.paragraph_format
    form.alignment = align
    form.space_before = form.space_after = Pt(0)
    if line is not None:
        form.line_spacing_rule = WD_LINE_SPACING.EXACTLY
        form.line_spacing = line
    indent = element("ind")
    start = "firstLine" if first > 0 else "hanging"
    for name, amount in (("left", left), ("right", right), (start, abs(first))):
        if amount:
            indent.set(qn(f"w:{name}"), str(round(amount * size * 20)))
            indent.set(qn(f"w:{name}Chars"), str(round(amount * 100)))
    if len(indent.attrib):
        properties = paragraph._element.get_or_add_pPr()
        properties._insert_ind(indent)
    return paragraph


def link(paragraph: Paragraph, run: Run, address: str) -> None:
    """Makes ``run``, the last of ``paragraph``, a link to ``address``."""
    relation = paragraph.part.relate_to(address, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    anchor = OxmlElement("w:hyperlink")
    anchor.set(qn("r:id"), relation)
    paragraph._element.append(anchor)
    anchor.append(run._element)


def rule(document: Document, width: int, color: str = "000000") -> Paragraph:
    """A horizontal rule over the whole core, ``width`` eighths of a point bold, kept with what follows."""
    line = place(document.add_paragraph(), line=Pt(3))
    line.paragraph_format.keep_with_next = True
    borders = element("pBdr")
    borders.append(element("bottom", val="single", sz=str(width), space="1", color=color))
    line._element.get_or_add_pPr().insert_element_before(
        borders, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:snapToGrid", "w:spacing", "w:ind", "w:jc"
    )  # fmt: skip
    return line


def fill(cell: _Cell, color: str) -> None:
    """A background for ``cell``, as RRGGBB."""
    cell._element.get_or_add_tcPr().append(element("shd", val="clear", color="auto", fill=color))


def field(paragraph: Paragraph, code: str, font: str, size: float) -> None:
    """A field that the reader's program computes, such as PAGE."""
    for kind in ("begin", code, "end"):
        run = dress(paragraph.add_run(), font, size)
        if kind == code:
            words = element("instrText")
            words.text = code
            run._element.append(words)
        else:
            run._element.append(element("fldChar", fldCharType=kind))


def page(section: Section) -> None:
    """A4 with the margins and the grid of the standard."""
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(37), Mm(35)
    section.left_margin, section.right_margin = Mm(28), Mm(26)
    section.header_distance, section.footer_distance = Mm(22), Mm(22)
    properties = section._sectPr
    for old in properties.findall(qn("w:docGrid")):
        properties.remove(old)
    pitch = str(round(LINE.pt * 20))
    properties.append(
        element("docGrid", type="linesAndChars", linePitch=pitch, charSpace=str(TIGHTER))
    )


def base(document: Document) -> None:
    """The body's font as the default one, so that what an official types looks the same."""
    style = document.styles["Normal"]
    style.font.size = Pt(16)
    style.font.name = BODY
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    fonts.set(qn("w:eastAsia"), BODY)


def packed(document: Document) -> bytes:
    """The file; the same paper gives the same bytes, since the archive carries no clock."""
    raw, out = BytesIO(), BytesIO()
    document.save(raw)
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(
                zipfile.ZipInfo(name, _EPOCH),
                old.read(name),
                compress_type=zipfile.ZIP_DEFLATED,
            )
    return out.getvalue()
