"""The PDF, read back by pypdf."""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

import pytest
from bulletins import BLOCKS, HUB, QUERY, huge, words
from pypdf import PdfReader

from desk.papers.document import Figure, Heading, Paper, Paragraph, Table
from desk.papers.pdf import pdf_of

made = cache(pdf_of)
"""A font takes half a second: the same paper is made once."""


@pytest.fixture
def read(bulletin: Callable[..., Paper]) -> Callable[..., PdfReader]:
    def make(base_url: str = "", **other: Any) -> PdfReader:
        return PdfReader(BytesIO(made(bulletin(**other), base_url=base_url)))

    return make


def pages_of(reader: PdfReader) -> list[str]:
    """The text of each page; pypdf reads the first byte of a two-byte code as a character of its own."""
    return [page.extract_text().replace("\0", "") for page in reader.pages]


def test_words_can_be_read_back(read: Callable[..., PdfReader]) -> None:
    reader = read(signed_by="分管副市长", urgency="特急")
    said = "".join(pages_of(reader)).replace("\n", "")
    for part in ("特急", "敦化市城市管理联席会议办公室", "民声月报", "签发人：分管副市长", "关于2026年11月民声诉求办理情况的通报",
                 "12,345", "95.6%", "一、总体情况", "（一）分区域情况", "3,210", "=cmd()", "单位：件", "民主街道", "抄送：市政府办公室。",
                 "2026年12月1日印发", "数据截至2026年12月1日8时", "— 1 —", "— 2 —"):  # fmt: skip
        assert part in said
    assert reader.metadata is not None
    assert reader.metadata.title == "关于2026年11月民声诉求办理情况的通报"
    assert [round(float(n) * 25.4 / 72) for n in reader.pages[0].mediabox[2:]] == [210, 297]


def test_fonts_are_embedded_and_only_what_is_used(bulletin: Callable[..., Paper]) -> None:
    file = made(bulletin(), base_url="")
    assert len(file) < 200_000
    fonts = [
        f.get_object()
        for p in PdfReader(BytesIO(file)).pages
        for f in p["/Resources"]["/Font"].values()
    ]
    inside = [f["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object() for f in fonts]
    assert {str(one["/FontName"]).split("+")[-1] for one in inside} == {"NotoSerifSC", "NotoSansSC"}  # fmt: skip
    assert all("/FontFile3" in one or "/FontFile2" in one for one in inside)


@pytest.mark.parametrize(("base", "links"), [("", set()), (HUB, {HUB + QUERY})])
def test_figures_are_links(read: Callable[..., PdfReader], base: str, links: set[str]) -> None:
    marks = [a.get_object() for page in read(base).pages for a in page.get("/Annots", ())]
    assert {str(one["/A"]["/URI"]) for one in marks} == links
    assert len(marks) == 3 * len(links)


def test_headings_are_bookmarks(read: Callable[..., PdfReader]) -> None:
    (title, under) = read().outline
    assert title["/Title"] == "关于2026年11月民声诉求办理情况的通报"  # type: ignore[index]
    assert [one["/Title"] for one in under if isinstance(one, dict)] == ["一、总体情况", "二、下一步要求"]  # type: ignore[union-attr]  # fmt: skip


@pytest.mark.parametrize("draft", [True, False])
def test_a_draft_says_so_on_every_page(read: Callable[..., PdfReader], *, draft: bool) -> None:
    pages = pages_of(read(is_draft=draft))
    assert len(pages) > 1
    assert {"草稿　未签发" in said for said in pages} == {draft}


def test_a_long_table_has_its_head_on_every_page(read: Callable[..., PdfReader]) -> None:
    pages = pages_of(read(blocks=huge()[:1]))
    held = [said for said in pages if "\n第" in said]
    assert len(held) > 5
    assert all("单位" in said and "件数" in said for said in held)
    assert all(f"第{n}号" in "".join(pages) for n in range(200))


def test_anything_can_be_drawn_and_what_the_font_lacks_is_seen(
    read: Callable[..., PdfReader], caplog: pytest.LogCaptureFixture
) -> None:
    said = "".join(pages_of(read(HUB, blocks=huge(), title=words()))).replace("\n", "")
    assert "甲乙丙丁<b onclick=x>&\"'戊〓〓己" in said
    assert said.count("长") >= 6000
    assert said.count("本期无数据") >= 3
    assert [one.getMessage() for one in caplog.records if one.levelname == "WARNING"] == []


def test_a_heading_stays_with_what_it_heads(read: Callable[..., PdfReader]) -> None:
    for lines in (8, 10):
        blocks = (
            Paragraph(("句\n" * lines,)),
            Heading(1, "表前标题"),
            Table("受理表", ("甲",), (("1",),)),
        )
        pages = pages_of(read(blocks=blocks))
        (page,) = [said for said in pages if "表前标题" in said]
        assert "受理表" in page


def test_a_monthly_bulletin_is_one_file_each_time(bulletin: Callable[..., Paper]) -> None:
    rows = tuple(
        (f"单位{n}", *(Figure(str(n * m), QUERY, n * m) for m in range(6))) for n in range(20)
    )
    blocks = (*(Table(f"表{n}", tuple("甲乙丙丁戊己庚"), rows) for n in range(15)), *BLOCKS * 2)
    first = pdf_of(bulletin(blocks=blocks), base_url=HUB)
    assert first == pdf_of(bulletin(blocks=blocks), base_url=HUB)


@pytest.mark.parametrize(("words", "lines"), [("", 0), ("长" * 100, 1000)])
def test_long_and_empty_facts_have_room(
    read: Callable[..., PdfReader], words: str, lines: int
) -> None:
    facts = ("title", "issuer", "number", "to", "copied_to", "signed_by", "note", "period", "urgency", "kind_name")  # fmt: skip
    reader = read(blocks=(), **dict.fromkeys(facts, words))
    ends: list[float] = []
    for page in reader.pages:
        page.extract_text(visitor_text=lambda _t, _c, place, *_: ends.append(place[4]))
    assert "".join(pages_of(reader)).count("长") >= lines
    assert all(0 <= x < 184 / 25.4 * 72 for x in ends)
