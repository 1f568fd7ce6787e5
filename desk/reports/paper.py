"""From a bulletin's row to the paper that is printed: frozen figures put where the words name them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from desk.papers.document import Block as PaperBlock
from desk.papers.document import Chart, Figure, Heading, Paper, Paragraph, Part, Series, Table
from desk.reports.frozen import (
    Block,
    Content,
    Drawing,
    Frozen,
    Grid,
    Head,
    Words,
    named,
    parts_of,
    read_content,
    read_figures,
)
from desk.reports.periods import Cycle, Span, read_span

SIGNED = "signed"
SCOPE = "统计口径"

Figures = Mapping[str, Frozen]


def paper_of(row: Any, *, zone: ZoneInfo, today: date) -> Paper:
    """The paper of a row of ``bulletins``. One that is not signed is dated ``today``."""
    figures, content = read_figures(row.figures), read_content(row.content)
    span = read_span(Cycle(content.cycle), row.period)
    is_signed = row.signed_at is not None
    dated = row.signed_at.astimezone(zone).date() if is_signed else today
    as_of = row.as_of.astimezone(zone)
    return Paper(
        kind_name=content.kind_name,
        title=row.title,
        issuer=content.issuer,
        number=row.number,
        dated=dated,
        to=content.to,
        copied_to=content.copied_to,
        signed_by=content.signer,
        is_draft=row.state != SIGNED,
        note=f"数据截至{as_of:%Y年%m月%d日%H时%M分}，此后的变动不再计入",
        period=_days(span),
        blocks=tuple(_blocks(content, figures)),
    )


def _days(span: Span) -> str:
    start, end = span.period.start, span.period.end
    return f"{start.year}年{start.month}月{start.day}日至{end.year}年{end.month}月{end.day}日，全市"


def _blocks(content: Content, figures: Figures) -> Iterator[PaperBlock]:
    if content.corrects:
        yield Paragraph((f"本件更正{content.corrects}，以本件为准。",))
    for block in content.blocks:
        yield _block(block, figures)
    for story in content.stories:
        if story.ticked:
            yield Heading(1, story.title)
            yield Paragraph((f"市民反映：{story.said.removeprefix('市民反映').lstrip('：:，,')}",))
            yield Paragraph((f"办理情况：{story.done}{story.mark}",))
    yield from _scope(content, figures)


def _scope(content: Content, figures: Figures) -> Iterator[PaperBlock]:
    """统计口径: how the indicators that occur are made, and what a reader must know of their comparisons."""
    used = named(content.blocks)
    plain = [one for key, one in figures.items() if key in used and one.title]
    lines = dict.fromkeys(f"{one.title}：{one.formula}。{_more(one)}" for one in plain)
    if lines or content.notes:
        yield Heading(1, SCOPE)
    for line in (*lines, *content.notes):
        yield Paragraph((line.rstrip("。") + "。",))


def _more(one: Frozen) -> str:
    """Its scope where the formula does not say the same."""
    return "" if one.scope == one.formula else one.scope


def _block(block: Block, figures: Figures) -> PaperBlock:
    match block:
        case Head():
            return Heading(block.level, _plain(block.text, figures))
        case Words():
            return Paragraph(_parts(block.text, figures))
        case Grid():
            rows = tuple(tuple(_cell(cell, figures) for cell in row) for row in block.rows)
            return Table(
                _plain(block.text, figures), block.columns, rows, _plain(block.note, figures)
            )
        case Drawing():
            lines = tuple(
                Series(one.name, tuple(figures[key].value for key in one.figures))
                for one in block.curves
            )
            title = _plain(block.text, figures)
            return Chart(title, block.drawn, block.categories, lines, block.unit, block.axis)


def _parts(text: str, figures: Figures) -> tuple[Part, ...]:
    return tuple(parts_of(text, lambda key: printed(figures[key])))


def _plain(text: str, figures: Figures) -> str:
    return "".join(part if isinstance(part, str) else part.shown for part in _parts(text, figures))


def _cell(text: str, figures: Figures) -> Part:
    """A cell of one figure is that figure, so that sheets can calculate with it."""
    parts = _parts(text, figures)
    return parts[0] if len(parts) == 1 else _plain(text, figures)


def printed(one: Frozen) -> Figure:
    """A frozen figure as papers print it."""
    return Figure(one.shown, one.link, one.value, percent=one.is_share)
