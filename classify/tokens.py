"""The one door to jieba: Chinese words with their places in the text.

rjieba is the same algorithm over the same dictionary in Rust, twenty times as fast; it serves when
it is installed, jieba itself otherwise. City words (``configs/lexicon.txt``, one a line) are added to
whichever runs. Everything is folded to lower case and compatibility forms first, and runs of digits
and Latin letters are set apart, because the two engines differ only there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Protocol

CITY_FREQUENCY = 20_000
"""Weight of a city word: high enough to be kept whole, the same in both engines."""

_RUNS = re.compile(r"[\u3400-\u9fff]+|[a-z]+|[0-9]+(?:\.[0-9]+)?|[^\s\u3400-\u9fffa-z0-9]")
_FOLD = {
    code: form
    for code in range(0xA0, 0xFFF0)
    if len(form := unicodedata.normalize("NFKC", chr(code)).lower()) == 1 and form != chr(code)
    if not 0xD800 <= code < 0xE000  # noqa: PLR2004 - surrogates
}


class _Engine(Protocol):
    """Cuts one run of Chinese characters."""

    def cut(self, run: str) -> Sequence[str]:
        """The words of ``run``, in order, nothing left out."""
        ...


class _Rjieba:
    def __init__(self, words: Iterable[str]) -> None:
        import rjieba  # noqa: PLC0415 - optional

        self._cut = rjieba.Jieba()
        for word in words:
            self._cut.add_word(word, CITY_FREQUENCY, None)

    def cut(self, run: str) -> Sequence[str]:
        return self._cut.cut(run)


class _Jieba:
    def __init__(self, words: Iterable[str]) -> None:
        import logging  # noqa: PLC0415

        import jieba  # noqa: PLC0415 - half a second to load

        jieba.setLogLevel(logging.WARNING)
        self._jieba = jieba.Tokenizer()
        self._jieba.initialize()
        for word in words:
            self._jieba.add_word(word, CITY_FREQUENCY)

    def cut(self, run: str) -> Sequence[str]:
        return self._jieba.lcut(run)  # type: ignore[no-any-return]


class Tokenizer:
    """Words of a text, as spans of it."""

    def __init__(self, words: Iterable[str] = (), *, fast: bool = True) -> None:
        self.words = tuple(words)
        self._engine = _engine(self.words, fast=fast)

    def spans(self, text: str) -> list[tuple[str, int, int]]:
        """(word, start, end) for every word, number and mark of ``text``."""
        folded = fold(text)
        found: list[tuple[str, int, int]] = []
        for match in _RUNS.finditer(folded):
            run, start = match.group(), match.start()
            if run[0] < "\u3400" or len(run) == 1:
                found.append((run, start, match.end()))
                continue
            for word in self._engine.cut(run):
                end = start + len(word)
                found.append((word, start, end))
                start = end
        return found


def fold(text: str) -> str:
    """Lower case and compatibility forms, one character for one."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return lowered.translate(_FOLD)


@lru_cache(maxsize=4)
def _engine(words: tuple[str, ...], *, fast: bool) -> _Engine:
    if fast:
        try:
            return _Rjieba(words)
        except ImportError:
            pass
    return _Jieba(words)
