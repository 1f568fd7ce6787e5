"""Which evidence proves that two messages are one matter, so that they may be joined unseen (并案).

A likeness proves nothing: 鱼摊 and 花摊 differ by one character. So nothing is guessed. What a message
says beside its place is read with closed lists of the city's settings: words that add nothing
(politeness, feelings, time, asking for help) are cut out, words for one thing count as that thing, and whatever
is left stands as it is. Two messages say the same when nothing is left that only one of them says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from router.matching import Facts
from router.matters import Grouping
from router.nearness import Nearness, Relation
from router.spots import Spot, fold

ALONE = 40
"""Characters from which the same words are a copy, not a common complaint."""

TOLD = 8
"""Characters of content that must agree where a named place has no number, or none is named."""

_SPAN = r"(?:\d+|[一二三四五六七八九十几两多数半好整])(?:来)?(?:多|几)?个?(?:天|周|星期|礼拜|月|年|小时|次|遍)(?:多)?"
_HOURS = {
    "早": ("早上", "早晨", "清晨", "一大早", "上午"),
    "午": ("中午", "午间", "下午"),
    "晚": ("晚上", "傍晚", "夜里", "半夜", "夜间", "深夜", "后半夜", "凌晨", "昨晚", "今晚"),
}
_HOUR = {word: hour for hour, words in _HOURS.items() for word in words}
_SAID_HOUR = re.compile("|".join(sorted(_HOUR, key=len, reverse=True)))


class Content(NamedTuple):
    """What is said: listed ``things``, the ``rest`` as it stands, how many characters that is; ``apart`` the
    words in the rest that speak of another one or another time."""

    things: frozenset[str]
    rest: tuple[str, ...]
    size: int
    apart: frozenset[str]

    def equals(self, other: Content) -> bool:
        """Whether both say the same, in whatever order."""
        return self.things == other.things and self.agrees(other)

    def agrees(self, other: Content) -> bool:
        """Whether they differ at most in that one lists things and states the other leaves out."""
        is_part = self.things <= other.things or other.things <= self.things
        return is_part and sorted("".join(self.rest)) == sorted("".join(other.rest))


class Proof:
    """Judges under one city's lists."""

    def __init__(self, settings: Grouping) -> None:
        self._things = {fold(word): one.name for one in settings.alike for word in one.words}
        self._apart = frozenset(map(fold, settings.apart))
        cut = {fold(word) for word in settings.harmless} | _HOUR.keys()
        self._read = re.compile(f"{_any({*cut, *self._things, *self._apart})}|{_SPAN}")
        self.content = lru_cache(maxsize=16_384)(self._content)

    def holds(self, a: Facts, b: Facts, x: Spot, y: Spot, near: Nearness) -> bool:
        """Whether two messages with spots ``x`` and ``y`` are one matter beyond doubt, whatever the time
        between them. The order does not matter."""
        if not _may_be_one(a, b, x, y, near):
            return False
        p, q = self.content(x.words), self.content(y.words)
        if p.apart != q.apart:
            return False
        size = min(p.size, q.size)
        is_mine = is_one_citizen(a, b)
        if near.relation <= Relation.WIDE:
            is_tied = is_mine or is_one_post(a, b)
            return _is_copied(x, y) or (is_tied and p.equals(q) and size >= TOLD)
        enough = 1 if near.relation is Relation.EXACT or is_mine else TOLD
        return size >= enough and (p.equals(q) or (is_mine and p.agrees(q)))

    def _content(self, words: str) -> Content:
        things: set[str] = set()
        apart: set[str] = set()
        rest: list[str] = []
        size, end = 0, 0
        for match in self._read.finditer(words):
            word = match.group()
            rest.append(words[end : match.start()])
            end = match.end()
            if word in self._apart:
                apart.add(word)
                rest.append(word)
            elif thing := self._things.get(word):
                things.add(thing)
                size += len(word)
        kept = tuple(piece for piece in (*rest, words[end:]) if piece)
        return Content(frozenset(things), kept, size + sum(map(len, kept)), frozenset(apart))


def _any(words: Iterable[str]) -> str:
    """A pattern for any of these words, the longest first."""
    return "|".join(map(re.escape, sorted(words, key=lambda w: (-len(w), w)))) or r"(?!)"


def _may_be_one(a: Facts, b: Facts, x: Spot, y: Spot, near: Nearness) -> bool:
    """Whether nothing outside the words speaks against it: territory, problems, places, hour of day.

    All named places must be the same, and every number, gate and side; a street may be named by one
    only. Two buildings in one message leave open which does what to which.
    """
    if a.area != b.area or not a.problems or a.problems != b.problems:
        return False
    if near.vague or near.relation is Relation.OTHER or x.spots != y.spots:
        return False
    if not (x.lines <= y.lines or y.lines <= x.lines):
        return False
    if len({kind for kind, _ in x.details}) < len(x.details) and x.whole != y.whole:
        return False
    early, late = _hours(x.whole), _hours(y.whole)
    return not early or not late or early == late


def _hours(whole: str) -> frozenset[str]:
    """The parts of the day a message names."""
    return frozenset(_HOUR[word] for word in _SAID_HOUR.findall(whole))


def is_one_citizen(a: Facts, b: Facts) -> bool:
    """Whether both were sent by one citizen on one channel."""
    return bool(a.author) and (a.channel, a.author) == (b.channel, b.author)


def is_one_post(a: Facts, b: Facts) -> bool:
    """Whether both were read at the same address, or answer the same post."""
    same_thread = bool(a.thread) and (a.channel, a.thread) == (b.channel, b.thread)
    return same_thread or (bool(a.url) and a.url == b.url)


def _is_copied(x: Spot, y: Spot) -> bool:
    """Whether it is one long wording that names a street."""
    return x.whole == y.whole and len(x.whole) >= ALONE and bool(x.lines)
