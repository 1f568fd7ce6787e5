"""One sheet of cells, as every file kind is read into, and the limits all of them share."""

from __future__ import annotations

from dataclasses import dataclass, field

Cell = str | int | float | bool
"""A cell as read; dates are ISO 8601 text, an empty cell is ``""``."""

MAX_BYTES = 50_000_000
MAX_ROWS = 200_000
MAX_COLUMNS = 200


@dataclass
class Sheet:
    """Rows from the very first one, so that index + 1 is the number Excel shows.

    ``merges`` are (top, left, bottom, right), inclusive, from 0. ``broken`` are indexes of rows of
    which not every character could be read.
    """

    name: str
    rows: list[list[Cell]]
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    broken: frozenset[int] = frozenset()


def shown(cell: Cell) -> str:
    """The cell as a person sees it: numbers that are whole have no fraction."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:  # noqa: PLR2004 - digits Excel keeps
        return str(int(cell))
    return str(cell)
