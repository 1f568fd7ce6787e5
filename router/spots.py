"""Which spot a message is about, in words: named places and the numbers, gates and sides that narrow them.

Names come from the city's own list; of unlisted ones the usual endings (小区, 家属院, 市场, 路 …) are
read. What is left of a message when its spot and its numbers are cut out is its ``words``: two
compounds with the same complaint have the same words and different spots.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

AREAS = frozenset({"subdistrict", "township", "community"})
"""Kinds of names that are no spot: whole territories."""

LINES = frozenset({"street", "water"})
"""Kinds of names so long that two messages may name one and mean places far apart."""

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2}
_NUMERAL = re.compile(
    r"[一二三四五六七八九十百]{1,5}(?=号|栋|幢|单元|期|楼(?![上下道梯])|[天月日年点])"
)
_STOP = frozenset(
    "在住到的是从了和与及于我们咱你他她这那个有去把被往靠近进出过就都还边口前后里外内楼号天市请对条家来为给让占用经现每诉映报求想旁"
)
_PLACE = (
    "小区|家属院|家属楼|花园|新村|新城|公寓|佳苑|嘉园|家园|名苑|华府|大厦|广场|农贸市场|批发市场|市场|早市"
    "|夜市|小学|中学|幼儿园|医院|超市|饭店|宾馆|商场|公园|客运站|加油站|村|屯"
)
_UNLISTED = re.compile(
    rf"(?P<spot>[\u4e00-\u9fff]{{2,5}}?(?:{_PLACE}))"
    rf"|(?<=/)(?P<by>{_PLACE})"
    r"|(?P<line>[\u4e00-\u9fff]{2,4}?(?:大街|胡同|(?<![马道公走铁小条一岔山土网电线半门])[路街巷]))(?![边口过]?灯|面|段)"
)
_OWN = 4
_ENDING = re.compile(rf"(?:{_PLACE}|大街|胡同|[路街巷])$")
_DETAIL = re.compile(
    r"(?P<building>(?:\d{1,3}|[a-z])(?=号楼(?!道)|栋|幢|#楼|#|座))(?:号楼|栋|幢|#楼|#|座)"
    r"|(?P<unit>\d{1,2})单元"
    r"|(?<=[街路巷|/])(?P<house>\d{1,4}(?:-\d{1,3})?)号"
    r"|(?P<yard>\d{1,4})号院"
    r"|(?P<gate>[东南西北正后侧])[大小]?门"
    r"|(?P<side>[东南西北])[侧头边户]"
    r"|(?P<part>[0-9东南西北a-d])[期区]"
    r"|(?P<floor>\d{1,2})楼"
    r"|(?P<stop>\d{1,3})路(?:公交|车)"
    r"|(?P<beside>对[面过]|里[面边]|后[面身]|前面|楼[前后顶道]|屋顶|地下|车库|电梯|阳台|院[里内]|隔壁|公交站|站台)"
    r"|(?P<mark>[黑白黄灰花棕](?=[狗猫车])|(?<!\d)\d{3,4}(?![\d年元块米次平]))"
)
"""What narrows a place, by kind; ``mark`` tells flats, dogs and cars apart."""

_PUNCTUATION = re.compile(r"[\W_]+")
_WHEN = re.compile(
    r"(?:\d{2,4}年)?(?:\d{1,2}月\d{1,2}[日号]|\d{1,2}日)|\d{1,2}点半?|[今昨前]天|[早晚]上|[上下]午"
)


def fold(text: str) -> str:
    """Full-width as half-width, small letters, no spaces; numerals before 号楼, 单元 … as digits."""
    narrow = "".join(unicodedata.normalize("NFKC", text).lower().split())
    return _NUMERAL.sub(lambda m: str(_number(m.group())), narrow)


def _number(numeral: str) -> int:
    """The value of a Chinese numeral below 1000; digits side by side are read one by one."""
    total, digit = 0, 0
    for character in numeral:
        unit = {"十": 10, "百": 100}.get(character, 0)
        if unit:
            total, digit = total + (digit or 1) * unit, 0
        else:
            digit = digit * 10 + _DIGITS[character]
    return total + digit


class Name(NamedTuple):
    """A place of the city's list: what it is properly called, and its kind there."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a message says it is, and its remaining words.

    ``spots`` are compounds, landmarks, villages; ``lines`` streets and rivers; ``details`` the
    numbers, gates and sides, each as (kind, value).
    """

    spots: frozenset[str]
    lines: frozenset[str]
    details: frozenset[tuple[str, str]]
    words: str
    whole: str

    @property
    def names(self) -> tuple[str, ...]:
        """All names, those of spots first, in a fixed order."""
        return (*sorted(self.spots), *sorted(self.lines))

    def values(self, kind: str) -> frozenset[str]:
        """The details of one kind."""
        return frozenset(value for k, value in self.details if k == kind)


class Spots:
    """Reads spots; ``names`` maps every name and alias of the city's list to its ``Name``."""

    def __init__(self, names: Mapping[str, Name]) -> None:
        self._names = {fold(word): name for word, name in names.items()}
        longest = sorted(self._names, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest)) or r"(?!)")
        self.listed = frozenset(name.name for name in names.values())
        self.read = lru_cache(maxsize=16_384)(self._read)

    def _read(self, text: str, address: str = "") -> Spot:
        """The spot of a message from its redacted text and the address its channel gave."""
        found: dict[str, set[str]] = {"spot": set(), "line": set()}
        details: set[tuple[str, str]] = set()
        body = fold(text)
        words = self._take(body, found, details)
        if address:
            self._take(fold(address), found, details)
        return Spot(
            _without_parts(found["spot"]),
            _without_parts(found["line"]),
            frozenset(details),
            _PUNCTUATION.sub("", words),
            _PUNCTUATION.sub("", body),
        )

    def _take(self, text: str, found: dict[str, set[str]], details: set[tuple[str, str]]) -> str:
        """Collect the names and numbers of ``text``; what is left of it, those cut out."""

        def known(match: re.Match[str]) -> str:
            name, kind = self._names[match.group()]
            if kind not in AREAS:
                found["line" if kind in LINES else "spot"].add(name)
            return "/" if kind in LINES else "|"

        def unlisted(match: re.Match[str]) -> str:
            if match.lastgroup == "by":
                details.add(("by", match.group()))
                return "|"
            before, name = _trim(match.group())
            if name:
                found[match.lastgroup or "spot"].add(name)
                return before + "|"
            return match.group()

        def narrowing(match: re.Match[str]) -> str:
            kind = match.lastgroup or ""
            details.add((kind, match[kind]))
            return ""

        left = self._known.sub(known, _WHEN.sub("|", text))
        return _DETAIL.sub(narrowing, _UNLISTED.sub(unlisted, left))


