"""Draws a plot on a page."""

from __future__ import annotations

from typing import Literal

from desk.papers.pdf_canvas import CORE, LEFT, Canvas, Color
from desk.papers.plotting import Box, Plot, Stroke, Words

_TITLE, _AFTER = 14.0, 10.0
_SHIFT: dict[Literal["start", "middle", "end"], float] = {"start": 0.0, "middle": 0.5, "end": 1.0}


def chart_depth(drawn: Plot) -> float:
    """Points that the plot takes with its title."""
    return drawn.height * CORE / drawn.width + _TITLE * 2 + _AFTER


def put_chart(canvas: Canvas, title: str, drawn: Plot) -> None:
    """The plot below its title, both on one page, as wide as the core."""
    scale = CORE / drawn.width
    canvas.need(chart_depth(drawn))
    canvas.font("sans", _TITLE)
    canvas.say(title, lead=_TITLE * 2, align="center")
    top = canvas.y
    for shape in drawn.shapes:
        match shape:
            case Stroke():
                points = [(LEFT + x * scale, top + y * scale) for x, y in shape.points]
                dash = shape.dash and (shape.dash[0] * scale, shape.dash[1] * scale)
                canvas.stroke(points, color_of(shape.color), shape.width * scale, dash)
            case Box():
                x, y = LEFT + shape.x * scale, top + shape.y * scale
                color = color_of(shape.color)
                canvas.fill(x, y, shape.width * scale, shape.height * scale, color)
            case Words():
                _words(canvas, shape, top, scale)
    canvas.y = top + drawn.height * scale + _AFTER


def _words(canvas: Canvas, shape: Words, top: float, scale: float) -> None:
    size = shape.size * scale
    canvas.font("sans", size)
    known = canvas.known(shape.text)
    x = LEFT + shape.x * scale - canvas.measure(known) * _SHIFT[shape.anchor]
    canvas.put(
        x, top + shape.y * scale - size, known, lead=size * 1.28, color=color_of(shape.color)
    )


def color_of(code: str) -> Color:
    """``#rrggbb`` as three numbers."""
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)
