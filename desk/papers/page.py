"""A paper as HTML for reading and printing: figures lead to their cases, charts are SVG drawn here.

Nothing in it needs an inline style or a script: the pages' Content-Security-Policy forbids both.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from desk.papers.document import DRAFT, EMPTY, Figure, Paper, prepare, table_of
from desk.papers.plotting import Box, Plot, Shape, Stroke, plot
from desk.papers.words import day, is_local

TEMPLATES = Path(__file__).parents[1] / "templates"
TALL = 16
"""Rows above which a table scrolls on a screen; on paper it is whole."""


def paper_html(paper: Paper) -> Markup:
    """The paper as an ``article``, to be put into a page that loads ``/static/paper.css``."""
    ready = prepare(paper)
    blocks = [(_kind(one), one) for one in ready.blocks]
    text = _template().render(paper=ready, blocks=blocks, dated=day(ready.dated), draft=DRAFT)
    return Markup(text)  # noqa: S704  the template escapes what it is given


def svg(drawn: Plot, title: str) -> Markup:
    """A plot as an ``svg`` element named ``title``."""
    shapes = Markup("").join(map(_shape, drawn.shapes))
    size = f"{drawn.width:g} {drawn.height:g}"
    return Markup(
        '<svg class="plot" viewBox="0 0 {}" role="img" aria-label="{}" font-size="12">{}</svg>'
    ).format(size, title, shapes)


def _shape(shape: Shape) -> Markup:
    if isinstance(shape, Stroke):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
        dash = f"{shape.dash[0]:g} {shape.dash[1]:g}" if shape.dash else "none"
        return Markup(
            '<polyline points="{}" fill="none" stroke="{}" stroke-width="{}" stroke-dasharray="{}"/>'
        ).format(points, shape.color, shape.width, dash)
    if isinstance(shape, Box):
        place = [f"{one:.1f}" for one in (shape.x, shape.y, shape.width, shape.height)]
        return Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>').format(
            *place, shape.color
        )
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" fill="{}" font-size="{:g}">{}</text>').format(
        shape.x, shape.y, shape.anchor, shape.color, shape.size, shape.text
    )  # fmt: skip


def _part(part: str | Figure) -> Markup:
    if not isinstance(part, Figure):
        return escape(part)
    if not is_local(part.link):
        return escape(part.shown)
    return Markup('<a href="{}">{}</a>').format(part.link, part.shown)


def _kind(block: object) -> str:
    return type(block).__name__.lower()


@lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters.update(part=_part)
    environment.tests["figure"] = lambda part: isinstance(part, Figure)
    environment.globals.update(
        plotted=lambda chart: svg(plot(chart), chart.title), twin=table_of, empty=EMPTY, tall=TALL
    )
    return environment.get_template("paper.html")
