"""Many yes-or-no questions about a text, answered by one matrix product and what labels say of each other.

First one logistic regression a label. Then, over the scores of all labels, fitted on scores of texts the
first had not seen (5-fold cross-validation): a logistic regression more a label, which also calibrates,
as Platt scaling does with one score (Platt 1999), and for the leading labels small networks
(``classify.refine``). Questions of one group (kind, urgency, department) exclude each other and their
probabilities are scaled to sum to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from classify.refine import Refiner

SEEDS = 3
FEWEST_REFINED = 2000
"""Texts below which the networks would learn by heart."""

FEWEST = 8
"""Texts with and without a label below which nothing is learned of its company."""

Floats = NDArray[np.float32] | NDArray[np.float64]


class LinearBank(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Multi-label linear classifier with calibrated probabilities.

    ``fit(X, Y)`` takes CSR features (texts, features) and booleans (texts, labels). Sets ``coef_``
    (features, labels) and ``intercept_`` (labels) of the first step, ``mix_`` (labels, labels) and
    ``bias_`` of the second, ``refiner_`` for the first ``refined`` labels (None where texts are too
    few), ``support_`` (how many texts have each label) and ``held_out_``, the probabilities each
    training text got from models that had not seen it. ``c`` and ``chain_c`` are the inverse
    regularization of the two steps.
    """

    def __init__(
        self,
        *,
        c: float = 10.0,
        chain_c: float = 0.03,
        refined: int = 0,
        folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.c = c
        self.chain_c = chain_c
        self.refined = refined
        self.folds = folds
        self.random_state = random_state

    def fit(self, x: sparse.csr_matrix, y: NDArray[np.bool_]) -> LinearBank:
        """Fit every label, then what they say of each other."""
        scores = np.zeros(y.shape)
        split = KFold(self.folds, shuffle=True, random_state=self.random_state)
        for train, test in split.split(y):
            coef, intercept = self._fit_all(x[train], y[train])
            scores[test] = x[test] @ coef + intercept
        coef, intercept = self._fit_all(x, y)
        slope, offset = _platt(scores, y)
        scores = scores * slope + offset
        self.coef_ = (coef * slope).astype(np.float32)
        self.intercept_ = (intercept * slope + offset).astype(np.float32)
        self.support_ = y.sum(axis=0).astype(np.float32)
        self.held_out_ = np.zeros(y.shape, dtype=np.float32)
        for train, test in split.split(y):
            self._fit_second(scores[train], y[train], seeds=1)
            self.held_out_[test] = self.probabilities(scores[test])
        self._fit_second(scores, y, seeds=SEEDS)
        return self

    def predict_proba(self, x: sparse.csr_matrix) -> Floats:
        """Calibrated probability of each label for each text, each label on its own."""
        return self.probabilities(x @ self.coef_ + self.intercept_)

    def probabilities(self, scores: Floats) -> Floats:
        """The same from the scores of the first step, (texts, labels)."""
        log_odds = scores @ self.mix_ + self.bias_
        if self.refiner_ is not None:
            log_odds[:, : self.refined] = self.refiner_.log_odds(scores)
        return sigmoid(log_odds)

    def _fit_second(self, scores: Floats, y: NDArray[np.bool_], *, seeds: int) -> None:
        mix, bias = self._chain(scores, y)
        self.mix_, self.bias_ = mix.astype(np.float32), bias.astype(np.float32)
        enough = self.refined > 0 and len(y) >= FEWEST_REFINED
        self.refiner_ = Refiner(seeds=seeds).fit(scores, y[:, : self.refined]) if enough else None

    def _chain(self, scores: Floats, y: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """(labels, labels) and (labels): how the scores of all labels make each label's log-odds."""
        mix, bias = np.eye(y.shape[1]), np.zeros(y.shape[1])
        for label in range(y.shape[1]):
            target = y[:, label]
            if FEWEST <= target.sum() <= len(target) - FEWEST:
                model = LogisticRegression(C=self.chain_c, solver="newton-cholesky")
                model.fit(scores, target)
                mix[:, label], bias[label] = model.coef_[0], model.intercept_[0]
        return mix, bias

    def _fit_all(self, x: sparse.csr_matrix, y: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        coef = np.zeros((x.shape[1], y.shape[1]), dtype=np.float32)
        intercept = np.full(y.shape[1], -6.0, dtype=np.float32)
        x64 = x.astype(np.float64)
        for label in range(y.shape[1]):
            target = y[:, label]
            if 0 < target.sum() < len(target):
                model = LogisticRegression(
                    C=self.c, solver="liblinear", dual=True, tol=0.01, max_iter=300
                )
                model.fit(x64, target)
                coef[:, label], intercept[label] = model.coef_[0], model.intercept_[0]
        return coef, intercept


def exclusive(p: Floats, columns: Sequence[int]) -> Floats:
    """The probabilities of one group, scaled to sum to 1 for each text."""
    group = p[:, list(columns)] + 1e-6
    return np.asarray((group / group.sum(axis=1, keepdims=True)).round(4))


def _platt(scores: Floats, y: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    slope, offset = np.ones(y.shape[1], np.float32), np.zeros(y.shape[1], np.float32)
    for label in range(y.shape[1]):
        target = y[:, label]
        if 0 < target.sum() < len(target):
            model = LogisticRegression(C=100.0).fit(scores[:, [label]], target)
            slope[label], offset[label] = model.coef_[0, 0], model.intercept_[0]
    return slope, offset


def sigmoid(z: Any) -> Floats:
    """Log-odds as probabilities."""
    return np.asarray(1 / (1 + np.exp(-np.clip(z, -30, 30))), dtype=np.float32)
