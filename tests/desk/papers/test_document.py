"""The model: what is cleaned, numbered, squared; where lines break; where a chart's shapes lie."""

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.papers.breaking import Span, lines_of
from desk.papers.document import (
    Chart,
    Figure,
    Heading,
    Paper,
    Paragraph,
    Series,
    Table,
    key_figures,
    prepare,
    shares,
    table_of,
)
from desk.papers.plotting import Box, Stroke, Words, plot, scale
from desk.papers.words import address, clean, cut, day, ems, numeral
from desk.papers.xlsx_names import names_of


@pytest.mark.parametrize(
    ("given_", "kept"),
    [("甲\x00乙\x1f", "甲乙"), ("a\tb", "a b"), ("一\r\n二\r三\u2028四", "一\n二\n三\n四"), ("\ud83d甲\uffff", "甲"),
     ("abc\u202edef", "abcdef"), ("𠮷😀é", "𠮷😀é"), ("\x7f\x85", "\n"), ("plain", "plain")],
)  # fmt: skip
def test_what_no_eye_can_see_is_gone(given_: str, kept: str) -> None:
    assert clean(given_) == kept


@pytest.mark.parametrize(
    ("n", "said"),
    [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (99, "九十九"), (100, "100"), (0, "0")],
)
def test_numerals(n: int, said: str) -> None:
    assert numeral(n) == said


@pytest.mark.parametrize(
    ("link", "base", "whole"),
    [("/desk?a=1&b=甲", "https://h.gov/", "https://h.gov/desk?a=1&b=%E7%94%B2"), ("//evil.example", "https://h.gov", ""),
     ("javascript:alert(1)", "https://h.gov", ""), ("/\\evil", "https://h.gov", ""), ("/x", "", ""), ("/x", "ftp://h", ""),
     ("", "https://h.gov", ""), ("/" + "x" * 3000, "https://h.gov", "")],
)  # fmt: skip
def test_a_link_leads_only_to_this_hub(link: str, base: str, whole: str) -> None:
    assert address(link, base) == whole


def test_widths_and_dates() -> None:
    assert (ems("甲a，"), cut("甲乙丙丁", 3), cut("甲乙", 2)) == (2.5, "甲乙…", "甲乙")
    assert day(date(2026, 2, 3)) == "2026年2月3日"


def test_headings_are_numbered_as_official_papers_do(bulletin: Callable[..., Paper]) -> None:
    heads = [
        (2, "甲"),
        (2, "乙"),
        (3, "丙"),
        (4, "丁"),
        (1, "戊"),
        (2, "己"),
        (1, "七、自带"),
        (9, "过深"),
    ]
    made = prepare(bulletin(blocks=tuple(Heading(*one) for one in heads))).blocks
    assert [one.text for one in made if isinstance(one, Heading)] == [
        "（一）甲", "（二）乙", "1. 丙", "（1）丁", "一、戊", "（一）己", "七、自带", "（1）过深",
    ]  # fmt: skip


def test_lines_of_a_paragraph_become_paragraphs_and_keep_their_figures(
    bulletin: Callable[..., Paper],
) -> None:
    two = Paragraph(("一是", Figure("3"), "件。\n二是", Figure("4")))
    assert prepare(bulletin(blocks=(two,))).blocks == (
        Paragraph(("一是", Figure("3"), "件。")),
        Paragraph(("二是", Figure("4"))),
    )


def test_ragged_rows_are_squared_and_numbers_that_are_none_are_dashes(
    bulletin: Callable[..., Paper],
) -> None:
    rows = (("甲",), ("乙", Figure("", value=float("nan")), "丙"))
    (made,) = prepare(bulletin(blocks=(Table("表", ("一",), rows),))).blocks
    assert made == Table("表", ("一", "", ""), (("甲", "", ""), ("乙", Figure(""), "丙")))
    assert Figure("").shown == "—"


def test_a_chart_has_a_twin_of_numbers() -> None:
    twin = table_of(Chart("图", "line", ("1日", "2日"), (Series("甲", (1234.5, None)), Series("乙", (2.0,))), "件", "日期"))  # fmt: skip
    assert twin.title == "图（件）"
    assert twin.columns == ("日期", "甲", "乙")
    assert [[getattr(c, "shown", c) for c in row] for row in twin.rows] == [
        ["1日", "1,234.5", "2"],
        ["2日", "—", "—"],
    ]


