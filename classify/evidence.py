"""Why a label was given: the words of the text whose characters carried it.

A linear score is a sum over grams, so each gram's share is known exactly; it is counted for the word
the gram starts in. All labels of a batch are attributed at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classify.bank import Floats
from classify.features import Batch
from store.model import Reason

TOP_REASONS = 3
MIN_WEIGHT = 0.2
"""Log-odds below which a word is no reason."""


def reasons(
    batch: Batch,
    weights: Floats,
    given: NDArray[np.bool_],
    columns: NDArray[np.int64],
    names: Sequence[str],
) -> list[tuple[Reason, ...]]:
    """The strongest words of each given label, strongest first.

    ``weights`` (features, labels) are log-odds a gram, ``given`` (texts, given labels) what was
    decided, ``columns`` which column of ``weights`` each of them is, ``names`` what it is called.
    """
    texts = len(given)
    found: list[list[Reason]] = [[] for _ in range(texts)]
    text, label = np.nonzero(given)
    if not len(text) or not len(batch.word_start):
        return [()] * texts
    row, start, column, weight = batch.grams
    bounds = np.searchsorted(row, np.arange(texts + 1))
    size = np.diff(bounds)[text]
    pair = np.repeat(np.arange(len(text)), size)
    gram = np.arange(len(pair)) + np.repeat(bounds[text] - np.cumsum(size) + size, size)
    word = _word_of(batch)[start][gram]
    inside = np.flatnonzero(word >= 0)
    gram, pair, word = gram[inside], pair[inside], word[inside]
    flat = (column * weights.shape[1])[gram] + columns[label][pair]
    share = weights.ravel().take(flat) * weight[gram]
    first_word = np.searchsorted(batch.word_start, batch.first)
    count = np.diff(first_word)[text]
    base = np.cumsum(count) - count - first_word[text]
    summed = np.bincount(base[pair] + word, weights=share, minlength=int(count.sum()))
    which = np.repeat(np.arange(len(text)), count)
    total = summed * batch.scale[text[which]]
    strong = np.flatnonzero(total >= MIN_WEIGHT)
    order = strong[np.lexsort((-total[strong], which[strong]))]
    owner = which[order]
    rank = np.arange(len(order)) - np.searchsorted(owner, owner)
    for at in order[rank < TOP_REASONS].tolist():
        of = int(which[at])
        n, w = int(text[of]), at - int(base[of])
        begin = int(batch.word_start[w] - batch.first[n])
        span = (begin, begin + int(batch.word_length[w]))
        found[n].append(Reason(names[label[of]], *span, round(float(total[at]), 3)))
    return [tuple(one) for one in found]


def _word_of(batch: Batch) -> NDArray[np.int64]:
    """The word each character of the joined batch stands in, -1 outside words."""
    word = np.full(int(batch.first[-1]) + 1, -1, dtype=np.int64)
    number = np.repeat(np.arange(len(batch.word_start)), batch.word_length)
    inside = np.arange(len(number)) - np.repeat(
        np.cumsum(batch.word_length) - batch.word_length, batch.word_length
    )
    word[batch.word_start[number] + inside] = number
    return word
