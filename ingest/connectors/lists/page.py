"""HTML tables that are called ``.xls``, as many government systems export them."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ingest.connectors.lists.sheet import MAX_COLUMNS, MAX_ROWS, Cell, Sheet

_BREAK = re.compile(r"<br\b[^<>]{0,50}>", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\r\n\xa0]+")
_BREAK_MARK = "\ue000"
_TAG_MARK = "\f"
_OTHERS = re.compile(
    r"</?(?!(?:table|thead|tbody|tfoot|tr|td|th|style|script)\b)[a-z][^>]*>", re.IGNORECASE
)
_TABLES = 20
_NESTED = 1000


def read_page(text: str) -> list[Sheet]:
    """The first tables of a page, the largest first; none is an empty list."""
    text = _lean(text)
    if text.lower().count("<table") > _NESTED:
        return []
    tree = LexborHTMLParser(text)
    sheets = [_table(n, node) for n, node in enumerate(tree.css("table")[:_TABLES], 1)]
    return sorted(sheets, key=lambda sheet: -len(sheet.rows))


def _lean(text: str) -> str:
    """The page with no tags but those of tables: a parser's time grows with the square of the nesting.

    A blank only HTML knows stands for each tag, so that what is left can not close up to a new one.
    """
    whole = text[: text.rfind(">") + 1]
    return _OTHERS.sub(_TAG_MARK, _BREAK.sub(_BREAK_MARK, whole))


def _table(number: int, table: LexborNode) -> Sheet:
    sheet = Sheet(f"table {number}", [])
    taken: dict[int, int] = {}
    for line in _lines(table):
        if len(sheet.rows) > MAX_ROWS:
            break
        sheet.rows.append(_row(line, taken, sheet))
    return sheet


def _lines(table: LexborNode) -> list[LexborNode]:
    """Rows of this table, not of tables inside its cells."""
    lines: list[LexborNode] = []
    for part in table.iter():
        if part.tag == "tr":
            lines.append(part)
        elif part.tag in {"thead", "tbody", "tfoot"}:
            lines += [row for row in part.iter() if row.tag == "tr"]
    return lines


def _row(line: LexborNode, taken: dict[int, int], sheet: Sheet) -> list[Cell]:
    """Cells at their columns; ``taken`` tells how many more rows a cell above covers a column."""
    row: list[Cell] = []
    for node in line.iter():
        if node.tag not in {"td", "th"} or len(row) > MAX_COLUMNS:
            continue
        while taken.get(len(row), 0):
            taken[len(row)] -= 1
            row.append("")
        top, left = len(sheet.rows), len(row)
        down, right = _span(node, "rowspan"), min(_span(node, "colspan"), MAX_COLUMNS)
        row += [_words(node), *[""] * (right - 1)]
        if down > 1 or right > 1:
            sheet.merges.append((top, left, top + down - 1, left + right - 1))
            taken.update(dict.fromkeys(range(left, left + right), down - 1))
    for column in [n for n, left_over in taken.items() if left_over and n >= len(row)]:
        taken[column] -= 1
    while row and row[-1] == "":
        row.pop()
    return row


def _span(node: LexborNode, name: str) -> int:
    value = node.attributes.get(name) or ""
    return max(1, int(value)) if value.isascii() and value.isdecimal() and len(value) < 6 else 1  # noqa: PLR2004 - digits of a row number


def _words(node: LexborNode) -> str:
    words = _BLANKS.sub(" ", node.text_lexbor().replace(_TAG_MARK, ""))
    return "\n".join(part.strip() for part in words.split(_BREAK_MARK)).strip()
