"""Which rules are never reached: the earlier ones take everything they take.

A rule is a box: for each key the set of values it lets pass, as bits. Keys with one value a matter
(kind, channel, hour …) have a bit for each value that any rule names and one for all others. Keys
with several (problems, campaigns, words) have a bit for each *combination* of the few labels at
hand; a word inside another can not be missing where the other is found. Taking the earlier boxes
out of the rule's own leaves what still reaches it. All is bounded, and what is too large to decide
counts as reached, so that a rule is never refused wrongly.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from router.calendar import Weekday
from router.masks import DAY_MIN, covers, minute_of
from router.rules import HINT, Rule, When

FLAGS = 12
"""Labels, and words, that are told apart for one rule: 2 to this power combinations."""

BOXES = 200
"""Parts a rule may fall into before it is left undecided."""

_OTHER, _STRANGE = "(other)", "(unknown)"

Box = tuple[int, ...]


@dataclass(frozen=True)
class Known:
    """What can occur at all; of channels, territories and points there may always be others."""

    kinds: Sequence[str]
    urgencies: Sequence[str]
    problems: Sequence[str]
    campaigns: Sequence[str]
    offices: Sequence[str]


class Cover:
    """All rules of a file, to be asked what the earlier ones leave of each."""

    def __init__(self, rules: Sequence[Rule], known: Known) -> None:
        self._rules = rules
        self._known = known
        self._boxes = list(zip(*_single(rules, known), strict=True))

    def alone(self, n: int) -> int | None:
        """The first earlier rule that takes all the n-th takes, by the wording of both."""
        mine, when = self._boxes[n], self._rules[n].when
        for m in range(n):
            if all(not a & ~b for a, b in zip(mine, self._boxes[m], strict=True)) and _within(
                when, self._rules[m].when
            ):
                return m
        return None

    def together(self, n: int) -> tuple[int, ...]:
        """Earlier rules that together take all the n-th takes; none when something is left or undecided."""
        mine = self._boxes[n]
        near = [
            m for m in range(n) if all(a & b for a, b in zip(mine, self._boxes[m], strict=True))
        ]
        parts = [
            _Labels("problems", self._known.problems),
            _Labels("campaigns", self._known.campaigns),
            _Words(),
        ]
        if not all(part.admit(self._rules[n].when) for part in parts):
            return ()
        near = [m for m in near if _admitted(parts, self._rules[m].when)]
        left = [self._box(n, parts)]
        took = []
        for m in near:
            before, other = left, self._box(m, parts)
            left = [piece for box in before for piece in _without(box, other)]
            took += [m] if left != before else []
            if not left:
                return tuple(took)
            if len(left) > BOXES:
                return ()
        return ()

    def _box(self, n: int, parts: Sequence[_Flags]) -> Box:
        return (*self._boxes[n], *(part.mask(self._rules[n].when) for part in parts))


def _single(rules: Sequence[Rule], known: Known) -> Iterator[list[int]]:
    """For each key with one value a matter, the bits of every rule."""
    whens = [rule.when for rule in rules]
    for key, values in (("kinds", known.kinds), ("urgencies", known.urgencies)):
        yield _bits([getattr(when, key) for when in whens], values)
    for key in ("channels", "areas", "points"):
        named = [getattr(when, key) for when in whens]
        yield _bits(named, [*_distinct(named), _OTHER])
    yield _hints(rules, known.offices)
    yield _hours(whens)
    yield _bits([when.weekdays for when in whens], tuple(Weekday))
    yield _bits([when.months for when in whens], range(1, 13))


def _bits(wanted: Sequence[Collection[Any]], values: Sequence[Any]) -> list[int]:
    bit = {value: 1 << n for n, value in enumerate(dict.fromkeys(values))}
    full = sum(bit.values())
    return [sum(bit.get(v, 0) for v in set(one)) if one else full for one in wanted]


def _distinct(wanted: Iterable[Iterable[Any]]) -> list[Any]:
    return list(dict.fromkeys(value for one in wanted for value in one))


def _hints(rules: Sequence[Rule], offices: Sequence[str]) -> list[int]:
    """Hints by office; a rule whose lead is the hint takes only offices of the directory."""
    values = ["", *offices, _STRANGE]
    wanted: list[Sequence[str]] = []
    for rule in rules:
        hints = rule.when.hint
        taken = values[1:] if hints == "any" else hints or values
        wanted.append([h for h in taken if rule.lead != HINT or h in offices])
    bit = {value: 1 << n for n, value in enumerate(values)}
    return [sum(bit.get(hint, 0) for hint in set(hints)) for hints in wanted]


def _hours(whens: Sequence[When]) -> list[int]:
    edges = {minute_of(at) for when in whens for span in when.hours for at in span} | {0}
    slots = sorted(edge % DAY_MIN for edge in edges)
    held = [
        [m for m in slots if any(covers(span, m) for span in when.hours)] if when.hours else slots
        for when in whens
    ]
    return _bits(held, slots)


def _within(when: When, other: When) -> bool:
    """Whether ``other`` lets pass every combination of labels and words that ``when`` does."""
    return (
        _listed(when.problems, other.problems)
        and _listed(when.campaigns, other.campaigns)
        and (not other.words or _each(when.words, lambda w: any(o in w for o in other.words)))
        and all(any(u in o for u in when.unless_words) for o in other.unless_words)
    )


def _each(values: Sequence[str], holds: Callable[[str], bool]) -> bool:
    return bool(values) and all(holds(value) for value in values)


def _listed(mine: tuple[str, ...] | str, other: tuple[str, ...] | str) -> bool:
    if "none" in (mine, other):
        return mine == other or not other
    return not other or _each(tuple(mine), lambda label: label in other)


class _Flags:
    """Labels at hand, each there or not: bit c of a mask is combination c."""

    def __init__(self) -> None:
        self.flags: list[str] = []

    def named(self, when: When) -> Sequence[str]:
        """Labels a rule tells apart."""
        raise NotImplementedError

    def admit(self, when: When) -> bool:
        """Tell the rule's labels apart too; False when they are too many."""
        more = [one for one in dict.fromkeys(self.named(when)) if one not in self.flags]
        if len(self.flags) + len(more) > FLAGS:
            return False
        self.flags += more
        return True

    def mask(self, when: When) -> int:
        """Combinations that the rule lets pass."""
        raise NotImplementedError

    def table(self, flag: str) -> int:
        """Combinations in which a label is there."""
        block = 1 << self.flags.index(flag)
        return self.full // ((1 << block) + 1) << block  # as many off as on, from the first on

    def any(self, wanted: Iterable[str]) -> int:
        """Combinations in which at least one is there."""
        return list(accumulate(map(self.table, wanted), int.__or__, initial=0))[-1]

    @property
    def full(self) -> int:
        """All combinations."""
        return (1 << (1 << len(self.flags))) - 1


