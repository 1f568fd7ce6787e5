"""A monthly bulletin with everything in it, and what is hard to print."""

from typing import Any

from desk.papers.document import Chart, Figure, Heading, Paragraph, Series, Table

HUB = "https://hub.example.gov"
QUERY = "/desk/trends/number?indicator=items&from=2026-11-01&to=2026-11-30"


def figure(n: float) -> Figure:
    return Figure(f"{n:,}", QUERY, n)


BLOCKS = (
    Paragraph(("2026年11月，全市共受理诉求", figure(12345), "件，按期办结率", Figure("95.6%", QUERY, 0.956, percent=True), "。")),
    Heading(1, "总体情况"),
    Table("各类问题受理情况", ("问题", "件数", "说明"), (("乱扔垃圾", figure(3210), "=cmd()"), ("乱排污水", Figure(""), "@SUM(1)"))),
    Heading(2, "分区域情况"),
    Chart("每日受理量", "line", ("1日", "2日", "3日"), (Series("上月", (1.0, None, 3.5)), Series("本月", (2.0, 4.0, 6.0))), "件", "日期"),
    Chart("各街道受理量", "bar", ("民主街道", "渤海街道"), (Series("件数", (9.0, 4.0)),)),
    Chart("上月与本月", "column", ("乱摆摊点",), (Series("件数", (7.0,)),)),
    Heading(3, "突出问题"),
    Heading(1, "下一步要求"),
    Paragraph(("一是压实责任。\n二是按时办结。",)),
)  # fmt: skip


def words() -> str:
    """What people paste: controls, halves of characters, direction marks, markup, emoji, rare characters."""
    return "甲\x00\x07乙\ud800丙\ufffe\u202e丁<b onclick=x>&\"'戊😀𠮷\u200d\ufe0f己"


def huge() -> tuple[Any, ...]:
    """Blocks at the limits of a layout."""
    return (
        Table("两百行", ("单位", "件数"), tuple((f"第{n}号", figure(n)) for n in range(200))),
        Table("很长的一格", ("甲", "乙"), (("长" * 6000, "（" * 500), ("https://" + "a" * 900, "。" * 300))),
        Table("没有列", (), ()), Table("没有行", ("甲",), ()), Table("不齐", ("甲",), (("1", "2", "3"), ())),
        Chart("空图", "line", (), ()), Chart("无值", "column", ("甲",), (Series("x", (None,)),)),
        Chart("负值", "bar", ("甲", "乙"), (Series("x", (-3.0, float("nan"))), Series("长" * 99, (0.0,)))),
        Chart("很多", "bar", tuple(map(str, range(300))), (Series("x", tuple(map(float, range(300)))),)),
        Heading(9, "级别之外"), Heading(2, "三、已有编号"), Paragraph(()), Paragraph(("",)), Paragraph((words(),)),
    )  # fmt: skip
