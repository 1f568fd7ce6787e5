"""Runs of 2 to 6 characters that are said more than before; pure, over tens of thousands of texts at once.

No dictionary is needed: every run of characters is counted by voices that say it, now and before, and tested by
the log-likelihood ratio G² (Dunning, Accurate methods for the statistics of surprise and coincidence, Computational
Linguistics 19, 1993). What a voice of before weighs is how much what it is about (its stratum) has grown since, so that
the usual words of a label that rises as a whole are no surprise. Of many runs some surprise by chance: the bound grows
with the number of those that could pass it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

SHORTEST, LONGEST = 2, 6
"""Characters of a phrase."""

READ = 600
"""Characters of a text that are read: what a letter is about stands in its beginning."""

FEWEST = 3
"""Voices a phrase needs."""

CHANCE = 0.02
"""Phrases a run may find by chance alone."""

MOST = 600
"""Phrases kept, the most surprising first."""

SIEVE, BLOCK = 1 << 22, 1 << 20
"""Places of a table that sorts out most of what is looked for; characters of before that are read at once."""

_MIX = np.uint64(0x9E37_79B9_7F4A_7C15)
_MARK = re.compile(r"\[[^\[\]\n]{1,8}\]")
"""What stands for something taken out, as ``[电话]``."""

EDGES = frozenset(
    "的了在是有就也都还很这那个和与及把被给让到去来说吗呢吧啊呀哦哈嘛么着过得地我你他她它们咱您谁啥为以于从向对等又再"
    "已将而且但却只才更最太真好请可能会要想该应其此每各某之所如若因由并或虽则即称其有些几两一二三四五六七八九十"
)
"""Characters no phrase begins or ends with: they tie words together."""

Voices = NDArray[np.int64]


class Spoken(NamedTuple):
    """What one voice said, and what it is about."""

    text: str
    voice: int
    stratum: int


class Phrase(NamedTuple):
    """A run of characters, how much it surprises (G²), and which voices of now and before say it."""

    text: str
    surprise: float
    now: frozenset[int]
    before: frozenset[int]


@dataclass(frozen=True)
class _Codes:
    """Texts as one row of characters: ``code`` 0 between runs, the voice at each, and the strata of voices."""

    code: NDArray[np.uint64]
    voice: Voices
    stratum: Voices


def surprise(
    now: NDArray[np.float64], before: NDArray[np.float64], ratio: NDArray[np.float64]
) -> NDArray[np.float64]:
    """G² of a count now against one before, where ``ratio`` is what now would be for one before; 0 if not more."""
    total = now + before
    expected_now, expected_before = total * ratio / (1 + ratio), total / (1 + ratio)
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.where(now > 0, now * np.log(now / expected_now), 0.0)
        second = np.where(before > 0, before * np.log(before / expected_before), 0.0)
    return np.where(now > expected_now, 2 * (first + second), 0.0)


def bound(tests: int) -> float:
    """The G² that ``CHANCE`` of so many tests pass by chance (chi-squared with one degree of freedom)."""
    return float(chdtri(1, min(CHANCE / max(tests, 1), 1.0)))


def growth(now: Voices, before: Voices) -> NDArray[np.float64]:
    """For each stratum of before, how many voices now one of before stands for; strata hold 20 of all at least."""
    size = int(max(now.max(initial=0), before.max(initial=0))) + 1
    a, b = np.bincount(now, minlength=size), np.bincount(before, minlength=size)
    overall = now.size / max(before.size, 1)
    prior = 20.0
    return np.asarray((a + prior * overall) / (b + prior))


def rising(now: Sequence[Spoken], before: Sequence[Spoken]) -> tuple[list[Phrase], float]:
    """Phrases said by more voices now than those of before let expect, the most surprising first, and the bound."""
    if not now or not before:
        return [], bound(0)
    ours, theirs = _codes(now), _codes(before)
    weight = growth(ours.stratum, theirs.stratum)[theirs.stratum]
    overall = ours.stratum.size / theirs.stratum.size
    found = [
        one
        for length in range(SHORTEST, LONGEST + 1)
        if (one := _of_length(ours, theirs, weight, length)) is not None
    ]
    limit = _limit([one.counts for one in found], overall)
    kept = [phrase for one in found for phrase in one.phrases(ours.code, overall, limit)]
    kept.sort(key=lambda phrase: (-phrase.surprise, -len(phrase.text), phrase.text))
    return kept[:MOST], limit


def _limit(counts: Sequence[NDArray[np.float64]], overall: float) -> float:
    """The bound for as many phrases as could pass it at all, were none said before (Tarone, Biometrics 46, 1990)."""
    said = np.sort(np.concatenate([np.zeros(0), *counts]))
    for least in range(FEWEST, int(said.max(initial=0)) + 1):
        limit = bound(int(said.size - np.searchsorted(said, least)))
        best = surprise(np.asarray([float(least)]), np.zeros(1), np.asarray([overall]))[0]
        if best >= limit:
            return limit
    return bound(1)


@dataclass(frozen=True)
class _Counted:
    """Phrases of one length: where each stands, and its pairs with voices."""

    length: int
    hashes: NDArray[np.uint64]
    where: Voices
    now: tuple[Voices, Voices]
    before: tuple[Voices, Voices]
    weight: NDArray[np.float64]

    @property
    def counts(self) -> NDArray[np.float64]:
        """How many voices say each now."""
        return np.bincount(self.now[0], minlength=self.hashes.size).astype(float)

    def phrases(self, code: NDArray[np.uint64], overall: float, limit: float) -> Iterable[Phrase]:
        """Those that surprise enough."""
        size = self.hashes.size
        a = self.counts
        b = np.bincount(self.before[0], minlength=size).astype(float)
        expected = np.bincount(self.before[0], weights=self.weight, minlength=size)
        ratio = np.where(b > 0, np.maximum(expected / np.maximum(b, 1), overall), overall)
        score = surprise(a, b, ratio)
        for n in np.flatnonzero(score >= limit):
            start = int(self.where[n])
            yield Phrase(
                "".join(chr(int(c)) for c in code[start : start + self.length]),
                float(score[n]),
                _voices(self.now, int(n)),
                _voices(self.before, int(n)),
            )


def _voices(pairs: tuple[Voices, Voices], phrase: int) -> frozenset[int]:
    """The voices of one phrase; pairs are in the order of phrases."""
    start, end = np.searchsorted(pairs[0], [phrase, phrase + 1])
    return frozenset(map(int, pairs[1][start:end]))


def _codes(spoken: Sequence[Spoken]) -> _Codes:
    """Texts as characters, those of one voice side by side."""
    ordered = sorted(spoken, key=lambda one: one.voice)
    texts = [_cleaned(one.text) for one in ordered]
    code = np.frombuffer("\n".join(texts).encode("utf-32-le", "replace"), dtype=np.uint32).copy()
    wide = (code >= 0xFF01) & (code <= 0xFF5E)  # noqa: PLR2004 - full-width forms
    code[wide] -= 0xFEE0
    han = (code >= 0x3400) & (code < 0xA000)  # noqa: PLR2004 - Chinese characters
    latin = (code >= ord("a")) & (code <= ord("z"))
    code[~(han | latin)] = 0
    lengths = np.fromiter((len(text) + 1 for text in texts), np.int64, len(texts))
    voice = np.repeat(np.fromiter((one.voice for one in ordered), np.int64), lengths)[: code.size]
    stratum = np.zeros(max(one.voice for one in ordered) + 1, np.int64)
    for one in ordered:
        stratum[one.voice] = one.stratum
    return _Codes(code.astype(np.uint64), voice, stratum)


def _cleaned(text: str) -> str:
    short = text[:READ].lower()
    return _MARK.sub("\n", short) if "[" in short else short


def _hashes(code: NDArray[np.uint64], length: int) -> tuple[NDArray[np.uint64], Voices]:
    """The hash of every run of ``length`` that may be a phrase, and where it starts."""
    count = code.size - length + 1
    if count <= 0:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    made = np.full(count, length, np.uint64)
    good = ~(_ties(code[:count]) | _ties(code[length - 1 :]))
    for n in range(length):
        part = code[n : n + count]
        good &= part > 0
        made = (made ^ part) * _MIX
        made ^= made >> np.uint64(29)
    where = np.flatnonzero(good)
    return made[where], where


_TIES = np.zeros(0x1_0000, bool)
_TIES[[ord(one) for one in EDGES]] = True


def _ties(code: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether each character only ties words together."""
    return _TIES[np.minimum(code, np.uint64(0xFFFF)).astype(np.int64)]


