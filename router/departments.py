"""The directory of offices (责任单位) and the territory each place belongs to (属地)."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated

from pydantic import Field, model_validator

from store.config import Strict

ADDRESS = r"^[^@\s<>\"(),:;]+@[^@\s<>\"(),:;]+$"


class Office(Strict):
    """Who can be given work, and how it hears of it besides the built-in inbox.

    ``webhook`` is its own system's address; ``wecom``, ``dingtalk`` and ``feishu`` name robots of
    ``MINSHENG_ROBOTS``; ``email`` lists addresses. Any number of them may be set.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    name: str
    webhook: str = Field(default="", pattern=r"^(https?://.+)?$")
    wecom: str = ""
    dingtalk: str = ""
    feishu: str = ""
    email: tuple[Annotated[str, Field(pattern=ADDRESS)], ...] = ()


class Department(Office):
    """An office of the city."""


class Area(Office):
    """A subdistrict or township; ``within`` is its duty. Its places are in ``gazetteer.csv``."""

    within: str


class Directory(Strict):
    """``configs/departments.toml``."""

    default: str
    out_of_scope: str
    department: tuple[Department, ...]
    area: tuple[Area, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> Directory:
        ids = [*(d.id for d in self.department), *(a.id for a in self.area)]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            msg = f"the id {twice[0]} is used twice"
            raise ValueError(msg)
        for name in (self.default, self.out_of_scope, *(a.within for a in self.area)):
            if name not in ids:
                msg = f"{name} is not a department of this file; add it or correct the spelling"
                raise ValueError(msg)
        return self

    @cached_property
    def names(self) -> dict[str, str]:
        """Shown name by id, territories included."""
        offices = {d.id: d.name for d in self.department}
        return offices | {a.id: a.name for a in self.area}

    @cached_property
    def webhooks(self) -> dict[str, str]:
        """Address of each office that has a system of its own."""
        return {office.id: office.webhook for office in self.offices if office.webhook}

    @property
    def offices(self) -> tuple[Office, ...]:
        """Departments and territories."""
        return (*self.department, *self.area)

    @cached_property
    def territorial(self) -> frozenset[str]:
        """Duties that are filled by whoever has the place."""
        return frozenset(area.within for area in self.area)

    @cached_property
    def areas(self) -> dict[str, Area]:
        """Territories by id."""
        return {area.id: area for area in self.area}

    def in_territory(self, department: str, area: Area | None) -> str:
        """The named subdistrict or township where the duty is territorial and the place is known."""
        return area.id if area is not None and area.within == department else department
