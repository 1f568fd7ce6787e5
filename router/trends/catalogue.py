"""The indicators (指标) that pages, API and bulletins are made of (``configs/indicators.toml``).

An indicator is a count, a share of two counts, a percentile of times, or how things stand now. What is counted is
one of ``COUNTS``; there is no expression language.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import Literal

from pydantic import Field, model_validator

from router.trends.parts import TURN, WORK
from store.config import Strict

ITEMS = "items"
"""诉求件数: the one count that is by series and channel, of ``item_days``; all others are of ``case_days``."""

COUNTS: dict[str, str] = {
    ITEMS: "受理的诉求，按诉求自己的日期；并案的每位市民各计一件",
    "cases": "受理的案件，按收到日期；并案后只计主案",
    "filed": "立案的案件，按立案日期",
    "closed": "结案的案件，按结案日期",
    "declined": "不予立案的案件，按收到日期",
    "referred": "转出的案件，按收到日期",
    "relapsed": "复发的案件，按收到日期",
    "orders": "派遣的工单，按派遣日期；已收回的不计",
    "due": "应结的工单，按办理期限的日期；退单、收回、挂账的不计",
    "on_time": "应结工单中，期限内处置完毕的",
    "extended": "应结工单中，批准过延期的",
    "reworked": "核查不合格返工过的工单，按派遣日期",
    "returned": "退单的工单，按退单日期",
    "sign_due": "应签收的工单，按签收期限的日期",
    "signed": "应签收工单中，期限内签收或处置的",
    "rated": "有回访结果的诉求，按回访日期",
    "answered": "回访中回答是否解决的",
    "solved": "回访中认为已解决的",
    "marked": "回访中作出满意评价的",
    "satisfied": "回访中满意和基本满意的",
}
"""What may be counted, and its scope (口径)."""

TIMES = {TURN: "受理到结案的小时数，按结案日期", WORK: "派遣到处置完毕的小时数，按处置日期"}
STANDS: dict[str, str] = {
    "open": "此刻未办结的案件",
    "overdue": "此刻超过办理期限未办结的案件",
    "overdue_3d": "此刻超过办理期限三天以上未办结的案件",
    "suspended": "此刻挂账的案件",
    "waiting": "此刻等待派遣的案件",
}
"""How things stand now; asked of the cases themselves."""


class Unit(StrEnum):
    """How a value is written."""

    PIECES = "件"
    PERCENT = "%"
    HOURS = "小时"


class Indicator(Strict):
    """指标. ``formula`` and ``scope`` (口径) are what people read; one of ``count``, ``time``, ``stands`` is given.

    With ``over`` the count is a share of that count; ``q`` is the percentile of the times. ``good`` says which way
    is good; none: neither is.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    name: str = Field(min_length=1)
    formula: str = Field(min_length=1)
    scope: str = ""
    count: str = ""
    over: str = ""
    time: str = ""
    q: float = Field(default=0.5, gt=0, lt=1)
    stands: str = ""
    good: Literal["up", "down", ""] = ""

    @model_validator(mode="after")
    def _known(self) -> Indicator:
        given = {"count": COUNTS, "over": COUNTS, "time": TIMES, "stands": STANDS}
        for key, known in given.items():
            value = getattr(self, key)
            if value and value not in known:
                msg = f"{self.id}: {key}: {value} can not be counted; one of {', '.join(known)}"
                raise ValueError(msg)
        if sum(bool(value) for value in (self.count, self.time, self.stands)) != 1:
            msg = f"{self.id}: give exactly one of count, time, stands"
            raise ValueError(msg)
        if self.over and not self.count:
            msg = f"{self.id}: over needs count; add it or remove over"
            raise ValueError(msg)
        if self.over and ITEMS in {self.over, self.count}:
            msg = f"{self.id}: {ITEMS} can not be a share; count orders or cases"
            raise ValueError(msg)
        return self

    @property
    def unit(self) -> Unit:
        """How its values are written."""
        if self.time:
            return Unit.HOURS
        return Unit.PERCENT if self.over else Unit.PIECES

    @property
    def source(self) -> str:
        """The table its query asks."""
        if self.stands:
            return "cases"
        return "item_days" if self.count == ITEMS else "case_days"

    @property
    def meaning(self) -> str:
        """Its scope in words: its own, or those of what it counts."""
        if self.scope:
            return self.scope
        parts = (COUNTS.get(self.count), COUNTS.get(self.over), TIMES.get(self.time))
        return "；".join(part for part in (*parts, STANDS.get(self.stands)) if part)


class League(Strict):
    """排名: how offices are compared. ``rank_from``: offices with fewer orders are shown without a rank."""

    indicators: tuple[str, ...]
    weights: dict[str, float] = {}
    rank_from: int = Field(default=20, ge=1)


class Catalogue(Strict):
    """``configs/indicators.toml``. ``board`` are the numbers on top of the trends page, in order."""

    indicator: tuple[Indicator, ...] = Field(min_length=1)
    board: tuple[str, ...]
    league: League

    @model_validator(mode="after")
    def _whole(self) -> Catalogue:
        ids = [one.id for one in self.indicator]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            msg = f"indicator {twice[0]} is there twice; remove one"
            raise ValueError(msg)
        named = {"board": self.board, "league.indicators": self.league.indicators}
        named["league.weights"] = tuple(self.league.weights)
        for key, listed in named.items():
            if unknown := sorted(set(listed) - set(ids)):
                msg = f"{key}: {unknown[0]} is no indicator of this file; correct or remove it"
                raise ValueError(msg)
        for one in self.league.weights:
            if self.by_id[one].unit is not Unit.PERCENT:
                msg = f"league.weights: {one} is no percentage; remove it"
                raise ValueError(msg)
        return self

    @cached_property
    def by_id(self) -> dict[str, Indicator]:
        """Indicators by id, in order."""
        return {one.id: one for one in self.indicator}
