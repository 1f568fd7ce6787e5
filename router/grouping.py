"""Finds the cases a new message may belong to: by keys in the database, then compared one by one.

A case is kept under at most ``KEYS`` keys: its link, its author, three sketches of its words (MinHash, so
that near copies meet), and for each problem its named places, its cell of a 250 m grid and its territory.
A search reads the newest cases of each key, at most ``READ``, and compares the ``COMPARED`` that share most.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from datasketch import MinHash  # type: ignore[import-untyped]
from sqlalchemy import Table, TextualSelect, null, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from router.matching import Facts, Match
from router.similarity import Matcher
from store.coords import Point, to_wgs84
from store.db import Database, among
from store.model import CoordType
from store.tables import T
from store.understood import labels_of

KEYS = 12
"""Keys a case is kept under, at most."""

READ, COMPARED, BEST = 100, 16, 10
"""Candidates read by key, compared, and returned, at most."""

_BANDS, _ROWS = 3, 3
_EMPTY = MinHash(num_perm=_BANDS * _ROWS)
_CELL_M = 250.0
_DEGREE_M = 111_195.0
_NAMED = 2
_WEIGHTS = {"l": 9, "w": 5, "t": 5, "s": 4, "c": 3, "a": 1}
"""What sharing a key of each kind counts for when candidates are chosen."""

_LIMITS = {"l": 20, "w": 20, "t": 20, "s": 30, "c": 10, "a": 16}
"""Newest cases read under one key of each kind."""

Around = tuple[tuple[int, int], ...]
_HERE: Around = ((0, 0),)
_WIDELY: Around = tuple((y, x) for y in range(-2, 3) for x in range(-2, 3))
_NEIGHBORS: Around = tuple((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1))


class Finder:
    """Searches one database for cases that may be the same matter; ``keys`` is the table of their keys."""

    def __init__(self, db: Database, matcher: Matcher, keys: Table) -> None:
        self._db = db
        self._matcher = matcher
        self._keys = keys

    @property
    def automatic(self) -> bool:
        """Whether the city lets certain joins happen by themselves."""
        return self._matcher.settings.automatic

    def adopt(self, matcher: Matcher) -> None:
        """Compare by this from now on; a search that has begun ends as it began."""
        self._matcher = matcher

    def keys_of(self, facts: Facts) -> tuple[str, ...]:
        """The keys a case founded by this message is kept under."""
        return self._listed(facts, _HERE)[:KEYS]

    async def find(self, facts: Facts, now: datetime) -> list[Match]:
        """The likeliest open or recently closed cases, best first; the message's own is left out. What is proven
        to have come back is among them, however long ago it was.

        Raises TransientError when the database is away.
        """
        matcher = self._matcher
        settings = matcher.settings
        oldest = now - timedelta(days=settings.relapse_days)
        cases = await self._candidates(facts)
        matches = [
            matcher.compare(facts, case)
            for case in cases
            if (case.closed_at is None or case.closed_at >= oldest) and case.origin != facts.origin
        ]
        matches = [
            m for m in matches if m.score >= settings.suggest_min or (m.relapse and m.proven)
        ]
        matches.sort(key=lambda m: (-m.score, m.relapse, -m.case_id))
        return matches[:BEST]

    async def facts(self, ids: Sequence[int]) -> list[Facts]:
        """What is compared of these items, by their verdicts; those without one are left out."""
        i, v = T.items.c, T.verdicts.c
        statement = (
            select(*_ITEM, v.area, v.point, v.problems, v.campaigns, null().label("closed_at"))
            .join(T.verdicts, v.item_id == i.id)
            .where(among(i.id, ids, is_sqlite=self._db.is_sqlite))
        )
        async with self._db.read() as conn:
            return [facts_of(row) for row in (await conn.execute(statement)).all()]

    async def similar(self, case_id: int, now: datetime) -> list[Match]:
        """Cases that may be the same matter as this one, best first; empty when there is no such case."""
        async with self._db.read() as conn:
            found = await founded(conn, [case_id])
        return await self.find(found[0], now) if found else []

    async def _candidates(self, facts: Facts) -> list[Facts]:
        """The cases that share the most keys, among the newest, as their founding messages tell."""
        keys = self._listed(facts, _NEIGHBORS)
        if not keys:
            return []
        values = {f"k{n}": key for n, key in enumerate(keys)}
        statement = _search(self._keys.name, tuple(key[0] for key in keys))
        async with self._db.read() as conn:
            rows = (await conn.execute(statement, values | {"own": facts.id})).all()
        return [facts_of(row) for row in rows]

    def _listed(self, facts: Facts, around: Around) -> tuple[str, ...]:
        """All keys, the most telling first."""
        spot = self._matcher.spot(facts)
        keys = [f"l|{_digest(facts.url)}"] if facts.url else []
        if facts.thread:
            keys.append(f"l|{_digest(f'{facts.channel}|{facts.thread}')}")
        if facts.author:
            keys.append(key_of_author(facts.channel, facts.author))
        keys += _sketch(spot.whole)
        for problem in sorted(facts.problems)[:_NAMED] or ("-",):
            keys += (f"s|{problem}|{name}" for name in spot.names[:_NAMED])
            if facts.here:
                keys += (f"c|{problem}|{cell}" for cell in _cells(facts.here, around))
            if facts.area:
                keys.append(_key_of_point(problem, facts.area, facts.point))
        return tuple(dict.fromkeys(keys))


_c, _i = T.cases.c, T.items.c
_WORDS = (
    _i.channel, _i.title, _i.text, _i.address, _i.lat, _i.lon, _i.coord_type,
    _i.author_key, _i.thread, _i.url, _i.posted_at, _i.part_of,
)  # fmt: skip
_ITEM = (_i.id, _i.received_at, *_WORDS)
_COLUMNS = (
    _c.id, _c.area, _c.point, _c.problems, _c.campaigns, _c.received_at, _c.closed_at, *_WORDS
)  # fmt: skip


async def founded(conn: AsyncConnection, case_ids: Sequence[int]) -> list[Facts]:
    """What the founding messages of these cases say."""
    which = among(_c.id, case_ids, is_sqlite=conn.dialect.name == "sqlite")
    statement = select(*_COLUMNS).join(T.items, _i.id == _c.id).where(which)
    return [facts_of(row) for row in await conn.execute(statement)]


def facts_of(row: Any) -> Facts:
    """The facts of a row that has an item's columns and its labels, area and point."""
    here = None
    if row.lat is not None and row.lon is not None:
        here = to_wgs84(row.lat, row.lon, CoordType(row.coord_type))
    return Facts(
        id=row.id,
        text=row.text,
        at=row.posted_at or row.received_at,
        title=row.title,
        address=row.address,
        area=row.area,
        point=row.point,
        here=here,
        problems=frozenset(labels_of(row.problems)),
        campaigns=frozenset(labels_of(row.campaigns)),
        channel=row.channel,
        author=row.author_key,
        thread=row.thread,
        url=row.url,
        closed_at=row.closed_at,
        part_of=row.part_of or 0,
    )


