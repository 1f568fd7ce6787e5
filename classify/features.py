"""From texts to numbers: hashed character 1-3-grams and hashed words, side by side.

Characters carry what words miss (typos, dialect, names cut wrong); words carry what a person can be
shown as a reason. Each view is weighted by log term frequency and inverse document frequency and
scaled to unit length, then both are joined. Only features seen in ``min_df`` training texts are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin

from classify.tokens import Tokenizer, fold

BITS = 19
SIZE = 1 << BITS
"""Hash buckets of one view, before rare ones are dropped."""

_PRIME = np.uint64(0x9E3779B97F4A7C15)
_BREAK = 0
Spans = list[tuple[str, int, int]]


class Tokens(NamedTuple):
    """Every word of a batch: which text, where in it, which column (-1: unknown)."""

    row: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    column: NDArray[np.int64]


class TextFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """scikit-learn transformer: ``Sequence[str]`` → CSR matrix, float32, shape (texts, features)."""

    def __init__(self, *, tokenizer: Tokenizer, min_df: int = 2, max_n: int = 3) -> None:
        self.tokenizer = tokenizer
        self.min_df = min_df
        self.max_n = max_n

    def fit(self, texts: Sequence[str], y: Any = None) -> TextFeatures:  # noqa: ARG002
        """Learn which features are common enough and how rare each is."""
        row, column = self._hashed(texts)[:2]
        pairs = np.unique(row * (2 * SIZE) + column)
        df = np.bincount(pairs % (2 * SIZE), minlength=2 * SIZE)
        kept = np.flatnonzero(self.min_df <= df)
        self.columns_ = np.full(2 * SIZE, -1, dtype=np.int32)
        self.columns_[kept] = np.arange(len(kept), dtype=np.int32)
        self.words_from_ = int(np.searchsorted(kept, SIZE))
        self.idf_ = (np.log((1 + len(texts)) / (1 + df[kept])) + 1).astype(np.float32)
        return self

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """The weighted, scaled features of ``texts``."""
        return self.transform_with_tokens(texts)[0]

    def transform_with_tokens(self, texts: Sequence[str]) -> tuple[sparse.csr_matrix, Tokens]:
        """The same, with where each word stands."""
        row, column, tokens = self._hashed(texts)
        known = self.columns_[column]
        seen = known >= 0
        width = len(self.idf_)
        keys, counts = np.unique(row[seen] * width + known[seen], return_counts=True)
        rows, columns = keys // width, keys % width
        values = (1 + np.log(counts.astype(np.float32))) * self.idf_[columns]
        view = rows * 2 + (self.words_from_ <= columns)
        norms = np.sqrt(np.bincount(view, weights=values * values, minlength=2 * len(texts)))
        values = values / norms[view]
        indptr = np.searchsorted(rows, np.arange(len(texts) + 1))
        matrix = sparse.csr_matrix(
            (values.astype(np.float32), columns.astype(np.int32), indptr.astype(np.int32)),
            shape=(len(texts), width),
        )
        words = tokens._replace(column=self.columns_[tokens.column].astype(np.int64))
        return matrix, words

    def _hashed(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64], Tokens]:
        char_row, char_column = _char_grams([fold(text) for text in texts], self.max_n)
        tokens = self._words(texts)
        row = np.concatenate([char_row, tokens.row])
        return row, np.concatenate([char_column, tokens.column]), tokens

    def _words(self, texts: Sequence[str]) -> Tokens:
        rows: list[int] = []
        starts: list[int] = []
        ends: list[int] = []
        columns: list[int] = []
        for n, text in enumerate(texts):
            for word, start, end in self.tokenizer.spans(text):
                rows.append(n)
                starts.append(start)
                ends.append(end)
                columns.append(SIZE + (crc32(word.encode("utf-8", "surrogatepass")) & (SIZE - 1)))
        return Tokens(
            np.array(rows, dtype=np.int64),
            np.array(starts, dtype=np.int64),
            np.array(ends, dtype=np.int64),
            np.array(columns, dtype=np.int64),
        )


def _char_grams(texts: Sequence[str], max_n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(text, bucket) of every run of 1 to ``max_n`` characters that stays inside one text and word."""
    joined = "\0".join([*texts, ""])
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).copy()
    lengths = np.array([len(text) + 1 for text in texts], dtype=np.int64)
    row = np.repeat(np.arange(len(texts)), lengths)[: len(codes)]
    digits = (ord("0") <= codes) & (codes <= ord("9"))
    codes[digits] = ord("0")
    codes[codes <= ord(" ")] = _BREAK
    codes[(codes > 0x2E00) & (codes < 0x3040)] = _BREAK  # noqa: PLR2004 - Chinese punctuation
    alive = codes != _BREAK
    state = np.zeros(len(codes), dtype=np.uint64)
    rows, buckets = [], []
    for n in range(max_n):
        size = len(codes) - n
        if size <= 0:
            break
        state = (state[:size] ^ codes[n:].astype(np.uint64)) * _PRIME
        alive = alive[:size] & (codes[n:] != _BREAK)
        at = np.flatnonzero(alive)
        rows.append(row[at])
        buckets.append(((state[at] ^ np.uint64(n)) >> np.uint64(64 - BITS)).astype(np.int64))
    empty = np.zeros(0, dtype=np.int64)
    return np.concatenate([empty, *rows]), np.concatenate([empty, *buckets])
