"""On which line of a TOML file an entry of an array of tables begins: ``tomllib`` does not say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

_TOKENS = re.compile(
    r'"{3}(?:\\.|[^\\])*?"{3,5}'
    r"|'{3}.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|^[ \t]*\[\[[ \t]*(?P<head>[\w.-]+|\"[^\"\n]*\"|'[^'\n]*')[ \t]*\]\]",
    re.DOTALL | re.MULTILINE,
)


class Lines:
    """The headers ``[[…]]`` of one file's text, by name. Text that is no TOML has no meaning here."""

    def __init__(self, text: str = "") -> None:
        self._text = text

    def of(self, table: str, n: int) -> int:
        """Line, from 1, of the n-th entry (from 0) of ``table``; 0 where the text has none."""
        found = self._headers.get(table, ())
        return found[n] if n < len(found) else 0

    def say(self, table: str, n: int) -> str:
        """``line N: ``, or nothing where the line is not known."""
        line = self.of(table, n)
        return f"line {line}: " if line else ""

    @cached_property
    def _headers(self) -> dict[str, Sequence[int]]:
        headers: dict[str, list[int]] = {}
        line, at = 1, 0
        for token in _TOKENS.finditer(self._text):
            head = token.group("head")
            if head is not None:
                line += self._text.count("\n", at, token.start())
                at = token.start()
                headers.setdefault(head.strip("\"'"), []).append(line)
        return dict(headers)
