"""Where it is: from the words and coordinates of a message to the territory that answers for it.

The city's own list (``configs/gazetteer.csv``) is the only source of names. Every mention votes for
its subdistrict or township, strongly when it names the territory itself, weakly when it is a short
nickname or stands "opposite" or "near" the place; coordinates vote for the nearest known places.
Votes for one territory join (noisy-or), votes for others take away. Below ``SURE`` the citizen is
asked.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from store.coords import Point, meters, to_wgs84
from store.errors import ConfigError
from store.model import CoordType, Place

SURE = 0.5
"""Confidence from which the territory is used; below it the citizen is asked."""

NEAR_M, FAR_M = 1_500.0, 25_000.0
"""A point this near a known place is surely its territory's; beyond the second it is nobody's."""


class PlaceKind(StrEnum):
    """What a name stands for."""

    SUBDISTRICT = "subdistrict"
    TOWNSHIP = "township"
    COMMUNITY = "community"
    VILLAGE = "village"
    COMPOUND = "compound"
    LANDMARK = "landmark"
    STREET = "street"
    WATER = "water"


_VOTES = {
    PlaceKind.SUBDISTRICT: 0.97,
    PlaceKind.TOWNSHIP: 0.95,
    PlaceKind.COMMUNITY: 0.93,
    PlaceKind.VILLAGE: 0.93,
    PlaceKind.COMPOUND: 0.9,
    PlaceKind.LANDMARK: 0.85,
    PlaceKind.STREET: 0.75,
    PlaceKind.WATER: 0.6,
}
_NICKNAME = 0.75
_SHORT = 2
_BESIDE = re.compile(r"[\s的]*(?:斜?对[面过]|附近|一带|以[东西南北]|往[东西南北])")
_BESIDE_VOTE = 0.8
_NUMBER = re.compile(
    r"\s*[0-9０-９一二三四五六七八九十百]{1,5}\s*(?:-\s*\d{1,4}\s*)?(?:号楼|号院|号|栋|弄)"
)
_PASSING = re.compile(r"(?:不是|不在|而非|路过|经过|途经)[^，。；,;]{0,4}$")
_COLUMNS = ("name", "kind", "area", "aliases", "lat", "lon", "point", "checked")


class Entry(NamedTuple):
    """One row of the gazetteer; ``area`` is empty where a street or river passes through several.

    ``line`` is the row's in the file, 0 where it is from none.
    """

    name: str
    kind: PlaceKind
    area: str
    aliases: tuple[str, ...]
    at: Point | None
    point: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Located:
    """What was found: ``area`` (id of the territory, empty if unsure), who answers there, how sure.

    ``address`` is the most exact wording found; ``spans`` are the mentions, in the text;
    ``confidence`` is in [0, 1].
    """

    area: str = ""
    point: str = ""
    address: str = ""
    confidence: float = 0.0
    spans: tuple[tuple[int, int], ...] = ()

    @property
    def ask(self) -> bool:
        """Whether only the citizen can say where it is."""
        return self.confidence < SURE


NOWHERE = Located()


class _Mention(NamedTuple):
    entry: Entry
    start: int
    end: int
    vote: float


class Gazetteer:
    """The city's places, ready to be found."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries = tuple(entries)
        self._at = tuple((e, e.at) for e in self.entries if e.at is not None and e.area)
        self._by_first: dict[str, list[tuple[str, Entry, float]]] = {}
        for entry in self.entries:
            for word in (entry.name, *entry.aliases):
                weight = 1.0 if word == entry.name else _NICKNAME
                if len(word) <= _SHORT:
                    weight *= _NICKNAME
                self._by_first.setdefault(word[0], []).append((word, entry, weight))
        for words in self._by_first.values():
            words.sort(key=lambda word: -len(word[0]))

    @property
    def areas(self) -> frozenset[str]:
        """Ids of the territories that rows name."""
        return frozenset(entry.area for entry in self.entries if entry.area)

    def locate(self, text: str, place: Place | None = None) -> Located:
        """The territory of a message, from its text and from what the channel knew of its place."""
        found = self._mentions(text)
        named = found + (self._mentions(place.address) if place is not None else [])
        votes = [(m.entry.area, m.vote) for m in named if m.entry.area]
        if place is not None and place.lat is not None and place.lon is not None:
            votes += self._nearby(to_wgs84(place.lat, place.lon, place.coord_type))
        spans = tuple((m.start, m.end) for m in found)
        best = max(named, key=lambda m: (m.vote, m.end - m.start), default=None)
        address = (
            (text[best.start : best.end] if best in found else best.entry.name) if best else ""
        )
        area, confidence = _settle(votes)
        if confidence < SURE:
            return Located("", "", address, round(confidence, 3), spans)
        inside = [m for m in named if m.entry.area == area]
        exact = max(inside, key=lambda m: m.vote * (m.entry.kind not in _WIDE), default=None)
        point = exact.entry.point if exact else self._point_of(area)
        return Located(area, point, address, round(confidence, 3), spans)

    def _mentions(self, text: str) -> list[_Mention]:
        found: list[_Mention] = []
        at = 0
        while at < len(text):
            hit = self._longest(text, at)
            if hit is None:
                at += 1
                continue
            found.append(hit)
            at = hit.end
        return found

    def _longest(self, text: str, at: int) -> _Mention | None:
        for word, entry, weight in self._by_first.get(text[at], ()):
            if not text.startswith(word, at):
                continue
            end = at + len(word)
            vote = _VOTES[entry.kind] * weight
            if _PASSING.search(text, max(0, at - 8), at):
                vote *= 0.1
            elif _BESIDE.match(text, end):
                vote *= _BESIDE_VOTE
            number = _NUMBER.match(text, end) if entry.kind in _NUMBERED else None
            return _Mention(entry, at, number.end() if number else end, vote)
        return None

    def _nearby(self, here: Point) -> list[tuple[str, float]]:
        ranked = sorted((meters(here, at), entry.area) for entry, at in self._at)[:3]
        if not ranked or ranked[0][0] >= FAR_M:
            return []
        nearest, area = ranked[0]
        vote = 0.9 if nearest < NEAR_M else 0.9 - 0.5 * (nearest - NEAR_M) / (FAR_M - NEAR_M)
        rivals = [d for d, other in ranked if other != area]
        if rivals:  # half way between two territories it may be either's
            vote *= 1 - 0.5 * nearest / (nearest + rivals[0] + 1)
        return [(area, vote)]

    def _point_of(self, area: str) -> str:
        return next((e.point for e in self.entries if e.area == area and e.kind in _WIDE), "")


