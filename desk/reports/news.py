"""The parts of a bulletin about what is new: bursts, told with their days, and topics that rise."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from desk.reports.frozen import mark
from desk.reports.making import Making, day_said, days_said
from desk.trends.rising import why
from router.trends.curating import TopicState
from router.trends.days import Period, day_of
from router.trends.finding import read_told
from router.trends.numbers import Ask
from router.trends.telling import words_of
from store.tables import T
from store.tables_trends import ALL

TOLD = 5
"""Bursts and topics that are told."""

RISEN = (TopicState.FOUND, TopicState.WATCHED)
"""States of topics that officials have not put aside."""


async def bursts(m: Making) -> None:
    """突增: which series rose where, from when to when, how far above the expected."""
    m.head("突增情况")
    b, (first, last) = T.bursts.c, m.span.period.numbers
    asked = select(T.bursts).where(b.last_day >= first, b.start_day <= last)
    async with m.numbers.db.read() as conn:
        rows = (await conn.execute(asked.order_by(b.excess.desc(), b.id).limit(TOLD))).all()
    if not rows:
        m.words(f"{m.now}没有发现突增。")
    asks = [
        Ask("items", Period(day_of(row.start_day), day_of(row.last_day)), row.label, row.area)
        for row in rows
    ]
    for row, figure in zip(rows, await m.numbers.figures(asks), strict=True):
        count = m.say(figure)
        key = m.book.put(figure)
        expected = m.book.derive(
            f"{key}?", f"{m.book.figures[key].name}预期", key, value=row.expected, unit="件", source="bursts",
            shown=f"{row.expected:,.1f}", formula="按前期水平和星期规律推算，见突增检测",
        )  # fmt: skip
        reason = why(row.why)
        m.words(
            f"{days_said(figure.ask.period)}，{_about(m, row)}诉求{count}件，预期{expected}件。{reason}"
            + ("。" if reason and not reason.endswith("。") else "")
        )


def _about(m: Making, row: Any) -> str:
    """渤海街道污水乱排."""
    names = m.naming.taxonomy.names | dict(m.naming.offices)
    return "".join(names.get(one, one) for one in (row.area, row.label) if one != ALL) or "全部"


async def topics(m: Making) -> None:
    """上升话题 that no label names, as they were last looked for."""
    m.head("上升话题")
    t = T.topics.c
    asked = select(T.topics).where(t.state.in_(RISEN), t.score > 0)
    async with m.numbers.db.read() as conn:
        rows = (await conn.execute(asked.order_by(t.score.desc(), t.id).limit(TOLD))).all()
    if not rows:
        m.words("没有发现上升话题。")
        return
    for row in rows:
        m.words(_topic(m, row))


def _topic(m: Making, row: Any) -> str:
    """“…”：近7天{}件，预期{}件，首见于…；why it moved."""
    told, page = read_told(row.told), f"/desk/topics/{row.id}"
    count, expected = (
        mark(m.book.loose(
            f"topic:{row.id}.{key}", f"话题“{row.name}”{name}", value, shown=shown, formula=formula, source="topics",
            page=page,
        ))
        for key, name, value, shown, formula in (
            ("n", "近7天件数", float(told.count), f"{told.count:,}", "截至统计时近7天的诉求件数"),
            ("expected", "预期", told.expected, f"{told.expected:,.1f}", "之前28天的件数 ÷ 4"),
        )
    )  # fmt: skip
    names = {**m.naming.channels, **m.naming.offices}
    first = f"，首见于{day_said(day_of(told.first_day))}" if told.first_day else ""
    return f"“{row.name}”：截至统计时近7天{count}件，预期{expected}件{first}。{words_of(told.causes, names)}"
