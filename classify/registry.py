"""Which trained model is in use, which were before it, and which one is on trial.

One small file beside the models, ``<home>/registry.json``, a section for each taxonomy: models for
another taxonomy can be trained beside the city's own. It is replaced whole, so a reader sees the old
state or the new one.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from store.config import Taxonomy
from store.errors import ConfigError


class Section(msgspec.Struct):
    """The models of one taxonomy. ``history`` are those that were in use, oldest first."""

    in_use: str = ""
    shadow: str = ""
    history: list[str] = []


class Registry:
    """Reads and changes the file; every call looks at the disk, so other processes' changes count."""

    def __init__(self, home: Path, taxonomy: Taxonomy) -> None:
        self.home = home
        self.key = taxonomy_key(taxonomy)
        self._path = home / "registry.json"

    def read(self) -> Section:
        """The section of this taxonomy; ConfigError when the file is damaged."""
        return self._all().get(self.key, Section())

    def promote(self, name: str) -> None:
        """Put ``name`` into use; the one before stays for ``rollback``."""
        everything = self._all()
        section = everything.setdefault(self.key, Section())
        if section.in_use and section.in_use != name:
            section.history.append(section.in_use)
        section.in_use = name
        if section.shadow == name:
            section.shadow = ""
        self._write(everything)

    def rollback(self) -> str:
        """Put the model that was in use before into use again; its name."""
        everything = self._all()
        section = everything.get(self.key, Section())
        while section.history:
            name = section.history.pop()
            if (self.home / name / "card.json").exists():
                section.in_use = name
                self._write(everything)
                return name
        msg = "classify: there is no earlier model to go back to; train one with minsheng train"
        raise ConfigError(msg)

    def try_out(self, name: str) -> None:
        """Let ``name`` judge beside the model in use, acted on by nobody; empty ends the trial."""
        if name and not (self.home / name / "card.json").exists():
            msg = f"classify: there is no model {name} in {self.home}; see minsheng models"
            raise ConfigError(msg)
        everything = self._all()
        everything.setdefault(self.key, Section()).shadow = name
        self._write(everything)

    def _all(self) -> dict[str, Section]:
        if not self._path.exists():
            return {}
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, Section])
        except msgspec.DecodeError as error:
            msg = (
                f"classify: {self._path} is damaged ({error}); delete it, the next start writes it"
            )
            raise ConfigError(msg) from error

    def _write(self, everything: dict[str, Section]) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(f".{os.getpid()}")
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(everything), indent=2))
        partial.replace(self._path)


def taxonomy_key(taxonomy: Taxonomy) -> str:
    """Twelve hex digits of the labels a model must know; names and costs do not count."""
    labels = "\0".join([*taxonomy.problems, "", *taxonomy.campaigns])
    return hashlib.sha256(labels.encode()).hexdigest()[:12]
