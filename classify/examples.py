"""Labelled messages: the project's own (``classify/corpus/*.jsonl``) or any file of the same form."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from store.config import Taxonomy
from store.errors import ConfigError

HOME = Path(__file__).parent / "corpus"


class Example(msgspec.Struct, frozen=True):
    """One message with the labels people agreed on."""

    id: str
    text: str
    kind: str = "complaint"
    problems: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    urgency: str = "normal"
    dept: str = ""
    channel: str = ""
    disputed: tuple[str, ...] = ()


def read(paths: Sequence[Path], taxonomy: Taxonomy) -> list[Example]:
    """Every line of every file; ConfigError names file, line and what is wrong with it."""
    decoder = msgspec.json.Decoder(Example)
    known = {"problems": set(taxonomy.problems), "campaigns": set(taxonomy.campaigns)}
    found: list[Example] = []
    for path in paths:
        for number, line in enumerate(_lines(path), 1):
            where = f"classify: {path.name}:{number}"
            try:
                example = decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise ConfigError(f"{where}: {error}; correct or remove the line") from error
            for axis, labels in known.items():
                strange = set(getattr(example, axis)) - labels
                if strange:
                    raise ConfigError(f"{where}: {axis}: {min(strange)} is not in the taxonomy")
            found.append(example)
    return found


def own() -> list[Path]:
    """The files that come with the project."""
    return sorted(HOME.glob("*.jsonl"))


def digest(paths: Sequence[Path]) -> str:
    """SHA-256 over the files' content, in order."""
    total = hashlib.sha256()
    for path in paths:
        total.update(path.read_bytes())
    return total.hexdigest()


def _lines(path: Path) -> list[bytes]:
    try:
        return [line for line in path.read_bytes().split(b"\n") if line.strip()]
    except OSError as error:
        msg = f"classify: can not read {path} ({error.strerror}); give another --data"
        raise ConfigError(msg) from error
