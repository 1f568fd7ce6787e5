"""The page, read back as HTML."""

from collections.abc import Callable

import pytest
from bulletins import QUERY, huge, words
from selectolax.lexbor import LexborHTMLParser

from desk.papers.document import Chart, Figure, Heading, Paper, Paragraph, Series, Table
from desk.papers.page import paper_html


@pytest.fixture
def read(bulletin: Callable[..., Paper]) -> Callable[..., LexborHTMLParser]:
    return lambda **other: LexborHTMLParser(str(paper_html(bulletin(**other))))


def test_words_and_links(read: Callable[..., LexborHTMLParser]) -> None:
    page = read(signed_by="分管副市长")
    said = page.text()
    for part in (
        "民声月报",
        "签发人：分管副市长",
        "各街道办事处：",
        "一、总体情况",
        "（一）分区域情况",
        "抄送：市政府办公室。",
        "2026年12月1日印发",
    ):
        assert part in said
    assert [(a.text(), a.attributes["href"]) for a in page.css("a")] == [
        ("12,345", QUERY), ("95.6%", QUERY), ("3,210", QUERY),
    ]  # fmt: skip


def test_each_chart_is_drawn_and_has_its_table(read: Callable[..., LexborHTMLParser]) -> None:
    figures = [one for one in read().css("figure") if one.css_first("svg")]
    assert [one.css_first("svg").attributes["aria-label"] for one in figures] == [
        "每日受理量", "各街道受理量", "上月与本月",
    ]  # fmt: skip
    assert [len(one.css("tbody tr")) for one in figures] == [3, 2, 1]
    assert [len(one.css("svg rect")) for one in figures] == [2, 2, 1]
    assert len(figures[0].css("svg polyline[stroke-width='2.0']")) == 3


@pytest.mark.parametrize("attack", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onload='x"])  # fmt: skip
def test_nothing_said_becomes_markup(read: Callable[..., LexborHTMLParser], attack: str) -> None:
    chart = Chart(
        attack, "line", (attack,), (Series(attack, (1.0,)), Series("b", (2.0,))), attack, attack
    )
    blocks = (Heading(1, attack), Paragraph((attack, Figure(attack, "/x" + attack))), chart,
              Table(attack, (attack,), ((attack,),), attack))  # fmt: skip
    facts = (
        "title",
        "issuer",
        "number",
        "to",
        "copied_to",
        "signed_by",
        "note",
        "period",
        "urgency",
        "kind_name",
    )
    page = read(blocks=blocks, **dict.fromkeys(facts, attack))
    known = {"article", "header", "footer", "p", "span", "i", "h2", "h3", "a", "figure", "figcaption", "div", "svg", "polyline",
             "rect", "text", "table", "thead", "tbody", "tr", "th", "td", "time", "html", "head", "body"}  # fmt: skip
    used = {node.tag for node in page.root.traverse(include_text=False)}  # type: ignore[union-attr]
    assert used <= known
    names = {name for node in page.root.traverse(include_text=False) for name in node.attributes}  # type: ignore[union-attr]
    assert not [name for name in names if name.startswith("on") or name in {"style", "src"}]


@pytest.mark.parametrize("link", ["javascript:alert(1)", "//evil.example/x", "https://evil.example", ""])  # fmt: skip
def test_a_link_elsewhere_is_only_words(read: Callable[..., LexborHTMLParser], link: str) -> None:
    assert read(blocks=(Paragraph((Figure("7", link),)),)).css("a") == []


@pytest.mark.parametrize("draft", [True, False])
def test_a_draft_says_so(read: Callable[..., LexborHTMLParser], *, draft: bool) -> None:
    page = read(is_draft=draft)
    assert bool(page.css("article.unsigned p.draft")) is draft


def test_anything_can_be_shown(read: Callable[..., LexborHTMLParser]) -> None:
    page = read(blocks=huge(), title=words())
    assert "甲乙丙丁<b onclick=x>&\"'戊😀𠮷\u200d\ufe0f己" in page.text()
    assert [one.text().strip() for one in page.css("p.none")] == ["本期无数据"] * 3
    assert len(page.css(".tall tbody")) == 2