def _of_length(
    ours: _Codes, theirs: _Codes, weight: NDArray[np.float64], length: int
) -> _Counted | None:
    """Phrases of one length with ``FEWEST`` voices now, and who says them."""
    made, where = _hashes(ours.code, length)
    if not made.size:
        return None
    order = np.argsort(made, kind="stable")
    made, where = made[order], where[order]
    voice = ours.voice[where]
    begins = np.r_[True, made[1:] != made[:-1]]
    fresh = begins | np.r_[True, voice[1:] != voice[:-1]]
    phrase = np.cumsum(begins) - 1
    count = np.bincount(phrase[fresh])
    enough = count >= FEWEST
    if not enough.any():
        return None
    keep = fresh & enough[phrase]
    renumbered = np.cumsum(enough) - 1
    hashes = made[begins][enough]
    before = _before(theirs, hashes, length)
    return _Counted(
        length,
        hashes,
        where[begins][enough],
        (renumbered[phrase[keep]], voice[keep]),
        before,
        weight[before[1]],
    )


def _before(theirs: _Codes, hashes: NDArray[np.uint64], length: int) -> tuple[Voices, Voices]:
    """Which voices of before say which of these (sorted) phrases."""
    sieve = np.zeros(SIEVE, bool)
    sieve[(hashes % SIEVE).astype(np.int64)] = True
    voices = theirs.stratum.size
    found = [np.zeros(0, np.int64)]
    for start in range(0, theirs.code.size, BLOCK):
        made, where = _hashes(theirs.code[start : start + BLOCK + length - 1], length)
        passed = sieve[(made % SIEVE).astype(np.int64)]
        made, where = made[passed], where[passed] + start
        at = np.minimum(np.searchsorted(hashes, made), hashes.size - 1)
        same = hashes[at] == made
        found.append(np.unique(at[same] * voices + theirs.voice[where[same]]))
    pairs = np.unique(np.concatenate(found))
    return pairs // voices, pairs % voices
