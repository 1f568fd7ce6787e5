"""Cue words: what means the same kind of thing, and what turns it around (``configs/cues.toml``).

A corpus of thousands names few breeds of dog and few kinds of refuse; a group ("dog", "refuse") lets
what was learned of one hold for all. Groups are found clause by clause, each once, and so are pairs of
groups that meet in a clause (dog with noise, compound with refuse). A clause that is negated, only
supposed, an aside, or quotes an office's reply makes another feature of each of its groups: there the
cue says something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from store.config import Strict, load, read_text

Ints = NDArray[np.integer[Any]]

SCOPES = ("negated", "supposed", "aside", "quoted")
"""What may turn a clause around; the first that applies counts."""


PLACES = ("opening", "closing")
"""Clauses that say most about what is wanted: the title or first clause, and the last."""


class Scope(Strict):
    """Words that turn their clause around, parted by spaces."""

    negated: str = ""
    supposed: str = ""
    aside: str = ""
    quoted: str = ""


class Cues(Strict):
    """``configs/cues.toml``: groups of words parted by spaces, and scope words."""

    group: dict[str, str] = Field(default={}, max_length=200)
    scope: Scope = Scope()

    @model_validator(mode="after")
    def _filled(self) -> Cues:
        for name, words in self.group.items():
            if not words.split():
                msg = f"group {name} has no words; write some or remove it"
                raise ValueError(msg)
        return self

    @property
    def words(self) -> tuple[str, ...]:
        """All words of more than one character, for the tokenizer to keep whole."""
        texts = [*self.group.values(), *(getattr(self.scope, name) for name in SCOPES)]
        found = dict.fromkeys(w.lower() for text in texts for w in text.split())
        return tuple(word for word in found if len(word) > 1)


NO_CUES = Cues()


@dataclass(frozen=True)
class Language:
    """How people of this city speak: words the tokenizer keeps whole, and cues."""

    words: tuple[str, ...] = ()
    cues: Cues = NO_CUES

    @property
    def whole(self) -> tuple[str, ...]:
        """City words and cue words, each once."""
        return tuple(dict.fromkeys([*self.words, *self.cues.words]))


def read_language(configs: Path) -> Language:
    """``lexicon.txt`` (a word a line, # begins a remark) and ``cues.toml``; a missing file is empty."""
    lexicon, cues = configs / "lexicon.txt", configs / "cues.toml"
    lines = read_text(lexicon).splitlines() if lexicon.exists() else []
    words = tuple(word for line in lines if (word := line.split("#")[0].strip()))
    return Language(words, load(cues, Cues) if cues.exists() else NO_CUES)


class Found(NamedTuple):
    """Cue features of a batch: text, where it starts in the joined batch, which feature."""

    row: Ints
    start: Ints
    feature: Ints


class CueFinder:
    """Finds the cue features of a cut batch. ``width`` features in all."""

    def __init__(self, cues: Cues) -> None:
        size = len(cues.group)
        self.size = size
        self.width = size * (len(SCOPES) + 1 + len(PLACES)) + size * size
        members: dict[str, list[int]] = {}
        for number, words in enumerate(cues.group.values()):
            for word in dict.fromkeys(words.lower().split()):
                members.setdefault(word, []).append(number)
        self.group_code = {word: n for n, word in enumerate(members)}
        self._first = np.cumsum([0, *(len(groups) for groups in members.values())])
        self._groups = np.array([g for groups in members.values() for g in groups], dtype=np.int64)
        self.scope_code: dict[str, int] = {}
        for number, name in enumerate(SCOPES):
            for word in getattr(cues.scope, name).lower().split():
                self.scope_code.setdefault(word, number)

    def find(self, code: Ints, turning: Ints, start: Ints, row: Ints, clause: Ints) -> Found:
        """Features of words with their start, text and clause (both ascending).

        ``code`` is each word's ``group_code``, ``turning`` its ``scope_code``, -1 where it has none.
        """
        at = np.flatnonzero(code >= 0)
        count = np.diff(self._first)[code[at]]
        which = np.repeat(at, count)
        inside = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        group = self._groups[self._first[code[which]] + inside]
        keys, first = np.unique(clause[which] * self.size + group, return_index=True)
        place, part, kind = which[first], keys // max(1, self.size), keys % max(1, self.size)
        feature = kind + self.size * _scope(turning, clause, part)
        found = [Found(row[place], start[place], feature)]
        base = self.size * (len(SCOPES) + 1)
        for number, clauses in enumerate(_ends(row, clause)):
            here = np.flatnonzero(clauses[row[place]] == part)
            found.append(
                Found(row[place[here]], start[place[here]], base + self.size * number + kind[here])
            )
        base += self.size * len(PLACES)
        for step in range(1, self.size):
            same = np.flatnonzero(part[step:] == part[:-step])
            if not len(same):
                break
            pair = base + kind[same + step] * self.size + kind[same]
            head = np.minimum(start[place[same]], start[place[same + step]])
            found.append(Found(row[place[same]], head, pair))
        return Found(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _scope(turning: Ints, clause: Ints, part: Ints) -> Ints:
    """0 where nothing turns the clause ``part`` around, else one more than the number in ``SCOPES``."""
    at = np.flatnonzero(turning >= 0)
    turned = np.full(int(clause[-1]) + 1 if len(clause) else 1, len(SCOPES), dtype=np.int64)
    np.minimum.at(turned, clause[at], turning[at])
    scope = turned[part] if len(part) else part
    return np.where(scope == len(SCOPES), 0, scope + 1)


def _ends(row: Ints, clause: Ints) -> tuple[Ints, Ints]:
    """The first and the last clause with words of each text."""
    texts = int(row[-1]) + 1 if len(row) else 0
    first, last = np.full(texts, -1, dtype=np.int64), np.full(texts, -1, dtype=np.int64)
    first[row[::-1]] = clause[::-1]
    last[row] = clause
    return first, last
