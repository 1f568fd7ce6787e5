"""The figures of one draft: each is named once, frozen, and stands in texts as its placeholder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from desk.reports.frozen import Frozen, mark
from desk.reports.words import NONE, ZERO, change_of, shown_change, shown_step
from desk.trends.board import UNPLACED
from router.trends.catalogue import Catalogue, Unit
from router.trends.days import Period
from router.trends.numbers import Ask, Figure
from router.trends.sums import FILTERS
from store.tables_trends import ALL

SUFFIX = {"now": "", "prev": "@prev", "year": "@year"}


@dataclass
class Book:
    """Figures by id. ``tags`` name the periods compared; ``before`` is what the previous one is called (上月)."""

    catalogue: Catalogue
    as_of: datetime
    tags: Mapping[Period, str]
    before: str
    names: Mapping[str, Mapping[str, str]]
    figures: dict[str, Frozen] = field(default_factory=dict)

    def id_of(self, ask: Ask) -> str:
        """``items[area=bohai]@prev``."""
        kept = ",".join(f"{n}={v}" for n in FILTERS if (v := getattr(ask, n)) != ALL)
        first, last = ask.period.numbers
        other = f"@{first}" if first == last else f"@{first}-{last}"
        tag = self.tags.get(ask.period)
        return (
            f"{ask.indicator}{f'[{kept}]' if kept else ''}{other if tag is None else SUFFIX[tag]}"
        )

    def put(self, figure: Figure) -> str:
        """Freeze a figure; its id."""
        ask, key = figure.ask, self.id_of(figure.ask)
        one = self.catalogue.by_id[ask.indicator]
        self.figures[key] = Frozen(
            id=key,
            name=self._name(ask, one.name),
            title=one.name,
            ask=ask.query(),
            numerator=figure.numerator,
            denominator=figure.denominator,
            value=figure.value,
            shown=figure.shown,
            unit=str(one.unit),
            formula=one.formula,
            scope=one.meaning,
            source=one.source,
            as_of=self.as_of.isoformat(),
        )
        return key

    def say(self, figure: Figure) -> str:
        """Freeze a figure; its placeholder."""
        return mark(self.put(figure))

    def _name(self, ask: Ask, name: str) -> str:
        of = [self.names[n].get(v, v or UNPLACED) for n in FILTERS if (v := getattr(ask, n)) != ALL]
        said = {"now": "", "prev": self.before, "year": "去年同期"}
        when = said.get(self.tags.get(ask.period, ""), f"{ask.period.start:%m月%d日}")
        return f"{when}{'、'.join(of)}{name}"

    def derive(self, key: str, name: str, *of: str, **values: object) -> str:
        """Freeze what is computed from other figures; its placeholder. It leads where the last of them does."""
        last = self.figures[of[-1]]
        base = {"ask": last.ask, "source": last.source, "as_of": self.as_of.isoformat()}
        made: dict[str, object] = base | {"id": key, "name": name, "of": of} | values
        self.figures[key] = Frozen(**made)  # type: ignore[arg-type]
        return mark(key)

    def loose(
        self,
        key: str,
        name: str,
        value: float,
        *,
        shown: str,
        formula: str,
        source: str,
        page: str = "",
        unit: str = "件",
    ) -> str:
        """Freeze a count that no indicator gives; its id. ``page`` shows what it is of."""
        at = self.as_of.isoformat()
        self.figures[key] = Frozen(
            id=key, name=name, numerator=value, value=value, shown=shown, unit=unit, formula=formula, source=source,
            as_of=at, page=page,
        )  # fmt: skip
        return key

    def change(self, now: Figure, then: Figure, tag: str) -> str:
        """What changed, as words with a placeholder; or why not. ``tag`` is ``prev`` or ``year``."""
        if now.value is None or then.value is None:
            return NONE[tag].format(before=self.before)
        a, b = self.put(now), self.put(then)
        unit = self.catalogue.by_id[now.ask.indicator].unit
        if unit is Unit.PIECES and not then.value:
            return ZERO[tag].format(before=self.before) if now.value else self._same(a, b, tag)
        value = change_of(now.value, then.value, unit)
        ways = {
            Unit.PIECES: ("%", "（本期－{}）÷{}"),
            Unit.PERCENT: ("个百分点", "本期－{}"),
            Unit.HOURS: ("小时", "本期－{}"),
        }
        name, way = ways[unit]
        then_said = "去年同期" if tag == "year" else self.before
        return self.derive(
            f"{a}~{tag}",
            f"{self.figures[a].name}{'同比' if tag == 'year' else '环比'}",
            a,
            b,
            value=value,
            shown=shown_change(value, unit),
            unit=name,
            formula=way.format(then_said, then_said),
        )

    def _same(self, a: str, b: str, tag: str) -> str:
        name = f"{self.figures[a].name}{'同比' if tag == 'year' else '环比'}"
        return self.derive(
            f"{a}~{tag}", name, a, b, value=0.0, shown="持平", unit="%", formula="均为0"
        )

    def step(self, now: Figure, then: Figure) -> str:
        """增加12件: the difference of two counts."""
        a, b = self.put(now), self.put(then)
        value = now.numerator - then.numerator
        name = f"{self.figures[a].name}比{self.before}增减"
        return self.derive(
            f"{a}±prev", name, a, b, value=value, shown=shown_step(value), unit="件", formula=f"本期－{self.before}"
        )  # fmt: skip

    def share(self, part: Figure, whole: Figure) -> str:
        """占比: one count of another."""
        a, b = self.put(part), self.put(whole)
        value = part.numerator / whole.numerator if whole.numerator else None
        return self.derive(
            f"{a}÷", f"{self.figures[a].name}占比", b, a, value=value, numerator=part.numerator,
            denominator=whole.numerator, shown="—" if value is None else f"{value * 100:.1f}%", unit="%",
            formula=f"{self.figures[a].name} ÷ {self.figures[b].name}",
        )  # fmt: skip
