"""What labels say of each other, beyond what a line can: three small networks over all scores, averaged.

A pedlar's stall makes ``streetscape`` likely unless a market or a compound is told of; such exceptions
are no sum. The networks see only the scores of the linear bank, as it gives them to texts it has not
seen, so they stay small: their answer costs two products of a few dozen numbers a text.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

Floats = NDArray[np.float32] | NDArray[np.float64]

CLIP = 30.0
"""Log-odds beyond which a score says nothing more."""

SCALE = 4.0


class Refiner(BaseEstimator):  # type: ignore[misc]
    """``fit(scores, y)`` sets ``weights_``, the arrays of each network; ``log_odds`` averages them."""

    def __init__(
        self, *, hidden: int = 32, alpha: float = 0.3, rounds: int = 60, seeds: int = 3
    ) -> None:
        self.hidden = hidden
        self.alpha = alpha
        self.rounds = rounds
        self.seeds = seeds

    def fit(self, scores: Floats, y: NDArray[np.bool_]) -> Refiner:
        """Learn from held-out scores (texts, all labels) and the labels to refine (texts, some)."""
        x = _shrunk(scores)
        nets = []
        for seed in range(self.seeds):
            net = MLPClassifier(
                (self.hidden,),
                alpha=self.alpha,
                max_iter=self.rounds,
                random_state=seed,
                learning_rate_init=2e-3,
                batch_size=min(128, len(x)),
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                net.fit(x, y)
            nets.append((*net.coefs_, *net.intercepts_))
        self.weights_ = tuple(
            np.stack([net[part] for net in nets]).astype(np.float32) for part in range(4)
        )
        return self

    def log_odds(self, scores: Floats) -> Floats:
        """Mean log-odds of the networks, (texts, refined labels)."""
        into, out, bias, last = self.weights_
        x = _shrunk(scores)
        found = [np.maximum(x @ into[n] + bias[n], 0) @ out[n] + last[n] for n in range(len(into))]
        return np.asarray(np.mean(found, axis=0))


def _shrunk(scores: Floats) -> NDArray[np.float32]:
    return np.asarray(np.clip(scores, -CLIP, CLIP), dtype=np.float32) * np.float32(1 / SCALE)
