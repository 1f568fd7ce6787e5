"""From texts to verdicts: labels inside the taxonomy only, probabilities, reasons, and doubt.

A verdict is acted on unseen (``auto``) only when the estimated chance that all of it is right reaches
``costs.auto_min``; everything else abstains to the desk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classify.bank import Floats, LinearBank, exclusive
from classify.features import TextFeatures, Tokens
from store.model import MAX_TEXT, Decision, Kind, Reason, Urgency, Verdict

TOP_REASONS = 3
MIN_WEIGHT = 0.05


@dataclass(frozen=True)
class Layout:
    """Which column of the bank asks what."""

    problems: tuple[str, ...]
    campaigns: tuple[str, ...]
    kinds: tuple[str, ...]
    urgencies: tuple[str, ...]
    departments: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """All of them, in column order."""
        return (*self.problems, *self.campaigns, *self.kinds, *self.urgencies, *self.departments)

    def group(self, axis: str) -> range:
        """The columns of one axis."""
        start = 0
        for name in ("problems", "campaigns", "kinds", "urgencies", "departments"):
            size = len(getattr(self, name))
            if name == axis:
                return range(start, start + size)
            start += size
        raise KeyError(axis)


@dataclass(frozen=True)
class Trust:
    """Logistic estimate that a whole verdict is right, from its summed log-probability."""

    slope: float
    offset: float

    def of(self, log_p: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability for each text."""
        return np.asarray(1 / (1 + np.exp(-(self.slope * log_p + self.offset))))


class Classifier:
    """A fitted model. Safe to call from one thread at a time."""

    def __init__(
        self,
        *,
        features: TextFeatures,
        bank: LinearBank,
        layout: Layout,
        thresholds: Floats,
        trust: Trust,
        auto_min: float,
        name: str,
    ) -> None:
        self.features = features
        self.bank = bank
        self.layout = layout
        self.thresholds = thresholds
        self.trust = trust
        self.auto_min = auto_min
        self.name = name
        self._many = np.array([*layout.group("problems"), *layout.group("campaigns")])

    def predict(self, texts: Sequence[str]) -> list[Verdict]:
        """One verdict a text, whatever the text; only its first ``MAX_TEXT`` characters are read."""
        if not texts:
            return []
        x, tokens = self.features.transform_with_tokens([text[:MAX_TEXT] for text in texts])
        p = self.bank.predict_proba(x).astype(np.float64).round(4)
        given = self.thresholds[self._many] <= p[:, self._many]
        groups = {
            axis: exclusive(p, self.layout.group(axis))
            for axis in ("kinds", "urgencies", "departments")
        }
        best = {axis: group.argmax(axis=1) for axis, group in groups.items()}
        trust = self.trust.of(whole(p[:, self._many], given, groups["kinds"].max(axis=1)))
        reasons = self._reasons(tokens, given, len(texts))
        known = np.diff(x.indptr) > 0
        return [
            self._verdict(
                n, p, given, groups, best, float(trust[n]) if known[n] else 0.0, reasons[n]
            )
            for n in range(len(texts))
        ]

    def _verdict(
        self,
        n: int,
        p: Floats,
        given: NDArray[np.bool_],
        groups: dict[str, Floats],
        best: dict[str, NDArray[np.intp]],
        trust: float,
        reasons: tuple[Reason, ...],
    ) -> Verdict:
        layout = self.layout
        size = len(layout.problems)
        names = (*layout.problems, *layout.campaigns)
        confidence = dict(zip(names, p[n, self._many].tolist(), strict=True))
        confidence |= dict(zip(layout.kinds, groups["kinds"][n].tolist(), strict=True))
        row = given[n]
        return Verdict(
            kind=Kind(layout.kinds[best["kinds"][n]]),
            problems=tuple(layout.problems[i] for i in np.flatnonzero(row[:size])),
            campaigns=tuple(layout.campaigns[i] for i in np.flatnonzero(row[size:])),
            urgency=Urgency(layout.urgencies[best["urgencies"][n]]),
            decision=Decision.AUTO if self.auto_min <= trust else Decision.DESK,
            confidence=confidence,
            reasons=reasons,
            model=self.name,
            trust=round(trust, 4),
            dept_hint=layout.departments[best["departments"][n]] if layout.departments else "",
        )

    def _reasons(
        self, tokens: Tokens, given: NDArray[np.bool_], size: int
    ) -> list[tuple[Reason, ...]]:
        """The words that carried each label given, strongest first."""
        found: list[list[Reason]] = [[] for _ in range(size)]
        bounds = np.searchsorted(tokens.row, np.arange(size + 1))
        coef, names = self.bank.coef_, self.layout.labels
        for n, label in zip(*np.nonzero(given), strict=True):
            span = slice(bounds[n], bounds[n + 1])
            column = tokens.column[span]
            weight = np.where(column >= 0, coef[column, self._many[label]], 0.0)
            for at in np.argsort(-weight)[:TOP_REASONS]:
                if weight[at] > MIN_WEIGHT:
                    start, end = int(tokens.start[span][at]), int(tokens.end[span][at])
                    name = names[self._many[label]]
                    found[n].append(Reason(name, start, end, round(float(weight[at]), 3)))
        return [tuple(one) for one in found]


def whole(p: Floats, given: NDArray[np.bool_], kind: Floats) -> NDArray[np.float64]:
    """Log-probability that every label of each verdict is right, were they independent."""
    right = np.where(given, p, 1 - p).astype(np.float64)
    return np.asarray(np.log(np.clip(right, 1e-4, 1)).sum(axis=1) + np.log(np.clip(kind, 1e-4, 1)))
