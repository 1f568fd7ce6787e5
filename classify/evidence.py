"""Why a label was given: the words of the text whose characters carried it.

A linear score is a sum over grams, so the share of each word, with all grams that start in it, is
known exactly; the batch is scored word by word and the texts are their sums.
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
    shares: Floats,
    given: NDArray[np.bool_],
    columns: NDArray[np.int64],
    names: Sequence[str],
) -> list[tuple[Reason, ...]]:
    """The strongest words of each given label, strongest first.

    ``shares`` (slots, labels) are the log-odds of each slot of ``batch``, ``given`` (texts, given
    labels) what was decided, ``columns`` which column of ``shares`` each of them is, ``names`` what it
    is called.
    """
    found: list[list[Reason]] = [[] for _ in range(len(given))]
    text, label = np.nonzero(given)
    words = np.diff(batch.first_slot)[text] - 1
    pair = np.repeat(np.arange(len(text)), words)
    slot = np.arange(len(pair)) + np.repeat(
        batch.first_slot[text] + 1 - np.cumsum(words) + words, words
    )
    weight = shares[slot, columns[label][pair]]
    strong = np.flatnonzero(weight >= MIN_WEIGHT)
    order = strong[np.lexsort((-weight[strong], pair[strong]))]
    owner = pair[order]
    best = order[np.arange(len(order)) - np.searchsorted(owner, owner) < TOP_REASONS]
    of = pair[best]
    word = slot[best] - text[of] - 1
    begin = batch.word_start[word] - batch.first[text[of]]
    end = begin + batch.word_length[word]
    rows = zip(of.tolist(), begin.tolist(), end.tolist(), weight[best].tolist(), strict=True)
    texts, labels = text.tolist(), label.tolist()
    for n, start, stop, share in rows:
        found[texts[n]].append(Reason(names[labels[n]], start, stop, round(share, 3)))
    return [tuple(one) for one in found]
