"""How a change is said: 增, 减, 持平, or that there is nothing to compare with. Pure."""

from __future__ import annotations

from router.trends.catalogue import Unit

NOUGHT = 0.05
"""Below this a change is printed as nought, in the unit it is printed in."""

NONE = {"prev": "{before}无数据", "year": "去年同期无数据"}
ZERO = {"prev": "{before}为0", "year": "去年同期为0"}


def change_of(now: float, then: float, unit: Unit) -> float:
    """A count's change as a share of what it was, a share's in points of 1, a time's in hours."""
    return (now - then) / then if unit is Unit.PIECES else now - then


def shown_change(change: float, unit: Unit) -> str:
    """增12.3%, 减1.2个百分点, 增3.1小时, 持平."""
    said = {Unit.PIECES: (100, "%"), Unit.PERCENT: (100, "个百分点"), Unit.HOURS: (1, "小时")}
    times, name = said[unit]
    amount = change * times
    if abs(amount) < NOUGHT:
        return "持平"
    return f"{'增' if amount > 0 else '减'}{abs(amount):,.1f}{name}"


def shown_step(step: float) -> str:
    """增加12件, 减少3件, 持平."""
    if not step:
        return "持平"
    return f"{'增加' if step > 0 else '减少'}{abs(step):,.0f}件"


def joined(parts: list[str]) -> str:
    """甲、乙和丙."""
    return "和".join(["、".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)
