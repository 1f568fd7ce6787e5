"""Commands of the classifier: label, train, measure."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import msgspec

from classify.artifact import load as load_model
from classify.artifact import read_card
from classify.classifier import Classifier
from classify.evaluate import evaluate
from classify.examples import Example, read
from classify.learning import current, train
from classify.registry import Registry, taxonomy_key
from classify.tokens import Tokenizer
from hub.city import City, load_city
from hub.commands.common import bars, say
from hub.settings import find_configs, load_settings
from router.rules import Matter
from store.config import Taxonomy, load
from store.db import Database
from store.errors import ConfigError
from store.learned import Decision, decisions
from store.model import Verdict

BATCH = 256
SHOWN = {"problems_macro_f1", "campaigns_macro_f1", "kind_accuracy", "auto_share", "auto_right"}


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
    classifier = current(Path(args.data) / "models", city.taxonomy, city.language, progress=say)
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
        located = city.gazetteer.locate(text)
        yield {
            "id": line.id,
            "kind": verdict.kind,
            "problems": verdict.problems,
            "campaigns": verdict.campaigns,
            "urgency": verdict.urgency,
            "dept": verdict.dept_hint,
            "lead": lead_of(city, verdict, text, line.channel),
            "decision": verdict.decision,
            "confidence": verdict.confidence,
            "reasons": verdict.reasons,
            "trust": verdict.trust,
            "place": {"area": located.area, "point": located.point, "address": located.address}
            | {"confidence": located.confidence, "ask": located.ask},
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
    """Train on the corpus and the desk's decisions, or on given files; promote what is better."""
    home, files = _split(args.data)
    city = load_city(find_configs(args.configs))
    taxonomy = load(args.taxonomy, Taxonomy) if args.taxonomy else city.taxonomy
    decided = [] if files else asyncio.run(_decisions(args, home, city))
    with bars(train=4) as advance:

        def step(text: str) -> None:
            say(f"classify: {text}")
            advance("train", 1)

        outcome = train(
            home / "models",
            taxonomy,
            city.language,
            files=files,
            decisions=decided,
            force=args.promote,
            progress=step,
        )
    now = "in use now" if outcome.promoted else "not promoted"
    say(f"classify: model {outcome.name}: {now}: {outcome.why}")
    return 0


async def _decisions(args: argparse.Namespace, home: Path, city: City) -> list[Example]:
    """The desk's decisions as messages to learn from; none where there is no database yet."""
    settings = load_settings(find_configs(args.configs))
    if not settings.database_url and not (home / "minsheng.db").exists():
        return []
    url = settings.database_url or f"sqlite:///{home / 'minsheng.db'}"
    db = Database(url, exclusive=False)
    await db.open()
    try:
        return [_example(one, city) for one in await decisions(db)]
    finally:
        await db.close()


def _example(one: Decision, city: City) -> Example:
    return Example(
        id=str(one.item_id),
        text=one.text,
        kind=one.kind,
        problems=one.problems,
        campaigns=one.campaigns,
        urgency=one.urgency,
        dept=city.directory.duty_of(one.department),
    )


def models_(args: argparse.Namespace) -> int:
    """List the trained models, or change which is in use or on trial."""
    home = Path(args.data) / "models"
    city = load_city(find_configs(args.configs))
    taxonomy = load(args.taxonomy, Taxonomy) if args.taxonomy else city.taxonomy
    registry = Registry(home, taxonomy)
    if args.action == "rollback":
        say(f"classify: model {registry.rollback()} is in use again")
    elif args.action == "shadow":
        registry.try_out("" if args.name == "off" else args.name)
        say("classify: no model is on trial" if args.name == "off" else f"on trial: {args.name}")
    elif args.action == "use":
        read_card(home / args.name)
        registry.promote(args.name)
        say(f"classify: model {args.name} is in use")
    section = registry.read()
    for path in sorted(home.glob("*/card.json")):
        try:
            card = read_card(path.parent)
        except ConfigError as error:
            say(str(error))
            continue
        mark = "in use" if card.name == section.in_use else ""
        mark = "on trial" if card.name == section.shadow else mark
        held = {k: round(v, 3) for k, v in card.held_out.items() if k in SHOWN}
        print(f"{card.name}  {card.created_at}  {card.examples:>6} messages  {mark:<8}  {held}")
    return 0


def evaluate_(args: argparse.Namespace) -> int:
    """Measure the model in use on labelled messages it was not trained on."""
    home, files = _split(args.data)
    if not files:
        msg = "classify: evaluate needs labelled messages; give --data FILE"
        raise ConfigError(msg)
    city = load_city(find_configs(args.configs))
    taxonomy = load(args.taxonomy, Taxonomy) if args.taxonomy else city.taxonomy
    classifier = in_use(home, taxonomy, city)
    examples = read(files, taxonomy)
    verdicts: list[Verdict] = []
    with bars(evaluate=len(examples)) as advance:
        for start in range(0, len(examples), BATCH):
            part = [example.text for example in examples[start : start + BATCH]]
            verdicts += classifier.predict(part)
            advance("evaluate", len(part))
    departments = [verdict.dept_hint for verdict in verdicts]
    result = evaluate(examples, verdicts, taxonomy, departments=departments)
    if args.json:
        print(msgspec.json.encode(result).decode())
    else:
        for name, value in result.items():
            print(f"{name:<24} {value:.4g}")
    return 0


def in_use(home: Path, taxonomy: Taxonomy, city: City) -> Classifier:
    """The model in use for a taxonomy: the city's own, or one trained from files before."""
    if taxonomy_key(taxonomy) == taxonomy_key(city.taxonomy):
        return current(home / "models", city.taxonomy, city.language, progress=say)
    name = Registry(home / "models", taxonomy).read().in_use
    if not name:
        msg = (
            "classify: no model knows this taxonomy; run minsheng train --data F --taxonomy T first"
        )
        raise ConfigError(msg)
    return load_model(home / "models" / name, Tokenizer(city.language.whole))


def _split(given: Sequence[Path]) -> tuple[Path, list[Path]]:
    """(data folder, labelled files) of a repeatable ``--data``."""
    files = [path for path in given if path.is_file()]
    missing = [
        path for path in given if path.suffix in {".jsonl", ".json", ".csv"} and not path.exists()
    ]
    if missing:
        msg = f"classify: can not read {missing[0]} (no such file); give another --data"
        raise ConfigError(msg)
    folders = [path for path in given if path not in files]
    return (folders[-1] if folders else Path("var")), files
