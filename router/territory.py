"""Whether the tree of territories stands: every office has a way up, every place one owner."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from router.lines import Lines
from store.errors import ConfigError

if TYPE_CHECKING:
    from router.departments import Directory


class Claim(NamedTuple):
    """A name of the gazetteer, the territory its row gives it to (may be empty) and the row's line."""

    name: str
    area: str
    line: int = 0


_WITHIN = {"area": "department", "community": "area", "grid": "community"}


def check_offices(directory: Directory, lines: Lines) -> None:
    """Ids, superiors and what territories are within; ConfigError names line, office and cure."""
    known: dict[str, set[str]] = {}
    for table, _, office in directory.entries():
        known.setdefault(table, set()).add(office.id)
    seen: set[str] = set()
    for table, n, office in directory.entries():
        where = _where(lines, table, n, office.id)
        if office.id in seen:
            raise ConfigError(f"{where}: the id {office.id} is used twice; rename one")
        seen.add(office.id)
        outer = _WITHIN.get(table)
        if outer and office.within not in known.get(outer, ()):
            raise ConfigError(
                f"{where}: within: {office.within} is not one of [[{outer}]]; add it or correct it"
            )
        if office.superior and office.superior not in directory.names:
            raise ConfigError(
                f"{where}: superior: {office.superior} is no office of this file; add or correct it"
            )
    for table, n, office in directory.entries():
        if ring := _ring(directory.superiors, office.id):
            raise ConfigError(
                f"{_where(lines, table, n, office.id)}: superior: {' → '.join(ring)} is a circle; "
                "name a superior outside it"
            )


def _where(lines: Lines, table: str, n: int, office: str) -> str:
    return f"config: departments.toml: {lines.say(table, n)}{table} {office}"


def _ring(superiors: dict[str, str], office: str) -> list[str]:
    """The way up that comes back to where it began; empty when it does not."""
    way, at = [office], superiors.get(office)
    while at is not None and at not in way:
        way.append(at)
        at = superiors.get(at)
    return [*way, office] if at == office else []


def check_places(directory: Directory, claims: Iterable[Claim], lines: Lines) -> None:
    """Every place has one owner on each level; ConfigError names file, line and cure."""
    areas = _areas_of(claims)
    outer = {office.id: office.within for office in directory.inner}
    held: dict[tuple[str, str], str] = {}
    for table, n, office in directory.entries():
        for place in getattr(office, "covers", ()):
            where = f"{_where(lines, table, n, office.id)}: covers"
            if place not in areas:
                raise ConfigError(f"{where}: {place} is not in gazetteer.csv; add or correct it")
            community = outer[office.id] if table == "grid" else office.id
            area = outer[community]
            if areas[place] not in {"", area}:
                raise ConfigError(
                    f"{where}: gazetteer.csv has {place} in {areas[place]}, not {area}; correct one"
                )
            holders = {held.setdefault((table, place), office.id), office.id}
            holders |= {held.get(("community", place), community), community}
            if strangers := sorted(holders - {office.id, community}):
                raise ConfigError(
                    f"{where}: {place} is covered by {strangers[0]} too; leave it to one"
                )


def _areas_of(claims: Iterable[Claim]) -> dict[str, str]:
    """The territory of each name; ConfigError when two rows give it to two."""
    found: dict[str, Claim] = {}
    for claim in claims:
        first = found.get(claim.name, claim)
        if first.area and claim.area and first.area != claim.area:
            raise ConfigError(
                f"config: gazetteer.csv: line {claim.line}: {claim.name} is in {claim.area} here "
                f"and in {first.area} on line {first.line}; keep one, or leave area empty"
            )
        found[claim.name] = first if first.area else claim
    return {name: claim.area for name, claim in found.items()}
