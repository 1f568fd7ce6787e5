"""A trained model on disk: ``<data>/models/<name>/{weights.npz, card.json}``. Arrays, no pickle.

The name is a hash of what made it (corpus, city words, taxonomy, code version), so a model is trained
once and an unchanged hub starts from the saved one. The card pins the weights' SHA-256: a file that
was altered is not loaded.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import sklearn

from classify.bank import LinearBank
from classify.classifier import Classifier, Layout, Trust
from classify.examples import digest, own, read
from classify.features import TextFeatures
from classify.tokens import Tokenizer
from classify.train import fit
from store.config import Taxonomy
from store.errors import ConfigError

FORMAT = "2"
"""Changes whenever code changes what weights mean."""


class Card(msgspec.Struct, frozen=True):
    """The model card beside the weights."""

    name: str
    format: str
    sklearn: str
    examples: int
    corpus_sha256: str
    weights_sha256: str
    layout: dict[str, tuple[str, ...]]
    auto_min: float
    trust_slope: float
    trust_offset: float
    words_from: int


def model_name(paths: Sequence[Path], words: Sequence[str], taxonomy: Taxonomy) -> str:
    """Twelve hex digits of everything that decides the weights."""
    made_of = [
        FORMAT,
        sklearn.__version__,
        digest(paths),
        "\n".join(words),
        taxonomy.model_dump_json(),
    ]
    return hashlib.sha256("\0".join(made_of).encode()).hexdigest()[:12]


def load_or_train(
    home: Path,
    taxonomy: Taxonomy,
    words: Sequence[str],
    *,
    paths: Sequence[Path] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Classifier:
    """The saved model for this corpus, or a new one, saved. A damaged one is trained again."""
    paths = list(paths) or own()
    tokenizer = Tokenizer(words)
    name = model_name(paths, words, taxonomy)
    folder = home / name
    if (folder / "card.json").exists():
        try:
            return load(folder, tokenizer)
        except ConfigError as error:
            progress(str(error))
    progress("reading")
    examples = read(paths, taxonomy)
    classifier = fit(examples, taxonomy, tokenizer, name=name, progress=progress)
    save(folder, classifier, examples=len(examples), corpus_sha256=digest(paths))
    return classifier


def save(folder: Path, classifier: Classifier, *, examples: int, corpus_sha256: str) -> None:
    """Write weights, then the card that pins them; a half-written model has no card."""
    folder.mkdir(parents=True, exist_ok=True)
    features, bank = classifier.features, classifier.bank
    weights = folder / "weights.npz"
    partial = folder / f"weights.{os.getpid()}.npz"
    np.savez(
        partial,
        columns=features.columns_,
        idf=features.idf_,
        coef=bank.coef_,
        intercept=bank.intercept_,
        slope=bank.slope_,
        offset=bank.offset_,
        thresholds=classifier.thresholds,
    )
    partial.replace(weights)
    layout = classifier.layout
    card = Card(
        name=classifier.name,
        format=FORMAT,
        sklearn=sklearn.__version__,
        examples=examples,
        corpus_sha256=corpus_sha256,
        weights_sha256=hashlib.sha256(weights.read_bytes()).hexdigest(),
        layout={axis: getattr(layout, axis) for axis in layout.__dataclass_fields__},
        auto_min=classifier.auto_min,
        trust_slope=classifier.trust.slope,
        trust_offset=classifier.trust.offset,
        words_from=features.words_from_,
    )
    (folder / "card.json").write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=2))


def load(folder: Path, tokenizer: Tokenizer) -> Classifier:
    """Read a saved model; ConfigError when card or weights are damaged or of another format."""
    try:
        card = msgspec.json.decode((folder / "card.json").read_bytes(), type=Card)
        content = (folder / "weights.npz").read_bytes()
    except (OSError, msgspec.DecodeError) as error:
        msg = f"classify: the model in {folder} can not be read ({error}); delete the folder to train again"
        raise ConfigError(msg) from error
    if card.format != FORMAT or hashlib.sha256(content).hexdigest() != card.weights_sha256:
        msg = (
            f"classify: the model in {folder} was altered or is of another version; training again"
        )
        raise ConfigError(msg)
    with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
        features = TextFeatures(tokenizer=tokenizer)
        features.columns_, features.idf_ = arrays["columns"], arrays["idf"]
        features.words_from_ = card.words_from
        bank = LinearBank()
        bank.coef_, bank.intercept_ = arrays["coef"], arrays["intercept"]
        bank.slope_, bank.offset_ = arrays["slope"], arrays["offset"]
        thresholds = arrays["thresholds"]
    return Classifier(
        features=features,
        bank=bank,
        layout=Layout(**card.layout),
        thresholds=thresholds,
        trust=Trust(card.trust_slope, card.trust_offset),
        auto_min=card.auto_min,
        name=card.name,
    )
