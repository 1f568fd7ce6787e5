"""The Excel file, read back by openpyxl."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from bulletins import HUB, QUERY, huge, words
from openpyxl import Workbook

from desk.papers.document import Paper
from desk.papers.xlsx import HEAD, xlsx_of


@pytest.fixture
def read(bulletin: Callable[..., Paper]) -> Callable[..., Workbook]:
    def make(base_url: str = "", **other: Any) -> Workbook:
        return openpyxl.load_workbook(BytesIO(xlsx_of(bulletin(**other), base_url=base_url)))

    return make


def test_a_sheet_for_the_text_and_one_for_each_table_and_chart(
    read: Callable[..., Workbook],
) -> None:
    book = read()
    assert book.sheetnames == [
        "正文",
        "各类问题受理情况",
        "每日受理量",
        "各街道受理量",
        "上月与本月",
    ]
    assert [len(sheet._charts) for sheet in book] == [0, 0, 1, 1, 1]
    kinds = [type(sheet._charts[0]).__name__ for sheet in list(book)[2:]]
    assert kinds == ["LineChart", "BarChart", "BarChart"]
    assert [sheet._charts[0].type for sheet in list(book)[3:]] == ["bar", "col"]


def test_charts_read_their_cells(read: Callable[..., Workbook]) -> None:
    sheet = read()["每日受理量"]
    one, two = sheet._charts[0].series
    assert one.val.numRef.f == "每日受理量!$B$6:$B$8"
    assert two.val.numRef.f == "每日受理量!$C$6:$C$8"
    assert [row[1].value for row in sheet["A6:B8"]] == [1, "—", 3.5]


def test_numbers_are_numbers_with_the_decimals_they_are_printed_with(
    read: Callable[..., Workbook],
) -> None:
    front = read(HUB)["正文"]
    found = {row[0].value: row[1] for row in front.iter_rows() if row[1].value is not None}
    asked, done = found["全市共受理诉求"], found["按期办结率"]
    assert (asked.value, asked.number_format, asked.data_type) == (12345, "#,##0", "n")
    assert (done.value, done.number_format, done.data_type) == (0.956, "0.0%", "n")
    assert asked.hyperlink.target == HUB + QUERY


def test_nothing_is_a_formula(read: Callable[..., Workbook]) -> None:
    book = read(title="=HYPERLINK(1)", note="+1", to="-2", issuer="=x", period="@y", blocks=huge())  # fmt: skip
    assert {cell.data_type for sheet in book for row in sheet for cell in row} <= {"s", "n"}
    cells = read()["各类问题受理情况"]
    assert [cells.cell(HEAD + n, 3).value for n in (2, 3)] == ["=cmd()", "@SUM(1)"]


def test_every_sheet_says_how_and_when_and_holds_its_head(read: Callable[..., Workbook]) -> None:
    for sheet in list(read())[1:]:
        head = "".join(str(sheet.cell(n, 1).value) for n in range(1, HEAD + 1))
        for part in ("2026年11月1日至30日", "数据截至2026年12月1日8时", "草稿　未签发"):
            assert part in head
        assert sheet.freeze_panes == "B6"
        assert sheet.auto_filter.ref.startswith("A5:")
        assert sheet.column_dimensions["A"].width > 8


def test_the_text_is_on_the_first_sheet(read: Callable[..., Workbook]) -> None:
    said = [row[0].value for row in read(is_draft=False)["正文"].iter_rows()]
    assert said[0] == "关于2026年11月民声诉求办理情况的通报"
    for part in (
        "一、总体情况",
        "2026年11月，全市共受理诉求12,345件，按期办结率95.6%。",
        "二是按时办结。",
    ):
        assert part in said
    assert "草稿　未签发" not in said


def test_anything_can_be_written(read: Callable[..., Workbook]) -> None:
    book = read(HUB, blocks=huge(), title=words())
    assert book["正文"]["A1"].value == "甲乙丙丁<b onclick=x>&\"'戊😀𠮷\u200d\ufe0f己"
    assert book["两百行"].max_row == 205
    assert book["没有行"]["A6"].value == "本期无数据"
    assert len(book["空图"]._charts) == 0


def test_the_same_paper_is_the_same_file(bulletin: Callable[..., Paper]) -> None:
    assert xlsx_of(bulletin(), base_url=HUB) == xlsx_of(bulletin(), base_url=HUB)
