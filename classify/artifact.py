"""A trained model on disk: ``<data>/models/<name>/{weights.npz, card.json}``. Arrays, no pickle.

The name is a hash of what made it (messages, city words, taxonomy, code version), so a model is
trained once and an unchanged hub starts from the saved one. The card pins the weights' SHA-256: a
file that was altered is not loaded.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import sklearn

from classify.bank import LinearBank
from classify.classifier import Classifier, Layout, Trust
from classify.cues import Cues, Language
from classify.features import TextFeatures
from classify.refine import Refiner
from classify.tokens import Tokenizer
from store.config import Taxonomy
from store.errors import ConfigError

FORMAT = "8"
"""Changes whenever code changes what weights mean."""


class Source(msgspec.Struct, frozen=True):
    """Messages a model learned from: where from, how many, and their SHA-256."""

    name: str
    examples: int
    sha256: str


class LabelCard(msgspec.Struct, frozen=True):
    """How a label does on training messages its weights had not seen (5-fold cross-validation).

    ``share`` of messages that have it, ``given`` to how many it was given, ``ece`` calibration error.
    """

    examples: int
    share: float
    given: int
    threshold: float
    precision: float
    recall: float
    f1: float
    ece: float


class Card(msgspec.Struct, frozen=True):
    """The model card beside the weights. ``held_out`` are the measures over whole verdicts."""

    name: str
    base: str
    taxonomy: str
    created_at: str
    format: str
    sklearn: str
    sources: tuple[Source, ...]
    weights_sha256: str
    layout: dict[str, tuple[str, ...]]
    auto_min: float
    trust: tuple[float, ...]
    words_from: int
    cues: dict[str, Any]
    labels: dict[str, LabelCard]
    held_out: dict[str, float]

    @property
    def examples(self) -> int:
        """All messages it learned from."""
        return sum(source.examples for source in self.sources)


def model_name(sources: Sequence[Source], language: Language, taxonomy: Taxonomy) -> str:
    """Twelve hex digits of everything that decides the weights."""
    made_of = [
        FORMAT,
        sklearn.__version__,
        *(source.sha256 for source in sources),
        "\n".join(language.words),
        language.cues.model_dump_json(),
        taxonomy.model_dump_json(),
    ]
    return hashlib.sha256("\0".join(made_of).encode()).hexdigest()[:12]


def save(
    home: Path,
    classifier: Classifier,
    *,
    base: str,
    taxonomy: str,
    sources: Sequence[Source],
    labels: dict[str, LabelCard],
    held_out: dict[str, float],
) -> Card:
    """Write weights, then the card that pins them; a half-written model has no card."""
    folder = home / classifier.name
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / "weights.npz"
    partial = folder / f"weights.{os.getpid()}.npz"
    np.savez(partial, **_arrays(classifier))
    partial.replace(weights)
    layout = classifier.layout
    card = Card(
        name=classifier.name,
        base=base,
        taxonomy=taxonomy,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        format=FORMAT,
        sklearn=sklearn.__version__,
        sources=tuple(sources),
        weights_sha256=hashlib.sha256(weights.read_bytes()).hexdigest(),
        layout={axis: getattr(layout, axis) for axis in layout.__dataclass_fields__},
        auto_min=classifier.auto_min,
        trust=classifier.trust.coef,
        words_from=classifier.features.words_from_,
        cues=classifier.features.cues.model_dump(),
        labels=labels,
        held_out=held_out,
    )
    (folder / "card.json").write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=2))
    return card


def _arrays(classifier: Classifier) -> dict[str, Any]:
    """Everything of a model that is numbers or words."""
    features, bank = classifier.features, classifier.bank
    nets = bank.refiner_.weights_ if bank.refiner_ is not None else ()
    return {
        "columns": features.columns_,
        "cue_columns": features.cue_columns_,
        "idf": features.idf_,
        "words": np.array(features.words_, dtype=np.str_),
        "coef": bank.coef_,
        "intercept": bank.intercept_,
        "mix": bank.mix_,
        "bias": bank.bias_,
        "support": bank.support_,
        "thresholds": classifier.thresholds,
        **{f"refiner{n}": array for n, array in enumerate(nets)},
    }


def read_card(folder: Path) -> Card:
    """The card of a saved model; ConfigError when it is damaged or of another format."""
    try:
        card = msgspec.json.decode((folder / "card.json").read_bytes(), type=Card)
    except (OSError, msgspec.DecodeError) as error:
        msg = f"classify: the model in {folder} can not be read ({error}); delete the folder to train again"
        raise ConfigError(msg) from error
    if card.format != FORMAT:
        msg = f"classify: the model in {folder} is of another version; train again"
        raise ConfigError(msg)
    return card


def load(folder: Path, tokenizer: Tokenizer) -> Classifier:
    """Read a saved model; ConfigError when card or weights are damaged or of another format."""
    card = read_card(folder)
    try:
        content = (folder / "weights.npz").read_bytes()
    except OSError as error:
        msg = f"classify: the model in {folder} can not be read ({error}); delete the folder to train again"
        raise ConfigError(msg) from error
    if hashlib.sha256(content).hexdigest() != card.weights_sha256:
        msg = f"classify: the model in {folder} was altered; train again"
        raise ConfigError(msg)
    with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
        features = TextFeatures(tokenizer=tokenizer, cues=Cues.model_validate(card.cues))
        features.columns_, features.idf_ = arrays["columns"], arrays["idf"]
        features.words_from_ = card.words_from
        features.words_ = tuple(arrays["words"].tolist())
        features.cue_columns_ = arrays["cue_columns"]
        features.remember()
        layout = Layout(**card.layout)
        bank = LinearBank(refined=len(layout.problems) + len(layout.campaigns))
        bank.mix_, bank.bias_ = arrays["mix"], arrays["bias"]
        bank.refiner_ = None
        if "refiner0" in arrays:
            bank.refiner_ = Refiner()
            bank.refiner_.weights_ = tuple(arrays[f"refiner{n}"] for n in range(4))
        bank.coef_, bank.intercept_ = arrays["coef"], arrays["intercept"]
        bank.support_ = arrays["support"]
        thresholds = arrays["thresholds"]
    return Classifier(
        features=features,
        bank=bank,
        layout=layout,
        thresholds=thresholds,
        trust=Trust(card.trust),
        auto_min=card.auto_min,
        name=card.name,
    )
