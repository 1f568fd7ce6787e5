"""Charts as lines, boxes and words on a plane: one geometry that PDF and SVG both draw. No input, no output.

The origin is the upper left corner, units are those of SVG (the PDF scales them); y grows downward.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Literal, TypeAlias

from desk.papers.document import Chart, printed
from desk.papers.words import cut, ems

WIDTH, HEIGHT, ROW = 640.0, 260.0, 20.0
"""Size of a plane, and the height a row of a bar chart adds."""
FONT = 12.0
COLORS = ("#1f5fbf", "#c8501e", "#1b7f4b", "#8a4fbf", "#8a6d00", "#b0246a", "#3d6b7d", "#555555")
"""Of the series, dark enough on white for words as well (WCAG 2.2, 4.5:1)."""
DASHES = (None, (6.0, 3.0), (2.0, 2.0), (11.0, 4.0))
"""Of lines, dash and gap, so that they differ without color."""
GRID, INK = "#dde3ec", "#1b2738"
_TOP, _BOTTOM, _LEFT, _RIGHT = 34.0, 40.0, 56.0, 14.0
_TICKS = 5
_FEW = 12
"""Columns up to which each says its value."""
_LABEL = 9.0
"""Ems of a category's name on the side of a bar chart."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through ``points``."""

    points: tuple[tuple[float, float], ...]
    color: str
    width: float = 1.0
    dash: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle; ``x``, ``y`` its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    color: str


@dataclass(frozen=True, slots=True)
class Words:
    """Text on its baseline ``y``, of ``size`` units; ``x`` is its start, middle or end."""

    x: float
    y: float
    text: str
    anchor: Literal["start", "middle", "end"] = "start"
    color: str = INK
    size: float = FONT


Shape: TypeAlias = Stroke | Box | Words


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawn chart."""

    width: float
    height: float
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class _Plane:
    """Where categories and values lie: ``start`` to ``end`` along them, ``floor`` to ``top`` in values."""

    low: float
    high: float
    ticks: tuple[float, ...]
    height: float
    left: float

    def y(self, value: float) -> float:
        """Height of ``value`` when values go up."""
        return self.height - _BOTTOM - self._share(value) * (self.height - _TOP - _BOTTOM)

    def x(self, value: float) -> float:
        """Place of ``value`` when values go right."""
        return self.left + self._share(value) * (WIDTH - self.left - _RIGHT - 34)

    def _share(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low)


def plot(chart: Chart) -> Plot:
    """``chart`` drawn; one without values is its empty axes."""
    is_bar = chart.kind == "bar"
    count = len(chart.categories)
    height = _TOP + _BOTTOM + ROW * max(1, count) * _thick(chart) if is_bar else HEIGHT
    values = [v for one in chart.series for v in one.values[:count] if v is not None]
    ticks = scale(min(values, default=0.0), max(values, default=0.0))
    names = max((ems(cut(one, _LABEL)) for one in chart.categories), default=0.0)
    left = names * FONT + 12 if is_bar else _LEFT
    plane = _Plane(ticks[0], ticks[-1], ticks, height, left)
    draw = {"line": _lines, "column": _columns, "bar": _bars}[chart.kind]
    return Plot(WIDTH, height, (*_legend(chart), *draw(chart, plane)))


def scale(low: float, high: float) -> tuple[float, ...]:
    """Round ticks, by steps of 1, 2 or 5 times a power of ten, that hold zero, ``low`` and ``high``."""
    low, high = min(low, 0.0), max(high, 0.0)
    if high == low:
        high = low + 1
    rough = (high - low) / _TICKS
    power = 10.0 ** floor(log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return tuple(n * step for n in range(first, last + 1))


def _thick(chart: Chart) -> float:
    """Height of a bar chart's row as a multiple of one with a single series."""
    return 1 + 0.6 * (max(1, len(chart.series)) - 1)


def _legend(chart: Chart) -> Iterator[Shape]:
    if chart.unit:
        yield Words(4, 14, f"单位：{chart.unit}", size=FONT - 1)
    if len(chart.series) <= 1:
        return
    room = (WIDTH - 100 - _RIGHT) / len(chart.series)
    x = WIDTH - _RIGHT
    for n, one in reversed(list(enumerate(chart.series))):
        text = cut(one.name, max(2.0, room / FONT - 3))
        x -= ems(text) * FONT
        yield Words(x, 14, text)
        yield from _key(chart, n, x)
        x -= 42


