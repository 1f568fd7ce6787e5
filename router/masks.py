"""First match by bit masks: bit n of a mask is rule n.

For each key of a ``when`` and each value that any rule names there is a mask of the rules that let
the value pass, and one for all other values. A matter's masks ANDed are the rules that may hold;
only for these are words looked for, in order, so the lowest bit that stands is the first match.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, time
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from router.rules import Matter, When

DAY_MIN = 24 * 60

_ONE_OF = (
    ("kinds", attrgetter("kind")),
    ("urgencies", attrgetter("urgency")),
    ("channels", attrgetter("channel")),
    ("points", attrgetter("point")),
)
_ANY_OF = (("problems", attrgetter("problems")), ("campaigns", attrgetter("campaigns")))


class _Key:
    """The rules that each value lets pass."""

    def __init__(self, wanted: Sequence[Collection[Any]]) -> None:
        self.free = _bits(not values for values in wanted)
        named: dict[Any, int] = {}
        for n, values in enumerate(wanted):
            for value in values:
                named[value] = named.get(value, 0) | 1 << n
        self.named = {value: mask | self.free for value, mask in named.items()}

    def one(self, value: Any) -> int:
        """Rules that let a single value pass."""
        return self.named.get(value, self.free)

    def any(self, values: Iterable[Any]) -> int:
        """Rules that let at least one of the values pass, or do not ask."""
        mask, named = self.free, self.named
        for value in values:
            if value in named:
                mask |= named[value]
        return mask


class Compiled:
    """The conditions of all rules, ready to be asked."""

    def __init__(self, whens: Sequence[When]) -> None:
        self._words = [(when.words, when.unless_words) for when in whens]
        self._one = [(get, key) for name, get in _ONE_OF if (key := _key(whens, name)).named]
        self._any = [
            (get, _key(whens, name), _bits(getattr(when, name) == "none" for when in whens))
            for name, get in _ANY_OF
        ]
        self._areas = _key(whens, "areas")
        self._hint = _key(whens, "hint")
        self._any_hint = _bits(when.hint == "any" for when in whens)
        self._first = _Key([tuple(word[0] for word in when.words) for when in whens])
        self._timed = _bits(bool(when.hours or when.weekdays or when.months) for when in whens)
        self._weekdays = _Key([tuple(str(day) for day in when.weekdays) for when in whens])
        self._months = _key(whens, "months")
        self._minutes = _minutes(whens)

    def matching(self, matter: Matter) -> Iterator[int]:
        """Numbers of the rules that hold, first to last."""
        mask = self._mask(matter)
        text = matter.text
        while mask:
            lowest = mask & -mask
            n = lowest.bit_length() - 1
            words, unless = self._words[n]
            if _found(words, text) and not (unless and _found(unless, text)):
                yield n
            mask ^= lowest

    def _mask(self, matter: Matter) -> int:
        hint, area = matter.hint, matter.area
        mask = self._hint.one(hint) | (self._any_hint if hint else 0)
        mask &= self._areas.one(area.id if area is not None else None)
        for get, key in self._one:
            mask &= key.one(get(matter))
        for get, keys, none in self._any:
            found = get(matter)
            mask &= keys.any(found) if found else keys.free | none
        mask &= self._at(matter.at) if self._timed else -1
        return mask & self._first.any(set(matter.text)) if mask & ~self._first.free else mask

    def _at(self, at: datetime | None) -> int:
        """Rules whose hours, weekdays and months hold at a local time."""
        if at is None:
            return ~self._timed
        minute = at.hour * 60 + at.minute
        day = _WEEK[at.weekday()]
        return self._minutes[minute] & self._weekdays.one(day) & self._months.one(at.month)


_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def minute_of(at: time) -> int:
    """Minutes since midnight."""
    return at.hour * 60 + at.minute


def covers(span: tuple[time, time], minute: int) -> bool:
    """Whether a span, which may go through midnight, has the minute of the day."""
    opens, closes = minute_of(span[0]), minute_of(span[1])
    if opens < closes:
        return opens <= minute < closes
    return minute >= opens or minute < closes


def _minutes(whens: Sequence[When]) -> list[int]:
    """Rules that each minute of the day lets pass; the same number between two changes."""
    edges = {minute_of(at) for when in whens for span in when.hours for at in span}
    masks, mask = [0] * DAY_MIN, -1
    for minute in range(DAY_MIN):
        if minute in edges or minute == 0:
            mask = _bits(
                not when.hours or any(covers(span, minute) for span in when.hours) for when in whens
            )
        masks[minute] = mask
    return masks


def _key(whens: Sequence[When], name: str) -> _Key:
    """The masks of a key; "none" and "any" are no lists of values and neither free nor named."""
    values = [getattr(when, name) for when in whens]
    key = _Key([() if isinstance(value, str) else value for value in values])
    special = _bits([isinstance(value, str) for value in values])
    key.free &= ~special
    key.named = {value: mask & ~special for value, mask in key.named.items()}
    return key


def _bits(flags: Iterable[bool]) -> int:
    return sum(1 << n for n, flag in enumerate(flags) if flag)


def _found(words: Sequence[str], text: str) -> bool:
    return not words or any(word in text for word in words)
