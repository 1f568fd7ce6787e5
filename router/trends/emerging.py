"""Rising topics (上升话题): what citizens speak of now that they did not before, without any label; pure.

Phrases that more voices say in 7 days than 28 days before let expect (``router.trends.phrases``) are joined where most
voices of one say the other too; each such group is a topic. Its few telling phrases define it: a message belongs to it
when it holds one of them, now, before, and later when the topic is watched. A topic needs 3 voices of 2 citizens, a
rate at least doubled, and as a whole the surprise its phrases need.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from router.trends.days import day_of
from router.trends.phrases import LONGEST, SHORTEST, Phrase, Spoken, rising, surprise
from router.trends.telling import Said, Told, sentence_of, tell, voice
from router.trends.topics import plain

FEWEST_VOICES, FEWEST_CITIZENS = 3, 2
LEAST_RATIO = 2.0
FLOOR = 1.0
"""What is expected at least where a ratio is taken: from nothing to three is not infinite."""

TOGETHER = 0.5
"""Share of a phrase's voices above which it belongs to another; disjoint topics can not both claim it."""

LONE = 1.5
"""How much more a pair of characters must surprise that no other phrase goes with: most are cut out of words."""

SAME = 0.8
"""Share of a phrase's voices from which a longer one that holds it stands for it."""

KEYS = 6
"""Telling phrases of a topic."""

ADDS = 0.15
"""Share of a topic's voices that another telling phrase must add: less is what some of them also speak of."""

QUOTED = 16
"""Characters of a text said again and again that name it."""

MOST_TOPICS = 20
NEW_CHANNEL = 30
"""Messages of a channel without any before from which its own turns of phrase would look like topics."""

WHOLE = 0.7
"""Share of a phrase's places where the same character stands beside it, from which it is part of the name."""

LOOSE = frozenset("的了是在和有就也都又不没被把")
"""Characters that are never part of a name at its ends."""

HERE = 0.6
"""Share of a topic's messages from which its name says where."""


class Found(NamedTuple):
    """A rising topic: its name, telling phrases, typical sentence, ``excess`` over what was expected, and the rest."""

    name: str
    phrases: tuple[str, ...]
    sentence: str
    excess: float
    told: Told


Places = Callable[[str, str], Iterable[str]]
"""Names of places in a text and an address."""


def no_places(*_: str) -> tuple[str, ...]:
    """Nowhere."""
    return ()


def emerging(
    now: Sequence[Said],
    before: Sequence[Said],
    *,
    places: Places = no_places,
    areas: Mapping[str, str] | None = None,
    generic: Collection[str] = (),
) -> list[Found]:
    """The topics of ``now`` (7 days) that ``before`` (the 28 days before it) let nobody expect, most excess first.

    ``areas`` are the names of areas by id, ``generic`` words that name nothing. Takes seconds
    for tens of thousands of texts: call it in a thread.
    """
    ours, theirs = _Side(), _Side()
    strata = _Strata()
    strange = _strange_channels(now, before)
    ours.hear((one for one in now if one.channel not in strange), strata)
    theirs.hear(before, strata)
    phrases, limit = rising(ours.spoken, theirs.spoken)
    phrases = _collapsed([one for one in phrases if not is_generic(one.text, generic)])
    ratio = len(ours.voices) / max(len(theirs.voices), 1)
    found: list[Found] = []
    taken: set[int] = set()
    heard = _Heard(now, before, ours, theirs, taken, ratio, limit, generic)
    for group in sorted(_groups(phrases), key=lambda group: -max(p.surprise for p in group)):
        topic = _topic(group, heard, places, areas or {})
        if topic is not None:
            found.append(topic)
    found.sort(key=lambda one: (-one.excess, one.name))
    return found[:MOST_TOPICS]


def is_generic(text: str, generic: Collection[str]) -> bool:
    """Whether nothing is left of a phrase without the words that say nothing."""
    left = text
    for word in generic:
        left = left.replace(word, "")
    return len(left) < SHORTEST or any(text in word for word in generic)


