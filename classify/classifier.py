"""From texts to verdicts: labels inside the taxonomy only, probabilities, reasons, and doubt.

A verdict is acted on unseen (``auto``) only when the estimated chance that all of it is right reaches
``costs.auto_min``; everything else abstains to the desk.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classify.bank import Floats, LinearBank, exclusive
from classify.evidence import reasons
from classify.features import TextFeatures
from store.model import MAX_TEXT, Decision, Kind, Reason, Urgency, Verdict

_UNSEEN = re.compile(
    "[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]"
)

EXCLUSIVE = ("kinds", "urgencies", "departments")
"""Axes of which a message has exactly one label."""


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
    """Logistic estimate that a whole verdict is right: a weight for each of ``signals``, then a constant."""

    coef: tuple[float, ...]

    def of(self, found: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability for each text, from its signals (texts, signals)."""
        return np.asarray(1 / (1 + np.exp(-(found @ np.array(self.coef[:-1]) + self.coef[-1]))))


@dataclass(frozen=True)
class Decided:
    """What a batch of probabilities (texts, labels) comes to, before it is put into words."""

    p: Floats
    given: NDArray[np.bool_]
    groups: dict[str, Floats]
    trust: NDArray[np.float64]
    teach: NDArray[np.float64]


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
        self._names = (*layout.problems, *layout.campaigns)
        self._weights = bank.coef_ * features.idf_[:, None]
        self._asked = np.array([*self._many, *layout.group("kinds")])
        self._worth = 1 / np.sqrt(1.0 + bank.support_[self._asked])
        """A label that was seen ``n`` times is known to about 1/√n: one more example is worth that."""

    def predict(self, texts: Sequence[str]) -> list[Verdict]:
        """One verdict a text, whatever the text; only its first ``MAX_TEXT`` characters are read."""
        if not texts:
            return []
        seen = [visible(text[:MAX_TEXT]) for text in texts]
        batch = self.features.read([text for text, _ in seen])
        shares = batch.slots @ self._weights
        scores = np.add.reduceat(shares, batch.first_slot[:-1], axis=0)
        decided = self.decide(self.bank.probabilities(scores + self.bank.intercept_))
        decided.trust[np.diff(batch.slots.indptr[batch.first_slot]) == 0] = 0.0
        why = reasons(batch, shares, decided.given, self._many, self._names)
        return self.put(decided, [_moved(w, kept) for w, (_, kept) in zip(why, seen, strict=True)])

    def decide(self, probability: Floats) -> Decided:
        """Labels, doubt and worth of a human label from each text's probabilities."""
        p = probability.astype(np.float64).round(4)
        many = p[:, self._many]
        given = self.thresholds[self._many] <= many
        groups = {axis: exclusive(p, self.layout.group(axis)) for axis in EXCLUSIVE}
        trust = self.trust.of(signals(many, given, groups["kinds"]))
        teach = p[:, self._asked] * (1 - p[:, self._asked]) @ self._worth
        return Decided(p, given, groups, trust, teach)

    def put(self, decided: Decided, why: Sequence[tuple[Reason, ...]]) -> list[Verdict]:
        """The verdicts of a decided batch; labels come from the layout and from nowhere else."""
        layout, names, groups = self.layout, self._names, decided.groups
        size = len(layout.problems)
        many, kinds = decided.p[:, self._many].tolist(), groups["kinds"].tolist()
        best = {axis: group.argmax(axis=1).tolist() for axis, group in groups.items()}
        shown = [[i for i, yes in enumerate(row) if yes] for row in decided.given.tolist()]
        kind_of, urgency_of = list(map(Kind, layout.kinds)), list(map(Urgency, layout.urgencies))
        labels = (*names, *layout.kinds)
        sure, teach = decided.trust.round(4).tolist(), decided.teach.round(4).tolist()
        return [
            Verdict(
                kind=kind_of[kind],
                problems=tuple([names[i] for i in shown[n] if i < size]),
                campaigns=tuple([names[i] for i in shown[n] if i >= size]),
                urgency=urgency_of[best["urgencies"][n]],
                decision=Decision.AUTO if self.auto_min <= sure[n] else Decision.DESK,
                confidence=dict(zip(labels, [*many[n], *kinds[n]], strict=True)),
                reasons=why[n],
                model=self.name,
                trust=sure[n],
                teach=teach[n],
                dept_hint=layout.departments[best["departments"][n]],
            )
            for n, kind in enumerate(best["kinds"])
        ]


def visible(text: str) -> tuple[str, list[int]]:
    """The text without zero-width and control characters, and where each kept one stood.

    The places are empty where nothing was left out, which is nearly always.
    """
    if _UNSEEN.search(text) is None:
        return text, []
    kept = [n for n, c in enumerate(text) if _UNSEEN.match(c) is None]
    return "".join([text[n] for n in kept]), kept


def _moved(why: tuple[Reason, ...], kept: list[int]) -> tuple[Reason, ...]:
    """Reasons of a visible text as spans of the text it was made from."""
    if not kept:
        return why
    return tuple(Reason(r.label, kept[r.start], kept[r.end - 1] + 1, r.weight) for r in why)


def signals(p: Floats, given: NDArray[np.bool_], kinds: Floats) -> NDArray[np.float64]:
    """What tells whether a whole verdict is right, (texts, 4).

    The log-probability that it is, were labels independent; the least sure label; the least sure of
    those given (1 where none is); how sure the kind is.
    """
    right = np.where(given, p, 1 - p)
    top = kinds.max(axis=1)
    together = np.log(np.clip(right, 1e-4, 1)).sum(axis=1) + np.log(np.clip(top, 1e-4, 1))
    weakest = right.min(axis=1, initial=1.0)
    carried = np.where(given, p, 1.0).min(axis=1, initial=1.0)
    return np.stack([together, weakest, carried, top], axis=1).astype(np.float64)
