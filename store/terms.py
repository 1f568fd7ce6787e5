"""Terms a Chinese text is found by, and what a person's search means; pure, alike for every database.

A run of Chinese (or other) letters gives its characters and its overlapping pairs, a run of Latin letters or of
digits is one term, lower-cased; full-width forms are folded. So a word of any length is found: of one character by
that, of more by all its pairs. Terms only name candidates; ``Search.finds`` compares the words themselves, so that a
phrase stays adjacent. An item's own number gives terms marked ``^`` (how it begins) and ``#`` (how it ends).
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zlib import crc32

from store.numbers import check_digit

MOST_TEXT, MOST_WORDS = 200, 8
"""Characters and words of a search that are read; the rest is left out."""

LONGEST_RUN = 32
HEADS, TAILS = (4, 6, 8), (3, 4, 5)
"""Digits of a number's beginning (year, month, day) and end that are terms."""

WHOLE = 16
"""Digits of a case number."""

_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_RUN = re.compile(r"[0-9]+|[a-z]+|[^\W0-9a-z_]+")
_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"[a-z]{0,8}([0-9]{3,17})")
_DIGITS, _LATIN = "0-9０-９", "a-zａ-ｚ"
_EDGES = ((re.compile("[0-9]"), _DIGITS), (re.compile("[a-z]"), _LATIN))


def fold(text: str) -> str:
    """Full-width forms become plain, capitals small; Chinese stays as it is."""
    return text.translate(_WIDE).lower()


def terms(*texts: str) -> set[str]:
    """Every term of these texts; what stands in two of them is not adjacent."""
    found: set[str] = set()
    for text in texts:
        for run in _RUN.findall(fold(text)):
            if run.isascii():
                found.add(run[:LONGEST_RUN])
                continue
            found.update(run)
            found.update(map("".join, pairwise(run)))
    return found


def number_terms(item_id: int) -> set[str]:
    """Terms of the case number an item gives a case it founds."""
    digits = number(item_id)
    return {f"^{digits[:n]}" for n in HEADS} | {f"#{digits[-n:]}" for n in TAILS}


def number(item_id: int) -> str:
    """The digits of the case number, check digit included."""
    digits = str(item_id)
    return digits + check_digit(digits)


def as_number(term: str) -> int:
    """A term as a signed number of 32 bits; two may share one, so what is found by it must be compared."""
    return crc32(term.encode()) - 2**31


class Text(NamedTuple):
    """What of an item is searched; all redacted."""

    item_id: int
    title: str
    text: str
    address: str

    def terms(self) -> set[str]:
        """All it is found by."""
        return terms(self.title, self.text, self.address) | number_terms(self.item_id)


class Word(NamedTuple):
    """One word of a search: any of ``ways`` (terms that must all be there) names candidates."""

    ways: tuple[frozenset[str], ...]
    pattern: re.Pattern[str]
    number: str

    def finds(self, item: Text) -> bool:
        """Whether the item really has it, as a text or in its number."""
        if any(map(self.pattern.search, (item.text, item.title, item.address))):
            return True
        digits = number(item.item_id) if self.number else ""
        return bool(digits) and (digits.startswith(self.number) or digits.endswith(self.number))


class Search(NamedTuple):
    """What a person looks for: every word must occur. No words: nothing can be found."""

    words: tuple[Word, ...]

    def finds(self, item: Text) -> bool:
        """Whether every word is in the item."""
        return bool(self.words) and all(word.finds(item) for word in self.words)


def read(query: str) -> Search:
    """What the words typed mean; never fails, whatever they are."""
    typed = _WORD.findall(fold(query[:MOST_TEXT]))
    return Search(tuple(map(_word, dict.fromkeys(typed[:MOST_WORDS]))))


@lru_cache(maxsize=1024)
def _word(word: str) -> Word:
    runs = _RUN.findall(word)
    needed: set[str] = set()
    for run in runs:
        pairs = {run[:LONGEST_RUN]} if run.isascii() else set(map("".join, pairwise(run)))
        needed |= pairs or {run}
    digits = _NUMBER.fullmatch(word)
    ways = [frozenset(needed)]
    if digits:
        ways += _number_ways(digits[1], has_prefix=word != digits[1])
    return Word(tuple(ways), _pattern(word), digits[1] if digits else "")


def _number_ways(digits: str, *, has_prefix: bool) -> list[frozenset[str]]:
    """Terms of a number of which only the beginning or the end was typed."""
    heads = [n for n in HEADS if n <= len(digits)]
    ways = [frozenset({f"^{digits[: heads[-1]]}"})] if heads else []
    if not has_prefix:
        ways.append(frozenset({f"#{digits[-min(len(digits), TAILS[-1]) :]}"}))
    elif ways and len(digits) >= WHOLE:
        ways = [ways[0] | {f"#{digits[-TAILS[-1] :]}"}]
    return ways


def _pattern(word: str) -> re.Pattern[str]:
    """The word in any width and case, not cut out of a longer number or Latin word."""
    body = "".join(
        f"[{char}{chr(ord(char) + 0xFEE0)}]" if char.isascii() else re.escape(char) for char in word
    )
    before = next((f"(?<![{kind}])" for edge, kind in _EDGES if edge.match(word[0])), "")
    after = next((f"(?![{kind}])" for edge, kind in _EDGES if edge.match(word[-1])), "")
    return re.compile(before + body + after, re.IGNORECASE)
