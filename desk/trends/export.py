"""The trends page as a workbook: tables with native charts, and the filter, the days and the time it was made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from desk.papers.document import Block, Chart, Figure, Heading, Paper, Paragraph, Series, Table
from desk.trends.board import Board, Cell, Row
from desk.trends.league import League


def number(cell: Cell) -> Figure:
    """A count with its address."""
    return Figure(f"{cell.n:,}", cell.link, value=float(cell.n))


def paper_of(board: Board, *, issuer: str, said: Sequence[tuple[str, str]], at: datetime) -> Paper:
    """The page's numbers as a paper; ``said`` are its filters in words, ``at`` local time."""
    return Paper(
        kind_name="趋势数据",
        title="话题趋势数据",
        issuer=issuer,
        dated=at.date(),
        is_draft=False,
        period="；".join(f"{name}：{words}" for name, words in said),
        note=f"数据截至 {at:%Y-%m-%d %H:%M}。"
        + "".join(f"{one.name}：{one.formula}。" for one in board.cards),
        blocks=tuple(_blocks(board)),
    )


def _blocks(board: Board) -> list[Block]:
    days = Table(
        "逐日受理量",
        ("类别", "合计", *board.days),
        tuple(
            (line.name, number(line.total), *(Figure(str(n), value=float(n)) for n in line.days))
            for line in board.lines
        ),
    )
    lines = Chart(
        "逐日受理量（六乱）",
        "line",
        tuple(board.days),
        tuple(
            Series(line.name, tuple(map(float, line.days)))
            for line in board.lines
            if line.group == "problem"
        ),
        unit="件",
        axis="日期",
    )
    heat = Table(
        "区域 × 问题",
        ("属地", *board.problems),
        tuple(
            (row.name, *map(number, cells))
            for row, cells in zip(board.areas, board.heat, strict=True)
        ),
    )
    found: list[Block] = [Heading(1, "总体"), _cards(board), Heading(1, "趋势"), days, lines]
    found += [
        Heading(1, "突增"),
        _bursts(board),
        Heading(1, "区域"),
        _rows("区域热度", "属地", board.areas),
        heat,
    ]
    found += [
        Heading(1, "渠道"),
        _rows("渠道构成", "渠道", board.channels),
        Heading(1, "责任单位排名"),
    ]
    found += [_league(league) for league in board.leagues]
    return found


def _league(league: League) -> Block:
    rows: tuple[tuple[str | Figure, ...], ...] = tuple(
        (
            place.name,
            str(place.rank or "不排名"),
            Figure("—" if place.score is None else f"{place.score:.1f}", value=place.score),
            *(Figure(one.shown, one.link) for one in place.cells),
        )
        for place in league.places
    )
    return Table(
        league.name, ("单位", "名次", "综合得分", *league.columns), rows, note=league.formula
    )


def _cards(board: Board) -> Block:
    rows = tuple(
        (
            one.name,
            Figure(one.shown + one.unit, one.link),
            one.before.shown if one.before else "—",
            one.year_ago.shown if one.year_ago else "—",
        )
        for one in board.cards
    )
    return Table("总体指标", ("指标", "本期", "环比", "同比"), rows)


def _bursts(board: Board) -> Block:
    if not board.bursts:
        return Paragraph(("统计期内没有突增。",))
    rows = tuple(
        (
            one.name,
            one.start,
            one.end,
            Figure(str(one.observed), one.link, value=float(one.observed)),
            one.expected,
            one.times,
            one.why,
        )
        for one in board.bursts
    )
    return Table("突增", ("类别与地点", "自", "至", "件数", "预期", "倍数", "原因"), rows)


def _rows(title: str, what: str, rows: Sequence[Row]) -> Block:
    told = tuple(
        (row.name, number(row.total), Figure(f"{row.share:.1%}", value=row.share, percent=True))
        for row in rows
    )
    return Table(title, (what, "件数", "占比"), told)
