"""How near two messages' places are: from what they name, their numbers and their coordinates.

A number, gate or side that differs makes two places of one compound; a street alone is too long to be one
place; coordinates far apart outweigh the same name.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from router.spots import Spot, shared
from store.coords import Point, meters

BESIDE_M = 40.0
"""Coordinates this near each other are one spot: the error of a telephone outdoors, meters."""

_SAID = {
    "building": "{}号楼", "unit": "{}单元", "house": "{}号", "yard": "{}号院", "gate": "{}门",
    "side": "{}侧", "part": "{}区（期）", "floor": "{}楼", "stop": "{}路车站", "by": "{}",
}  # fmt: skip


_LOOSE = ("beside", "mark")
"""Kinds of details that only make it less likely: behind and in front may be one place in two words."""


class Relation(IntEnum):
    """What is known of two places, from different to the same."""

    OTHER = 0
    UNKNOWN = 1
    WIDE = 2
    SAME = 3
    EXACT = 4


WEIGHTS = {
    Relation.OTHER: -3.5,
    Relation.UNKNOWN: -1.0,
    Relation.WIDE: 0.4,
    Relation.SAME: 2.0,
    Relation.EXACT: 3.0,
}
"""Log-odds for one matter."""


VAGUE = 0.7
"""Taken off where one message narrows the place and the other does not, log-odds."""

CLASH = 2.0
"""Taken off where they narrow it in different words, log-odds."""


class Where(NamedTuple):
    """One message's place: what it names, its territory, who answers there, WGS-84 coordinates."""

    spot: Spot
    area: str
    point: str
    here: Point | None


class Nearness(NamedTuple):
    """The relation, its weight, its wording for the screen; ``vague``: one narrows what the other leaves open."""

    relation: Relation
    weight: float
    text: str
    vague: bool


def nearness(a: Where, b: Where, radius_m: float) -> Nearness:
    """What is known of the two places; the order does not matter."""
    away = meters(a.here, b.here) if a.here and b.here else None
    differs = _differs(a, b, away, radius_m)
    if differs:
        return Nearness(Relation.OTHER, WEIGHTS[Relation.OTHER], differs, vague=True)
    relation, text = _agrees(a, b, away, radius_m)
    weight = WEIGHTS[relation]
    if away is not None:
        weight += 1.0 if away <= BESIDE_M else 0.4 if away <= radius_m else -1.0
        text = "，".join(filter(None, (text, f"相距约{away:.0f}米")))
    vague = a.spot.details != b.spot.details or (away is not None and away > radius_m)
    clashes = any(_clash(a.spot.values(kind), b.spot.values(kind)) for kind in _LOOSE)
    weight -= CLASH if clashes else VAGUE * vague
    return Nearness(relation, weight, text, vague)


def _clash(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    """Whether both say something and nothing alike."""
    return bool(mine and theirs and not mine & theirs)


def _differs(a: Where, b: Where, away: float | None, radius_m: float) -> str:
    """Why they are two places; empty if nothing says so."""
    if a.area and b.area and a.area != b.area:
        return "不在同一街道（乡镇）"
    if away is not None and away > 2 * radius_m:
        return f"相距约{away:.0f}米"
    x, y = a.spot, b.spot
    one_spot = shared(x.spots, y.spots)
    if x.spots and y.spots and not one_spot:
        return _two("地点不同：", x.spots, y.spots, "{}")
    crossings = min(len(x.lines), len(y.lines), 2)
    if crossings and not one_spot and len(shared(x.lines, y.lines)) < crossings:
        return _two("街路不同：", x.lines - y.lines, y.lines - x.lines, "{}")
    for kind, said in _SAID.items():
        mine, theirs = x.values(kind), y.values(kind)
        if _clash(mine, theirs):
            return _two("位置不同：", mine, theirs, said)
    return ""


def _agrees(a: Where, b: Where, away: float | None, radius_m: float) -> tuple[Relation, str]:
    """How much of two places that do not differ is the same, and the wording."""
    x, y = a.spot, b.spot
    spots, lines, details = (
        shared(x.spots, y.spots),
        shared(x.lines, y.lines),
        x.details & y.details,
    )
    said = "".join(_SAID[kind].format(value) for kind, value in sorted(details) if kind in _SAID)
    if (spots and said) or len(lines) > 1 or (lines and any(k == "house" for k, _ in details)):
        return Relation.EXACT, f"同一地点：{'、'.join(sorted(spots or lines))}{said}"
    if spots:
        return Relation.SAME, f"同一地点：{'、'.join(sorted(spots))}"
    if away is not None and away <= BESIDE_M:
        return Relation.SAME, "位置重合"
    if lines:
        return Relation.WIDE, f"同一街路：{'、'.join(sorted(lines))}"
    return _around(a, b, away, radius_m)


def _around(a: Where, b: Where, away: float | None, radius_m: float) -> tuple[Relation, str]:
    """How near two places are that share no name."""
    if away is not None and away <= radius_m:
        return Relation.WIDE, "位置相近"
    if a.point and a.point == b.point:
        return Relation.WIDE, f"同属{a.point}"
    return Relation.UNKNOWN, "地点不明"


def _two(what: str, mine: frozenset[str], theirs: frozenset[str], said: str) -> str:
    """The two values that differ, in a fixed order."""
    first, second = sorted((min(mine), min(theirs)))
    return f"{what}{said.format(first)}、{said.format(second)}"
