"""How likely two messages are one matter, and why: pure, symmetric, without a clock.

Evidence of place, problem, time, words, author and link is added up as log-odds (naive Bayes), each with a
reason for the screen. Space and time come first, words second: where two places differ, the same
words say nothing, since two compounds complain alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp

from rapidfuzz import fuzz

from router.matching import Facts, Match, Reason, Sign
from router.matters import Grouping, Matters
from router.nearness import Nearness, Relation, Where, nearness
from router.proof import ALONE, Proof, is_one_citizen, is_one_post
from router.spots import Spot, Spots

TITLE = 8
"""Characters from which two messages do not bear the same title by chance."""

READ = 600
"""Characters of each wording that are compared, so that the longest messages cost no more."""

SAME_WORDS, MUCH, SOME, FEW = 0.9, 0.7, 0.5, 0.3
"""Steps of likeness of words, in [0, 1]."""

_PRIOR = -2.0
_DAY_S = 86_400.0


class Matcher:
    """Compares messages under one city's settings; ``labels`` are the names of problems on screen."""

    def __init__(self, settings: Grouping, spots: Spots, labels: Mapping[str, str]) -> None:
        self.settings = settings
        self.spots = spots
        self.labels = labels
        self._matters = Matters(settings.matter)
        self._proof = Proof(settings)

    def spot(self, facts: Facts) -> Spot:
        """Where the message says it is."""
        return self.spots.read(facts.body, facts.address)

    def compare(self, new: Facts, case: Facts) -> Match:
        """How likely ``new`` and ``case`` are one matter. The score does not depend on their order."""
        relapse = case.closed_at is not None and case.closed_at <= new.at
        a, b = self.spot(new), self.spot(case)
        near = nearness(
            Where(a, new.area, new.point, new.here),
            Where(b, case.area, case.point, case.here),
            self.settings.radius_m,
        )
        like = 0.0 if near.relation is Relation.OTHER else _likeness(a.words, b.words)
        both = new.problems & case.problems
        mine, theirs = self._matters.of(a.words, both), self._matters.of(b.words, both)
        reasons = (
            Reason(Sign.PLACE, near.text, near.weight),
            *self._subject(new, case),
            *_about(mine, theirs, like),
            self._time(new, case),
            *_wording(like, near, a, b),
            *_origin(new, case),
        )
        score = 1 / (1 + exp(-_PRIOR - sum(reason.weight for reason in reasons)))
        if _is_itself(new, case):
            score = 1.0
        proven = self._proof.holds(new, case, a, b, near)
        likely = score >= self.settings.certain_min and self._in_time(new, case)
        shown = sorted((r for r in reasons if r.weight), key=lambda r: -abs(r.weight))
        return Match(
            case.id,
            round(score, 4),
            tuple(shown),
            proven and likely and not relapse,
            relapse,
            proven,
        )

    def _subject(self, a: Facts, b: Facts) -> list[Reason]:
        """Evidence of what it is about."""
        found: list[Reason] = []
        if both := a.problems & b.problems:
            named = "、".join(self.labels.get(p, p) for p in sorted(both))
            found.append(Reason(Sign.PROBLEM, f"问题相同：{named}", 1.5))
        elif a.problems and b.problems:
            found.append(Reason(Sign.PROBLEM, "问题不同", -4.0))
        if both := a.campaigns & b.campaigns:
            named = "、".join(self.labels.get(c, c) for c in sorted(both))
            found.append(Reason(Sign.CAMPAIGN, f"同属{named}", 0.3))
        return found

    def _days(self, a: Facts, b: Facts) -> tuple[float, float]:
        """Days between the two, and the window that holds for them."""
        window = self.settings.window_of(a.problems & b.problems)
        return abs((a.at - b.at).total_seconds()) / _DAY_S, window

    def _in_time(self, a: Facts, b: Facts) -> bool:
        days, window = self._days(a, b)
        return days <= window

    def _time(self, a: Facts, b: Facts) -> Reason:
        days, window = self._days(a, b)
        hours = f"{days * 24:.0f}小时" if days * 24 >= 1 else "不足1小时"
        said = f"相隔{days:.0f}天" if days >= 1 else f"相隔{hours}"
        if days <= window:
            return Reason(Sign.TIME, said, 0.7 if days <= window / 2 else 0.3)
        return Reason(Sign.TIME, said, -1.5 if days <= 2 * window else -5.0)


def _likeness(a: str, b: str) -> float:
    """How alike two wordings are, in [0, 1]: edit distance, or two-character shingles where order differs."""
    if not a or not b:
        return 0.0
    a, b = a[:READ], b[:READ]
    x, y = ({s[n : n + 2] for n in range(len(s) - 1)} for s in (a, b))
    dice = 2 * len(x & y) / max(1, len(x) + len(y))
    return max(fuzz.ratio(a, b) / 100, dice)


def _copied(a: Spot, b: Spot) -> bool:
    return a.whole == b.whole and len(a.whole) >= ALONE


def _about(mine: frozenset[str], theirs: frozenset[str], like: float) -> list[Reason]:
    """Evidence of the matters spoken of."""
    if both := mine & theirs:
        return [Reason(Sign.MATTER, f"说的都是{'、'.join(sorted(both))}", 1.0)]
    if mine and theirs and like < MUCH:
        return [Reason(Sign.MATTER, f"一说{min(mine | theirs)}，一说{max(mine | theirs)}", -2.5)]
    return []


def _wording(like: float, near: Nearness, a: Spot, b: Spot) -> list[Reason]:
    """Evidence of the words; none in favor where the places differ."""
    if near.relation is Relation.OTHER:
        return []
    copied = _copied(a, b)
    steps = ((SAME_WORDS, 3.0), (MUCH, 2.2), (SOME, 1.2), (FEW, 0.3), (0.0, -0.8))
    weight = next(weight for least, weight in steps if like >= least)
    if (near.relation is Relation.UNKNOWN or near.vague) and not copied:
        weight = min(weight, 1.0)
    said = f"文字相似{like:.0%}" if weight > 0 else "说法不同"
    return [Reason(Sign.WORDS, "原文相同" if copied else said, weight + copied)]


def _origin(a: Facts, b: Facts) -> list[Reason]:
    """Evidence of who said it and where it was read."""
    found: list[Reason] = []
    if is_one_citizen(a, b):
        found.append(Reason(Sign.AUTHOR, "同一市民再次反映", 1.5))
    if is_one_post(a, b):
        found.append(Reason(Sign.LINK, "同一帖子", 3.0))
    elif a.title == b.title and len(a.title) >= TITLE:
        found.append(Reason(Sign.LINK, "标题相同", 1.2))
    return found


def _is_itself(a: Facts, b: Facts) -> bool:
    """Whether it is one message compared with itself."""
    return a.id == b.id and a.body == b.body and a.at == b.at
