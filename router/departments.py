"""The directory of offices (责任单位) and the territory each place belongs to (属地).

The city is a tree: subdistrict or township, community or village, grid (三级联动). What its files
claim is checked in ``router.territory``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, model_validator

from router.lines import Lines
from router.territory import check_offices
from store.config import Strict, read_text, read_toml, validate

ADDRESS = r"^[^@\s<>\"(),:;]+@[^@\s<>\"(),:;]+$"


class Office(Strict):
    """Who can be given work, and how it hears of it besides the built-in inbox.

    ``webhook`` is its own system's address; ``wecom``, ``dingtalk`` and ``feishu`` name robots of
    ``MINSHENG_ROBOTS``; ``email`` lists addresses. Any number of them may be set. ``superior`` is
    the office one level up; empty: the one it is within, or the file's ``supervisor``. ``contact``: its work
    needs how to reach the citizen, so its webhook carries it.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    name: str
    superior: str = ""
    webhook: str = Field(default="", pattern=r"^(https?://.+)?$")
    contact: bool = False
    wecom: str = ""
    dingtalk: str = ""
    feishu: str = ""
    email: tuple[Annotated[str, Field(pattern=ADDRESS)], ...] = ()


class Department(Office):
    """An office of the city."""


class Territory(Office):
    """An office that answers for a part of the city ``within`` a larger one."""

    within: str


class Area(Territory):
    """A subdistrict or township; ``within`` is its duty. Its places are in ``gazetteer.csv``."""


class Community(Territory):
    """A community (社区) or village (村) ``within`` an area; ``covers`` are names of the gazetteer."""

    covers: tuple[str, ...] = ()


class Grid(Territory):
    """A grid (网格) ``within`` a community; ``covers`` are names of the gazetteer."""

    covers: tuple[str, ...] = ()


class Directory(Strict):
    """``configs/departments.toml``. ``supervisor`` is above every office that names no superior.

    Where the file has no such office, ``default`` is. ConfigError names line, office and cure;
    the lines come from ``context`` of the validation, where it has them.
    """

    default: str
    out_of_scope: str
    supervisor: str = "supervision_office"
    department: tuple[Department, ...]
    area: tuple[Area, ...] = ()
    community: tuple[Community, ...] = ()
    grid: tuple[Grid, ...] = ()

    @model_validator(mode="after")
    def _known(self, info: ValidationInfo) -> Directory:
        named = {self.default, self.out_of_scope}
        if "supervisor" in self.model_fields_set:
            named.add(self.supervisor)
        for name in sorted(named - {d.id for d in self.department}):
            msg = f"{name} is not a department of this file; add it or correct the spelling"
            raise ValueError(msg)
        check_offices(self, info.context if isinstance(info.context, Lines) else Lines())
        return self

    @cached_property
    def names(self) -> dict[str, str]:
        """Shown name by id, territories included."""
        return {office.id: office.name for office in self.offices}

    @cached_property
    def webhooks(self) -> dict[str, str]:
        """Address of each office that has a system of its own."""
        return {office.id: office.webhook for office in self.offices if office.webhook}

    @property
    def offices(self) -> tuple[Office, ...]:
        """Departments and territories."""
        return (*self.department, *self.area, *self.community, *self.grid)

    @property
    def inner(self) -> tuple[Territory, ...]:
        """Communities and grids: what is inside an area."""
        return (*self.community, *self.grid)

    def entries(self) -> Iterator[tuple[str, int, Any]]:
        """Each office with the table of the file it is in and its number there, from 0."""
        for table in ("department", "area", "community", "grid"):
            for n, office in enumerate(getattr(self, table)):
                yield table, n, office

    @cached_property
    def territorial(self) -> frozenset[str]:
        """Duties that are filled by whoever has the place."""
        return frozenset(area.within for area in self.area)

    @cached_property
    def areas(self) -> dict[str, Area]:
        """Territories by id."""
        return {area.id: area for area in self.area}

    @cached_property
    def places(self) -> dict[str, frozenset[str]]:
        """Each area with every community and grid in it, itself among them."""
        above = {office.id: office.within for office in self.inner}
        held: dict[str, set[str]] = {area.id: {area.id} for area in self.area}
        for office in self.inner:
            root = office.id
            while root in above:
                root = above[root]
            held.setdefault(root, set()).add(office.id)
            held.setdefault(office.id, set()).add(office.id)
        for grid in self.grid:
            held[grid.within].add(grid.id)
        return {place: frozenset(inside) for place, inside in held.items()}

    @cached_property
    def top(self) -> str:
        """The office above all others."""
        return self.supervisor if self.supervisor in self.names else self.default

    @cached_property
    def superiors(self) -> dict[str, str]:
        """The office one level up of each; the top one has none."""
        inside = {office.id: office.within for office in self.inner}
        above = {o.id: o.superior or inside.get(o.id, self.top) for o in self.offices}
        return {office: up for office, up in above.items() if office != self.top}

    def chain(self, office: str) -> tuple[str, ...]:
        """The superiors of an office, the nearest first, the city's last; KeyError for a stranger."""
        found: list[str] = []
        office = self.superiors[office] if office != self.top else ""
        while office:
            found.append(office)
            office = self.superiors.get(office, "")
        return tuple(found)

    def duty_of(self, office: str) -> str:
        """The duty that a territory fills; any other office itself."""
        inside = {o.id: o.within for o in (*self.area, *self.inner)}
        while office in inside:
            office = inside[office]
        return office

    def in_territory(self, department: str, area: Area | None) -> str:
        """The named subdistrict or township where the duty is territorial and the place is known."""
        return area.id if area is not None and area.within == department else department


def load_directory(path: Path) -> Directory:
    """Read ``departments.toml``; ConfigError names file, line or key, and cure."""
    values, text = read_toml(path), read_text(path)
    return validate(values, Directory, str(path), Lines(text), text=text)