def _trim(phrase: str) -> tuple[str, str]:
    """Words before the name, and the name; no name if too little of it is left.

    A 里 right before the ending belongs to the name (幸福里小区), elsewhere it ends other words.
    """
    ending = _ENDING.search(phrase)
    own = phrase[: ending.start()] if ending else ""
    read = own.removesuffix("里")
    start = max((n for n, c in enumerate(read, 1) if c in _STOP), default=0)
    return (phrase[:start], phrase[start:]) if len(own) - start > 1 else (phrase, "")


def _without_parts(names: Iterable[str]) -> frozenset[str]:
    """Names that are not just the end of another: 锦绣小区 beside 城南锦绣小区."""
    kept = set(names)
    return frozenset(n for n in kept if not any(o != n and o.endswith(n) for o in kept))


def shared(a: frozenset[str], b: frozenset[str]) -> frozenset[str]:
    """Names both have; an unlisted name also matches when it is the end of the other."""
    same = a & b
    if same:
        return same
    return frozenset(min(x, y, key=len) for x in a for y in b if _ends(x, y) or _ends(y, x))


def _ends(whole: str, end: str) -> bool:
    """Whether a name is the end of another and long enough for that to be no chance (not 小学)."""
    return len(end) >= _OWN and whole.endswith(end)
