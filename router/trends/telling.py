"""What is told of a topic from its messages: a sentence, where, by which channels, and why it moved; pure.

Shares of the excess: each channel's (area's) count less what its own 28 days let expect in 7, of the sum of those
that rose. Shares of one case, one thread, one citizen and one text repeated are of the messages themselves.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from router.trends.topics import plain

WEEK, MONTH = 7, 28
"""Days of now, and of before."""

RATE = WEEK / MONTH
MOST_SAMPLES, MOST_CASES, MOST_PLACES = 3, 200, 5
LONGEST_SENTENCE = 60
RUN = 12
"""Characters in a row that two citizens do not write alike by chance."""

ALIKE = 0.6
"""Share of a text's runs from which it is the same text again."""

MAIN = 0.5
"""Share from which something is the reason."""

FEWEST_REPEATS = 3
_STOPS = re.compile(r"[。！？!?；;\n]+")
_SPACES = re.compile(r"\s+")


class Said(NamedTuple):
    """A message: redacted ``text`` with its title, ``day`` (yyyymmdd) of its own; ``case_id`` 0: none.

    ``label`` is what it is mainly about, for comparison with its like of before.
    """

    id: int
    day: int
    area: str
    channel: str
    author_key: str
    case_id: int
    thread: str
    text: str
    address: str = ""
    label: str = ""


class Route(msgspec.Struct, frozen=True):
    """A channel's part in a topic: its first day, days after the first of all, and its messages by day."""

    channel: str
    first_day: int
    lag: int
    n: int
    days: dict[int, int]


class Cause(msgspec.Struct, frozen=True):
    """One reason a topic moved: ``share`` of 1 that ``n`` messages of ``key`` make; ``kind`` as in ``CAUSES``."""

    kind: str
    key: str
    n: int
    share: float


class Told(msgspec.Struct, frozen=True):
    """What is known of a topic in its 7 days; ``expected`` by its 28 days before. Ids are numbers of rows."""

    count: int = 0
    voices: int = 0
    citizens: int = 0
    expected: float = 0.0
    ratio: float = 0.0
    before: int = 0
    first_day: int = 0
    days: dict[int, int] = {}
    areas: dict[str, int] = {}
    places: dict[str, int] = {}
    routes: tuple[Route, ...] = ()
    causes: tuple[Cause, ...] = ()
    samples: tuple[int, ...] = ()
    cases: tuple[int, ...] = ()


CAUSES: Mapping[str, str] = {
    "repeat": "其中{n}件为同一内容反复转发（占{share}）",
    "thread": "其中{n}件来自同一帖子（占{share}）",
    "case": "其中{n}件反映同一案件（占{share}）",
    "citizen": "其中{n}件由同一人提出（占{share}）",
    "place": "{n}件集中在{key}（占{share}）",
    "area": "增量的{share}来自{key}",
    "channel": "增量的{share}来自{key}渠道",
}
"""What each kind of cause says, the most telling first."""

VIRAL = frozenset({"repeat", "thread"})
"""Causes that are one voice heard often, not many voices."""


def words_of(causes: Iterable[Cause], names: Mapping[str, str]) -> str:
    """Why a topic moved, in Chinese; ``names`` are those of channels and areas by id."""
    told = [
        CAUSES[one.kind].format(
            n=one.n, share=f"{one.share:.0%}", key=names.get(one.key, one.key) or "地点不明"
        )
        for one in causes
    ]
    return "；".join(told) + "。" if told else "各渠道、各区域普遍上升，没有单一来源。"


def tell(
    now: Sequence[Said],
    before: Sequence[Said],
    *,
    floor: float,
    days_apart: Callable[[int, int], int],
    places: Callable[[str, str], Iterable[str]],
) -> Told:
    """Everything about the topic of these messages; ``expected`` is at least ``floor`` when the ratio is taken."""
    expected = len(before) * RATE
    where = Counter(place for one in now for place in set(places(one.text, one.address)))
    where = Counter(dict(where.most_common(MOST_PLACES)))
    return Told(
        count=len(now),
        voices=len({voice(one) for one in now}),
        citizens=len({citizen(one) for one in now}),
        expected=round(expected, 2),
        ratio=round(len(now) / max(expected, floor), 2),
        before=len(before),
        first_day=min((one.day for one in (*now, *before)), default=0),
        days=dict(sorted(Counter(one.day for one in now).items())),
        areas=dict(Counter(one.area for one in now).most_common()),
        places=dict(where),
        routes=_routes(now, days_apart),
        causes=tuple(_causes(now, before, where)),
        samples=tuple(_samples(now)),
        cases=tuple(sorted({one.case_id for one in now if one.case_id}))[:MOST_CASES],
    )


def citizen(one: Said) -> str:
    """Who said it; somebody without a name is somebody else each time."""
    return one.author_key or f"item:{one.id}"