def test_key_figures_have_the_clause_before_them(bulletin: Callable[..., Paper]) -> None:
    found = [(words, one.text) for words, one in key_figures(prepare(bulletin()))]
    assert found == [("全市共受理诉求", "12,345"), ("按期办结率", "95.6%")]


def test_shares_add_up_and_long_words_do_not_take_all() -> None:
    found = shares(Table("", ("a", "b"), (("长" * 999, "1"), ("", ""))))
    assert sum(found) == pytest.approx(1)
    assert min(found) > 0.1


def test_names_of_sheets() -> None:
    given_ = [
        "a/b:c",
        "A B C",
        "正文",
        "",
        "长" * 40,
        "长" * 40,
        "history",
        "x 2",
        "x",
        "x",
        "😀" * 20,
    ]
    made = names_of(given_, taken="正文")
    assert made[:4] == ["a b c", "A B C 2", "正文 2", "表"]
    assert len({one.lower() for one in made}) == len(given_)
    assert all(0 < len(one.encode("utf-16-le")) // 2 <= 31 for one in made)


@given(st.text(alphabet="甲乙丙，。（）《》12345.%ab \n", max_size=120), st.integers(2, 12))
def test_lines_keep_all_words_and_their_width(text: str, room: int) -> None:
    lines = lines_of([Span(text[:40]), Span(text[40:], "/x")], ems, room)
    assert all(line.width <= room for line in lines)
    said = "".join(span.text for line in lines for span in line.spans)
    assert said.replace(" ", "") == text.replace(" ", "").replace("\n", "")


@pytest.mark.parametrize(
    ("text", "room", "lines"),
    [("甲乙丙，丁", 3, ["甲乙", "丙，丁"]), ("甲乙（丙", 3, ["甲乙", "（丙"]), ("共受理1234件", 4, ["共受理", "1234件"]),
     ("甲\n乙", 9, ["甲", "乙"]), ("", 9, [""]), ("a" * 7, 2, ["aaaa", "aaa"]), ("甲  乙", 1, ["甲", "乙"])],
)  # fmt: skip
def test_where_lines_break(text: str, room: int, lines: list[str]) -> None:
    found = lines_of([Span(text)], ems, room)
    assert ["".join(one.text for one in line.spans).strip() for line in found] == lines


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 0, (0, 0.2, 0.4, 0.6, 0.8, 1)), (3, 100, (0, 20, 40, 60, 80, 100)), (-3, 4, (-4, -2, 0, 2, 4)), (0, 1, (0, 0.2, 0.4, 0.6, 0.8, 1))],
)  # fmt: skip
def test_ticks_are_round_and_hold_zero(low: float, high: float, ticks: tuple[float, ...]) -> None:
    assert scale(low, high) == pytest.approx(ticks)


@given(st.lists(st.none() | st.floats(-1e9, 1e9), min_size=0, max_size=40),
       st.sampled_from(["line", "column", "bar"]), st.integers(0, 9))  # fmt: skip
def test_nothing_of_a_chart_lies_outside_of_its_plane(
    values: list[float | None], kind: str, series: int
) -> None:
    names = tuple(f"第{n}个很长很长的类别名称" for n in range(len(values)))
    many = tuple(Series(f"系列{n}", tuple(values)) for n in range(series))
    drawn = plot(Chart("图", kind, names, many))  # type: ignore[arg-type]
    for shape in drawn.shapes:
        match shape:
            case Stroke():
                spots = list(shape.points)
            case Box():
                assert shape.width >= 0
                assert shape.height >= 0
                spots = [(shape.x, shape.y), (shape.x + shape.width, shape.y + shape.height)]
            case Words():
                spots = [(shape.x, shape.y)]
        assert all(0 <= x <= drawn.width + 0.1 and 0 <= y <= drawn.height + 0.1 for x, y in spots)


def test_a_gap_parts_a_line() -> None:
    one = Series("甲", (1.0, 2.0, None, 4.0, 5.0, None, 6.0))
    drawn = plot(Chart("图", "line", tuple("1234567"), (one,)))
    assert [len(s.points) for s in drawn.shapes if isinstance(s, Stroke) and s.width == 2] == [2, 2]
    assert len([s for s in drawn.shapes if isinstance(s, Box)]) == 1
