"""One cell to one value: times, numbers and phones as people and Excel leave them.

Pure and in linear time. ``CellError`` says what is wrong and the cure, never the cell's words.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta

from ingest.connectors.lists.sheet import Cell, shown
from ingest.normalize import clean

_ERRORS = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"}
)
_BLANK = frozenset({"-", "--", "—", "/", "无", "空", "null", "NULL", "None", "N/A", "nan"})
_SCIENTIFIC = re.compile(r"[+-]?\d(?:\.\d+)?[eE]\+?\d{1,3}")
_WHOLE = re.compile(r"(\d+)\.0+")
_DIGITS = 1e15
"""Excel keeps 15 digits of a number; from here on the last ones are lost."""

_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - Excel's day 0 has no zone
_SERIALS = (29_000, 75_000)
"""Excel days that are meant as a date: 1979 to 2105."""

_LONGEST = 60
"""Characters of a time; keeps its pattern in linear time."""

_YEARS = range(1980, 2101)
_TIME = re.compile(
    r"(?P<year>\d{4})[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})日?"
    r"\s*(?:\(?(?:星期|周)[一二三四五六日天]\)?)?"
    r"(?:[T\s]*(?P<half>上午|下午|中午|凌晨|早上|晚上|AM|PM)?\s*"
    r"(?P<hour>\d{1,2})(?:[:时点](?P<minute>\d{1,2})?(?:[:分](?P<second>\d{1,2})?(?:\.\d{1,9})?)?)"
    r"[秒分]?\s*(?P<late>AM|PM)?(?P<zone>Z|[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE,
)
_COMPACT = re.compile(
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})"
    r"(?:[T\s]?(?P<hour>\d{2}):?(?P<minute>\d{2}):?(?P<second>\d{2})?)?"
)
_AFTERNOON = frozenset({"下午", "晚上", "PM"})
_MORNING = frozenset({"上午", "凌晨", "早上", "AM"})
_NUMBER = re.compile(r"[-+]?\d{1,3}(?:\.\d{1,20})?")
_YES = frozenset({"是", "有", "保密", "不公开", "y", "yes", "true", "1", "√"})
_NO = frozenset({"否", "无", "不保密", "公开", "n", "no", "false", "0", "×", ""})


class CellError(ValueError):
    """The cell can not be used: ``what`` is wrong, ``cure`` is what to do."""

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(what)
        self.what = what
        self.cure = cure


def words(cell: Cell) -> str:
    """The cell's text without Excel's leftovers; a formula error or a lone dash is empty."""
    text = clean(shown(cell))
    if text.startswith("'"):
        text = text[1:].lstrip()
    return "" if text in _ERRORS or text in _BLANK else text


def is_error(cell: Cell) -> bool:
    """A formula that failed, like ``#N/A``."""
    return isinstance(cell, str) and clean(cell) in _ERRORS


def number(cell: Cell) -> str:
    """An identifier or phone written in digits. CellError when Excel has dropped some of them."""
    if isinstance(cell, float) and abs(cell) >= _DIGITS:
        raise _lost()
    text = unicodedata.normalize("NFKC", words(cell))
    if _SCIENTIFIC.fullmatch(text):
        raise _lost()
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def _lost() -> CellError:
    return CellError(
        "Excel shortened the number and its last digits are lost",
        "format the column as text and export again",
    )


def moment(cell: Cell) -> datetime | None:
    """A time, naive unless the cell names a zone; None when empty. CellError when it is none."""
    if isinstance(cell, bool):
        raise _no_time()
    if isinstance(cell, int | float) and _SERIALS[0] <= cell < _SERIALS[1]:
        return _EPOCH + timedelta(seconds=round(cell * 86_400))
    text = unicodedata.normalize("NFKC", words(cell)).strip()
    if not text:
        return None
    match = _TIME.fullmatch(text) or _COMPACT.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise _no_time()
    return _datetime(match.groupdict())


def _datetime(part: dict[str, str | None]) -> datetime:
    year, month, day, hour, minute, second = (
        int(part.get(name) or 0) for name in ("year", "month", "day", "hour", "minute", "second")
    )
    half = (part.get("half") or part.get("late") or "").upper()
    if year not in _YEARS:
        raise _no_time()
    hour = _hour(hour, half)
    late = timedelta(days=1) if (hour, minute, second) == (24, 0, 0) else timedelta()
    zone = (part.get("zone") or "").upper()
    try:
        naive = datetime(year, month, day, 0 if late else hour, minute, second) + late  # noqa: DTZ001 - the caller's zone
        return datetime.fromisoformat(f"{naive.isoformat()}{zone}")
    except ValueError as error:
        raise CellError("there is no such date or time", "correct the cell") from error


def _hour(hour: int, half: str) -> int:
    """The hour of a day of 24."""
    if half in _AFTERNOON or (half == "中午" and hour < 11):  # noqa: PLR2004 - 中午 is from 11 on
        return hour + 12 if hour < 12 else hour  # noqa: PLR2004 - hours of a half day
    if half in _MORNING and hour == 12:  # noqa: PLR2004 - 12 AM is midnight
        return 0
    return hour


def _no_time() -> CellError:
    return CellError("this is no time", "write it like 2026-11-24 08:05")


def degrees(cell: Cell) -> float | None:
    """A longitude or latitude; None when there is none or it is no number."""
    if isinstance(cell, bool):
        return None
    text = unicodedata.normalize("NFKC", words(cell)).rstrip("°").strip()
    return float(text) if _NUMBER.fullmatch(text) else None


def yes(cell: Cell) -> bool | None:
    """是 or 否; None when it is neither."""
    text = unicodedata.normalize("NFKC", words(cell)).lower()
    return True if text in _YES else False if text in _NO else None
