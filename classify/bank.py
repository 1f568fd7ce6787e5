"""Many yes-or-no questions about a text, answered by one matrix product.

One logistic regression a label, then one more a label over the scores of all labels (a dependency
chain: stalls that are not a shop's make ``streetscape`` likely), fitted on scores of texts the first
had not seen (5-fold cross-validation); that second step is also what calibrates, as Platt scaling does
with one score (Platt 1999). Both are linear, so together they are one product. Questions of one group
(kind, urgency, department) exclude each other and their probabilities are scaled to sum to 1.
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

FEWEST = 8
"""Texts with and without a label below which nothing is learned of its company."""

Floats = NDArray[np.float32] | NDArray[np.float64]


class LinearBank(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Multi-label linear classifier with calibrated probabilities.

    ``fit(X, Y)`` takes CSR features (texts, features) and booleans (texts, labels). Sets ``coef_``
    (features, labels) and ``intercept_`` (labels), both steps in one, ``support_`` (how many texts have
    each label) and ``held_out_``, the calibrated probabilities each training text got from models that
    had not seen it. ``c`` and ``chain_c`` are the inverse regularization of the two steps.
    """

    def __init__(
        self, *, c: float = 10.0, chain_c: float = 0.03, folds: int = 5, random_state: int = 0
    ) -> None:
        self.c = c
        self.chain_c = chain_c
        self.folds = folds
        self.random_state = random_state

    def fit(self, x: sparse.csr_matrix, y: NDArray[np.bool_]) -> LinearBank:
        """Fit every label, then the chain that calibrates it."""
        scores = np.zeros(y.shape)
        split = KFold(self.folds, shuffle=True, random_state=self.random_state)
        for train, test in split.split(y):
            coef, intercept = self._fit_all(x[train], y[train])
            scores[test] = x[test] @ coef + intercept
        coef, intercept = self._fit_all(x, y)
        slope, offset = _platt(scores, y)
        scores = scores * slope + offset
        mix, bias = self._chain(scores, y)
        self.coef_ = (coef @ (slope[:, None] * mix)).astype(np.float32)
        self.intercept_ = ((intercept * slope + offset) @ mix + bias).astype(np.float32)
        self.support_ = y.sum(axis=0).astype(np.float32)
        self.held_out_ = np.zeros(y.shape, dtype=np.float32)
        for train, test in split.split(y):
            part, rest = self._chain(scores[train], y[train])
            self.held_out_[test] = sigmoid(scores[test] @ part + rest)
        return self

    def predict_proba(self, x: sparse.csr_matrix) -> Floats:
        """Calibrated probability of each label for each text, each label on its own."""
        return sigmoid(x @ self.coef_ + self.intercept_)

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
