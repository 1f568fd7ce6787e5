"""What is wrong with a list, in the language of the screens and of the report an office opens in Excel."""

from __future__ import annotations

from ingest.connectors.lists.rows import Problem
from store.errors import RejectedError

WORDS = {
    "Excel shortened the number and its last digits are lost": "数字被 Excel 缩写，末尾几位已丢失",
    "there is no such date or time": "没有这个日期或时间",
    "this is no time": "认不出这个时间",
    "there are no words": "没有内容",
    "the formula failed": "公式出错",
    "characters can not be read": "有无法读取的字符",
    "more cells than the header has": "单元格比表头多",
    "format the column as text and export again": "请把该列设为文本格式后重新导出",
    "correct the cell": "请更正该单元格",
    "correct the row": "请更正该行",
    "write it like 2026-11-24 08:05": "请写成 2026-11-24 08:05",
    "fill the cell": "请填写该单元格",
    "shorten or split the text": "请缩短或拆成几行",
    "export again as UTF-8": "请以 UTF-8 编码重新导出",
    "quote text that holds the delimiter, or export as .xlsx": "请给含分隔符的文字加引号，或导出为 .xlsx",
}
"""Problem or cure → what a person reads."""

REFUSALS = {
    "oversize": "文件太大：最多 50 MB、20 万行、200 列，请拆分后再导入",
    "no_sheet": "文件里没有设置中指定的工作表",
    "layout": "前 20 行里没有找到表头：请保留含“工单编号、受理时间、诉求内容”等列名的一行",
    "encoding": "文字编码无法读取，请另存为 UTF-8 或 .xlsx",
    "password": "文件有密码保护，请去掉密码后再导入",
    "broken": "文件损坏或不是表格，请重新导出",
    "empty": "文件是空的",
}
"""Reason of a refused file → what a person reads."""


def said(problem: Problem) -> str:
    """One problem as a sentence; what has no Chinese words yet stays as it is."""
    where = f"第 {problem.row} 行" if problem.row else "文件"
    column = f"“{problem.column[:40]}”" if problem.column else ""
    cure = WORDS.get(problem.cure, problem.cure)
    return f"{where}{column}：{WORDS.get(problem.what, problem.what)}" + (
        f"；{cure}" if cure else ""
    )


def refusal(error: RejectedError) -> str:
    """Why a whole file was refused."""
    return REFUSALS.get(error.reason, str(error))
