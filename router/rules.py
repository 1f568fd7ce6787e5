"""First-match rules: from what a message means to who must act (``configs/routing.toml``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from router.calendar import Weekday
from router.deadlines import Deadlines, Limit
from router.departments import Area, Directory
from router.masks import Compiled
from store.config import Strict

HINT = "@hint"

Word = Annotated[str, Field(min_length=1)]


def _spans(spans: tuple[tuple[time, time], ...]) -> tuple[tuple[time, time], ...]:
    for opens, closes in spans:
        if opens.tzinfo or closes.tzinfo or opens.second or closes.second:
            msg = 'must be local times to the minute, like [["22:00", "06:00"]]'
            raise ValueError(msg)
        if opens == closes:
            msg = f"{opens:%H:%M} to {closes:%H:%M} never holds; write two different times"
            raise ValueError(msg)
    return spans


Hours = Annotated[tuple[tuple[time, time], ...], AfterValidator(_spans)]
"""Spans of the day, first minute in, last out; one whose end is earlier goes through midnight."""


class When(Strict):
    """All keys must hold; a list holds when any of its members does, ``unless_words`` when none occurs.

    ``points`` are those of ``gazetteer.csv``; ``hours``, ``weekdays`` and ``months`` are of the
    local time of receipt and do not hold where that is unknown.
    """

    kinds: tuple[str, ...] = ()
    problems: tuple[str, ...] | Literal["none"] = ()
    campaigns: tuple[str, ...] | Literal["none"] = ()
    urgencies: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    points: tuple[Word, ...] = ()
    words: tuple[Word, ...] = ()
    unless_words: tuple[Word, ...] = ()
    hint: tuple[str, ...] | Literal["any"] = ()
    hours: Hours = ()
    weekdays: tuple[Weekday, ...] = ()
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = ()


class Example(Strict):
    """A message the rule must place at ``expect``; checked by ``minsheng check`` and the tests."""

    expect: str
    text: str = ""
    kind: str = "complaint"
    problems: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    urgency: str = "normal"
    channel: str = "app"
    hint: str = ""
    area: str = ""
    point: str = ""
    at: datetime | None = None


class Rule(Strict):
    """``lead`` (牵头单位) and ``support`` (责任单位) of what matches ``when``.

    ``joint`` is joint enforcement (联合执法): one lead, and every support answers for its own part
    by its own time. ``deadline`` goes before ``deadlines.toml``; ``support_deadline`` is that of
    the support alone.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    why: str
    when: When
    lead: str
    support: tuple[str, ...] = ()
    joint: bool = False
    deadline: Limit | None = None
    support_deadline: Limit | None = None
    example: tuple[Example, ...] = ()


class Rules(Strict):
    """The whole file, in order."""

    rule: tuple[Rule, ...]


@dataclass(frozen=True)
class Matter:
    """What rules look at. ``at`` is the local time of receipt; ``point`` who answers at the place."""

    kind: str
    problems: Sequence[str]
    campaigns: Sequence[str]
    urgency: str
    channel: str
    hint: str
    text: str
    area: Area | None
    point: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Route:
    """Who leads, who supports, how long they have where the rule says so, and which rule it was."""

    lead: str
    support: tuple[str, ...]
    rule: str
    joint: bool = False
    deadline: Limit | None = None
    support_deadline: Limit | None = None

    def limit_of(self, matter: Matter, deadlines: Deadlines) -> Limit:
        """The lead's limit: the rule's, else the city's for such a matter; never more than its urgency allows."""
        ruled = self.deadline or deadlines.limit_of(
            kind=matter.kind, problems=matter.problems, urgency=matter.urgency
        )
        most = deadlines.urgency.get(matter.urgency, ruled)
        return min(ruled, most, key=deadlines.seconds)

    def support_limit_of(self, matter: Matter, deadlines: Deadlines) -> Limit:
        """The limit of each support: its own where the rule gives one, else the lead's."""
        return self.support_deadline or self.limit_of(matter, deadlines)


class Router:
    """Rules checked against the directory and the taxonomy, ready to route."""

    def __init__(self, rules: Rules, directory: Directory) -> None:
        self.rules = rules
        self.directory = directory
        self._compiled = Compiled([rule.when for rule in rules.rule])

    def route(self, matter: Matter) -> Route:
        """The first rule that matches; the directory's default when none does. Never empty."""
        return next(self.routes(matter))

    def routes(self, matter: Matter) -> Iterator[Route]:
        """What every rule that matches says, in order; the directory's default last."""
        for n in self._compiled.matching(matter):
            rule = self.rules.rule[n]
            lead = matter.hint if rule.lead == HINT else rule.lead
            if lead in self.directory.names:
                yield self._placed(rule, lead, matter.area)
        yield Route(self.directory.default, (), "default")

    def _placed(self, rule: Rule, lead: str, area: Area | None) -> Route:
        there = self.directory.in_territory
        territorial = self.directory.territorial
        leads = there(lead, area)
        placed = {there(s, area): s for s in rule.support}
        support = tuple(
            office
            for office, duty in placed.items()
            if office not in {lead, leads} and (office != duty or duty not in territorial)
        )
        return Route(leads, support, rule.name, rule.joint, rule.deadline, rule.support_deadline)
