"""Lines of Chinese text: where a line may end, and what stands on each. No input, no output.

Rules (GB/T 15834-2011 标点符号用法, 5.1): closing marks never begin a line, opening ones never end it; words in Latin
letters and numbers are not torn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

_TOKEN = re.compile(r"[A-Za-z0-9.,:%/+\-_@#&=?]+|.", re.DOTALL)
_NO_START = frozenset("，。；：、！？）》」』】〉”’…—％〕·～,.;:!?)]}%℃")
_NO_END = frozenset("（《「『【〈“‘〔([{")
_FULLEST = 0.06
"""Share of a line that may be spread between its characters; more looks torn."""

Measure = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Span:
    """Words of one kind; ``link`` is the whole address they lead to, or empty."""

    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """What stands on one line, ``width`` points wide; ``is_last`` of its paragraph."""

    spans: tuple[Span, ...]
    width: float
    is_last: bool = False

    def spread(self, room: float) -> float:
        """Points to add after each character so that the line fills ``room``; 0 where that is not done."""
        slack, gaps = room - self.width, sum(len(one.text) for one in self.spans) - 1
        fits = not self.is_last and 0 < slack < room * _FULLEST and gaps > 0
        return slack / gaps if fits else 0.0


def lines_of(
    spans: Iterable[Span], measure: Measure, room: float, *, first: float = 0
) -> tuple[Line, ...]:
    """``spans`` on lines ``room`` points wide, the first of them shorter by ``first``.

    A newline ends a line. At least one line comes back. ``measure`` tells the width of a text.
    """
    done: list[Line] = []
    held: list[Span] = []
    used = 0.0
    for unit in _fitting(_units(spans), measure, room - first):
        wide = sum(measure(one.text) for one in unit)
        is_break = unit[0].text == "\n"
        if is_break or (held and used + wide > room - (0 if done else first) + 0.01):
            done.append(_line(held, measure, is_last=is_break))
            held, used = [], 0.0
        if not is_break and (held or any(one.text.strip() for one in unit)):
            held.extend(unit)
            used += wide
    return (*done, _line(held, measure, is_last=True))


def _line(held: list[Span], measure: Measure, *, is_last: bool) -> Line:
    joined: list[Span] = []
    for one in held:
        if joined and joined[-1].link == one.link:
            joined[-1] = Span(joined[-1].text + one.text, one.link)
        else:
            joined.append(one)
    return Line(tuple(joined), sum(measure(one.text) for one in joined), is_last)


def _tokens(spans: Iterable[Span]) -> Iterator[Span]:
    for span in spans:
        for found in _TOKEN.finditer(span.text):
            yield Span(found[0], span.link)


def _units(spans: Iterable[Span]) -> Iterator[list[Span]]:
    """Tokens that must stay on one line."""
    unit: list[Span] = []
    for token in _tokens(spans):
        stays = unit and unit[-1].text != "\n" and token.text != "\n"
        if stays and (token.text[0] in _NO_START or unit[-1].text[-1] in _NO_END):
            unit.append(token)
            continue
        if unit:
            yield unit
        unit = [token]
    if unit:
        yield unit


def _fitting(units: Iterable[list[Span]], measure: Measure, room: float) -> Iterator[list[Span]]:
    """``units``, those wider than a line torn into characters."""
    for unit in units:
        if sum(measure(one.text) for one in unit) <= room:
            yield unit
        else:
            letters = chain.from_iterable(([Span(c, s.link)] for c in s.text) for s in unit)
            yield from letters
