"""The ladder of supervision (督办) of ``configs/supervision.toml``: what is sent, when, to whom, answered by when.

Pure. A step comes when a share of the limit has run, or a time after the limit; both run on the order's own
clock, so that pauses move them and an extension begins them anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType

from pydantic import Field, model_validator

from router.deadlines import Limit, Shares
from router.tasks import TaskRole
from store.config import Strict
from store.errors import ConfigError

DEPARTMENT, SUPERIOR, TOP = "department", "superior", "top"
"""Addressees that depend on the order: its office, the office one level up, the supervision office."""

Superiors = Callable[[str], Sequence[str]]
"""The offices above one, the nearest first; none for the highest."""


class Level(StrEnum):
    """The steps, lowest first."""

    YELLOW = "yellow"
    RED = "red"
    URGE = "urge"
    ORDER = "order"
    CIRCULAR = "circular"


LEVEL_NAMES = MappingProxyType(
    {
        Level.YELLOW: "黄灯",
        Level.RED: "红灯",
        Level.URGE: "催办",
        Level.ORDER: "督办单",
        Level.CIRCULAR: "通报",
    }
)

RANK: Mapping[Level, int] = MappingProxyType({level: rank for rank, level in enumerate(Level)})
"""How high a level is."""


class Step(Strict):
    """One step. A lamp only tells; a document has a number and must be answered within ``reply_within``.

    ``word`` is the sign of its kind in the number; ``roles`` get a task when it goes out.
    """

    level: Level
    share: float | None = Field(default=None, gt=0, le=1)
    after: Limit | None = None
    addressee: str = DEPARTMENT
    copies: tuple[str, ...] = ()
    document: bool = False
    word: str = Field(default="", max_length=4)
    reply_within: Limit | None = None
    roles: tuple[TaskRole, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Step:
        faults = {
            "share and after: give exactly one of them": (self.share is None)
            == (self.after is None),
            "reply_within is missing; a document must say when it is to be answered": (
                self.document and self.reply_within is None
            ),
            "word is missing; a document's number needs the sign of its kind": (
                self.document and not self.word
            ),
            "reply_within and word are for documents; set document = true or remove them": (
                not self.document and (self.reply_within is not None or bool(self.word))
            ),
            "a document comes after the limit; give it after, not share": (
                self.document and self.share is not None
            ),
        }
        for fault, is_so in faults.items():
            if is_so:
                msg = f"{self.level}: {fault}"
                raise ValueError(msg)
        return self


class Instruction(Strict):
    """领导交办: the ladder of what a leader ordered.

    Its documents begin ``higher`` levels up, at the times of the levels left out; its lamps have ``shares``.
    ``horizon`` is how far ahead of the day's end the daily list of such cases looks.
    """

    higher: int = Field(default=1, ge=0, le=4)
    shares: Shares = Shares(yellow=0.3, red=0.6)
    horizon: Limit


class Ladder(Strict):
    """``configs/supervision.toml``. Two documents on one order are at least ``apart`` of working time apart."""

    issuer: str
    top: str
    prefix: str = Field(min_length=1, max_length=10)
    apart: Limit
    step: tuple[Step, ...] = Field(min_length=1)
    instruction: Instruction

    @model_validator(mode="after")
    def _in_order(self) -> Ladder:
        for lower, higher in pairwise(self.step):
            _check_pair(lower, higher)
        words = [step.word for step in self.step if step.document]
        if len(set(words)) != len(words):
            msg = "step: two documents have the same word; each kind is numbered for itself"
            raise ValueError(msg)
        if self.instruction.higher >= max(1, len(words)):
            msg = (
                f"instruction.higher ({self.instruction.higher}) leaves no document of"
                f" {len(words)}; lower it"
            )
            raise ValueError(msg)
        return self

    @cached_property
    def documents(self) -> tuple[Step, ...]:
        """The steps with a number, lowest first."""
        return tuple(step for step in self.step if step.document)

    @cached_property
    def _instructed(self) -> tuple[Step, ...]:
        """The steps of what a leader ordered."""
        shares = {
            Level.YELLOW: self.instruction.shares.yellow,
            Level.RED: self.instruction.shares.red,
        }
        lamps = [
            step.model_copy(update={"share": shares.get(step.level, step.share)})
            if step.share is not None
            else step
            for step in self.step
            if not step.document
        ]
        papers = self.documents
        moved = [
            step.model_copy(update={"after": papers[n].after})
            for n, step in enumerate(papers[self.instruction.higher :])
        ]
        return (*lamps, *moved)

    def steps(self, *, instructed: bool) -> tuple[Step, ...]:
        """The ladder of an order; ``instructed`` when a leader ordered its case."""
        return self._instructed if instructed else self.step


def _check_pair(lower: Step, higher: Step) -> None:
    """ValueError when two neighbours are out of order."""
    name = f"step {higher.level}"
    if RANK[higher.level] <= RANK[lower.level]:
        msg = (
            f"{name}: follows {lower.level}; list each level once, in the order {', '.join(Level)}"
        )
        raise ValueError(msg)
    if lower.after is not None and higher.after is None:
        msg = f"{name}: comes before the limit, {lower.level} after it; correct their times"
        raise ValueError(msg)
    if lower.document and not higher.document:
        msg = f"{name}: only a document may follow a document; set document = true"
        raise ValueError(msg)
    if lower.share is not None and higher.share is not None and lower.share >= higher.share:
        msg = f"{name}: share {higher.share} must be more than {lower.level}'s {lower.share}"
        raise ValueError(msg)
    if lower.after is None or higher.after is None or lower.after.unit is not higher.after.unit:
        return
    if lower.after.amount >= higher.after.amount:
        msg = f"{name}: after {higher.after.amount:g} must be more than {lower.level}'s {lower.after.amount:g}"
        raise ValueError(msg)


def check_ladder(ladder: Ladder, offices: Mapping[str, str]) -> None:
    """ConfigError when the ladder names an office that ``offices`` (name by id) does not have."""
    named = [("issuer", ladder.issuer), ("top", ladder.top)]
    for step in ladder.step:
        named += [(f"step {step.level}: addressee", step.addressee)]
        named += [(f"step {step.level}: copies", copy) for copy in step.copies]
    for key, office in named:
        words = () if key in {"issuer", "top"} else (DEPARTMENT, SUPERIOR, TOP)
        if office not in words and office not in offices:
            msg = (
                f"config: supervision.toml: {key}: {office} is no office of departments.toml;"
                " add it or correct the spelling"
            )
            raise ConfigError(msg)


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who hears of a step: ``to`` must answer, ``copies`` read along; ``lacks`` that a superior was missing."""

    to: str
    copies: tuple[str, ...]
    lacks: bool


def recipients(step: Step, department: str, ladder: Ladder, superiors: Superiors) -> Recipients:
    """Resolve the words of a step for an order of ``department``.

    Where an office has nobody above it the supervision office takes the superior's place.
    """
    above = next(iter(superiors(department)), "")
    found = {DEPARTMENT: department, SUPERIOR: above or ladder.top, TOP: ladder.top}
    to = found.get(step.addressee, step.addressee)
    listed = dict.fromkeys(found.get(copy, copy) for copy in step.copies)
    asked = SUPERIOR in (step.addressee, *step.copies)
    copies = tuple(copy for copy in listed if copy != to)
    return Recipients(to, copies, lacks=asked and not above)
