"""Names of sheets as Excel allows them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, count

LONGEST = 31
"""Characters of a name; Excel counts those beyond the basic plane twice."""
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\'\n", " "))
_RESERVED = "history"


def names_of(titles: Sequence[str], *, taken: str) -> list[str]:
    """A name for each of ``titles``, near to it, none of them twice and none of them ``taken``."""
    used = {taken.lower(), _RESERVED, ""}
    names = []
    for title in titles:
        wished = " ".join(title.translate(_FORBIDDEN).split()) or "表"
        tails = chain([""], (f" {n}" for n in count(2)))
        tried = (_short(wished, LONGEST - len(tail)) + tail for tail in tails)
        name = next(one for one in tried if one.lower() not in used)
        used.add(name.lower())
        names.append(name)
    return names


def _short(name: str, most: int) -> str:
    """``name`` cut so that it takes at most ``most`` UTF-16 units."""
    return name.encode("utf-16-le")[: most * 2].decode("utf-16-le", "ignore").strip()
