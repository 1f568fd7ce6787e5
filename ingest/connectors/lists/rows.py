"""Rows of a list to items, one by one: a row that can not be used spoils none of its neighbours."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from ingest.connectors.lists.cells import (
    CellError,
    degrees,
    is_error,
    moment,
    number,
    words,
    yes,
)
from ingest.connectors.lists.headers import Column, Header
from ingest.connectors.lists.sheet import Cell, Sheet, shown
from ingest.connectors.lists.tables import Table
from ingest.normalize import clean, fold
from store.errors import RejectedError
from store.model import MAX_TEXT, Contact, CoordType, Item, Place
from store.vault import sha256_hex

FACTS = (
    "source", "type", "category", "dept", "assigned_at", "due_at", "done_at", "status", "result",
    "satisfaction", "urgency", "remark",
)  # fmt: skip
"""What a row says about its handling: shown in the preview, never part of the citizen's words."""

_TIMES = frozenset({"assigned_at", "due_at", "done_at"})
_FILLED = ("district", "category")
"""Columns of which a vertically merged cell speaks for all its rows."""

_MANY = {"district": "", "category": " / "}
"""Canonical names several columns may carry, and what joins them."""

_FOOT = re.compile(
    r"(?:合\s*计|总\s*计|小\s*计|共\s*计|制表|填表|审核人|打印|导出|统计时间|统计人|说明[:：]|注[:：]|备注[:：])"
)
_SUM = re.compile(r"(?:合|总|小|共)\s*计\s*[:：]?")
_FOOT_LENGTH = 40
_BLANKS = re.compile(r"\s+")
_PHONE = re.compile(r"[,，;；、/|\n ]+")
_LONGEST_ID = 200
_PHONES = 30
"""Characters of ``Contact.phone``."""

_CHINA = ((3.0, 54.0), (73.0, 136.0))


@dataclass(frozen=True)
class Problem:
    """What is wrong in one cell: ``row`` as Excel numbers it, ``column`` as headed, ``cure``."""

    row: int
    column: str
    what: str
    cure: str


@dataclass(frozen=True)
class Row:
    """One row understood: its item, and what it says about its handling."""

    number: int
    item: Item
    facts: dict[str, str]


@dataclass(frozen=True)
class Bad:
    """One row that can not be used. ``key`` is the same in every file that carries it."""

    key: str
    content: bytes
    problem: Problem


@dataclass(frozen=True)
class Reading:
    """All of a list. ``skipped`` rows were blank, sums or headers again; ``repeated`` ones were
    followed by a row of the same identity, which counts."""

    table: Table
    rows: Sequence[Row]
    bad: Sequence[Bad]
    warnings: Sequence[Problem]
    skipped: int
    repeated: int


@dataclass
class _Line:
    """A row being read; ``said`` holds the words of each cell."""

    number: int
    cells: Sequence[Cell]
    header: Header
    warnings: list[Problem] = field(default_factory=list)
    said: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.said = [words(cell) for cell in self.cells]

    def get(self, name: str) -> tuple[Column, Cell] | None:
        """The first column of that canonical name that is not empty."""
        for column in self.header.of(name):
            if column.at < len(self.said) and self.said[column.at]:
                return column, self.cells[column.at]
        return None

    def text(self, name: str) -> str:
        """The column's words; several district or category columns are joined, top down."""
        if name not in _MANY:
            found = self.get(name)
            return self.said[found[0].at] if found else ""
        parts = [self.said[c.at] for c in self.header.of(name) if c.at < len(self.said)]
        return _MANY[name].join(dict.fromkeys(filter(None, parts)))

    def read(
        self, name: str, how: Callable[[Cell], str | datetime | None]
    ) -> str | datetime | None:
        """The value of a column; _RowError names it when it is wrong."""
        found = self.get(name)
        if found is None:
            return None
        try:
            return how(found[1])
        except CellError as error:
            raise _RowError(found[0].header, error.what, error.cure) from error


class _RowError(ValueError):
    def __init__(self, column: str, what: str, cure: str) -> None:
        super().__init__(what)
        self.column = column
        self.what = what
        self.cure = cure


