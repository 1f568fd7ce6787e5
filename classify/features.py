"""From texts to numbers: hashed character 1-3-grams, known words and cue features, side by side.

Characters carry what words miss (typos, dialect, names cut wrong); words carry what a person can be
shown as a reason; cues (``classify.cues``) carry what the corpus has no word for. A gram counts once
for every time it occurs, more where it stands in the title, weighted by its inverse document
frequency, and a text's grams are divided by the square root of their number: that did better on long
letters than logarithms and unit length (docs/trials.md), and needs no sorting, which is what makes a
batch cheap. Only grams seen in ``min_df`` training texts are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
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
MOST_TEXTS = 1 << 16
"""Rows are sorted as 16-bit numbers."""

_PRIME = np.uint64(0x9E3779B97F4A7C15)
_BREAK = np.uint32(0)
_PARTING = np.zeros(0x10000, dtype=bool)
_PARTING[[ord(c) for c in "，。！？；：、,.!?;:\n\0"]] = True
"""Characters that end a clause."""

CUE_SHARE, CUE_TITLE, MIN_CUE_DF = 0.5, 2.0, 3
"""Weight of cues beside grams, weight of a cue in the title, texts a cue feature must occur in."""

_LATIN_MARKS = np.array([ord(c) for c in ",.!?:;()[]\"'"], dtype=np.uint32)

Ints = NDArray[np.int64]


class Grams(NamedTuple):
    """Every gram of a batch: ``row`` (its text, ascending), where it starts in the joined batch, its
    ``column`` and how often it counts.
    """

    row: Ints
    start: Ints
    column: Ints
    weight: NDArray[np.float32]


class Batch(NamedTuple):
    """A batch as the classifier reads it: known grams by kind, and the words with their places.

    ``scale`` (texts,) divides the grams of each text; ``first`` (texts + 1,) is where each text
    starts in the joined batch; ``word_start``, ``word_length``: the words, in it.
    """

    grams: Grams
    scale: NDArray[np.float32]
    first: Ints
    word_start: Ints
    word_length: Ints


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
        codes, _, row, weight = self._join(texts)
        grams = self._chars(codes, row, weight)
        df = _document_frequency(grams.row, grams.column, SIZE)
        kept = np.flatnonzero(self.min_df <= df)
        self.columns_ = np.full(SIZE, -1, dtype=np.int32)
        self.columns_[kept] = np.arange(len(kept), dtype=np.int32)
        self.words_from_ = len(kept)
        cut = self.tokenizer.cut(codes)
        vocabulary, number = np.unique(np.array(cut.word, dtype=object), return_inverse=True)
        word_df = _document_frequency(row[cut.start], number, len(vocabulary))
        common = self.min_df <= word_df
        self.words_ = tuple(vocabulary[common])
        self.remember()
        found = self._cues(codes, cut, row)
        cue_df = _document_frequency(found.row, found.feature, self._finder.width)
        useful = np.flatnonzero(cue_df >= MIN_CUE_DF)
        self.cue_columns_ = np.full(self._finder.width, -1, dtype=np.int32)
        self.cue_columns_[useful] = np.arange(len(useful)) + len(kept) + len(self.words_)
        frequency = np.concatenate([df[kept], word_df[common], cue_df[useful]])
        self.idf_ = (np.log((1 + len(texts)) / (1 + frequency)) + 1).astype(np.float32)
        return self

    def remember(self) -> None:
        """Build the look-ups of words and cues (after fitting or loading)."""
        self._column_of = {w: n for n, w in enumerate(self.words_, self.words_from_)}
        self._finder = CueFinder(self.cues)

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """The weighted, scaled features of ``texts``."""
        x = counted(self.read(texts), len(self.idf_))
        x.sum_duplicates()
        return (x @ sparse.diags(self.idf_)).tocsr().astype(np.float32)

    def read(self, texts: Sequence[str]) -> Batch:
        """All known grams of a batch, with where they stand; ValueError over ``MOST_TEXTS``."""
        if len(texts) >= MOST_TEXTS:
            msg = f"classify: {len(texts)} texts in one batch; give fewer than {MOST_TEXTS}"
            raise ValueError(msg)
        codes, first, row, weight = self._join(texts)
        chars = self._chars(codes, row, weight)
        cut = self.tokenizer.cut(codes)
        found = map(self._column_of.get, cut.word, repeat(-1))
        known = np.fromiter(found, dtype=np.int64, count=len(cut.word))
        total = np.bincount(chars.row, weights=chars.weight, minlength=len(texts))
        total += np.bincount(row[cut.start], weights=weight[cut.start], minlength=len(texts))
        scale = (1 / (SCALE * np.sqrt(np.maximum(total, 1)))).astype(np.float32)
        column = self.columns_[chars.column].astype(np.int64)
        seen, named = column >= 0, known >= 0
        at = cut.start[named]
        parts = (
            Grams(chars.row[seen], chars.start[seen], column[seen], chars.weight[seen]),
            Grams(row[at], at, known[named], weight[at]),
            self._cue_grams(self._cues(codes, cut, row), weight, total),
        )
        rows = np.concatenate([part.row for part in parts])
        order = np.argsort(rows.astype(np.uint16), kind="stable")  # a radix sort
        grams = Grams(
            rows[order],
            np.concatenate([part.start for part in parts])[order],
            np.concatenate([part.column for part in parts])[order],
            np.concatenate([part.weight for part in parts])[order],
        )
        return Batch(grams, scale, first, cut.start, cut.length)

    def _cues(self, codes: NDArray[np.uint32], cut: Words, row: Ints) -> Found:
        clause = np.cumsum(_PARTING[np.minimum(codes, len(_PARTING) - 1)])
        return self._finder.find(cut.word, cut.start, row[cut.start], clause[cut.start])

    def _cue_grams(self, found: Found, weight: NDArray[Any], total: NDArray[Any]) -> Grams:
        """Cue features as grams: over the root of their own number, not of the text's grams."""
        counts = np.where(weight[found.start] > 1, CUE_TITLE, 1.0)
        number = np.bincount(found.row, weights=counts, minlength=len(total))
        share = CUE_SHARE * np.sqrt(np.maximum(total, 1) / np.maximum(number, 1))
        column = self.cue_columns_[found.feature].astype(np.int64)
        seen = column >= 0
        counts = (counts * share[found.row]).astype(np.float32)
        return Grams(found.row[seen], found.start[seen], column[seen], counts[seen])

    def _join(self, texts: Sequence[str]) -> tuple[NDArray[np.uint32], Ints, Ints, NDArray[Any]]:
        """The folded batch, where each text starts, and the text and weight of each character."""
        codes = fold("\0".join([*texts, ""]))
        length = np.fromiter((len(text) + 1 for text in texts), dtype=np.int64, count=len(texts))
        first = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(length)])
        row = np.repeat(np.arange(len(texts)), length)
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
            buckets.append(((state[at] ^ np.uint64(n)) >> np.uint64(64 - BITS)).astype(np.int64))
        start = np.concatenate([np.zeros(0, dtype=np.int64), *starts])
        column = np.concatenate([np.zeros(0, dtype=np.int64), *buckets])
        return Grams(row[start], start, column, weight[start])


def _document_frequency(row: Ints, column: Ints, size: int) -> Ints:
    pairs = np.unique(row * np.int64(size) + column)
    return np.bincount(pairs % size, minlength=size)


def counted(batch: Batch, width: int) -> sparse.csr_matrix:
    """The scaled grams of a batch without their idf, shape (texts, ``width``); columns may repeat."""
    row, _, column, weight = batch.grams
    texts = len(batch.scale)
    indptr = np.searchsorted(row, np.arange(texts + 1)).astype(np.int32)
    values = weight * batch.scale[row]
    return sparse.csr_matrix((values, column.astype(np.int32), indptr), shape=(texts, width))
