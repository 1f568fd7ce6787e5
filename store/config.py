"""Read the files a city edits; say file, key and cure when one is wrong."""

from __future__ import annotations

import tomllib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from store.errors import ConfigError
from store.model import Kind, Urgency

M = TypeVar("M", bound=BaseModel)


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        msg = f"{name} is not a time zone; write one like Asia/Shanghai"
        raise ValueError(msg) from error
    return name


ZoneName = Annotated[str, AfterValidator(_known_zone)]
"""A time zone of the IANA database, by name."""


class Strict(BaseModel):
    """Base of every configuration model: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Label(Strict):
    """One class of the taxonomy."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    name: str


class Cost(Strict):
    """What a wrong label costs against a missing one."""

    false_alarm: float = Field(default=1.0, gt=0)
    miss: float = Field(default=1.0, gt=0)

    @property
    def threshold(self) -> float:
        """The probability from which giving the label costs less than leaving it out."""
        return self.false_alarm / (self.false_alarm + self.miss)


class Costs(Cost):
    """What mistakes cost, relative to each other, for all labels and for single ones.

    ``auto_min`` is the least estimated chance that a whole verdict is right for it to be acted on.
    """

    auto_min: float = Field(default=0.75, gt=0, lt=1)
    label: dict[str, Cost] = {}

    def threshold_of(self, label: str) -> float:
        """The probability from which ``label`` is given."""
        return self.label.get(label, self).threshold


class Taxonomy(Strict):
    """The labels of this city and what they are called (``configs/taxonomy.toml``)."""

    version: int = Field(ge=1)
    problem: tuple[Label, ...] = ()
    campaign: tuple[Label, ...] = ()
    kinds: dict[Kind, str]
    urgencies: dict[Urgency, str]
    costs: Costs = Costs()

    @model_validator(mode="after")
    def _complete(self) -> Taxonomy:
        ids = [label.id for label in (*self.problem, *self.campaign)]
        if len(set(ids)) != len(ids):
            msg = "an id is used twice"
            raise ValueError(msg)
        if set(self.kinds) != set(Kind) or set(self.urgencies) != set(Urgency):
            msg = "kinds and urgencies must each name all of " + ", ".join([*Kind, *Urgency])
            raise ValueError(msg)
        if strange := sorted(set(self.costs.label) - set(ids)):
            msg = f"costs.label.{strange[0]} is no label of this file; correct or remove it"
            raise ValueError(msg)
        return self

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """Ids of the problems, in order."""
        return tuple(label.id for label in self.problem)

    @cached_property
    def campaigns(self) -> tuple[str, ...]:
        """Ids of the campaigns, in order."""
        return tuple(label.id for label in self.campaign)

    @cached_property
    def names(self) -> dict[str, str]:
        """What each id is called on screen."""
        names = {label.id: label.name for label in (*self.problem, *self.campaign)}
        names.update((str(kind), name) for kind, name in self.kinds.items())
        names.update((str(urgency), name) for urgency, name in self.urgencies.items())
        return names


def read_toml(path: Path) -> dict[str, Any]:
    """Parse one file; ConfigError names it, the line and the cure."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        msg = (
            f"config: {path} is missing; copy it from the project's configs/ or pass --configs DIR"
        )
        raise ConfigError(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"config: {path} is not valid TOML: {error}; correct that line"
        raise ConfigError(msg) from error


def load(path: Path, model: type[M]) -> M:
    """Read ``path`` as ``model``; ConfigError names the file, the key and what was expected."""
    return validate(read_toml(path), model, str(path))


def validate(values: dict[str, Any], model: type[M], origin: str, context: Any = None) -> M:
    """Check values against a model, with one clear line when they do not fit; validators see ``context``."""
    try:
        return model.model_validate(values, context=context)
    except ValidationError as error:
        raise ConfigError(explain(error, origin)) from error


def explain(error: ValidationError, origin: str) -> str:
    """The first problem of a validation as one line: origin, key, what is wrong, what to do."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "(file)"
    cures = {
        "extra_forbidden": "unknown key; remove it or correct its spelling",
        "missing": "missing; add it",
    }
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"config: {origin}: {key}: {cures.get(first['type'], first['msg'])}{more}"
