"""The one door to jieba: Chinese words with their places in the text.

rjieba is the same algorithm over the same dictionary in Rust, twenty times as fast; it serves when
it is installed, jieba itself otherwise. City words (``configs/lexicon.txt``, one a line) are added to
whichever runs. Both see runs of Chinese characters only, because they differ in digits and Latin
letters and agree on Chinese; and they see a whole batch at once, because a call costs as much as
twenty words.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import compress
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from opencc import OpenCC

CITY_FREQUENCY = 300
"""Weight of a city word: enough to be kept whole, and so little that a thousand of them leave the
dictionary's other weights, which the engines normalize each in its own way, as they are.
"""

POINTS = 0x110000
_HAN = (0x3400, 0xA000)
_BREAK = ord("\n")

Codes = NDArray[np.uint32]


@lru_cache(maxsize=1)
def _folded() -> Codes:
    """Simplified, lower case, compatibility form of each code point, where that is one character."""
    table = np.arange(POINTS, dtype=np.uint32)
    for code in range(0x20, 0x10000):
        if not 0xD800 <= code < 0xE000:  # noqa: PLR2004 - surrogates
            form = unicodedata.normalize("NFKC", chr(code)).lower()
            if len(form) == 1:
                table[code] = ord(form)
    chinese = "\n".join(map(chr, range(*_HAN)))
    for code, simple in enumerate(OpenCC("t2s").convert(chinese).split("\n"), _HAN[0]):
        if len(simple) == 1:
            table[code] = ord(simple)
    return table


def fold(text: str) -> Codes:
    """The code points of ``text`` simplified, in lower case and compatibility forms, one for one."""
    return _folded()[np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)]


class Words(NamedTuple):
    """The Chinese words of a folded text, in order, with where each starts."""

    word: list[str]
    start: NDArray[np.int64]
    length: NDArray[np.int64]


class _Engine(Protocol):
    """Cuts runs of Chinese characters apart by line breaks."""

    def cut(self, text: str) -> Sequence[str]:
        """The words and breaks of ``text``, in order, nothing left out."""
        ...


class _Rjieba:
    def __init__(self, words: Iterable[str]) -> None:
        import rjieba  # noqa: PLC0415 - optional

        self._jieba = rjieba.Jieba()
        for word in words:
            if self._jieba.cut(word) != [word]:
                self._jieba.add_word(word, CITY_FREQUENCY, None)

    def cut(self, text: str) -> Sequence[str]:
        return self._jieba.cut(text)


class _Jieba:
    def __init__(self, words: Iterable[str]) -> None:
        import logging  # noqa: PLC0415

        import jieba  # noqa: PLC0415 - half a second to load

        jieba.setLogLevel(logging.WARNING)
        self._jieba = jieba.Tokenizer()
        self._jieba.initialize()
        for word in words:
            if self._jieba.lcut(word) != [word]:
                self._jieba.add_word(word, CITY_FREQUENCY)

    def cut(self, text: str) -> Sequence[str]:
        found: list[str] = []
        for run in text.split("\n"):  # jieba joins breaks, rjieba does not
            found += self._jieba.cut(run)
            found.append("\n")
        return found[:-1]


class Tokenizer:
    """Words of a text, as spans of it."""

    def __init__(self, words: Iterable[str] = (), *, fast: bool = True) -> None:
        self.words = tuple(words)
        self.fast = fast
        self._engine = _engine(self.words, fast=fast)

    def __reduce__(self) -> tuple[type[Tokenizer], tuple[tuple[str, ...]]]:
        """Copied by its words: rjieba objects can not be."""
        return Tokenizer, (self.words,)

    def cut(self, codes: Codes) -> Words:
        """Cut a folded text; what is not Chinese, and the third of a row, parts words and is left out."""
        chinese = (_HAN[0] <= codes) & (codes < _HAN[1])
        again = codes[2:] == codes[:-2]  # the engines part a wail like 呜呜呜呜 differently
        chinese[2:] &= ~(again & (codes[1:-1] == codes[2:]))
        runs = np.where(chinese, codes, _BREAK).astype("<u4").tobytes().decode("utf-32-le")
        word = list(self._engine.cut(runs))
        length = np.fromiter(map(len, word), dtype=np.int64, count=len(word))
        start = np.cumsum(length) - length
        kept = chinese[start] if len(start) else np.zeros(0, dtype=bool)
        return Words(list(compress(word, kept.tolist())), start[kept], length[kept])

    def spans(self, text: str) -> list[tuple[str, int, int]]:
        """(word, start, end) for every Chinese word of ``text``."""
        words = self.cut(fold(text))
        ends = (words.start + words.length).tolist()
        return list(zip(words.word, words.start.tolist(), ends, strict=True))


@lru_cache(maxsize=4)
def _engine(words: tuple[str, ...], *, fast: bool) -> _Engine:
    if fast:
        try:
            return _Rjieba(words)
        except ImportError:
            pass
    return _Jieba(words)
