"""What a bulletin keeps: figures that never change, and words that name them by placeholders. Pure.

A text holds ``{{f:ID}}`` where a figure stands. An editor may move it or leave it out; its number is not in the text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, TypeVar

import msgspec

from router.trends.sums import NUMBER
from store.errors import RejectedError

_MARK = re.compile(r"\{\{f:([^{}]{1,160})\}\}")
T = TypeVar("T")


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """A figure as it was. ``ask`` is the query that gives it today, ``page`` another place to see what it is of.

    ``of`` are the ids of the figures it was computed from; ``title`` is the indicator's own name.
    """

    id: str
    name: str
    title: str = ""
    ask: str = ""
    numerator: float = 0.0
    denominator: float = 0.0
    value: float | None = None
    shown: str = "—"
    unit: str = ""
    formula: str = ""
    scope: str = ""
    source: str = ""
    as_of: str = ""
    of: tuple[str, ...] = ()
    page: str = ""

    @property
    def link(self) -> str:
        """The page of its cases as they stand now."""
        return NUMBER + self.ask if self.ask else self.page

    @property
    def is_share(self) -> bool:
        """Whether the value is a share of 1."""
        return self.unit in {"%", "个百分点"}


class Head(msgspec.Struct, frozen=True, tag="heading", tag_field="kind"):
    """A heading."""

    id: str
    text: str
    level: int = 1


class Words(msgspec.Struct, frozen=True, tag="text", tag_field="kind"):
    """Running text with placeholders. ``own``: the editor's."""

    id: str
    text: str
    own: bool = False


class Grid(msgspec.Struct, frozen=True, tag="table", tag_field="kind"):
    """A table; its cells are words with placeholders."""

    id: str
    text: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


class Curve(msgspec.Struct, frozen=True):
    """One line of a chart; ``figures`` are ids of figures."""

    name: str
    figures: tuple[str, ...]


class Drawing(msgspec.Struct, frozen=True, tag="chart", tag_field="kind"):
    """A chart over ``categories``."""

    id: str
    text: str
    drawn: Literal["line", "column", "bar"]
    categories: tuple[str, ...]
    curves: tuple[Curve, ...]
    unit: str = "件"
    axis: str = ""


Block = Head | Words | Grid | Drawing


class Story(msgspec.Struct, frozen=True):
    """典型案例: a solved case that may be printed, without anybody in it. ``ticked``: an editor looked at it."""

    case: str
    title: str
    said: str
    done: str
    mark: str
    ticked: bool = False


class Content(msgspec.Struct, frozen=True):
    """The words of a bulletin, its head among them, so that a signed one does not change with the configuration.

    ``notes`` (统计口径) are printed below it; ``corrects`` is the number of the one it corrects.
    """

    kind_name: str
    issuer: str
    cycle: str
    to: str = ""
    copied_to: str = ""
    blocks: tuple[Block, ...] = ()
    stories: tuple[Story, ...] = ()
    notes: tuple[str, ...] = ()
    corrects: str = ""
    signer: str = ""


class Act(msgspec.Struct, frozen=True):
    """Who did what to a bulletin, when (ISO 8601), and why."""

    act: str
    actor: str
    at: str
    note: str = ""


_trail = msgspec.json.Decoder(list[Act])
_figures = msgspec.json.Decoder(list[Frozen])
_content = msgspec.json.Decoder(Content)


def read_figures(text: str) -> dict[str, Frozen]:
    """The figures of a row, by id."""
    return {one.id: one for one in _figures.decode(text)}


def read_content(text: str) -> Content:
    """The words of a row."""
    return _content.decode(text)


def read_trail(text: str) -> list[Act]:
    """What was done to a row, in order."""
    return _trail.decode(text)


def write(value: Content | Sequence[Frozen] | Sequence[Act]) -> str:
    """As a column keeps it."""
    return msgspec.json.encode(value).decode()


def mark(figure: str) -> str:
    """The placeholder of a figure."""
    return f"{{{{f:{figure}}}}}"


def marks_of(text: str) -> list[str]:
    """Ids of the figures a text names, in order."""
    return _MARK.findall(text)


def parts_of(text: str, put: Callable[[str], T]) -> Iterator[str | T]:
    """The words of a text, and ``put`` of each id between them; empty words are left out."""
    for n, piece in enumerate(_MARK.split(text)):
        if n % 2:
            yield put(piece)
        elif piece:
            yield piece


def spoken(text: str, figures: Mapping[str, Frozen]) -> str:
    """A text with its figures as they are printed."""
    return _MARK.sub(lambda found: figures[found[1]].shown, text)


def texts_of(block: Block) -> Iterator[str]:
    """Every text of a block that may hold placeholders."""
    yield block.text
    if isinstance(block, Grid):
        yield block.note
        for row in block.rows:
            yield from row


def named(blocks: Iterable[Block]) -> set[str]:
    """Ids of all figures that are used."""
    found = {one for block in blocks for text in texts_of(block) for one in marks_of(text)}
    curves = [curve for block in blocks if isinstance(block, Drawing) for curve in block.curves]
    return found | {one for curve in curves for one in curve.figures}


def called(figures: Mapping[str, Frozen]) -> dict[str, str]:
    """What an editor reads in a placeholder, by id: the figure's name where no other has it, else the id."""
    names = Counter(one.name for one in figures.values())
    return {
        key: one.name if names[one.name] == 1 and one.name not in figures else key
        for key, one in figures.items()
        if not {"{", "}"} & set(one.name)
    }


def readable(text: str, names: Mapping[str, str]) -> str:
    """A text with placeholders as an editor reads them; ``names`` are of ``called``."""
    return _MARK.sub(lambda found: mark(names.get(found[1], found[1])), text)


def resolved(text: str, names: Mapping[str, str]) -> str:
    """A text as it is kept, from one with names in its placeholders."""
    ids = {name: key for key, name in names.items()}
    return _MARK.sub(lambda found: mark(ids.get(found[1], found[1])), text)


def check_text(text: str, known: Mapping[str, Frozen]) -> None:
    """RejectedError (reason ``figure``), for the screen, when a placeholder is unknown or broken."""
    for one in marks_of(text):
        if one not in known:
            msg = f"文中的数字标记 {mark(one)} 不存在；请从数字清单中选用"
            raise RejectedError(msg, reason="figure")
    rest = _MARK.sub("", text)
    if "{{" in rest or "}}" in rest:
        msg = "文中有不完整的数字标记；请写成 {{f:名称}}，名称见数字清单，或删去花括号"
        raise RejectedError(msg, reason="figure")