class Reader:
    """Turns the rows of one channel's lists into items."""

    def __init__(self, channel: str, zone: ZoneInfo, coord_type: CoordType) -> None:
        self.channel = channel
        self._zone = zone
        self._coord_type = coord_type

    def read(self, table: Table) -> Reading:
        """Every row below the header."""
        header, sheet = table.header, table.sheet
        _fill_down(sheet, header)
        rows: dict[str, Row] = {}
        bad: dict[str, Bad] = {}
        warnings: list[Problem] = []
        skipped = repeated = 0
        for at in range(header.last + 1, len(sheet.rows)):
            line = _Line(at + 1, sheet.rows[at], header)
            if _is_skipped(line):
                skipped += 1
                continue
            try:
                _check_cells(line, is_csv=table.kind == "csv", is_broken=at in sheet.broken)
                row = self._row(line)
            except _RowError as error:
                one = _bad(line, error)
                bad[one.key] = one
                continue
            warnings += line.warnings
            repeated += rows.pop(row.item.channel_id, None) is not None
            rows[row.item.channel_id] = row
        return Reading(table, list(rows.values()), list(bad.values()), warnings, skipped, repeated)

    def _row(self, line: _Line) -> Row:
        text, title = _said(line)
        posted_at = self._aware(line.read("received_at", moment))
        phone = _phone(line)
        own_id = _own_id(line)
        item = Item(
            channel=self.channel,
            channel_id=own_id or _digest(text, title, posted_at, phone),
            text=text,
            title=title,
            author=phone,
            contact=Contact(name=line.text("citizen")[:50], phone=phone),
            posted_at=posted_at,
            place=_place(line, self._coord_type),
        )
        return Row(line.number, item, self._facts(line))

    def _aware(self, at: str | datetime | None) -> datetime | None:
        if not isinstance(at, datetime):
            return None
        return at if at.tzinfo else at.replace(tzinfo=self._zone)

    def _facts(self, line: _Line) -> dict[str, str]:
        facts = {name: text for name in FACTS if (text := line.text(name))}
        for name in _TIMES & facts.keys():
            try:
                at = self._aware(line.read(name, moment))
            except _RowError as error:
                line.warnings.append(Problem(line.number, error.column, error.what, error.cure))
            else:
                facts[name] = at.isoformat() if at else ""
        if _is_secret(line):
            facts["confidential"] = "true"
        return facts


def _said(line: _Line) -> tuple[str, str]:
    """What the citizen said, and its title."""
    text, title = line.text("content"), line.text("title")[:500]
    if not text and not title:
        column = next(iter(line.header.of("content") or line.header.of("title")), None)
        failed = column and column.at < len(line.cells) and is_error(line.cells[column.at])
        what = "the formula failed" if failed else "there are no words"
        raise _RowError(column.header if column else "content", what, "fill the cell")
    if len(text) > MAX_TEXT:
        column = line.header.of("content")[0]
        what = f"more than {MAX_TEXT} characters"
        raise _RowError(column.header, what, "shorten or split the text")
    return (text, title) if text else (title, "")


def _own_id(line: _Line) -> str:
    found = line.read("external_id", number)
    if not isinstance(found, str):
        return ""
    if len(found) > _LONGEST_ID:
        column = line.header.of("external_id")[0]
        raise _RowError(column.header, f"more than {_LONGEST_ID} characters", "correct the cell")
    if not found.isprintable():
        column = line.header.of("external_id")[0]
        raise _RowError(column.header, "characters can not be read", "correct the cell")
    return found


def _phone(line: _Line) -> str:
    """The phone, or as many of several as fit; one that Excel shortened is left out with a warning."""
    try:
        found = line.read("phone", number)
    except _RowError as error:
        line.warnings.append(Problem(line.number, error.column, error.what, error.cure))
        return ""
    if not isinstance(found, str) or len(found) <= _PHONES:
        return found if isinstance(found, str) else ""
    fit = found[: _PHONES + 1]
    ends = [match.start() for match in _PHONE.finditer(fit) if match.start()]
    return fit[: ends[-1] if ends else _PHONES]


def _place(line: _Line, datum: CoordType) -> Place:
    district, address = line.text("district"), line.text("address")
    whole = address if district in address else f"{district}{address}"
    lat, lon = _point(line)
    return Place(address=whole[:300], lat=lat, lon=lon, coord_type=datum)


