"""The parts of a bulletin that list: problems, campaigns, channels, areas, and offices beside their like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from desk.reports.making import Making, Told
from desk.trends.board import UNPLACED
from desk.trends.league import formula, orders, ranks, score
from router.trends.numbers import Ask, Compared, Figure

MOST = 5
ENDS = 3
"""Offices named at each end of the ranking."""

AREA_COLUMNS = ("filed", "closed", "on_time_rate", "solved_rate", "satisfied_rate")


async def problems(m: Making) -> None:
    """高发前五 of problems."""
    await _labels(m, "高发问题", m.naming.taxonomy.problems)


async def campaigns(m: Making) -> None:
    """高发前五 of campaigns."""
    await _labels(m, "涉及专项行动的诉求", m.naming.taxonomy.campaigns)


async def _labels(m: Making, title: str, labels: Sequence[str]) -> None:
    told = (await m.by(["items"], "label"))["items"]
    kept = {one: told[one] for one in labels if one in told}
    await _listed(m, title, "类别", kept, m.naming.taxonomy.names)


async def channels(m: Making) -> None:
    """来源渠道."""
    told = (await m.by(["items"], "channel"))["items"]
    await _listed(m, "来源渠道", "渠道", told, m.naming.channels, is_whole=True)


async def _listed(
    m: Making,
    title: str,
    column: str,
    told: Mapping[str, Compared],
    names: Mapping[str, str],
    *,
    is_whole: bool = False,
) -> None:
    """A sentence and a table of the most frequent."""
    total = (await m.compare(["items"]))["items"]
    ordered = sorted(told, key=lambda key: (-told[key].now.numerator, key))
    most = None if is_whole else MOST
    shown = [key for key in ordered if told[key].now.numerator][:most]
    m.head(f"{title}前五位" if len(shown) == most else title)
    if not shown:
        m.words(f"{m.now}没有相关诉求。")
        return
    first = told[shown[0]]
    m.words(
        f"最多的是{names.get(shown[0], shown[0])}，{m.say(first.now)}件，占受理诉求的"
        f"{m.book.share(first.now, total.now)}{m.aside(first)}。"
    )
    rows = [
        [str(n), names.get(key, key), m.say(told[key].now), m.book.share(told[key].now, total.now),
         *m.changes(told[key])]
        for n, key in enumerate(shown, 1)
    ]  # fmt: skip
    note = "一件诉求可属于多个类别，占比之和可超过100%" if column == "类别" else ""
    m.table(title, ["序号", column, "件数", "占比", *m.columns()], rows, note)


async def areas(m: Making) -> None:
    """各属地情况, the configured order kept; what has no place last."""
    m.head("各属地情况")
    items = (await m.by(["items"], "area"))["items"]
    rest = await m.by(AREA_COLUMNS, "area")
    names = m.naming.offices
    keys = [key for key in m.naming.areas if key in items] + ([""] if "" in items else [])
    catalogue = m.numbers.catalogue.by_id
    rows = []
    for key in keys:
        cells = [
            m.say(told[key].now if key in told else m.absent(Ask(one, m.span.period, area=key)))
            for one, told in rest.items()
        ]
        rows.append(
            [names.get(key, UNPLACED), m.say(items[key].now), *m.changes(items[key]), *cells]
        )
    heads = [catalogue[one].name for one in rest]
    m.table("各属地情况", ["属地", "受理诉求", *m.columns(), *heads], rows)
    shown = [key for key in keys if key and items[key].now.numerator]
    if shown:
        m.chart(
            "各属地受理诉求",
            [names.get(key, key) for key in shown],
            {m.now: [items[key].now for key in shown]},
            drawn="bar",
        )


async def units(m: Making) -> None:
    """责任单位排名: the best and the last three of each kind; few orders give no place."""
    settings = m.numbers.catalogue.league
    told = await m.by(settings.indicators, "department")
    groups = {"部门": m.naming.departments, "街道和乡镇": m.naming.areas}
    m.head("责任单位排名")
    for name, offices in groups.items():
        _league(m, name, offices, told)
    m.notes.append(formula(m.numbers.catalogue))


def _league(m: Making, name: str, offices: Sequence[str], told: Told) -> None:
    """One table; a sentence says why when there is none."""
    catalogue = m.numbers.catalogue
    now = {one: {key: c.now for key, c in found.items()} for one, found in told.items()}
    before = {one: {key: c.before for key, c in found.items()} for one, found in told.items()}
    places, earlier = ranks(offices, now, catalogue), ranks(offices, before, catalogue)
    ordered = sorted(places, key=lambda one: (places[one], -orders(one, now), one))
    least = catalogue.league.rank_from
    if not ordered:
        m.words(f"{name}：工单达到{least}件的单位不足，不排名。")
        return
    shown = ordered if len(ordered) <= 2 * ENDS else ordered[:ENDS] + ordered[-ENDS:]
    rows = [
        [str(places[one]), m.naming.offices.get(one, one), _score(m, one, now),
         *(m.say(now[i][one]) for i in catalogue.league.indicators if one in now[i]),
         _moved(one, places, earlier)]
        for one in shown
    ]  # fmt: skip
    heads = [catalogue.by_id[one].name for one in catalogue.league.indicators]
    few = sum(0 < orders(one, now) < least for one in offices)
    note = f"工单不足{least}件的{few}个单位不排名" if few else ""
    title = f"{name}排名" if len(shown) == len(ordered) else f"{name}前{ENDS}名和后{ENDS}名"
    m.table(title, ["名次", "单位", "综合得分", *heads, f"比{m.before}"], rows, note)


def _score(m: Making, office: str, now: Mapping[str, Mapping[str, Figure]]) -> str:
    """综合得分 as a placeholder."""
    weights = m.numbers.catalogue.league.weights
    value = score(office, now, weights)
    of = [m.book.put(now[one][office]) for one in weights if office in now.get(one, {})]
    return m.book.derive(
        f"score[department={office}]", f"{m.naming.offices.get(office, office)}综合得分", *of, value=value,
        shown="—" if value is None else f"{value:.1f}", unit="分", formula=formula(m.numbers.catalogue),
    )  # fmt: skip


def _moved(office: str, places: Mapping[str, int], earlier: Mapping[str, int]) -> str:
    """升2, 降1, 持平; a dash where there was no place."""
    if office not in earlier:
        return "—"
    step = earlier[office] - places[office]
    return f"{'升' if step > 0 else '降'}{abs(step)}" if step else "持平"
