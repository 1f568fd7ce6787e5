"""How good verdicts are against labelled messages; cells marked ``disputed`` are left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from classify.artifact import LabelCard
from classify.classifier import Classifier
from classify.examples import Example
from store.config import Taxonomy
from store.model import Decision, Kind, Verdict

BINS = 10
FEWEST = 3
"""Labels with fewer messages than this say nothing and count in no average."""


def evaluate(
    examples: Sequence[Example],
    verdicts: Sequence[Verdict],
    taxonomy: Taxonomy,
    *,
    departments: Sequence[str] = (),
) -> dict[str, float]:
    """Named measures in [0, 1]: F1 a label, macro F1 an axis, accuracies, calibration, coverage.

    ``departments`` are the routed offices, where routing took place.
    """
    pairs = list(zip(examples, verdicts, strict=True))
    result: dict[str, float] = {"rows": float(len(pairs))}
    for axis, labels in (("problems", taxonomy.problems), ("campaigns", taxonomy.campaigns)):
        scores = [_f1(pairs, axis, label) for label in labels]
        result |= {f"f1_{label}": s for label, s in zip(labels, scores, strict=True) if s == s}  # noqa: PLR0124 - NaN
        enough = [
            score
            for label, score in zip(labels, scores, strict=True)
            if sum(label in getattr(e, axis) for e in examples) >= FEWEST
        ]
        result[f"{axis}_macro_f1"] = float(np.nanmean(enough)) if enough else 0.0
        result[f"ece_{axis}"] = _ece(pairs, axis, labels)
    for field in ("kind", "urgency"):
        hits = [getattr(e, field) == getattr(v, field) for e, v in pairs if field not in e.disputed]
        result[f"{field}_accuracy"] = _mean(hits)
    if departments:
        hits = [
            e.dept == d
            for e, d in zip(examples, departments, strict=True)
            if "dept" not in e.disputed and e.dept
        ]
        result["dept_accuracy"] = _mean(hits)
    result["actionable_f1"] = _actionable_f1(pairs)
    auto = [right(e, v) for e, v in pairs if v.decision is Decision.AUTO]
    result["auto_share"] = len(auto) / max(1, len(pairs))
    result["auto_right"] = _mean(auto)
    return result


def right(example: Example, verdict: Verdict) -> bool:
    """Whether every undisputed label and actionability agree."""
    disputed = set(example.disputed)
    same_kind = "kind" in disputed or Kind(example.kind).is_actionable == verdict.kind.is_actionable
    return same_kind and all(
        set(getattr(example, axis)) - disputed == set(getattr(verdict, axis)) - disputed
        for axis in ("problems", "campaigns")
    )


def agreement(examples: Sequence[Example], verdicts: Sequence[Verdict]) -> float:
    """Mean Dice overlap of labels and actionability of each message; 1 when all agree."""
    total = 0.0
    for example, verdict in zip(examples, verdicts, strict=True):
        said = {*verdict.problems, *verdict.campaigns, verdict.kind.is_actionable}
        meant = {*example.problems, *example.campaigns, Kind(example.kind).is_actionable}
        total += 2 * len(said & meant) / (len(said) + len(meant))
    return total / max(1, len(examples))


def label_cards(
    examples: Sequence[Example], verdicts: Sequence[Verdict], classifier: Classifier
) -> dict[str, LabelCard]:
    """How each problem and campaign does on the given messages."""
    pairs = list(zip(examples, verdicts, strict=True))
    thresholds = dict(zip(classifier.layout.labels, classifier.thresholds.tolist(), strict=True))
    cards: dict[str, LabelCard] = {}
    for axis in ("problems", "campaigns"):
        for label in getattr(classifier.layout, axis):
            has = [label in getattr(e, axis) for e, _ in pairs]
            said = [label in getattr(v, axis) for _, v in pairs]
            hit = sum(a and b for a, b in zip(has, said, strict=True))
            cards[label] = LabelCard(
                examples=sum(has),
                share=round(sum(has) / max(1, len(pairs)), 4),
                given=sum(said),
                threshold=round(thresholds[label], 3),
                precision=round(hit / max(1, sum(said)), 4),
                recall=round(hit / max(1, sum(has)), 4),
                f1=round(2 * hit / max(1, sum(has) + sum(said)), 4),
                ece=round(_ece(pairs, axis, (label,)), 4),
            )
    return cards


def _f1(pairs: Sequence[tuple[Example, Verdict]], axis: str, label: str) -> float:
    cells = [
        (label in getattr(e, axis), label in getattr(v, axis))
        for e, v in pairs
        if label not in e.disputed
    ]
    return _f1_of(cells)


def _f1_of(cells: Sequence[tuple[bool, bool]]) -> float:
    hit = sum(t and p for t, p in cells)
    wrong = sum(t != p for t, p in cells)
    return 2 * hit / (2 * hit + wrong) if hit or wrong else float("nan")


def _actionable_f1(pairs: Sequence[tuple[Example, Verdict]]) -> float:
    return _f1_of(
        [
            (Kind(e.kind).is_actionable, v.kind.is_actionable)
            for e, v in pairs
            if "kind" not in e.disputed
        ]
    )


def _ece(pairs: Sequence[tuple[Example, Verdict]], axis: str, labels: Sequence[str]) -> float:
    """Expected calibration error over ten bins (Naeini 2015)."""
    cells = [
        (v.confidence[label], label in getattr(e, axis))
        for e, v in pairs
        for label in labels
        if label not in e.disputed and label in v.confidence
    ]
    if not cells:
        return 0.0
    p, truth = np.array([c[0] for c in cells]), np.array([c[1] for c in cells], dtype=float)
    bins = np.minimum((p * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=p - truth, minlength=BINS)
    return float(np.abs(gaps).sum() / len(cells))


def _mean(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits) if hits else 0.0
