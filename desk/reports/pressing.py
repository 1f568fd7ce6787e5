"""The parts of a bulletin of supervision (督查通报): what is overdue and whose it is, and what was issued about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import msgspec
from sqlalchemy import case, func, select

from desk.reports.frozen import mark
from desk.reports.making import Making
from desk.trends.board import UNPLACED
from router.ladder import LEVEL_NAMES
from router.trends.numbers import Ask, figure_of
from router.trends.sums import standing
from store.tables import T

LISTED = 20
"""Overdue cases that are named."""

_labels = msgspec.json.Decoder(list[str])


async def overdue(m: Making) -> None:
    """超期在办 by office, the most first, and the longest overdue cases."""
    m.head("超期未办结情况")
    kinds = m.known(["overdue", "overdue_3d"])
    counts = {one: await _standing(m, one) for one in kinds}
    offices = sorted(
        {key for found in counts.values() for key in found},
        key=lambda key: (-max(found.get(key, 0) for found in counts.values()), key),
    )
    if not offices:
        m.words("截至统计时没有超期未办结的案件。")
        return
    total = await m.numbers.figures([Ask(one, m.span.period) for one in kinds])
    name = m.numbers.catalogue.by_id
    m.words(
        f"截至统计时，{'，'.join(f'{name[f.ask.indicator].name}{m.say(f)}件' for f in total)}，涉及以下单位。"
    )
    rows = [
        [m.naming.offices.get(key, key or "未派遣"), *(_of(m, one, key, counts) for one in kinds)]
        for key in offices
    ]
    m.table("各单位超期未办结案件", ["单位", *(name[one].name for one in kinds)], rows)
    await _longest(m)


async def _standing(m: Making, indicator: str) -> dict[str, int]:
    """Cases that stand so now, by department."""
    c = T.cases.c
    conditions = standing(m.numbers.indicator(indicator).stands, m.book.as_of)
    asked = select(c.department, func.count()).where(*conditions).group_by(c.department)
    async with m.numbers.db.read() as conn:
        return {str(row[0]): int(row[1]) for row in await conn.execute(asked)}


def _of(m: Making, indicator: str, office: str, counts: Mapping[str, Mapping[str, int]]) -> str:
    one = m.numbers.indicator(indicator)
    ask = Ask(indicator, m.span.period, department=office)
    return m.say(figure_of(one, ask, {one.stands: counts[indicator].get(office, 0)}))


async def _longest(m: Making) -> None:
    """The cases that have waited longest, without a word of a citizen."""
    c = T.cases.c
    columns = (c.id, c.case_no, c.department, c.area, c.problems, c.kind, c.due_at)
    asked = select(*columns).where(*standing("overdue", m.book.as_of)).order_by(c.due_at, c.id)
    async with m.numbers.db.read() as conn:
        rows = (await conn.execute(asked.limit(LISTED))).all()
    names, offices = m.naming.taxonomy.names, m.naming.offices
    told = []
    for row in rows:
        labels = _labels.decode(row.problems) or [row.kind]
        days = (m.book.as_of - row.due_at) / timedelta(days=1)
        late = m.book.loose(
            f"late[{row.id}]", f"{row.case_no}超期天数", days, unit="天", formula="统计时刻－办理期限", source="cases",
            shown=f"{days:,.1f}", page=f"/desk?case={row.id}",
        )  # fmt: skip
        called = "、".join(names.get(one, one) for one in labels)
        told.append([row.case_no, offices.get(row.department, row.department or "未派遣"),
                     offices.get(row.area, row.area or UNPLACED), called, mark(late)])  # fmt: skip
    m.table(
        f"超期最久的案件（至多{LISTED}件）", ["案件编号", "单位", "属地", "类别", "超期天数"], told
    )


async def circulars(m: Making) -> None:
    """督办文书 of the period, by addressee: issued, answered, not answered in time."""
    m.head("督办文书情况")
    s = T.supervisions.c
    start, end = bounds(m)
    late = (s.replied_at.is_(None) & (s.reply_by < m.book.as_of)) | (s.replied_at > s.reply_by)
    asked = (
        select(s.addressee, func.count(), func.count(s.replied_at), func.sum(case((late, 1), else_=0)))
        .where(s.at >= start, s.at < end, s.level.in_(_documents()))
        .group_by(s.addressee)
    )  # fmt: skip
    async with m.numbers.db.read() as conn:
        rows = sorted((await conn.execute(asked)).all(), key=lambda row: (-row[1], row[0]))
    if not rows:
        m.words(f"{m.now}没有发出督办文书。")
        return
    heads = ("发出", "已回复", "逾期回复或未回复")
    m.table("督办文书", ["主送单位", *heads], [_circular(m, row, heads) for row in rows])


def _documents() -> list[str]:
    """Levels that are documents, not lamps."""
    return [level for level in LEVEL_NAMES if level not in {"yellow", "red"}]


def _circular(m: Making, row: Any, heads: tuple[str, ...]) -> list[str]:
    office, counts = row[0], [float(n or 0) for n in row[1:]]
    name = m.naming.offices.get(office, office)
    return [name, *(
        mark(m.book.loose(
            f"circulars{n}[{office}]", f"{name}督办文书{head}", counts[n], shown=f"{counts[n]:,.0f}",
            formula="统计期内发出的督办文书，亮灯不计", source="supervisions",
        )) for n, head in enumerate(heads)
    )]  # fmt: skip


def bounds(m: Making) -> tuple[datetime, datetime]:
    """The moments in which the period begins and is over, by the city's calendar."""

    def at(day: date) -> datetime:
        return datetime.combine(day, time(), m.numbers.zone)

    return at(m.span.period.start), at(m.span.period.end + timedelta(days=1))
