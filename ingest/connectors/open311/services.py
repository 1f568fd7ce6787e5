"""What a citizen can report by Open311: one service for each problem and campaign of the taxonomy.

A service's code is the label's id, which never changes once used. Problems ask for a few particulars
(GeoReport v2 "service definition"); none is required, so that no form keeps a citizen from being heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PROBLEM_GROUP = "市容环境问题"
CAMPAIGN_GROUP = "城市提升行动"
LISTS = frozenset({"singlevaluelist", "multivaluelist"})
"""Data types whose values are keys of a list."""


@dataclass(frozen=True)
class Attribute:
    """One particular a service asks for; ``values`` are (key, name) of a list.

    ``datatype`` is string, number, datetime, text, singlevaluelist or multivaluelist. One that is not
    ``variable`` is shown to the citizen only: nothing can be filled in.
    """

    code: str
    description: str
    datatype: str
    hint: str = ""
    required: bool = False
    values: tuple[tuple[str, str], ...] = ()
    variable: bool = True


@dataclass(frozen=True)
class Service:
    """One kind of report; ``keywords`` help a citizen to find it."""

    code: str
    name: str
    description: str
    keywords: tuple[str, ...] = ()
    group: str = ""
    attributes: tuple[Attribute, ...] = ()

    @property
    def metadata(self) -> bool:
        """Whether there is a definition to ask for."""
        return bool(self.attributes)


PARTICULARS = (
    Attribute("notice", "危及人身安全的险情请先拨打110或119。", "text", variable=False),
    Attribute("occurred", "发生时间", "datetime", "例如 2026-11-24T08:30:00+08:00"),
    Attribute(
        "recurring", "是否反复出现", "singlevaluelist",
        values=(("first", "第一次发现"), ("often", "反复出现"), ("always", "一直存在")),
    ),
    Attribute(
        "affects", "影响到谁", "multivaluelist", "可以多选",
        values=(("walkers", "行人"), ("drivers", "车辆"), ("residents", "周边居民"), ("shops", "商户")),
    ),
    Attribute("days", "持续天数", "number"),
    Attribute("landmark", "附近标志物", "string"),
    Attribute("scene", "现场情况描述", "text", "现场的样子、规模、声音或气味"),
)  # fmt: skip
"""What is asked about every problem, in order."""


def services_of(problems: Mapping[str, str], campaigns: Mapping[str, str]) -> tuple[Service, ...]:
    """The services of a taxonomy, from names by id."""
    asked = (
        Service(code, name, f"反映{name}的情况", (name,), PROBLEM_GROUP, PARTICULARS)
        for code, name in problems.items()
    )
    told = (
        Service(code, name, f"对{name}的意见和建议", (name,), CAMPAIGN_GROUP)
        for code, name in campaigns.items()
    )
    other = Service(
        "other", "其他诉求", "以上没有列出的城市问题", ("其他",), PROBLEM_GROUP, PARTICULARS
    )
    return (*asked, *told, other)
