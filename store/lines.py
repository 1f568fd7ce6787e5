"""On which line of a TOML file a key stands: ``tomllib`` does not say."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NAME = r"[\w-]+|\"[^\"\n]*\"|'[^'\n]*'"
_DOTTED = rf"(?:{_NAME})(?:[ \t]*\.[ \t]*(?:{_NAME}))*"
_TOKENS = re.compile(
    rf"^[ \t]*\[\[[ \t]*(?P<entry>{_DOTTED})[ \t]*\]\]"
    rf"|^[ \t]*\[[ \t]*(?P<table>{_DOTTED})[ \t]*\][ \t]*(?=#|$)"
    rf"|^[ \t]*(?P<key>{_DOTTED})[ \t]*="
    r'|"{3}(?:\\.|[^\\])*?"{3,5}'
    r"|'{3}.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*",
    re.DOTALL | re.MULTILINE,
)
_PARTS = re.compile(_NAME)

Path = tuple[str | int, ...]


def line_of(text: str, loc: Sequence[str | int]) -> int:
    """Line, from 1, of what ``loc`` (keys and numbers of entries, as pydantic has them) leads to.

    Where it is not written itself, the line of the nearest thing around it; 0 when there is none.
    """
    wanted, best = tuple(loc), (0, 0)
    where: Path = ()
    counts: dict[Path, int] = {}
    at, line = 0, 1
    for token in _TOKENS.finditer(text):
        kind = token.lastgroup
        if kind is None:
            continue
        line += text.count("\n", at, token.start(kind))
        at = token.start(kind)
        path = _path(where, token.group(kind), counts, kind)
        where = where if kind == "key" else path
        depth = len(path)
        if path == wanted[:depth] and depth > best[0]:
            best = (depth, line)
    return best[1]


def _path(where: Path, dotted: str, counts: dict[Path, int], kind: str) -> Path:
    """The whole path of a header or key; entries of an array carry their number, the latest where not given."""
    names = tuple(part.strip("\"'") for part in _PARTS.findall(dotted))
    path: Path = where if kind == "key" else ()
    for n, name in enumerate(names):
        path = (*path, name)
        if kind == "entry" and n == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if kind != "key" and path in counts:
            path = (*path, counts[path])
    return path