def _key(chart: Chart, n: int, x: float) -> Iterator[Shape]:
    color = COLORS[n % len(COLORS)]
    if chart.kind == "line":
        yield Stroke(((x - 30, 10), (x - 4, 10)), color, 2.0, DASHES[n % len(DASHES)])
    else:
        yield Box(x - 16, 4, 12, 12, color)


def _axes(chart: Chart, plane: _Plane) -> Iterator[Shape]:
    """The grid of values that go up, and the names of categories below it, as many as have room."""
    for tick in plane.ticks:
        y = plane.y(tick)
        color, wide = (INK, 1.0) if tick == 0 else (GRID, 0.8)
        yield Stroke(((plane.left, y), (WIDTH - _RIGHT, y)), color, wide)
        yield Words(plane.left - 6, y + 4, printed(tick), "end", size=FONT - 1)
    room = _pitch(chart, plane)
    names = [cut(one, max(4.0, room / FONT)) for one in chart.categories]
    widest = max(map(ems, names), default=0.0) * (FONT - 1) + 8
    each = max(1, ceil(widest / room))
    for n, name in enumerate(names):
        if n % each == 0:
            x = plane.left + room * (n + 0.5)
            yield Words(x, plane.height - _BOTTOM + 18, name, "middle", size=FONT - 1)
    if chart.axis:
        yield Words(WIDTH / 2, plane.height - 4, chart.axis, "middle", size=FONT - 1)


def _pitch(chart: Chart, plane: _Plane) -> float:
    return (WIDTH - plane.left - _RIGHT) / max(1, len(chart.categories))


def _lines(chart: Chart, plane: _Plane) -> Iterator[Shape]:
    yield from _axes(chart, plane)
    room = _pitch(chart, plane)
    for n, one in enumerate(chart.series):
        color, dash = COLORS[n % len(COLORS)], DASHES[n % len(DASHES)]
        values = one.values[: len(chart.categories)]
        points = [
            None if v is None else (plane.left + room * (m + 0.5), plane.y(v))
            for m, v in enumerate(values)
        ]
        for run in _runs(points):
            if len(run) > 1:
                yield Stroke(run, color, 2.0, dash)
            else:
                yield Box(run[0][0] - 2, run[0][1] - 2, 4, 4, color)


def _runs(
    points: Sequence[tuple[float, float] | None],
) -> Iterator[tuple[tuple[float, float], ...]]:
    """The stretches of ``points`` without gaps."""
    run: list[tuple[float, float]] = []
    for point in (*points, None):
        if point is not None:
            run.append(point)
        elif run:
            yield tuple(run)
            run = []


def _columns(chart: Chart, plane: _Plane) -> Iterator[Shape]:
    yield from _axes(chart, plane)
    room = _pitch(chart, plane)
    wide = min(room * 0.72 / max(1, len(chart.series)), 44.0)
    says = len(chart.series) * len(chart.categories) <= _FEW
    for n, m, value in _values(chart):
        x = plane.left + room * (m + 0.5) + wide * (n - len(chart.series) / 2)
        top, foot = plane.y(max(value, 0)), plane.y(min(value, 0))
        yield Box(x, top, wide * 0.92, foot - top, COLORS[n % len(COLORS)])
        if says:
            yield Words(x + wide * 0.46, top - 3, printed(value), "middle", size=FONT - 1)


def _bars(chart: Chart, plane: _Plane) -> Iterator[Shape]:
    foot = plane.height - _BOTTOM
    for tick in plane.ticks:
        color, wide = (INK, 1.0) if tick == 0 else (GRID, 0.8)
        yield Stroke(((plane.x(tick), _TOP - 8), (plane.x(tick), foot)), color, wide)
        yield Words(plane.x(tick), foot + 16, printed(tick), "middle", size=FONT - 1)
    room = (foot - _TOP) / max(1, len(chart.categories))
    wide = room * 0.72 / max(1, len(chart.series))
    for m, name in enumerate(chart.categories):
        y = _TOP + room * (m + 0.5) + 4
        yield Words(plane.left - 6, y, cut(name, _LABEL), "end")
    for n, m, value in _values(chart):
        y = _TOP + room * (m + 0.5) + wide * (n - len(chart.series) / 2)
        start, end = plane.x(min(value, 0)), plane.x(max(value, 0))
        yield Box(start, y, end - start, wide * 0.92, COLORS[n % len(COLORS)])
        yield Words(end + 4, y + wide / 2 + 3, printed(value), size=FONT - 2)


def _values(chart: Chart) -> Iterator[tuple[int, int, float]]:
    """Series, category and value of each that was measured."""
    for n, one in enumerate(chart.series):
        for m, value in enumerate(one.values[: len(chart.categories)]):
            if value is not None:
                yield n, m, value