def key_of_author(channel: str, author: str) -> str:
    """The key all cases of one citizen in one channel are kept under."""
    return f"w|{_digest(f'{channel}|{author}')}"


def _key_of_point(problem: str, area: str, point: str) -> str:
    return f"a|{problem}|{area}|{point}"


def keys_around(problems: Iterable[str], facts: Facts) -> list[str]:
    """The keys of cases of any of these problems at the message's point, or within 500 m of its coordinates."""
    named = ("-", *problems)
    keys = [_key_of_point(p, facts.area, facts.point) for p in named if facts.area and facts.point]
    if facts.here:
        keys += [f"c|{p}|{cell}" for cell in _cells(facts.here, _WIDELY) for p in named]
    return keys


@lru_cache(maxsize=256)
def _search(table: str, kinds: tuple[str, ...]) -> TextualSelect:
    """One indexed look a key, then the cases found most: a single question, asked of each database alike.

    Built once for each row of kinds of keys; SQLAlchemy would need a millisecond to build it each time.
    """
    looks = " UNION ALL ".join(
        f"SELECT * FROM (SELECT case_id, {_WEIGHTS[kind]} AS worth FROM {table} "  # noqa: S608 - our own names
        f"WHERE key = :k{n} ORDER BY case_id DESC LIMIT {_LIMITS[kind]}) AS x{n}"
        for n, kind in enumerate(kinds)
    )
    columns = ", ".join(f"{column.table.name}.{column.name}" for column in _COLUMNS)
    statement = (
        f"SELECT {columns} FROM (SELECT case_id, worth FROM "  # noqa: S608 - our own names
        f"(SELECT case_id, sum(worth) AS worth FROM ({looks}) AS looked WHERE case_id <> :own "
        f"GROUP BY case_id ORDER BY case_id DESC LIMIT {READ}) AS newest "
        f"ORDER BY worth DESC, case_id DESC LIMIT {COMPARED}) AS found "
        "JOIN cases ON cases.id = found.case_id JOIN items ON items.id = found.case_id"
    )
    return text(statement).columns(*_COLUMNS)


def _digest(value: str) -> str:
    """A short name for a long or private value."""
    return hashlib.blake2b(value.encode(), digest_size=9).hexdigest()


def _sketch(words: str) -> list[str]:
    """Band keys of the text's two-character shingles: near copies share at least one."""
    shingles = {words[n : n + 2] for n in range(len(words) - 1)}
    if not shingles:
        return []
    made = _EMPTY.copy()
    made.update_batch([shingle.encode() for shingle in shingles])
    values = made.hashvalues.tolist()
    bands = (values[n * _ROWS : (n + 1) * _ROWS] for n in range(_BANDS))
    return [f"t|{n}|{_digest(repr(band))}" for n, band in enumerate(bands)]


def _cells(here: Point, around: Around) -> list[str]:
    """Grid cells about 250 m wide at and around a WGS-84 point."""
    lat, lon = here
    row = math.floor(lat * _DEGREE_M / _CELL_M)
    found: list[str] = []
    for y, x in around:
        wide = _DEGREE_M * math.cos(math.radians((row + y) * _CELL_M / _DEGREE_M)) / _CELL_M
        found.append(f"{row + y}:{math.floor(lon * wide) + x}")
    return found
