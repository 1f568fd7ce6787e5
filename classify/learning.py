"""From labelled messages to the model in use: train, compare, promote only what is better.

A model learns from the project's corpus and from what people decided at the desk, never from its own
unreviewed verdicts. A fifth of the decisions (by a hash of the text) is never learned from: on it the
candidate and the model in use are compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from classify.artifact import Source, load, model_name, read_card, save
from classify.classifier import Classifier
from classify.cues import Language
from classify.evaluate import agreement, evaluate, label_cards
from classify.examples import Example, digest, own, read
from classify.registry import Registry, taxonomy_key
from classify.tokens import Tokenizer
from classify.train import fit, held_out_verdicts
from store.config import Taxonomy
from store.errors import ConfigError

FEWEST_HELD = 30
"""Held-out messages below which two models can not be told apart."""

_FIFTH = 51
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What a training came to: the model, whether it is in use now, and why."""

    name: str
    promoted: bool
    why: str


def current(
    home: Path, taxonomy: Taxonomy, language: Language, *, progress: Progress = lambda _: None
) -> Classifier:
    """The model in use. Where none fits this version of corpus and taxonomy, the base is trained.

    A model that learned from the desk stays in use until it is trained again, also when the corpus
    it started from has changed.
    """
    registry = Registry(home, taxonomy)
    base = model_name(_corpus(), language, taxonomy)
    name = registry.read().in_use
    if name:
        try:
            card = read_card(home / name)
            if card.base == base or card.base != card.name:
                if card.base != base:
                    progress("classify: the corpus has changed; run minsheng train to use it")
                return load(home / name, Tokenizer(language.whole))
        except ConfigError as error:
            progress(str(error))
    return _base(home, taxonomy, language, base, registry, progress)


def train(
    home: Path,
    taxonomy: Taxonomy,
    language: Language,
    *,
    files: Sequence[Path] = (),
    decisions: Sequence[Example] = (),
    force: bool = False,
    progress: Progress = lambda _: None,
) -> Outcome:
    """Train on ``files`` (else the corpus) and ``decisions``; promote the model if it is better.

    ``force`` promotes it in any case. ConfigError when there is too little to learn from.
    """
    registry = Registry(home, taxonomy)
    given = [*(read(files, taxonomy) if files else ()), *decisions]
    held = [example for example in given if is_held_out(example)]
    learned = [example for example in given if not is_held_out(example)]
    corpus = [] if files else read(own(), taxonomy)
    sources = [] if files else list(_corpus())
    if learned:
        sources.append(Source("given" if files else "decisions", len(learned), _digest(learned)))
    name = model_name(sources, language, taxonomy)
    if not (home / name / "card.json").exists():
        base = name if files else model_name(_corpus(), language, taxonomy)
        _fit(home, [*corpus, *learned], taxonomy, language, name, base, sources, progress)
    return _judge(home, registry, language, name, held, force=force)


def is_held_out(example: Example) -> bool:
    """Whether a message is kept for comparison and never learned from."""
    return hashlib.sha256(example.text.encode("utf-8", "replace")).digest()[0] < _FIFTH


def _judge(
    home: Path,
    registry: Registry,
    language: Language,
    name: str,
    held: Sequence[Example],
    *,
    force: bool,
) -> Outcome:
    before = registry.read().in_use
    if before == name:
        return Outcome(name, promoted=False, why="nothing new to learn; it is in use already")
    if force or not before or not (home / before / "card.json").exists():
        registry.promote(name)
        return Outcome(name, promoted=True, why="asked for" if force and before else "the first")
    if len(held) < FEWEST_HELD:
        why = f"{len(held)} held-out decisions are too few to compare ({FEWEST_HELD} needed)"
        return Outcome(name, promoted=False, why=why)
    texts = [example.text for example in held]
    new, old = (
        agreement(held, load(home / one, Tokenizer(language.whole)).predict(texts))
        for one in (name, before)
    )
    why = f"agrees with {len(held)} held-out decisions by {new:.3f}, the one in use by {old:.3f}"
    if new > old:
        registry.promote(name)
    return Outcome(name, promoted=new > old, why=why)


def _base(
    home: Path,
    taxonomy: Taxonomy,
    language: Language,
    name: str,
    registry: Registry,
    progress: Progress,
) -> Classifier:
    classifier: Classifier | None = None
    if (home / name / "card.json").exists():
        try:
            classifier = load(home / name, Tokenizer(language.whole))
        except ConfigError as error:
            progress(str(error))
    if classifier is None:
        examples = read(own(), taxonomy)
        classifier = _fit(home, examples, taxonomy, language, name, name, _corpus(), progress)
    registry.promote(name)
    return classifier


def _fit(
    home: Path,
    examples: Sequence[Example],
    taxonomy: Taxonomy,
    language: Language,
    name: str,
    base: str,
    sources: Sequence[Source],
    progress: Progress,
) -> Classifier:
    classifier = fit(examples, taxonomy, language, name=name, progress=progress)
    verdicts = held_out_verdicts(classifier)
    save(
        home,
        classifier,
        base=base,
        taxonomy=taxonomy_key(taxonomy),
        sources=sources,
        labels=label_cards(examples, verdicts, classifier),
        held_out=evaluate(examples, verdicts, taxonomy),
    )
    return classifier


def _corpus() -> tuple[Source, ...]:
    paths = own()
    return tuple(Source(path.name, _lines(path), digest([path])) for path in paths)


def _lines(path: Path) -> int:
    return sum(1 for line in path.read_bytes().split(b"\n") if line.strip())


def _digest(examples: Sequence[Example]) -> str:
    return hashlib.sha256(msgspec.json.encode(examples)).hexdigest()
