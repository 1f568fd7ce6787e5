"""Every figure of a bulletin is what the plain rows come to, and stands where the words name it."""

from typing import Any

import pytest
from bulletin_recount import day_number, facts, first_day, recounted
from bureau import CYCLES, Bureau

from desk.reports.frozen import (
    Content,
    Frozen,
    Grid,
    marks_of,
    named,
    read_content,
    read_figures,
    spoken,
)
from desk.reports.periods import Cycle, read_span
from desk.trends.filters import read_ask
from store.tables import T

SPANS = {"week": "2026-W47", "month": "2026-11", "quarter": "2025-Q3", "year": "2024"}


def shown(one: Frozen, value: float | None) -> str:
    if value is None:
        return "—"
    return {"件": f"{value:,.0f}", "%": f"{100 * value:.1f}%", "小时": f"{value:,.1f}"}[one.unit]


def derived(one: Frozen, of: list[Frozen], values: dict[str, Any]) -> float | None:
    """A figure computed from others, by what its id says."""
    now, then = values[of[0].id], values[of[-1].id]
    if "~" in one.id:
        plain = of[0].unit == "件"
        return ((now[2] - then[2]) / then[2] if then[2] else 0.0) if plain else now[2] - then[2]
    if "±" in one.id:
        return now[0] - then[0]
    if one.id.endswith("÷"):
        return then[0] / now[0] if now[0] else None
    if one.id.endswith("-"):
        return now[1] - now[0]
    weights = {"response_rate": 20, "solved_rate": 40, "satisfied_rate": 40}
    rated = {o.ask.split("&")[0].removeprefix("indicator="): values[o.id][2] for o in of}
    kept = {name: value for name, value in rated.items() if value is not None}
    return 100 * sum(weights[name] * value for name, value in kept.items()) / sum(weights[name] for name in kept)  # fmt: skip


async def test_every_figure_of_the_monthly_bulletin_is_recomputed(busy: Bureau) -> None:
    bulletin = await busy.made()
    figures, told = await busy.figures(bulletin), await facts(busy.db, busy.clock())
    plain = {key: one for key, one in figures.items() if one.ask and not one.of}
    values = {key: recounted(told, one.ask) for key, one in plain.items()}
    assert len(plain) > 80
    for key, one in plain.items():
        top, under, value = values[key]
        if "hours" in one.scope or one.unit == "小时":
            assert one.numerator == top, key
            assert value is None or one.value == pytest.approx(value, rel=0.021), key
            continue
        assert (one.numerator, one.denominator, one.value) == (top, under, value), key
        assert one.shown == shown(one, value), key
    others = [one for one in figures.values() if one.of and not one.id.endswith("?")]
    assert {"~", "±", "÷", "-", "score"} <= {
        c for one in others for c in ("~", "±", "÷", "-", "score") if c in one.id
    }
    for one in others:
        of = [figures[key] for key in one.of]
        if any(source.unit == "小时" for source in of):
            continue
        assert one.value == pytest.approx(derived(one, of, values)), one.id
    loose = {key: one.value for key, one in figures.items() if not one.ask}
    assert {value for key, value in loose.items() if key.startswith("topic")} == {14.0, 4.5}
    burst = next(one for key, one in figures.items() if key.endswith("?"))
    assert burst.value == 3.5
    assert await differing(busy, list(plain.values())) == []
    content = await busy.content(bulletin)
    check_ranking(content, figures)
    check_burst(content, figures)
    assert len(plain) + len([one for one in figures.values() if one.of]) + len(loose) == len(
        figures
    )


async def differing(bureau: Bureau, plain: list[Frozen]) -> list[str]:
    """Figures that their own address does not give again."""
    queries = [dict(pair.split("=", 1) for pair in one.ask.split("&")) for one in plain]
    asks = [read_ask(query, bureau.numbers.today()) for query in queries]
    again = await bureau.numbers.figures(asks)
    return [
        one.id for one, now in zip(plain, again, strict=True)
        if (one.numerator, one.denominator, one.value) != (now.numerator, now.denominator, now.value)
    ]  # fmt: skip


def check_ranking(content: Content, figures: dict[str, Frozen]) -> None:
    """The best stands first, by the score that is printed."""
    (table,) = [b for b in content.blocks if isinstance(b, Grid) and "排名" in b.text]
    scores = [figures[marks_of(row[2])[0]].value or 0 for row in table.rows]
    assert [row[0] for row in table.rows] == ["1", "2"]
    assert scores == sorted(scores, reverse=True)


def check_burst(content: Content, figures: dict[str, Frozen]) -> None:
    """It is told with its days, and its number is asked like any other."""
    texts = [block.text for block in content.blocks]
    (text,) = [text for text in texts if "预期" in text and "11月18日" in text]
    said = spoken(text, figures)
    assert said.startswith("11月18日至21日，渤海街道污水乱排诉求")
    assert said.endswith("件，预期3.5件。集中在一个小区。")
    assert len(marks_of(text)) == 2


async def test_overdue_and_circulars_of_the_supervision_bulletin(busy: Bureau) -> None:
    due = T.cases.update().values(due_at=busy.clock.now.replace(month=11, day=27))
    await busy.db.write(lambda tx: tx.run(due))
    figures = await busy.figures(await busy.made("supervision"))
    told = await facts(busy.db, busy.clock())
    late = {key: one for key, one in figures.items() if key.startswith("overdue")}
    assert len(late) == 8  # all, and each of two offices and none, of two indicators
    for key, one in late.items():
        assert one.value == recounted(told, one.ask)[2] > 0, key
    assert [figures[f"circulars{n}[a]"].value for n in range(3)] == [1, 0, 1]
    days = [one.value for key, one in figures.items() if key.startswith("late[")]
    assert days
    assert set(days) == {4.0}


async def test_every_kind_is_drafted_of_a_town_with_or_without_a_past(busy: Bureau) -> None:
    """Quarter and year are before the first message: the words say so and no number is made up."""
    for plan, cycle in CYCLES.items():
        row = await busy.row(await busy.made(plan, SPANS[cycle]))
        content, figures = read_content(row.content), read_figures(row.figures)
        assert named(content.blocks) <= set(figures), plan
        words = "".join(block.text for block in content.blocks)
        assert ("去年同期无数据" in words) == (plan not in {"cases", "annual"}), plan
        if cycle in {"quarter", "year"}:
            values = {one.value for one in figures.values() if one.title and one.source != "cases"}
            assert values == {None}, plan
    await check_january(busy)


async def check_january(bureau: Bureau) -> None:
    """The first message is of December, which therefore is not whole and not compared with."""
    december = read_span(Cycle.MONTH, "2025-12").period
    first = first_day(await facts(bureau.db, bureau.clock()))
    assert december.numbers[0] < first <= day_number(december.end)
    bulletin = await bureau.made(period="2026-01")
    content, figures = await bureau.content(bulletin), await bureau.figures(bulletin)
    assert any(note.startswith("上月数据不全（自2025-12-") for note in content.notes)
    assert "去年同期无数据，不作比较" in content.notes
    assert not [key for key in figures if "~" in key]


async def test_an_empty_city_has_a_bulletin_that_says_so(bureau: Bureau) -> None:
    bulletin = await bureau.made()
    content, figures = await bureau.content(bulletin), await bureau.figures(bulletin)
    assert {one.value for one in figures.values() if one.title and one.source != "cases"} == {None}
    assert "上月无数据，不作比较" in content.notes