class _Strata:
    """Numbers of what messages are about."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def of(self, label: str) -> int:
        return self._numbers.setdefault(label, len(self._numbers))


@dataclass
class _Side:
    """Messages of one time by their voices."""

    voices: dict[tuple[str, int], int] = field(default_factory=dict)
    items: defaultdict[int, list[Said]] = field(default_factory=lambda: defaultdict(list))
    spoken: list[Spoken] = field(default_factory=list)

    def hear(self, said: Iterable[Said], strata: _Strata) -> None:
        for one in said:
            number = self.voices.setdefault(voice(one), len(self.voices))
            self.items[number].append(one)
            self.spoken.append(Spoken(one.text, number, strata.of(one.label)))

    def holding(self, keys: Sequence[Phrase], voices: Iterable[int]) -> list[Said]:
        """The messages of these voices that hold one of the phrases."""
        words = [key.text for key in keys]
        return [
            one
            for number in sorted(voices)
            for one in self.items[number]
            if any(word in plain(one.text) for word in words)
        ]


class _Heard(NamedTuple):
    """What topics are looked for in; ``taken`` are messages of topics already found."""

    now: Sequence[Said]
    before: Sequence[Said]
    ours: _Side
    theirs: _Side
    taken: set[int]
    ratio: float
    limit: float
    generic: Collection[str]


def _strange_channels(now: Sequence[Said], before: Sequence[Said]) -> set[str]:
    """Channels just connected, beside others that were heard before."""
    known = {one.channel for one in before}
    counted = Counter(one.channel for one in now)
    return {one for one, n in counted.items() if one not in known and n >= NEW_CHANNEL}


def _collapsed(phrases: Sequence[Phrase]) -> list[Phrase]:
    """Without those that a longer one stands for."""
    return [
        one
        for one in phrases
        if not any(
            one.text in other.text
            and one.text != other.text
            and len(one.now & other.now) >= SAME * len(one.now)
            for other in phrases
        )
    ]


def _groups(phrases: Sequence[Phrase]) -> list[list[Phrase]]:
    """Phrases that the same voices say."""
    if not phrases:
        return []
    rows = np.repeat(np.arange(len(phrases)), [len(one.now) for one in phrases])
    columns = np.fromiter((v for one in phrases for v in sorted(one.now)), np.int64)
    held = sparse.csr_matrix((np.ones(rows.size), (rows, columns)))
    common = (held @ held.T).tocoo()
    sizes = np.asarray([len(one.now) for one in phrases])
    near = common.data > TOGETHER * np.minimum(sizes[common.row], sizes[common.col])
    links = sparse.coo_matrix(
        (np.ones(int(near.sum())), (common.row[near], common.col[near])), shape=common.shape
    )
    count, member = csgraph.connected_components(links, directed=False)
    groups: list[list[Phrase]] = [[] for _ in range(count)]
    for phrase, group in zip(phrases, member, strict=True):
        groups[group].append(phrase)
    return groups


def _topic(
    group: Sequence[Phrase], heard: _Heard, places: Places, areas: Mapping[str, str]
) -> Found | None:
    """The topic of a group of phrases, if there is enough of it."""
    keys = _keys(group, heard.ratio)
    said = set().union(*(key.now for key in keys))
    past = set().union(*(key.before for key in keys))
    now = [one for one in heard.ours.holding(keys, said) if one.id not in heard.taken]
    before = heard.theirs.holding(keys, past)
    told = tell(now, before, floor=FLOOR, days_apart=days_apart, places=places)
    head = _whole(_ranked(group)[0].text, [plain(one.text) for one in now])
    is_lone = len(group) == 1 and len(head) == SHORTEST
    if is_generic(head, heard.generic) or not _is_enough(told, past, heard, is_lone=is_lone):
        return None
    heard.taken.update(one.id for one in now)
    words = tuple(key.text for key in keys)
    sentence = sentence_of(now, words)
    is_quote = any(cause.kind == "repeat" for cause in told.causes)
    name = f"“{sentence[:QUOTED]}…”" if is_quote else _name(head, group, told, areas)
    return Found(name, words, sentence, told.count - told.expected, told)


def _is_enough(told: Told, past: set[int], heard: _Heard, *, is_lone: bool) -> bool:
    """The floor, the ratio and the surprise of the whole."""
    score = surprise(
        np.asarray([float(told.voices)]),
        np.asarray([float(len(past))]),
        np.asarray([max(heard.ratio, 1e-9)]),
    )[0]
    limit = heard.limit * (LONE if is_lone else 1)
    return bool(
        told.voices >= FEWEST_VOICES
        and told.citizens >= FEWEST_CITIZENS
        and told.ratio >= LEAST_RATIO
        and score >= limit
    )


def _keys(group: Sequence[Phrase], ratio: float) -> list[Phrase]:
    """The few phrases that together hold most voices; each adds ``ADDS`` to what its past explains."""
    keys: list[Phrase] = []
    covered: set[int] = set()

    def adds(one: Phrase) -> float:
        return len(one.now - covered) - len(one.before) * ratio

    def worth(one: Phrase) -> float:
        return adds(one) * (1 - len(one.before) * ratio / len(one.now))

    while len(keys) < KEYS:
        best = max(group, key=lambda one: (worth(one), one.surprise))
        if keys and adds(best) < ADDS * len(covered):
            break
        keys.append(best)
        covered |= best.now
    return keys


def _ranked(group: Sequence[Phrase]) -> list[Phrase]:
    """The phrases that say most, said by most, first."""
    return sorted(group, key=lambda one: (-len(one.now) * min(len(one.text), 4), one.text))


def _name(head: str, group: Sequence[Phrase], told: Told, areas: Mapping[str, str]) -> str:
    """Typical words, and where, when it is mostly there."""
    others = (one.text for one in _ranked(group) if 2 * len(one.now) >= told.voices)
    words = [head, *[text for text in others if _is_apart(text, head)][:1]]
    said, where = "、".join(words), _where(told, areas)
    return f"{said}（{where}）" if where and where not in said else said


def _whole(phrase: str, texts: Sequence[str]) -> str:
    """The phrase with what nearly always stands right before or after it: it was cut out of a longer word."""
    grown = phrase
    while len(grown) < LONGEST:
        around: Counter[str] = Counter()
        holding = [text for text in texts if grown in text]
        for text in holding:
            at = text.index(grown)
            around.update(
                longer
                for longer in (
                    text[max(at - 1, 0) : at] + grown,
                    grown + text[at + len(grown) :][:1],
                )
                if longer[0] not in LOOSE and longer[-1] not in LOOSE and longer.isalnum()
            )
        longer, n = max(around.items(), key=lambda one: (one[1], one[0]), default=("", 0))
        if n < WHOLE * len(holding) or len(longer) <= len(grown):
            return grown
        grown = longer
    return grown


def _where(told: Told, areas: Mapping[str, str]) -> str:
    place, n = next(iter(told.places.items()), ("", 0))
    if n >= HERE * told.count:
        return place
    area, n = next(iter(told.areas.items()), ("", 0))
    return areas.get(area, "") if n >= HERE * told.count else ""


def _is_apart(one: str, other: str) -> bool:
    """Whether two phrases share no two characters in a row."""
    return not any(one[n : n + 2] in other for n in range(len(one) - 1))


def days_apart(first: int, second: int) -> int:
    """Days from one day to another, both ``yyyymmdd``."""
    return (day_of(second) - day_of(first)).days