class _Labels(_Flags):
    """Problems or campaigns; those no rule at hand names are one label together."""

    def __init__(self, key: str, known: Sequence[str]) -> None:
        super().__init__()
        self._key = key
        self._known = frozenset(known)
        self.flags = [_OTHER]

    def named(self, when: When) -> Sequence[str]:
        wanted = getattr(when, self._key)
        return () if isinstance(wanted, str) else wanted

    def mask(self, when: When) -> int:
        wanted = getattr(when, self._key)
        if wanted == "none":
            return 1
        allowed = self.any(wanted) if wanted else self.full
        return allowed & ~self.table(_OTHER) if self._known <= {*self.flags} else allowed


class _Words(_Flags):
    """Words and the words that must not occur; only texts that can be written count."""

    def named(self, when: When) -> Sequence[str]:
        return (*when.words, *when.unless_words)

    def mask(self, when: When) -> int:
        allowed = self.any(when.words) if when.words else self.full
        return allowed & ~self.any(when.unless_words) & self._written()

    def _written(self) -> int:
        mask = self.full
        for inner in self.flags:
            for outer in self.flags:
                if inner != outer and inner in outer:
                    mask &= ~self.table(outer) | self.table(inner)
        return mask


def _admitted(parts: Sequence[_Flags], when: When) -> bool:
    """Tell the rule's labels and words apart, all or none of them."""
    before = [list(part.flags) for part in parts]
    if all(part.admit(when) for part in parts):
        return True
    for part, flags in zip(parts, before, strict=True):
        part.flags = flags
    return False


def _without(box: Box, other: Box) -> list[Box]:
    """What is left of a box outside another, as boxes that do not meet."""
    if not all(a & b for a, b in zip(box, other, strict=True)):
        return [box]
    pieces, rest = [], list(box)
    for n, mask in enumerate(other):
        if outside := rest[n] & ~mask:
            pieces.append((*rest[:n], outside, *rest[n + 1 :]))
        rest[n] &= mask
    return pieces
