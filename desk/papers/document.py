"""The model of an official paper (公文): what every rendering is made from. No input, no output.

Every number stands in a ``Figure`` with the address of its query, so that a reader of any rendering
can open the cases behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from math import isfinite
from typing import Literal, TypeAlias, cast

from desk.papers.words import BLANK, clean, ems, numeral

NARROWEST, WIDEST, PADDING = 2.0, 24.0, 1.2
"""Ems a column of a table asks for, at least and at most, and what its margins take."""
DEEPEST = 4
"""Levels of headings: 一、 （一） 1. （1）."""
DRAFT = "草稿　未签发"
"""Said on every page of a paper that nobody has signed."""
EMPTY = "本期无数据"

_NUMBERED = re.compile(r"^\s*(?:[一二三四五六七八九十百]+、|[（(][^）)]{1,4}[）)]|\d{1,3}[.．、])")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as printed, with what it was made from.

    ``link`` is the path of its query in this hub. ``value`` is the bare number, for sheets that
    calculate; with ``percent`` it is a share of one and ``text`` its percentage.
    """

    text: str
    link: str = ""
    value: float | None = None
    percent: bool = False

    @property
    def shown(self) -> str:
        """``text``, or a dash for a number that does not exist."""
        return self.text or BLANK


Part: TypeAlias = str | Figure


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of ``level`` 1 to 4, numbered by ``prepare`` unless its text begins with a number."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; ``prepare`` makes every line of it a paragraph."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; rows may be ragged, ``prepare`` squares them. ``note`` stands below it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Part, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """One line or one color of columns; None where nothing was measured."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart over ``categories``; ``unit`` is of its values, such as 件, ``axis`` what categories are."""

    title: str
    kind: Literal["line", "column", "bar"]
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str = ""
    axis: str = ""


Block: TypeAlias = Heading | Paragraph | Table | Chart


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """An official paper.

    ``kind_name`` such as 月报; ``issuer`` 发文机关; ``number`` 发文字号; ``dated`` 成文日期; ``to`` 主送机关;
    ``copied_to`` 抄送机关; ``signed_by`` 签发人, a post or a display name; ``note`` 附注: how the numbers
    are counted and until when; ``urgency`` 紧急程度; ``period`` the days and the filter of its numbers.
    """

    kind_name: str
    title: str
    issuer: str
    dated: date
    blocks: tuple[Block, ...] = ()
    number: str = ""
    to: str = ""
    copied_to: str = ""
    signed_by: str = ""
    is_draft: bool = True
    note: str = ""
    urgency: str = ""
    period: str = ""


def prepare(paper: Paper) -> Paper:
    """``paper`` as every rendering takes it: cleaned of controls, headings numbered, tables squared.

    A number that is not finite is none.
    """
    tidy = cast("Paper", _cleaned(paper))
    blocks = (one for block in tidy.blocks for one in _single(block))
    return replace(
        tidy,
        to=tidy.to.rstrip("：:"),
        copied_to=tidy.copied_to.rstrip("。."),
        blocks=tuple(_numbered(map(_squared, blocks))),
    )


def table_of(chart: Chart) -> Table:
    """The twin of a chart: a row a category, a column a series; the unit in the title."""
    rows: tuple[tuple[Part, ...], ...] = tuple(
        (name, *(_value(one.values, n) for one in chart.series))
        for n, name in enumerate(chart.categories)
    )
    title = f"{chart.title}（{chart.unit}）" if chart.unit else chart.title
    return Table(title, (chart.axis, *(one.name for one in chart.series)), rows)


def printed(value: float | None) -> str:
    """A value of a chart as text: whole numbers whole, others with at most two digits."""
    return BLANK if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")


def shares(table: Table) -> tuple[float, ...]:
    """Share of the width that each column should have, by the widest of its cells; they add up to 1."""
    asked = [
        PADDING
        + min(
            WIDEST, max(NARROWEST, *(ems(_shown(row[n])) for row in (table.columns, *table.rows)))
        )
        for n in range(len(table.columns))
    ]
    return tuple(one / sum(asked) for one in asked)


def key_figures(paper: Paper) -> Iterator[tuple[str, Figure]]:
    """The numbers of the running text, each with the clause that leads to it."""
    for block in paper.blocks:
        if isinstance(block, Paragraph):
            before = ""
            for part in block.parts:
                if isinstance(part, Figure):
                    yield re.split(r"[，。；：、（\n]", before)[-1].strip(), part
                before = before + part.shown if isinstance(part, Figure) else part


def _shown(part: Part) -> str:
    return part.shown if isinstance(part, Figure) else part


def _value(values: tuple[float | None, ...], n: int) -> Figure:
    value = values[n] if n < len(values) else None
    return Figure(printed(value), value=value)


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, tuple):
        return tuple(map(_cleaned, value))
    if isinstance(value, float) and not isfinite(value):
        return None
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _cleaned(getattr(value, f.name)) for f in fields(value)})
    return value


def _single(block: Block) -> Iterator[Block]:
    """The paragraphs of one with several lines."""
    if not isinstance(block, Paragraph):
        yield block
        return
    line: list[Part] = []
    for part in block.parts:
        head, *rest = [part] if isinstance(part, Figure) else part.split("\n")
        line.append(head)
        for words in rest:
            yield Paragraph(tuple(line))
            line = [words]
    yield Paragraph(tuple(line))


def _squared(block: Block) -> Block:
    if not isinstance(block, Table):
        return block
    wide = max(len(block.columns), *map(len, block.rows), 0)
    return replace(
        block,
        columns=block.columns + ("",) * (wide - len(block.columns)),
        rows=tuple(row + ("",) * (wide - len(row)) for row in block.rows),
    )


def _numbered(blocks: Iterator[Block]) -> Iterator[Block]:
    counts = [0] * DEEPEST
    for block in blocks:
        if isinstance(block, Heading):
            level = min(max(block.level, 1), DEEPEST)
            counts[level - 1 :] = [counts[level - 1] + 1] + [0] * (DEEPEST - level)
            is_done = _NUMBERED.match(block.text)
            yield Heading(level, block.text if is_done else _mark(level, counts) + block.text)
        else:
            yield block


def _mark(level: int, counts: list[int]) -> str:
    n = counts[level - 1]
    return (f"{numeral(n)}、", f"（{numeral(n)}）", f"{n}. ", f"（{n}）")[level - 1]
