"""From texts to numbers: hashed character 1-3-grams, known words and cue features, side by side.

Characters carry what words miss (typos, dialect, names cut wrong); words carry what a person can be
shown as a reason; cues (``classify.cues``) carry what the corpus has no word for. A gram counts once
for every time it occurs, more where it stands in the title, weighted by its inverse document
frequency, and a text's grams are divided by the square root of their number: that did better on long
letters than logarithms and unit length (docs/trials.md), and needs no sorting, which is what makes a
batch cheap. Only grams seen in ``min_df`` training texts are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin

from classify.cues import NO_CUES, CueFinder, Cues, Found
from classify.tokens import Tokenizer, Words, fold

BITS = 20
SIZE = 1 << BITS
"""Hash buckets of the character grams, before rare ones are dropped."""

SCALE = 3.5
"""Divides every text's grams, so that a text of common length has about unit length."""

TITLE_CHARS = 45
MOST_SMALL = 1 << 16
"""Numbers below this are sorted as 16-bit ones, in linear time."""

PART = 1000
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_BREAK = np.uint32(0)
_PARTING = np.zeros(0x10000, dtype=bool)
_PARTING[[ord(c) for c in "，。！？；：、,.!?;:\n\0"]] = True
"""Characters that end a clause."""

CUE_SHARE, CUE_TITLE, MIN_CUE_DF = 0.5, 2.0, 3
"""Weight of cues beside grams, weight of a cue in the title, texts a cue feature must occur in."""

_LATIN_MARKS = np.array([ord(c) for c in ",.!?:;()[]\"'"], dtype=np.uint32)

Ints = NDArray[np.integer[Any]]


class Grams(NamedTuple):
    """Grams of a batch: ``row`` (the text), where each starts in the joined batch, its ``column`` and
    how often it counts.
    """

    row: Ints
    start: Ints
    column: Ints
    weight: NDArray[np.float32]


class Batch(NamedTuple):
    """A batch as the classifier reads it: its known grams by the word they start in.

    ``slots`` (slots, features) has the scaled grams without their idf; columns may repeat. A text's
    slots stand together, from ``first_slot`` (texts + 1,): one for grams that start in no word, then
    one a word. ``first`` (texts + 1,) is where each text starts in the joined batch, ``word_start`` and
    ``word_length`` are the words, in it.
    """

    slots: sparse.csr_matrix
    first_slot: Ints
    first: Ints
    word_start: Ints
    word_length: Ints

    def by_text(self) -> sparse.csr_matrix:
        """The same grams, a row a text."""
        x = self.slots
        indptr = x.indptr[self.first_slot]
        shape = (len(indptr) - 1, x.shape[1])
        return sparse.csr_matrix((x.data, x.indices, indptr), shape=shape)


class TextFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """scikit-learn transformer: ``Sequence[str]`` → CSR matrix, float32, shape (texts, features).

    ``fit`` sets ``columns_`` (bucket → column or -1), ``words_`` (the known words, in column order
    from ``words_from_``), ``cue_columns_`` (cue feature → column or -1) and ``idf_``.
    """

    def __init__(
        self,
        *,
        tokenizer: Tokenizer,
        cues: Cues = NO_CUES,
        min_df: int = 2,
        max_n: int = 3,
        title: float = 1.5,
    ) -> None:
        self.tokenizer = tokenizer
        self.cues = cues
        self.min_df = min_df
        self.max_n = max_n
        self.title = title

    def fit(self, texts: Sequence[str], y: Any = None) -> TextFeatures:  # noqa: ARG002
        """Learn which grams are common enough and how rare each is."""
        self.words_: tuple[str, ...] = ()
        self.words_from_ = 0
        self.remember()
        df = np.zeros(SIZE, dtype=np.int64)
        cue_df = np.zeros(self._finder.width, dtype=np.int64)
        word_df: Counter[str] = Counter()
        for part in _parts(texts):
            codes, _, row, weight = self._join(part)
            grams, cut = self._chars(codes, row, weight), self.tokenizer.cut(codes)
            _, group, scope = self._look_up(cut)
            found = self._cues(codes, cut, group, scope, row)
            df += _document_frequency(grams.row, grams.column, SIZE)
            cue_df += _document_frequency(found.row, found.feature, self._finder.width)
            pairs = set(zip(row[cut.start].tolist(), cut.word, strict=True))
            word_df.update(word for _, word in pairs)
        kept = np.flatnonzero(df >= self.min_df)
        useful = np.flatnonzero(cue_df >= MIN_CUE_DF)
        self.words_ = tuple(sorted(w for w, n in word_df.items() if n >= self.min_df))
        self.words_from_ = len(kept)
        self.columns_ = _numbered(kept, SIZE, 0)
        self.cue_columns_ = _numbered(useful, len(cue_df), len(kept) + len(self.words_))
        self.remember()
        word_counts = np.array([word_df[word] for word in self.words_], dtype=np.int64)
        frequency = np.concatenate([df[kept], word_counts, cue_df[useful]])
        self.idf_ = (np.log((1 + len(texts)) / (1 + frequency)) + 1).astype(np.float32)
        return self

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Forget every feature that ``mask`` (features,) does not name."""
        number = np.where(mask, np.cumsum(mask) - 1, -1)
        words = mask[self.words_from_ : self.words_from_ + len(self.words_)]
        for columns in (self.columns_, self.cue_columns_):
            known = columns >= 0
            columns[known] = number[columns[known]]
        self.words_from_ = int(mask[: self.words_from_].sum())
        self.words_ = tuple(w for w, kept in zip(self.words_, words, strict=True) if kept)
        self.idf_ = self.idf_[mask]
        self.remember()

    def remember(self) -> None:
        """Build the look-up of words and cues (after fitting or loading): one number a word.

        ``_meaning`` (numbers + 1, 3) has the word's column, cue group code and scope code, -1 for none;
        its last row is that of every other word.
        """
        self._finder = finder = CueFinder(self.cues)
        columns = {word: n for n, word in enumerate(self.words_, self.words_from_)}
        tables = (columns, finder.group_code, finder.scope_code)
        known = list(dict.fromkeys(word for table in tables for word in table))
        self._number = {word: n for n, word in enumerate(known)}
        rows = [[table.get(word, -1) for table in tables] for word in known]
        self._meaning = np.array([*rows, [-1, -1, -1]], dtype=np.int32)

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """The weighted, scaled features of ``texts``."""
        found = [sparse.csr_matrix((0, len(self.idf_)), dtype=np.float32)]
        for part in _parts(texts):
            x = self.read(part).by_text()
            x.sum_duplicates()
            found.append(x)
        joined = sparse.vstack(found, format="csr")
        return (joined @ sparse.diags(self.idf_)).tocsr().astype(np.float32)

    def read(self, texts: Sequence[str]) -> Batch:
        """All known grams of a batch, by the word they start in."""
        codes, first, row, weight = self._join(texts)
        chars = self._chars(codes, row, weight)
        cut = self.tokenizer.cut(codes)
        known, group, scope = self._look_up(cut)
        total = np.bincount(chars.row, weights=chars.weight, minlength=len(texts))
        total += np.bincount(row[cut.start], weights=weight[cut.start], minlength=len(texts))
        scale = (1 / (SCALE * np.sqrt(np.maximum(total, 1)))).astype(np.float32)
        column = self.columns_[chars.column]
        seen, named = column >= 0, known >= 0
        at = cut.start[named]
        parts = (
            Grams(chars.row[seen], chars.start[seen], column[seen], chars.weight[seen]),
            Grams(row[at], at, known[named], weight[at]),
            self._cue_grams(self._cues(codes, cut, group, scope, row), weight, total),
        )
        return self._slotted(parts, scale, first, cut)

    def _slotted(
        self, parts: Sequence[Grams], scale: NDArray[np.float32], first: Ints, cut: Words
    ) -> Batch:
        """Put every gram into the slot of its word."""
        row, start, column, weight = (np.concatenate(some) for some in zip(*parts, strict=True))
        first_word = np.searchsorted(cut.start, first)
        first_slot = first_word + np.arange(len(first))
        word = _word_of(cut, int(first[-1]))[start]
        slot = np.where(word >= 0, word + row + 1, first_slot[row])
        slots = int(first_slot[-1])
        small = np.uint16 if slots < MOST_SMALL else np.int64
        order = np.argsort(slot.astype(small), kind="stable")  # of 16-bit numbers a radix sort
        indptr = np.concatenate([[0], np.cumsum(np.bincount(slot, minlength=slots))])
        values = (weight * scale[row])[order]
        matrix = sparse.csr_matrix(
            (values, column[order].astype(np.int32, copy=False), indptr.astype(np.int32)),
            shape=(slots, len(self.idf_)),
        )
        return Batch(matrix, first_slot, first, cut.start, cut.length)

    def _look_up(self, cut: Words) -> tuple[Ints, Ints, Ints]:
        """Column, cue group code and scope code of each word."""
        number = map(self._number.get, cut.word, repeat(-1))
        found = self._meaning[np.fromiter(number, dtype=np.int64, count=len(cut.word))]
        return found[:, 0], found[:, 1], found[:, 2]

    def _cues(
        self, codes: NDArray[np.uint32], cut: Words, group: Ints, scope: Ints, row: Ints
    ) -> Found:
        clause = np.cumsum(_PARTING[np.minimum(codes, len(_PARTING) - 1)])
        return self._finder.find(group, scope, cut.start, row[cut.start], clause[cut.start])

    def _cue_grams(self, found: Found, weight: NDArray[Any], total: NDArray[Any]) -> Grams:
        """Cue features as grams: over the root of their own number, not of the text's grams."""
        counts = np.where(weight[found.start] > 1, CUE_TITLE, 1.0)
        number = np.bincount(found.row, weights=counts, minlength=len(total))
        share = CUE_SHARE * np.sqrt(np.maximum(total, 1) / np.maximum(number, 1))
        column = self.cue_columns_[found.feature]
        seen = column >= 0
        counts = (counts * share[found.row]).astype(np.float32)
        return Grams(found.row[seen], found.start[seen], column[seen], counts[seen])

    def _join(self, texts: Sequence[str]) -> tuple[NDArray[np.uint32], Ints, Ints, NDArray[Any]]:
        """The folded batch, where each text starts, and the text and weight of each character."""
        codes = fold("\0".join([*texts, ""]))
        length = np.fromiter((len(text) + 1 for text in texts), dtype=np.int64, count=len(texts))
        first = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(length)])
        row = np.repeat(np.arange(len(texts), dtype=np.int32), length)
        weight = np.ones(len(codes), dtype=np.float32)
        for n, text in enumerate(texts):
            end = text.find("\n", 0, TITLE_CHARS + 1)
            if 0 < end < len(text) - end:
                weight[first[n] : first[n] + end] = self.title
        return codes, first, row, weight

    def _chars(self, folded: NDArray[np.uint32], row: Ints, weight: NDArray[Any]) -> Grams:
        """Every run of 1 to ``max_n`` characters that no space, mark or end of text parts."""
        codes = folded.copy()
        codes[(ord("0") <= codes) & (codes <= ord("9"))] = ord("0")
        parted = (codes <= ord(" ")) | ((codes > 0x2E00) & (codes < 0x3040))  # noqa: PLR2004
        whole = ~(parted | np.isin(codes, _LATIN_MARKS))
        alive, state = whole, np.zeros(len(codes), dtype=np.uint64)
        starts, buckets = [], []
        for n in range(min(self.max_n, len(codes))):
            size = len(codes) - n
            state = (state[:size] ^ codes[n:].astype(np.uint64)) * _PRIME
            alive = alive[:size] & whole[n:]
            at = np.flatnonzero(alive)
            starts.append(at)
            buckets.append(((state[at] ^ np.uint64(n)) >> np.uint64(64 - BITS)).astype(np.int32))
        start = np.concatenate([np.zeros(0, dtype=np.int64), *starts])
        column = np.concatenate([np.zeros(0, dtype=np.int32), *buckets])
        return Grams(row[start], start, column, weight[start])


def _parts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Slices small enough that their grams do not fill the memory."""
    for start in range(0, len(texts), PART):
        yield texts[start : start + PART]


def _numbered(kept: Ints, size: int, start: int) -> NDArray[np.int32]:
    """A table that gives each of ``kept`` the next number from ``start`` on, and -1 to the rest."""
    table = np.full(size, -1, dtype=np.int32)
    table[kept] = np.arange(start, start + len(kept), dtype=np.int32)
    return table


def _document_frequency(row: Ints, column: Ints, size: int) -> Ints:
    pairs = np.unique(row * np.int64(size) + column)
    return np.bincount(pairs % size, minlength=size)


def _word_of(cut: Words, size: int) -> Ints:
    """The word each character of the joined batch stands in, -1 outside words."""
    word = np.full(size + 1, -1, dtype=np.int32)
    number = np.repeat(np.arange(len(cut.start), dtype=np.int32), cut.length)
    inside = np.arange(len(number)) - np.repeat(np.cumsum(cut.length) - cut.length, cut.length)
    word[cut.start[number] + inside] = number
    return word
