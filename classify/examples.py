"""Labelled messages: the project's own (``classify/corpus/*.jsonl``) or any file of the same form."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from store.config import Taxonomy
from store.errors import ConfigError

HOME = Path(__file__).parent / "corpus"

_PARTS = re.compile(r"[,;、|]")
_COLUMNS = {"id", "text", "kind", "problems", "campaigns", "urgency", "dept", "channel"}


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
    """Every message of every file, JSON lines or CSV; ConfigError names file, line and what is wrong."""
    known: dict[str, set[str]] = {
        "problems": set(taxonomy.problems),
        "campaigns": set(taxonomy.campaigns),
        "kind": set(map(str, taxonomy.kinds)),
        "urgency": set(map(str, taxonomy.urgencies)),
    }
    found: list[Example] = []
    for path in paths:
        for where, example in _csv(path) if path.suffix == ".csv" else _json_lines(path):
            for axis, labels in known.items():
                value = getattr(example, axis)
                strange = set((value,) if isinstance(value, str) else value) - labels
                if strange:
                    raise ConfigError(f"{where}: {axis}: {min(strange)} is not in the taxonomy")
            found.append(example)
    return found


def _json_lines(path: Path) -> Iterator[tuple[str, Example]]:
    decoder = msgspec.json.Decoder(Example)
    for number, line in enumerate(_content(path).split(b"\n"), 1):
        if not line.strip():
            continue
        where = f"classify: {path.name}:{number}"
        try:
            yield where, decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{where}: {error}; correct or remove the line") from error


def _csv(path: Path) -> Iterator[tuple[str, Example]]:
    """Columns by their header (the names of ``Example``, ``title`` besides); labels part by , ; or 、."""
    content = _content(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", "replace")
    reader = csv.DictReader(text.splitlines(keepends=True))
    if "text" not in (reader.fieldnames or ()):
        raise ConfigError(f"classify: {path.name}:1: there is no column text; name the columns")
    for row in reader:
        where = f"classify: {path.name}:{reader.line_num}"
        values = {key: (value or "").strip() for key, value in row.items() if key in _COLUMNS}
        title = (row.get("title") or "").strip()
        many = {axis: _labels(values.pop(axis, "")) for axis in ("problems", "campaigns")}
        if not values["text"]:
            raise ConfigError(f"{where}: text is empty; correct or remove the line")
        if title:
            values["text"] = f"{title}\n{values['text']}"
        given = {key: value for key, value in values.items() if value}
        yield where, Example(**({"id": str(reader.line_num)} | given | many))


def _labels(cell: str) -> tuple[str, ...]:
    return tuple(label for part in _PARTS.split(cell) if (label := part.strip()))


def own() -> list[Path]:
    """The files that come with the project."""
    return sorted(HOME.glob("*.jsonl"))


def digest(paths: Sequence[Path]) -> str:
    """SHA-256 over the files' content, in order."""
    total = hashlib.sha256()
    for path in paths:
        total.update(path.read_bytes())
    return total.hexdigest()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        msg = f"classify: can not read {path} ({error.strerror}); give another --data"
        raise ConfigError(msg) from error
