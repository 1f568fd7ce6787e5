"""Make text safe to store, compare and search, and fold it for matching without moving a character.

``clean`` keeps what the citizen wrote, less what can not be seen or would break a line: control
characters, zero-width tricks, bidirectional overrides. ``fold`` maps each character to its NFKC
form where that is one character (full-width digits, circled numbers), so a span found in the
folded text is the same span of the cleaned text (Unicode Standard Annex 15).
"""

from __future__ import annotations

import html
import re
import unicodedata

_INVISIBLE = dict.fromkeys(
    [
        *range(0x09),
        0x0B,
        0x0C,
        *range(0x0E, 0x20),
        *range(0x7F, 0xA0),
        0xAD,
        0x180E,
        *range(0x200B, 0x2010),
        *range(0x2028, 0x202F),
        *range(0x2060, 0x2070),
        *range(0xFE00, 0xFE10),
        0xFEFF,
        *range(0xFFF9, 0xFFFC),
        *range(0xE0000, 0xE0080),
    ]
)
_INVISIBLE[0x0D] = None
_FOLD = {
    code: form
    for code in range(0xA0, 0xFFF0)
    if not 0xD800 <= code < 0xE000  # noqa: PLR2004 - surrogates
    and len(form := unicodedata.normalize("NFKC", chr(code))) == 1
    and form != chr(code)
}
_TAGS = re.compile(r"<[a-zA-Z/!][^<>]{0,2000}>")
_BREAKS = re.compile(r"<(?:br|/p|/div|/li)\b[^<>]{0,50}>", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\u3000]{2,}|\t")
_LINES = re.compile(r"\s*\n\s*")


def clean(text: str) -> str:
    """The text without what can not be seen; runs of blanks and empty lines become one."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_INVISIBLE)
    if "\n" in text:
        text = _LINES.sub("\n", text)
    if "  " in text or "\u3000" in text or "\t" in text:
        text = _SPACES.sub(" ", text)
    return text.encode("utf-8", "ignore").decode("utf-8").strip()


def fold(text: str) -> str:
    """The same number of characters, each in its compatibility form."""
    return text.translate(_FOLD)


def strip_html(text: str) -> str:
    """The words of an HTML fragment, with line breaks where blocks ended."""
    if "<" not in text and "&" not in text:
        return text
    return html.unescape(_TAGS.sub("", _BREAKS.sub("\n", text)))