def _point(line: _Line) -> tuple[float, float] | tuple[None, None]:
    """Degrees within China, also when the two columns are swapped; others are left out."""
    pair = re.split(r"[,，;；\s]+", line.text("point"), maxsplit=1)
    if len(pair) != 2:  # noqa: PLR2004 - two columns instead of one
        pair = [line.text("lon"), line.text("lat")]
    lon, lat = degrees(pair[0]), degrees(pair[1])
    if lat is None or lon is None:
        return None, None
    (south, north), (west, east) = _CHINA
    for one, other in ((lat, lon), (lon, lat)):
        if south <= one <= north and west <= other <= east:
            return one, other
    return None, None


def _is_secret(line: _Line) -> bool:
    secret, public = line.get("secret"), line.get("public")
    return bool(secret and yes(secret[1])) or bool(public and _is_private(public[1]))


def _is_private(cell: Cell) -> bool:
    return words(cell) in {"不公开", "保密"} or (words(cell) != "公开" and yes(cell) is False)


def _digest(text: str, title: str, at: datetime | None, phone: str) -> str:
    """Identity of a row that has no number: its words without blanks, its time, its phone."""
    said = _BLANKS.sub("", fold(clean(f"{title}{text}")))
    return sha256_hex(f"{said}|{at.isoformat() if at else ''}|{phone}".encode())


def _check_cells(line: _Line, *, is_csv: bool, is_broken: bool) -> None:
    """Text with unquoted delimiters shifts the columns; such a row must not be guessed at."""
    if is_broken:
        raise _RowError("", "characters can not be read", "export again as UTF-8")
    width = max(column.at for column in line.header.columns) + 1
    if is_csv and any(line.said[width:]):
        what = "more cells than the header has"
        raise _RowError("", what, "quote text that holds the delimiter, or export as .xlsx")


def _fill_down(sheet: Sheet, header: Header) -> None:
    """Give merged districts and categories to every row; merges that overlap are followed once."""
    done = {c.at: header.last + 1 for name in _FILLED for c in header.of(name)}
    for top, left, bottom, _ in sorted(sheet.merges):
        if left not in done or not header.last < top < len(sheet.rows):
            continue
        value = next(iter(sheet.rows[top][left : left + 1]), "")
        for row in sheet.rows[max(top + 1, done[left]) : bottom + 1]:
            row.extend([""] * (left + 1 - len(row)))
            row[left] = value
        done[left] = max(done[left], bottom + 1)


def _is_skipped(line: _Line) -> bool:
    """Blank, the header again, or a foot such as 合计 and 制表人."""
    filled = [text for text in line.said if text]
    if not filled or _is_header_again(line, len(filled)):
        return True
    if not _FOOT.match(filled[0]):
        return False
    alone = len(filled) == 1 and len(filled[0]) <= _FOOT_LENGTH
    return alone or not line.get("content") or _SUM.fullmatch(filled[0]) is not None


def _is_header_again(line: _Line, filled: int) -> bool:
    columns = [c for c in line.header.columns if c.at < len(line.said)]
    same = sum(_is_named(c.header, line.said[c.at]) for c in columns)
    return same >= 2 and same * 2 >= filled  # noqa: PLR2004 - one is chance


def _is_named(header: str, text: str) -> bool:
    return text != "" and (text == header or header.endswith(f"/{text}"))


def _bad(line: _Line, error: _RowError) -> Bad:
    """The row as JSON under an identity that is the same in tomorrow's file."""
    content = msgspec.json.encode(as_text(line.header, line.cells))
    try:
        own_id = _own_id(line)
    except _RowError:
        own_id = ""
    key = f"row:{own_id or sha256_hex(content)}"
    return Bad(key, content, Problem(line.number, error.column, error.what, error.cure))


def as_text(header: Header, cells: Sequence[Cell]) -> dict[str, str]:
    """Every filled cell under its header, cells beyond the header under their position."""
    names = {column.at: column.header for column in header.columns}
    return {names.get(n, f"#{n + 1}"): shown(cell) for n, cell in enumerate(cells) if cell != ""}


def refused(row: Row, error: RejectedError) -> Problem:
    """What admission said against a row that could be read."""
    return Problem(row.number, "", str(error).removeprefix("ingest: "), "correct the row")
