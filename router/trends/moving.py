"""Why a number moved: which channel, place or single case brought what is more than before, in data and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

LEADING = 0.5
"""Share of the excess from which one channel, place or case is said to have carried it."""


class Speaker(NamedTuple):
    """One message of a count."""

    channel: str
    area: str
    case_id: int
    author: str


@dataclass(frozen=True, slots=True)
class Reason:
    """``words`` says it; the rest are the shares of the excess of the greatest channel, area and case, 0 to 1."""

    words: str
    channel: str = ""
    channel_share: float = 0.0
    area: str = ""
    area_share: float = 0.0
    case_id: str = ""
    case_share: float = 0.0


def _most(now: Sequence[str], then: Sequence[str], share: float) -> tuple[str, float]:
    """Which value grew most, and its part of all growth; ``share``: how long now is beside then."""
    grown: dict[str, float] = dict(Counter(now))
    for value, n in Counter(then).items():
        grown[value] = grown.get(value, 0.0) - n * share
    excess = len(now) - len(then) * share
    if excess <= 0 or not grown:
        return "", 0.0
    value, more = max(grown.items(), key=lambda pair: (pair[1], pair[0]))
    return value, min(1.0, max(0.0, more / excess))


def reasons(
    now: Sequence[Speaker], then: Sequence[Speaker], *, share: float, names: Mapping[str, str]
) -> Reason:
    """What carried the growth from ``then`` to ``now``; ``names`` shows channels and areas."""
    channel, by_channel = _most([one.channel for one in now], [one.channel for one in then], share)
    area, by_area = _most([one.area for one in now], [one.area for one in then], share)
    case, by_case = _most([str(one.case_id) for one in now], [], share)
    said = []
    if by_case >= LEADING and len(now) > 1:
        said.append(f"{by_case:.0%} 是同一案件的多位市民反映")
    if by_area >= LEADING and len({one.area for one in now}) > 1:
        said.append(f"{by_area:.0%} 的增量在{names.get(area, area) or '地点不明处'}")
    if by_channel >= LEADING:
        said.append(f"{by_channel:.0%} 的增量来自{names.get(channel, channel)}")
    return Reason(
        words="，".join(said) or "增量分散在各渠道各处",
        channel=channel,
        channel_share=round(by_channel, 3),
        area=area,
        area_share=round(by_area, 3),
        case_id=case,
        case_share=round(by_case, 3),
    )
