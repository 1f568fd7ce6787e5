"""Who has been put in charge of an area, a street or a point (包保): ``configs/charges.toml``.

City leaders take areas, departments take streets and compounds, units take points. A charge tells
who must be told or asked beside the office that works; it moves no case by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, model_validator

from router.departments import Directory
from router.lines import Lines
from store.config import Strict, load
from store.errors import ConfigError


class Level(StrEnum):
    """Who takes charge, from the most specific."""

    UNIT = "unit"  # 责任单位包点位
    DEPARTMENT = "department"  # 市直部门包路段、小区
    LEADER = "leader"  # 市级领导包区域


class Spot(NamedTuple):
    """Where a name of the gazetteer is: territory and who answers there; each may be empty."""

    area: str
    point: str


class Covers(Strict):
    """Ids of territories, names of ``gazetteer.csv``, and values of its column point.

    ``but`` are names left out of ``areas`` and ``points``, because somebody else has them.
    """

    areas: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    but: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _something(self) -> Covers:
        if not (self.areas or self.points or self.places):
            msg = "covers nothing; name areas, points or places"
            raise ValueError(msg)
        return self

    def why(self, place: str, spot: Spot) -> bool:
        """Whether a name of the gazetteer is covered."""
        inside = spot.area in self.areas or spot.point in self.points
        return place in self.places or (inside and place not in self.but)


class Charge(Strict):
    """``holder`` is the post or office as shown, never a person; ``office`` is its id, if it has one."""

    level: Level
    holder: str = Field(min_length=1)
    office: str = ""
    covers: Covers


class Charges(Strict):
    """The whole file."""

    charge: tuple[Charge, ...] = ()

    def of(self, area: str, point: str = "", places: Sequence[str] = ()) -> tuple[Charge, ...]:
        """Who has charge of a matter: at most one a level, the unit first, the leader last.

        ``area`` is its territory, ``point`` who answers there, ``places`` the names of the
        gazetteer it speaks of, the surest first. A place goes before the point, that before the area.
        """
        names = [("places", place) for place in places]
        names += [("points", point), ("areas", area)]
        found = (self._first(level, names, frozenset(places)) for level in Level)
        return tuple(charge for charge in found if charge is not None)

    def places_in(self, text: str) -> tuple[str, ...]:
        """The names that charges speak of which occur in ``text``, the longest first."""
        return tuple(name for name in self._named if name in text)

    @cached_property
    def _named(self) -> list[str]:
        covered = (c.covers for c in self.charge)
        names = {name for covers in covered for name in (*covers.places, *covers.but)}
        return sorted(names, key=lambda name: (-len(name), name))

    def _first(
        self, level: Level, names: Sequence[tuple[str, str]], places: frozenset[str]
    ) -> Charge | None:
        for key, name in names:
            charge = self._held.get((level, key, name))
            if charge is not None and (key == "places" or places.isdisjoint(charge.covers.but)):
                return charge
        return None

    @cached_property
    def _held(self) -> dict[tuple[Level, str, str], Charge]:
        return {
            (charge.level, key, name): charge
            for charge in self.charge
            for key in ("places", "points", "areas")
            for name in getattr(charge.covers, key)
        }


def load_charges(path: Path, directory: Directory, spots: Mapping[str, Spot]) -> Charges:
    """Read ``charges.toml``, where there is one; ``spots`` is the gazetteer by name.

    Raises:
        ConfigError: a strange office, territory or place; two holders of one place on one level.
    """
    if not path.exists():
        return Charges()
    charges = load(path, Charges)
    lines = Lines(path.read_text(encoding="utf-8"))
    for n, charge in enumerate(charges.charge):
        for fault in _faults(charge, directory, spots):
            where = f"{path.name}: {lines.say('charge', n)}{charge.holder}"
            raise ConfigError(f"config: {where}: {fault}")
    _check_overlap(charges, spots, path.name, lines)
    return charges


def _faults(charge: Charge, directory: Directory, spots: Mapping[str, Spot]) -> Iterator[str]:
    if charge.level is not Level.LEADER and not charge.office:
        yield f"office is missing; a {charge.level} needs the id of its office"
    if charge.office and charge.office not in directory.names:
        yield f"office: {charge.office} is not in departments.toml; add it or correct it"
    points = {spot.point for spot in spots.values()} - {""}
    known = (
        ("areas", directory.areas, "departments.toml"),
        ("points", points, "the column point of gazetteer.csv"),
        ("places", spots, "gazetteer.csv"),
        ("but", spots, "gazetteer.csv"),
    )
    for key, names, file in known:
        for name in getattr(charge.covers, key):
            if name not in names:
                yield f"covers.{key}: {name} is not in {file}; add it or correct it"


def _check_overlap(charges: Charges, spots: Mapping[str, Spot], file: str, lines: Lines) -> None:
    """One holder a level for each area, point and place."""
    held: dict[tuple[Level, str, str], int] = {}
    for n, charge in enumerate(charges.charge):
        covers = charge.covers
        claimed = [("area", area) for area in covers.areas]
        claimed += [("point", point) for point in covers.points]
        claimed += [("place", name) for name, spot in spots.items() if covers.why(name, spot)]
        claimed += [("place", name) for name in covers.places]
        for what, name in claimed:
            m = held.setdefault((charge.level, what, name), n)
            if m != n:
                other = f"{charges.charge[m].holder} (line {lines.of('charge', m)})"
                raise ConfigError(
                    f"config: {file}: {lines.say('charge', n)}{charge.holder}: covers: {what} {name} "
                    f"is held by {other} on the level {charge.level} too; leave it to one, or put it into but"
                )