def voice(one: Said) -> tuple[str, int]:
    """A citizen about one matter: what is said twice of it counts once."""
    return citizen(one), one.case_id or -one.id


def _routes(now: Sequence[Said], days_apart: Callable[[int, int], int]) -> tuple[Route, ...]:
    """The channels in the order in which they took the topic up."""
    days: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for one in now:
        days[one.channel][one.day] += 1
    begin = min((one.day for one in now), default=0)
    routes = [
        Route(
            channel,
            min(counted),
            days_apart(begin, min(counted)),
            counted.total(),
            dict(sorted(counted.items())),
        )
        for channel, counted in days.items()
    ]
    return tuple(sorted(routes, key=lambda one: (one.first_day, -one.n, one.channel)))


def _samples(now: Sequence[Said]) -> list[int]:
    """Three messages that differ: of other citizens first, the newest before."""
    seen: set[str] = set()
    first: list[int] = []
    rest: list[int] = []
    for one in sorted(now, key=lambda one: (-one.day, -one.id)):
        (rest if citizen(one) in seen else first).append(one.id)
        seen.add(citizen(one))
    return [*first, *rest][:MOST_SAMPLES]


def _causes(now: Sequence[Said], before: Sequence[Said], where: Counter[str]) -> Iterable[Cause]:
    """What makes most of it, as far as one thing does."""
    total = max(len(now), 1)
    repeated = repeats(now)
    ones = (
        ("repeat", "", len(repeated)),
        ("thread", *_most(one.thread for one in now)),
        ("case", *_most(str(one.case_id or "") for one in now)),
        ("citizen", *_most(one.author_key for one in now)),
        ("place", *_most(where.elements())),
    )
    for kind, key, n in ones:
        if n >= FEWEST_REPEATS and n / total >= MAIN:
            yield Cause(kind, key, n, round(n / total, 3))
    for kind in ("area", "channel"):
        key, n, share = _excess(
            Counter(getattr(one, kind) for one in now),
            Counter(getattr(one, kind) for one in before),
        )
        if share >= MAIN:
            yield Cause(kind, key, n, round(share, 3))


def _most(keys: Iterable[str]) -> tuple[str, int]:
    """The most frequent key that is not empty."""
    counted = Counter(key for key in keys if key)
    return counted.most_common(1)[0] if counted else ("", 0)


def _excess(now: Counter[str], before: Counter[str]) -> tuple[str, int, float]:
    """Whose count rose most, how many it has now, and its share of all that rose."""
    rose = {key: max(n - before[key] * RATE, 0.0) for key, n in now.items()}
    total = sum(rose.values())
    if not total:
        return "", 0, 0.0
    key = max(rose, key=lambda one: (rose[one], one))
    return key, now[key], rose[key] / total


def repeats(now: Sequence[Said]) -> list[int]:
    """Ids of the messages that say the same text again, most of it in the same characters."""
    runs = {one.id: _runs(plain(one.text)) for one in now}
    counted = Counter(run for held in runs.values() for run in held)
    if not counted:
        return []
    common = max(counted, key=lambda run: (counted[run], run))
    holders = [key for key, held in runs.items() if common in held]
    model = runs[max(holders, key=lambda key: (sum(counted[run] for run in runs[key]), -key))]
    same = [
        key for key in holders if len(runs[key] & model) >= ALIKE * min(len(runs[key]), len(model))
    ]
    return same if len(same) > 1 else []


def _runs(text: str) -> set[str]:
    return {text[n : n + RUN] for n in range(max(len(text) - RUN + 1, 0))}


def sentence_of(now: Sequence[Said], phrases: Iterable[str]) -> str:
    """A sentence of the message nearest the middle of these, at most ``LONGEST_SENTENCE`` characters."""
    pairs = {pair for phrase in phrases for pair in _pairs(phrase)}
    texts = [plain(one.text) for one in now]
    middle = Counter(pair for text in texts for pair in _pairs(text))
    weight = {pair: n * (3 if pair in pairs else 1) for pair, n in middle.items() if n > 1}

    def near(text: str) -> float:
        held = _pairs(text)
        return float(sum(weight.get(pair, 0) for pair in held) / max(len(held), 8) ** 0.5)

    if not now:
        return ""
    best = max(range(len(now)), key=lambda n: (near(texts[n]), -now[n].id))
    parts = [part for part in _STOPS.split(now[best].text) if part.strip()]
    chosen = max(parts, key=lambda part: near(plain(part)), default="")
    said = _SPACES.sub(" ", chosen).strip()
    return said if len(said) <= LONGEST_SENTENCE else said[: LONGEST_SENTENCE - 1] + "…"


def _pairs(text: str) -> set[str]:
    return {text[n : n + 2] for n in range(len(text) - 1)}
