"""Words on paper: what may be printed, how wide it is, how numbers are written in Chinese."""

from __future__ import annotations

import unicodedata
from datetime import date
from urllib.parse import quote

BLANK = "—"
"""Stands for a number that does not exist."""
GETA = "〓"
"""Stands for a character the font lacks, as printers have always done."""
LONGEST_LINK = 2000
"""Characters of an address; Excel takes no more than 2079."""

_DIGITS = "零一二三四五六七八九"
_HIDDEN = frozenset("\u200b\u200e\u200f\u061c\ufeff\u00ad") | {
    chr(n) for n in (*range(0x202A, 0x202F), *range(0x2060, 0x2070))
}
_BREAKS = str.maketrans({"\r": "\n", "\x0b": "\n", "\x0c": "\n", "\x85": "\n"} | {
    "\u2028": "\n", "\u2029": "\n", "\t": " "
})  # fmt: skip
_NO_CHARACTER = 0xFFFE
"""The last two numbers of every plane are no characters."""
_HIGHEST = 99


def clean(text: str) -> str:
    """``text`` without what XML forbids or eyes can not see: controls, surrogates, direction marks.

    Every kind of line break becomes one newline.
    """
    whole = text.replace("\r\n", "\n").translate(_BREAKS)
    return whole if whole.isascii() and whole.isprintable() else "".join(filter(_printed, whole))


def _printed(char: str) -> bool:
    return char == "\n" or (
        unicodedata.category(char) not in {"Cc", "Cs"}
        and char not in _HIDDEN
        and ord(char) & _NO_CHARACTER != _NO_CHARACTER
    )


def ems(text: str) -> float:
    """Width of ``text`` in ems: a Chinese character is 1, a Latin one a half, a mark over it none."""
    return sum(map(_em, text))


def _em(char: str) -> float:
    if unicodedata.combining(char):
        return 0.0
    return 1.0 if unicodedata.east_asian_width(char) in "WFA" else 0.5


def cut(text: str, most: float) -> str:
    """``text`` of at most ``most`` ems, an ellipsis at its end when something was cut."""
    if ems(text) <= most:
        return text
    kept, used = "", 1.0
    for char in text:
        used += _em(char)
        if used > most:
            break
        kept += char
    return kept + "…"


def numeral(n: int) -> str:
    """``n`` from 1 to 99 in Chinese as headings count: 一, 十, 十二, 二十, 二十一; else its digits."""
    if not 0 < n <= _HIGHEST:
        return str(n)
    tens, ones = divmod(n, 10)
    head = "" if tens == 0 else ("" if tens == 1 else _DIGITS[tens]) + "十"
    return head + (_DIGITS[ones] if ones else "")


def day(at: date) -> str:
    """A date as official papers write it (成文日期): Arabic digits, no leading zeros."""
    return f"{at.year}年{at.month}月{at.day}日"


def address(link: str, base_url: str) -> str:
    """The whole address of ``link`` below ``base_url``; empty if there is none or it is not safe.

    A link begins with one slash: it can not lead to another site, nor run as a script.
    """
    if not base_url.startswith(("http://", "https://")) or not is_local(link):
        return ""
    whole = base_url.rstrip("/") + quote(link, safe="/?&=%:,+-._~#;@!$'()*")
    return whole if len(whole) <= LONGEST_LINK else ""


def is_local(link: str) -> bool:
    """Whether ``link`` is a path of this hub."""
    return link.startswith("/") and not link.startswith(("//", "/\\"))
