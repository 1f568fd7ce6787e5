"""Topics (话题) told by labels and words: those of ``configs/topics.toml`` and those officials watch (专题).

The series of a topic is ``topic:<id>``: an id of the file begins with a letter, one of a watched topic is a number.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from pydantic import Field, StringConstraints

from router.lines import Lines
from store.config import Strict, load
from store.errors import ConfigError, RejectedError

SERIES = "topic:"
"""How the series of a topic begins."""

FREE_GROUP = "topic"
"""The group of a topic that names none."""

MOST_WAYS, MOST_WORDS, SHORTEST_WAY, LONGEST_WORD = 24, 4, 2, 20
"""Alternatives of a topic, words and characters of one alternative, characters of a word that a person may give."""

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Word = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_WORD)
]
Way = Annotated[tuple[Word, ...], Field(min_length=1, max_length=MOST_WORDS)]
Phrases = tuple[tuple[str, ...], ...]
"""Alternatives; all words of one must be there."""

_WIDE = re.compile("[０-９ａ-ｚ]")
_phrases = msgspec.json.Decoder(Phrases)


class Group(Strict):
    """Topics that are shown together."""

    id: Id
    name: str = Field(min_length=1)


class Topic(Strict):
    """What citizens speak of, as the city words it; ``topics.toml`` tells when a message belongs to it."""

    id: Id
    name: str = Field(min_length=1)
    group: str = FREE_GROUP
    labels: tuple[str, ...] = ()
    words: tuple[Way, ...] = ()
    not_words: tuple[Word, ...] = ()


class Topics(Strict):
    """``configs/topics.toml``. ``not_places`` are names kept out of the ledger of places, ``generic``
    words that name no rising topic."""

    group: tuple[Group, ...] = ()
    topic: tuple[Topic, ...] = ()
    not_places: tuple[str, ...] = ()
    generic: tuple[str, ...] = ()

    @property
    def groups(self) -> dict[str, str]:
        """The name of each group by its id."""
        return {FREE_GROUP: "话题"} | {one.id: one.name for one in self.group}


def load_topics(path: Path, labels: Collection[str], places: Collection[str]) -> Topics:
    """Read ``topics.toml``, where there is one; ``labels`` and ``places`` are those the city knows.

    Raises:
        ConfigError: an id used twice, a strange group, label or place, a topic without labels and words.
    """
    if not path.exists():
        return Topics()
    topics = load(path, Topics)
    lines = Lines(path.read_text(encoding="utf-8"))
    seen: set[str] = set()
    for n, topic in enumerate(topics.topic):
        fault = _fault(topic, topics.groups, labels, seen)
        if fault:
            raise ConfigError(f"config: {path.name}: {lines.say('topic', n)}{topic.id}: {fault}")
        seen.add(topic.id)
    for place in topics.not_places:
        if place not in places:
            msg = f"config: {path.name}: not_places: {place} is not in gazetteer.csv; correct it"
            raise ConfigError(msg)
    return topics


def _fault(
    topic: Topic, groups: Collection[str], labels: Collection[str], seen: Collection[str]
) -> str:
    """What is wrong with a topic and what to do; empty when nothing is."""
    strange = next((label for label in topic.labels if label not in labels), "")
    faults = (
        (topic.id in seen, "id: used twice; give it another"),
        (topic.group not in groups, f"group: {topic.group} is no [[group]] of this file; add it"),
        (bool(strange), f"labels: {strange} is not in taxonomy.toml; correct it"),
        (not (topic.labels or topic.words), "nothing tells it; give labels or words"),
    )
    return next((said for is_wrong, said in faults if is_wrong), "")


def plain(text: str) -> str:
    """A text as words are looked for in it: wide letters and digits as narrow ones, all small, no spaces."""
    close = "".join(text.split()).lower()
    return unicodedata.normalize("NFKC", close).lower() if _WIDE.search(close) else close


def read_phrases(kept: str) -> Phrases:
    """The alternatives of a row of ``topics``."""
    return _phrases.decode(kept)


def check_phrases(ways: Iterable[Iterable[str]]) -> Phrases:
    """Alternatives a person gives, cleaned; RejectedError names the bound they do not keep."""
    cleaned = dict.fromkeys(
        way
        for given in ways
        if (way := tuple(dict.fromkeys(word for each in given if (word := plain(each)))))
    )
    longest = max((len(word) for way in cleaned for word in way), default=0)
    faults = (
        (not cleaned, "give at least one word"),
        (len(cleaned) > MOST_WAYS, f"leave at most {MOST_WAYS} alternatives"),
        (any(len(way) > MOST_WORDS for way in cleaned), f"at most {MOST_WORDS} words in one line"),
        (longest > LONGEST_WORD, f"no word longer than {LONGEST_WORD} characters"),
        (any(len("".join(way)) < SHORTEST_WAY for way in cleaned), "no line of one character only"),
    )
    for is_wrong, cure in faults:
        if is_wrong:
            raise RejectedError(f"router: phrases: not as words are kept; {cure}", reason="phrases")
    return tuple(cleaned)


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """One topic as ``Matcher`` asks for it."""

    series: str
    ways: tuple[frozenset[str], ...]
    never: frozenset[str]


class Matcher:
    """Tells the topics of a message. ``watched`` are the phrases of watched topics by their number."""

    def __init__(self, topics: Topics, watched: Mapping[int, Phrases] | None = None) -> None:
        self._by_label: dict[str, list[_Told]] = defaultdict(list)
        self._by_word: dict[str, list[_Told]] = defaultdict(list)
        words: set[str] = set()
        for topic in topics.topic:
            told = _told(topic.id, topic.words, topic.not_words)
            words |= self._learn(told)
            for label in topic.labels:
                self._by_label[label].append(told)
        for number, phrases in (watched or {}).items():
            words |= self._learn(_told(str(number), phrases, ()))
        self._words = tuple(sorted(words))

    def _learn(self, told: _Told) -> set[str]:
        """Every word of a topic; each way is looked up by one word of it."""
        for way in told.ways:
            self._by_word[max(way, key=len)].append(told)
        return set(told.never).union(*told.ways)

    def labels(self, text: str, labels: Iterable[str]) -> tuple[str, ...]:
        """The series of the topics of a message, from its text and its labels."""
        said = plain(text)
        held = {word for word in self._words if word in said}
        by_word = {told for word in held for told in self._by_word.get(word, ())}
        told_all = {told for told in by_word if any(way <= held for way in told.ways)}
        told_all.update(told for label in labels for told in self._by_label.get(label, ()))
        return tuple(sorted(told.series for told in told_all if held.isdisjoint(told.never)))


def _told(key: str, ways: Iterable[Iterable[str]], never: Iterable[str]) -> _Told:
    cleaned = tuple(frozenset(map(plain, way)) for way in ways)
    return _Told(SERIES + key, cleaned, frozenset(map(plain, never)))
