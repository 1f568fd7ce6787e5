"""The settings of grouping, and which matter within a problem words speak of.

A problem is too wide to tell two messages of one building apart: a full bin and a bag thrown from a window are
both litter. The city lists the matters and the words that tell them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from pydantic import Field

from router.spots import fold
from store.config import Strict


class Matter(Strict):
    """A subject within a problem, told by any of its words."""

    problem: str
    name: str = Field(min_length=1)
    words: tuple[str, ...] = Field(min_length=1)


class Alike(Strict):
    """Words for one thing or state: who says one and who says another say the same."""

    name: str = Field(min_length=1)
    words: tuple[str, ...] = Field(min_length=1)


class Grouping(Strict):
    """``configs/grouping.toml``; days, meters and probabilities as named there. ``automatic`` lets certain
    matches join without a person; ``harmless``, ``apart`` and ``alike`` say what may differ in those
    (``router.proof``)."""

    window_days: float = Field(default=7, gt=0, le=365)
    radius_m: float = Field(default=150, gt=0, le=5_000)
    relapse_days: float = Field(default=90, gt=0, le=3_650)
    certain_min: float = Field(default=0.95, gt=0.5, lt=1)
    suggest_min: float = Field(default=0.3, gt=0, lt=1)
    problem: dict[str, float] = {}
    matter: tuple[Matter, ...] = ()
    automatic: bool = False
    harmless: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    alike: tuple[Alike, ...] = ()

    def window_of(self, problems: frozenset[str]) -> float:
        """Days within which messages of these problems are one matter: the longest of theirs."""
        return max(
            (self.problem.get(p, self.window_days) for p in problems), default=self.window_days
        )


class Matters:
    """Tells matters by their words."""

    def __init__(self, matters: Sequence[Matter]) -> None:
        self._subjects: dict[str, list[Matter]] = {}
        for matter in matters:
            for word in map(fold, matter.words):
                self._subjects.setdefault(word, []).append(matter)
        self._told = re.compile("|".join(map(re.escape, self._subjects)) or r"(?!)")
        self.of = lru_cache(maxsize=16_384)(self._of)

    def _of(self, words: str, problems: frozenset[str]) -> frozenset[str]:
        """What words speak of, within these problems."""
        told = (matter for word in self._told.findall(words) for matter in self._subjects[word])
        return frozenset(matter.name for matter in told if matter.problem in problems)
