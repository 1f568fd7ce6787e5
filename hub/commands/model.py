"""Commands of the classifier: label, train, measure."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import msgspec

from classify.artifact import load_or_train
from classify.classifier import Classifier
from classify.evaluate import evaluate
from classify.examples import read
from hub.app import City, load_city
from hub.commands.common import bars, say
from hub.settings import find_configs
from router.rules import Matter
from store.config import Taxonomy, load
from store.errors import ConfigError
from store.model import Verdict

BATCH = 256


class Line(msgspec.Struct):
    """One message to label; other keys are ignored."""

    id: str | int
    text: str
    title: str = ""
    channel: str = ""


_line = msgspec.json.Decoder(Line)


def classify_(args: argparse.Namespace) -> int:
    """One verdict a line, in order; a line that can not be read is named on standard error."""
    city = load_city(find_configs(args.configs))
    classifier = load_or_train(Path(args.data) / "models", city.taxonomy, city.words, progress=say)
    failed = 0
    with ExitStack() as stack:
        source, target = _open(stack, args.input, "r"), _open(stack, args.output, "w")
        for batch, bad in _batches(source):
            failed += bad
            for answer in _answers(batch, classifier, city):
                target.write(msgspec.json.encode(answer).decode() + "\n")
    return 1 if failed else 0


def _open(stack: ExitStack, name: str, mode: str) -> TextIO:
    if name == "-":
        return sys.stdin if mode == "r" else sys.stdout
    try:
        return stack.enter_context(Path(name).open(mode, encoding="utf-8", errors="replace"))  # type: ignore[return-value]
    except OSError as error:
        msg = f"classify: can not open {name} ({error.strerror})"
        raise ConfigError(msg) from error


def _batches(source: TextIO) -> Iterator[tuple[list[Line], int]]:
    batch: list[Line] = []
    bad = 0
    for number, raw in enumerate(source, 1):
        if not raw.strip():
            continue
        try:
            batch.append(_line.decode(raw))
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
            bad += 1
            say(f'classify: line {number}: {error}; write {{"id": …, "text": …}}')
        if len(batch) == BATCH:
            yield batch, bad
            batch, bad = [], 0
    yield batch, bad


def _answers(batch: Sequence[Line], classifier: Classifier, city: City) -> Iterator[dict[str, Any]]:
    texts = [f"{line.title}\n{line.text}" if line.title else line.text for line in batch]
    for line, text, verdict in zip(batch, texts, classifier.predict(texts), strict=True):
        yield {
            "id": line.id,
            "kind": verdict.kind,
            "problems": verdict.problems,
            "campaigns": verdict.campaigns,
            "urgency": verdict.urgency,
            "dept": lead_of(city, verdict, text, line.channel),
            "decision": verdict.decision,
            "confidence": verdict.confidence,
            "reasons": verdict.reasons,
            "model": verdict.model,
        }


def lead_of(city: City, verdict: Verdict, text: str, channel: str) -> str:
    """The leading office by the city's rules; a named territory counts as its duty."""
    matter = Matter(
        kind=verdict.kind,
        problems=verdict.problems,
        campaigns=verdict.campaigns,
        urgency=verdict.urgency,
        channel=channel,
        hint=verdict.dept_hint,
        text=text,
        area=None,
    )
    return city.router.route(matter).lead


def train_(args: argparse.Namespace) -> int:
    """Train on the given files, or on the project's corpus; an unchanged one is not trained twice."""
    home, files = _split(args.data)
    city = load_city(find_configs(args.configs))
    taxonomy = load(args.taxonomy, Taxonomy) if args.taxonomy else city.taxonomy
    with bars(train=4) as advance:

        def step(text: str) -> None:
            say(f"classify: {text}")
            advance("train", 1)

        classifier = load_or_train(
            home / "models", taxonomy, city.words, paths=files, progress=step
        )
    say(f"classify: model {classifier.name} is in {home / 'models' / classifier.name}")
    return 0


def evaluate_(args: argparse.Namespace) -> int:
    """Measure the model in use on labelled messages it was not trained on."""
    home, files = _split(args.data)
    if not files:
        msg = "classify: evaluate needs labelled messages; give --data FILE"
        raise ConfigError(msg)
    city = load_city(find_configs(args.configs))
    taxonomy = load(args.taxonomy, Taxonomy) if args.taxonomy else city.taxonomy
    classifier = load_or_train(home / "models", taxonomy, city.words, progress=say)
    examples = read(files, taxonomy)
    verdicts: list[Verdict] = []
    with bars(evaluate=len(examples)) as advance:
        for start in range(0, len(examples), BATCH):
            part = [example.text for example in examples[start : start + BATCH]]
            verdicts += classifier.predict(part)
            advance("evaluate", len(part))
    departments = [
        lead_of(city, v, e.text, e.channel) for e, v in zip(examples, verdicts, strict=True)
    ]
    result = evaluate(examples, verdicts, taxonomy, departments=departments)
    if args.json:
        print(msgspec.json.encode(result).decode())
    else:
        for name, value in result.items():
            print(f"{name:<24} {value:.4g}")
    return 0


def _split(given: Sequence[Path]) -> tuple[Path, list[Path]]:
    """(data folder, labelled files) of a repeatable ``--data``."""
    files = [path for path in given if path.is_file()]
    missing = [path for path in given if path.suffix in {".jsonl", ".json"} and not path.exists()]
    if missing:
        msg = f"classify: can not read {missing[0]} (no such file); give another --data"
        raise ConfigError(msg)
    folders = [path for path in given if path not in files]
    return (folders[-1] if folders else Path("var")), files
