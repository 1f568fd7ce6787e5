"""The Word file, read back."""

import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

import docx
import pytest
from bulletins import HUB, QUERY, huge, words
from docx.document import Document
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph as Line

from desk.papers.document import Paper
from desk.papers.docx import docx_of


@pytest.fixture
def read(bulletin: Callable[..., Paper]) -> Callable[..., Document]:
    def make(base_url: str = "", **other: Any) -> Document:
        return docx.Document(BytesIO(docx_of(bulletin(**other), base_url=base_url)))

    return make


def find(document: Document, words: str) -> Line:
    return next(one for one in document.paragraphs if words in one.text)


def face(line: Line) -> tuple[str, float]:
    run = line.runs[0]
    fonts = run._element.rPr.rFonts
    return fonts.get(qn("w:eastAsia")), run.font.size.pt


def test_page_is_that_of_the_standard(read: Callable[..., Document]) -> None:
    section = read().sections[0]
    sizes = [section.page_width, section.page_height, section.top_margin, section.bottom_margin,
             section.left_margin, section.right_margin]  # fmt: skip
    assert [round(one.mm) for one in sizes] == [210, 297, 37, 35, 28, 26]
    grid = section._sectPr.find(qn("w:docGrid"))
    assert (grid.get(qn("w:type")), grid.get(qn("w:linePitch"))) == ("linesAndChars", "560")


@pytest.mark.parametrize(
    ("said", "font", "points"),
    [("敦化市城市管理联席会议办公室", "方正小标宋简体", 31.6), ("关于2026年11月", "方正小标宋简体", 22), ("全市共受理", "仿宋_GB2312", 16),
     ("一、总体情况", "黑体", 16), ("（一）分区域", "楷体_GB2312", 16), ("1. 突出问题", "仿宋_GB2312", 16), ("抄送：", "仿宋_GB2312", 14)],
)  # fmt: skip
def test_fonts(read: Callable[..., Document], said: str, font: str, points: float) -> None:
    name, size = face(find(read(), said))
    assert name == font
    assert size == pytest.approx(points, abs=0.5)


def test_masthead_is_red_and_lines_stand_28_points_apart(read: Callable[..., Document]) -> None:
    document = read()
    assert str(document.paragraphs[0].runs[0].font.color.rgb) == "E60012"
    body = find(document, "全市共受理").paragraph_format
    assert body.line_spacing.pt == 28
    assert body.first_line_indent.pt == 32


def test_every_part_of_an_official_paper_is_there(read: Callable[..., Document]) -> None:
    said = "\n".join(line.text for line in read(signed_by="分管副市长", urgency="特急").paragraphs)
    for part in ("特急", "民声月报", "敦联办〔2026〕11号\t签发人：分管副市长", "（2026年11月1日至30日）", "各街道办事处：\n",
                 "12,345", "95.6%", "二、下一步要求\n一是压实责任。\n二是按时办结。", "2026年12月1日\n（按受理时间统计",
                 "抄送：市政府办公室。", "办公室\t2026年12月1日印发"):  # fmt: skip
        assert part in said


def test_tables_and_charts_are_tables_of_numbers(read: Callable[..., Document]) -> None:
    first, line, *_ = read().tables
    assert [[c.text for c in row.cells] for row in first.rows] == [
        ["问题", "件数", "说明"], ["乱扔垃圾", "3,210", "=cmd()"], ["乱排污水", "—", "@SUM(1)"],
    ]  # fmt: skip
    assert [c.text for c in line.rows[2].cells] == ["2日", "—", "4"]
    assert first.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
    assert first.rows[1].cells[1].paragraphs[0].alignment == 2


@pytest.mark.parametrize(("base", "links"), [("", 0), (HUB, 3), ("javascript:alert(1)", 0)])
def test_figures_are_links(read: Callable[..., Document], base: str, links: int) -> None:
    document = read(base)
    assert len(document.element.body.findall(f".//{qn('w:hyperlink')}")) == links
    outside = [r.target_ref for r in document.part.rels.values() if r.is_external]
    assert set(outside) == ({HUB + QUERY} if links else set())


@pytest.mark.parametrize("draft", [True, False])
def test_a_draft_says_so_on_every_page(read: Callable[..., Document], *, draft: bool) -> None:
    section = read(is_draft=draft).sections[0]
    for header in (section.header, section.even_page_header):
        assert ("草稿　未签发" in header.paragraphs[0].text) is draft
    for footer, side in ((section.footer, 2), (section.even_page_footer, 0)):
        assert footer.paragraphs[0].text == "—  —"
        assert footer.paragraphs[0].alignment == side
        assert footer.paragraphs[0].runs[0].font.name == "宋体"


ORDER = [
    "pStyle",
    "keepNext",
    "keepLines",
    "pageBreakBefore",
    "framePr",
    "widowControl",
    "numPr",
    "suppressLineNumbers",
    "pBdr",
    "shd",
    "tabs",
    "suppressAutoHyphens",
    "kinsoku",
    "wordWrap",
    "overflowPunct",
    "topLinePunct",
    "autoSpaceDE",
    "autoSpaceDN",
    "bidi",
    "adjustRightInd",
    "snapToGrid",
    "spacing",
    "ind",
    "contextualSpacing",
    "mirrorIndents",
    "suppressOverlap",
    "jc",
    "textDirection",
    "textAlignment",
    "textboxTightWrap",
    "outlineLvl",
    "divId",
    "cnfStyle",
    "rPr",
    "sectPr",
]
"""ECMA-376 part 1, 17.3.1.26: Word calls a file broken whose properties stand in another order."""


def test_properties_stand_in_the_order_word_demands(read: Callable[..., Document]) -> None:
    document = read(HUB, signed_by="分管副市长")
    section = document.sections[0]
    roots = [document.element, section.header._element, section.even_page_footer._element]
    found = [one for root in roots for one in root.iter(qn("w:pPr"))]
    assert len(found) > 60
    for properties in found:
        places = [ORDER.index(one.tag.split("}")[1]) for one in properties]
        assert places == sorted(set(places))


def test_anything_can_be_written(read: Callable[..., Document]) -> None:
    said = "\n".join(line.text for line in read(HUB, blocks=huge(), title=words()).paragraphs)
    assert "甲乙丙丁<b onclick=x>&\"'戊😀𠮷" in said
    assert said.count("本期无数据") == 3


def test_the_same_paper_is_the_same_file(bulletin: Callable[..., Paper]) -> None:
    made = docx_of(bulletin(), base_url=HUB)
    assert made == docx_of(bulletin(), base_url=HUB)
    with zipfile.ZipFile(BytesIO(made)) as archive:
        assert {one.date_time[0] for one in archive.infolist()} == {1980}
    core = docx.Document(BytesIO(made)).core_properties
    assert (core.title, core.created.year) == ("关于2026年11月民声诉求办理情况的通报", 2026)
