"""Fit a classifier from labelled messages: features, bank, thresholds by cost, trust."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from classify.bank import Floats, LinearBank, exclusive
from classify.classifier import Classifier, Layout, Trust, signals
from classify.cues import Language
from classify.examples import Example
from classify.features import TextFeatures
from classify.tokens import Tokenizer
from store.config import Costs, Taxonomy
from store.errors import ConfigError
from store.model import Kind, Urgency, Verdict

FEWEST = 50
MOST = 72_000
"""Features that stay at most, those with the largest weights; the rest changes no measure
(docs/trials.md) and a smaller matrix stays in the processor's cache.
"""


def fit(
    examples: Sequence[Example],
    taxonomy: Taxonomy,
    language: Language,
    *,
    name: str,
    progress: Callable[[str], None] = lambda _: None,
) -> Classifier:
    """Train on ``examples``; ConfigError when there are too few to learn from."""
    if len(examples) < FEWEST:
        msg = f"classify: {len(examples)} labelled messages are too few; give at least {FEWEST}"
        raise ConfigError(msg)
    texts = [example.text for example in examples]
    layout = Layout(
        problems=taxonomy.problems,
        campaigns=taxonomy.campaigns,
        kinds=tuple(Kind),
        urgencies=tuple(Urgency),
        departments=tuple(sorted({e.dept for e in examples if e.dept})) or ("",),
    )
    progress("features")
    tokenizer = Tokenizer(language.whole)
    features = TextFeatures(tokenizer=tokenizer, cues=language.cues).fit(texts)
    y = targets(examples, layout)
    progress("labels")
    bank = LinearBank(refined=len(layout.problems) + len(layout.campaigns)).fit(
        features.transform(texts), y
    )
    prune(features, bank)
    progress("doubt")
    thresholds = thresholds_of(layout, taxonomy.costs)
    trust = fit_trust(bank.held_out_, y, layout, thresholds)
    return Classifier(
        features=features,
        bank=bank,
        layout=layout,
        thresholds=thresholds,
        trust=trust,
        auto_min=taxonomy.costs.auto_min,
        name=name,
    )


def targets(examples: Sequence[Example], layout: Layout) -> NDArray[np.bool_]:
    """Booleans (examples, labels)."""
    column = {
        (axis, layout.labels[i]): i
        for axis in layout.__dataclass_fields__
        for i in layout.group(axis)
    }
    y = np.zeros((len(examples), len(layout.labels)), dtype=np.bool_)
    for n, e in enumerate(examples):
        keys = [("kinds", e.kind), ("urgencies", e.urgency), ("departments", e.dept)]
        keys += [("problems", p) for p in e.problems] + [("campaigns", c) for c in e.campaigns]
        for key in keys:
            if key in column:
                y[n, column[key]] = True
    return y


def prune(features: TextFeatures, bank: LinearBank) -> None:
    """Drop the features whose weight is small for every label, down to ``MOST``."""
    weight = np.abs(bank.coef_ * features.idf_[:, None]).max(axis=1)
    if len(weight) <= MOST:
        return
    mask = np.zeros(len(weight), dtype=bool)
    mask[np.argsort(-weight, kind="stable")[:MOST]] = True
    features.keep(mask)
    bank.coef_ = np.ascontiguousarray(bank.coef_[mask])


def thresholds_of(layout: Layout, costs: Costs) -> Floats:
    """For each label the probability from which giving it costs less than leaving it out.

    Probabilities are calibrated, so the cost table alone decides (Elkan 2001).
    """
    return np.array([costs.threshold_of(label) for label in layout.labels], dtype=np.float32)


def fit_trust(p: Floats, y: NDArray[np.bool_], layout: Layout, thresholds: Floats) -> Trust:
    """How the signals of a verdict relate to all of it being right, on texts the bank had not seen."""
    many = np.array([*layout.group("problems"), *layout.group("campaigns")])
    given = thresholds[many] <= p[:, many]
    kinds = exclusive(p, layout.group("kinds"))
    actionable = np.array([Kind(kind).is_actionable for kind in layout.kinds])
    truth = y[:, list(layout.group("kinds"))].argmax(axis=1)
    right = (given == y[:, many]).all(axis=1) & (
        actionable[kinds.argmax(axis=1)] == actionable[truth]
    )
    found = signals(p[:, many], given, kinds)
    if right.all() or not right.any():
        return Trust((*[0.0] * found.shape[1], 20.0 if right.all() else -20.0))
    model = LogisticRegression(C=100.0, max_iter=1000).fit(found, right)
    return Trust((*model.coef_[0].tolist(), float(model.intercept_[0])))


def held_out_verdicts(classifier: Classifier) -> list[Verdict]:
    """What the freshly fitted classifier says of its own training texts, unseen by the weights used."""
    decided = classifier.decide(classifier.bank.held_out_)
    return classifier.put(decided, [()] * len(decided.p))