_WIDE = {PlaceKind.SUBDISTRICT, PlaceKind.TOWNSHIP}
_NUMBERED = {PlaceKind.STREET, PlaceKind.COMPOUND, PlaceKind.LANDMARK}


def _settle(votes: Iterable[tuple[str, float]]) -> tuple[str, float]:
    """The territory with the strongest joined vote, and how sure that is given the others."""
    against: dict[str, float] = {}
    for area, vote in votes:
        against[area] = against.get(area, 1.0) * (1 - vote)
    if not against:
        return "", 0.0
    joined = sorted(((1 - left, area) for area, left in against.items()), reverse=True)
    best, area = joined[0]
    for rival, _ in joined[1:]:
        best *= 1 - rival / 2
    return area, best


def read_gazetteer(path: Path) -> Gazetteer:
    """Read ``configs/gazetteer.csv``; a missing file is an empty list.

    Raises:
        ConfigError: names line, column and cure.
    """
    if not path.exists():
        return Gazetteer()
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    rows = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and line[0] != "#"]
    reader = csv.reader(line for _, line in rows)
    entries: list[Entry] = []
    for (number, _), cells in zip(rows, reader, strict=True):
        where = f"config: {path.name}: line {number}"
        if number == rows[0][0]:
            if tuple(cells) != _COLUMNS:
                raise ConfigError(f"{where}: the header must be {','.join(_COLUMNS)}; restore it")
            continue
        entries.append(_entry(cells, where)._replace(line=number))
    return Gazetteer(entries)


def _entry(cells: list[str], where: str) -> Entry:
    if len(cells) != len(_COLUMNS):
        raise ConfigError(f"{where}: {len(cells)} columns instead of {len(_COLUMNS)}; count commas")
    name, kind, area, aliases, lat, lon, point, _ = (cell.strip() for cell in cells)
    if not name:
        raise ConfigError(f"{where}: name is empty; write one or remove the line")
    if kind not in set(PlaceKind):
        raise ConfigError(f"{where}: kind: {kind!r} is none of {', '.join(PlaceKind)}; correct it")
    try:
        at = (float(lat), float(lon)) if lat or lon else None
        Place(lat=at[0] if at else None, lon=at[1] if at else None, coord_type=CoordType.WGS84)
    except ValueError as error:
        raise ConfigError(f"{where}: lat, lon: {lat!r}, {lon!r} are no degrees; correct") from error
    return Entry(name, PlaceKind(kind), area, tuple(aliases.split()), at, point)
