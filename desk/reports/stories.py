"""典型案例: solved cases a paper may print, with nobody in them. An editor must look at each before it is printed.

A text is redacted a second time: digits, addresses finer than the area, names of places and of firms go too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import select

from desk.reports.frozen import Story
from desk.reports.making import Making
from desk.reports.pressing import bounds
from ingest.redact import redact
from router.workflow import CaseStatus
from store.tables import T

OFFERED, LOOKED_AT = 30, 300
"""Cases that are offered, and newest ratings among which they are looked for."""

SHORTEST, LONGEST = 15, 160
"""Characters of a text that may stand in a column."""

_labels = msgspec.json.Decoder(list[str])
_NUMERALS = "0-9０-９一二三四五六七八九十百千零〇两"
_ADDRESS = re.compile(
    rf"[A-Za-z{_NUMERALS}*＊×\-－、及和与]+\s*(?:号楼|号院|号|栋|幢|楼|单元|室|户|弄|组|门|层|座)"
)
_FIRM = re.compile(
    r"[\u4e00-\u9fa5]{2,4}(?P<what>小区|花园|家园|公寓|大厦|广场|幼儿园|小学|中学|学校|医院|诊所|饭店|酒店|超市|商店|药店|公司|工地|KTV)"
)
_DIGITS = re.compile(r"[0-9０-９]+")
_STARS = re.compile(r"[*＊]+")
_LATIN = re.compile(r"(?:https?://|www\.|@|＠)\S*|[A-Za-z][\w.\-]{3,}")
_SPACES = re.compile(r"\s+")


def anonymous(text: str, places: Mapping[str, str]) -> str:
    """``text`` without numbers, names, plates, addresses and firms; ``places`` are called by their areas' names."""
    flat = _SPACES.sub(" ", redact(text)).strip()
    for name in sorted(places, key=len, reverse=True):
        if name in flat:
            flat = flat.replace(name, places[name] or "某地")
    flat = _LATIN.sub("", flat)
    flat = _ADDRESS.sub("某处", flat)
    flat = _FIRM.sub(lambda found: f"某{found['what']}", flat)
    return _STARS.sub("某", _DIGITS.sub("某", flat))


def is_clean(text: str) -> bool:
    """Whether no digit, letter address or masked sign is left: what an editor wrote is looked at too."""
    return not (
        _DIGITS.search(text) or _STARS.search(text) or _LATIN.search(text) or redact(text) != text
    )


async def stories(m: Making, places: Mapping[str, str]) -> tuple[Story, ...]:
    """Cases closed, rated solved and satisfied within the period, the newest first; one of each problem and area."""
    r, c, i = T.ratings.c, T.cases.c, T.items.c
    start, end = bounds(m)
    newest = (
        select(c.id, c.area, c.problems, c.kind, c.department, i.text)
        .join(T.cases, c.id == r.case_id)
        .join(T.items, i.id == c.id)
        .where(r.at >= start, r.at < end, r.solved == "solved", r.satisfied == "satisfied")
        .where(c.status == CaseStatus.CLOSED)
        .order_by(r.at.desc(), r.item_id.desc())
        .limit(LOOKED_AT)
    )
    async with m.numbers.db.read() as conn:
        rows = (await conn.execute(newest)).all()
    found: dict[tuple[str, str], Story] = {}
    for row in rows:
        said = anonymous(row.text or "", places)
        labels = _labels.decode(row.problems)
        key = (labels[0] if labels else row.kind, row.area)
        if SHORTEST <= len(said) <= LONGEST and key not in found:
            found[key] = _story(m, row, key, said)
    return tuple(list(found.values())[:OFFERED])


def _story(m: Making, row: Any, key: tuple[str, str], said: str) -> Story:
    offices, names = m.naming.offices, m.naming.taxonomy.names
    label, area = key
    where = offices.get(area, area)
    return Story(
        case=str(row.id),
        title=f"{where}{names.get(label, label)}",
        said=said,
        done=f"{offices.get(row.department, row.department)}已办结。",
        mark="市民回访认为已解决，评价满意。",
    )


async def column(m: Making) -> None:
    """The head of the column; its cases follow where an editor ticked them."""
    told = await m.compare(("closed", "solved_rate", "satisfied_rate"))
    names = m.numbers.catalogue.by_id
    said = "，".join(
        f"{names[one].name}{m.say(figure.now)}{'件' if one == 'closed' else ''}"
        for one, figure in told.items()
    )
    m.words(f"{m.now}，全市{said}。以下是市民认为已解决、评价满意的部分案例。")
