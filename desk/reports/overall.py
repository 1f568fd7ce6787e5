"""The parts of a bulletin about the whole city: how much, how well, and what carried the change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from desk.reports.making import Making, day_said
from desk.reports.periods import Cycle, span_of
from desk.reports.words import joined
from desk.trends.board import UNPLACED
from router.trends.days import Period
from router.trends.numbers import Ask, Compared, Figure

COUNTS = ("items", "cases", "filed", "due", "closed")
RATES = ("closed_rate", "on_time_rate", "reworked_rate", "extended_rate", "returned_rate")
CITIZENS = ("response_rate", "solved_rate", "satisfied_rate")
TIMES = ("turn_median", "work_median")
STANDS = ("open", "overdue", "overdue_3d", "suspended")
CARRIERS = (("area", "属地"), ("channel", "渠道"), ("label", "问题"))
"""What a change is explained by, and what that is called."""

SHOWN = 2
"""Carriers of a change that are named of each kind."""


async def overview(m: Making) -> None:
    """总体情况 in words."""
    m.head("总体情况")
    told = await m.compare((*COUNTS, *RATES, *CITIZENS))
    counted = [one for one in COUNTS if one in told]
    m.words(
        f"{m.now}，全市共"
        + "；".join(_counted(m, told[one]) for one in counted)
        + "。"
        + "".join(_sentence(m, told, names) for names in (RATES, CITIZENS))
        + "".join(f"{one}，不作比较。" for one in m.lacking)
    )
    stands = await m.compare(STANDS)
    if stands:
        m.words(f"截至统计时，{'，'.join(_standing(m, one) for one in stands.values())}。")


def _counted(m: Making, told: Compared) -> str:
    name = m.numbers.catalogue.by_id[told.now.ask.indicator].name
    return f"{name}{m.say(told.now)}件{m.aside(told)}"


def _standing(m: Making, told: Compared) -> str:
    return f"{m.numbers.catalogue.by_id[told.now.ask.indicator].name}{m.say(told.now)}件"


def _sentence(m: Making, told: Mapping[str, Compared], names: tuple[str, ...]) -> str:
    """Rates with their changes; those of nothing are said to have no data."""
    parts = []
    for one in names:
        if one not in told:
            continue
        name, figure = m.numbers.catalogue.by_id[one].name, told[one].now
        parts.append(
            f"{name}无数据"
            if figure.value is None
            else f"{name}{m.say(figure)}{m.aside(told[one])}"
        )
    return "，".join(parts) + "。" if parts else ""


async def indicators(m: Making) -> None:
    """The table of indicators: now, before, a year ago."""
    told = await m.compare((*COUNTS, *RATES, *CITIZENS, *TIMES))
    when = {"now": m.now, "prev": m.before, "year": "去年同期"}
    shown = ["now", *(tag for tag in ("prev", "year") if m.has(tag))]
    rows = []
    for one, compared in told.items():
        of = {"now": compared.now, "prev": compared.before, "year": compared.year_ago}
        indicator = m.numbers.catalogue.by_id[one]
        cells = [m.say(of[tag]) for tag in shown]
        rows.append([f"{indicator.name}（{indicator.unit}）", *cells, *m.changes(compared)])
    m.table("主要指标", ["指标", *(when[tag] for tag in shown), *m.columns()], rows)


async def carriers(m: Making) -> None:
    """变化原因: which areas, channels and problems carried the change of what came in."""
    total = (await m.compare(["items"]))["items"]
    if total.now.value is None or not m.has("prev"):
        return
    step = total.now.numerator - total.before.numerator
    if not step:
        m.words(f"受理诉求与{m.before}持平。")
        return
    said = []
    for dimension, name in CARRIERS:
        told = (await m.by(["items"], dimension))["items"]
        found = _carriers(m, told, dimension, rises=step > 0)
        if found:
            said.append(f"{name}方面主要是{joined(found)}")
    why = "；".join(said)
    m.words(
        f"与{m.before}相比，受理诉求{m.book.step(total.now, total.before)}。{why}{'。' if why else ''}"
    )


def _carriers(m: Making, told: Mapping[str, Compared], dimension: str, *, rises: bool) -> list[str]:
    """Those that moved most the way the whole moved, with how much."""
    names = m.naming.filters[dimension]
    taxonomy = m.naming.taxonomy
    listed = set(taxonomy.problems) if dimension == "label" else set(told)
    moved = {
        key: one.now.numerator - one.before.numerator for key, one in told.items() if key in listed
    }
    ordered = sorted(moved, key=lambda key: (-moved[key] if rises else moved[key], key))
    return [
        f"{names.get(key, key or UNPLACED)}（{m.book.step(told[key].now, told[key].before)}）"
        for key in ordered[:SHOWN]
        if (moved[key] > 0) == rises and moved[key]
    ]


async def lateness(m: Making) -> None:
    """Which offices carried the change of what was done on time."""
    if not m.known(["on_time_rate"]):
        return
    total = (await m.compare(["on_time_rate"]))["on_time_rate"]
    if total.now.value is None:
        m.words(f"{m.now}没有应结工单。")
        return
    told = (await m.by(["on_time_rate"], "department"))["on_time_rate"]
    late = {key: one.now.denominator - one.now.numerator for key, one in told.items()}
    worst = [key for key in sorted(late, key=lambda key: (-late[key], key)) if late[key]][:3]
    if worst:
        said = joined(
            [f"{m.naming.offices.get(key, key)}（{late_of(m, told[key].now)}件）" for key in worst]
        )
        m.words(f"应结未按期办结的工单共{late_of(m, total.now)}件，较多的单位是{said}。")
    else:
        m.words("应结工单全部按期办结。")


def late_of(m: Making, rate: Figure) -> str:
    """应结未按期: what a rate lacks of its denominator, as a placeholder."""
    key = m.book.put(rate)
    late = rate.denominator - rate.numerator
    name = m.book.figures[key].name.replace("按期办结率", "应结未按期工单")
    return m.book.derive(
        f"{key}-", name, key, value=late, numerator=late, shown=f"{late:,.0f}", unit="件",
        formula="应结工单－期限内处置完毕的工单",
    )  # fmt: skip


async def course(m: Making) -> None:
    """A chart of the days of a week or month, or of the months of a quarter or year, if there is anything."""
    if m.is_empty:
        return
    if m.span.cycle in {Cycle.WEEK, Cycle.MONTH}:
        days = m.span.period.each()
        counts = (await m.numbers.daily(Ask("items", m.span.period)))["*"]
        figures = [
            Figure(Ask("items", Period(day, day)), float(n), 0.0, float(n), f"{n:,}")
            for day, n in zip(days, counts, strict=True)
        ]
        m.chart("每日受理诉求", [day_said(day) for day in days], {m.now: figures}, drawn="line")
        return
    months = _months(m.span.period)
    figures = await m.numbers.figures([Ask("items", one) for one in months])
    m.chart("每月受理诉求", [f"{one.start.month}月" for one in months], {m.now: figures})


def _months(period: Period) -> list[Period]:
    """The calendar months of a quarter or year."""
    found, day = [], period.start
    while day <= period.end:
        found.append(span_of(Cycle.MONTH, day).period)
        day = found[-1].end + timedelta(days=1)
    return found


async def closing(m: Making) -> None:
    """下一步工作: the kind's own paragraphs, for the editor to change."""
    if m.closing:
        m.head("下一步工作")
        for text in m.closing:
            m.words(text)
