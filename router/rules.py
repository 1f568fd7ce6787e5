"""First-match rules: from what a message means to who must act (``configs/routing.toml``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from router.departments import Area, Directory
from store.config import Strict, Taxonomy
from store.errors import ConfigError

HINT = "@hint"


class When(Strict):
    """All keys must hold; a list holds when any of its members does."""

    kinds: tuple[str, ...] = ()
    problems: tuple[str, ...] | Literal["none"] = ()
    campaigns: tuple[str, ...] | Literal["none"] = ()
    urgencies: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    hint: tuple[str, ...] | Literal["any"] = ()


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


class Rule(Strict):
    """``lead`` (牵头单位) and ``support`` (责任单位) of what matches ``when``."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    why: str
    when: When
    lead: str
    support: tuple[str, ...] = ()
    example: tuple[Example, ...] = ()


class Rules(Strict):
    """The whole file, in order."""

    rule: tuple[Rule, ...]


@dataclass(frozen=True)
class Matter:
    """What rules look at."""

    kind: str
    problems: Sequence[str]
    campaigns: Sequence[str]
    urgency: str
    channel: str
    hint: str
    text: str
    area: Area | None


@dataclass(frozen=True)
class Route:
    """Who leads, who supports, and which rule said so."""

    lead: str
    support: tuple[str, ...]
    rule: str


class Router:
    """Rules checked against the directory and the taxonomy, ready to route."""

    def __init__(self, rules: Rules, directory: Directory) -> None:
        self.rules = rules
        self.directory = directory

    def route(self, matter: Matter) -> Route:
        """The first rule that matches; the directory's default when none does. Never empty."""
        for rule in self.rules.rule:
            if _holds(rule.when, matter):
                lead = matter.hint if rule.lead == HINT else rule.lead
                if lead in self.directory.names:
                    return self._placed(rule, lead, matter.area)
        return Route(self.directory.default, (), "default")

    def _placed(self, rule: Rule, lead: str, area: Area | None) -> Route:
        there = self.directory.in_territory
        territorial = self.directory.territorial
        support = tuple(
            placed
            for s in rule.support
            if (placed := there(s, area)) != lead and (placed != s or s not in territorial)
        )
        return Route(there(lead, area), support, rule.name)


def _any(wanted: Sequence[str], found: Sequence[str]) -> bool:
    return not wanted or any(w in found for w in wanted)


def _holds(when: When, m: Matter) -> bool:
    return (
        _any(when.kinds, (m.kind,))
        and (not m.problems if when.problems == "none" else _any(when.problems, m.problems))
        and (not m.campaigns if when.campaigns == "none" else _any(when.campaigns, m.campaigns))
        and (bool(m.hint) if when.hint == "any" else _any(when.hint, (m.hint,)))
        and _any(when.urgencies, (m.urgency,))
        and _any(when.channels, (m.channel,))
        and (not when.areas or (m.area is not None and m.area.id in when.areas))
        and _any(when.words, m.text)
    )


def check_rules(rules: Rules, directory: Directory, taxonomy: Taxonomy) -> Router:
    """A router, or ConfigError naming the rule, the key and the cure."""
    names = [rule.name for rule in rules.rule]
    router = Router(rules, directory)
    for rule in rules.rule:
        where = f"config: routing.toml: rule {rule.name}"
        if names.count(rule.name) > 1:
            raise ConfigError(f"{where}: name is used twice; rename one")
        for office in (rule.lead, *rule.support):
            if office != HINT and office not in directory.names:
                raise ConfigError(
                    f"{where}: {office} is not in departments.toml; add it or correct it"
                )
        _check_labels(rule, taxonomy, where)
        for example in rule.example:
            _check_example(router, rule, example, where)
    return router


def _check_labels(rule: Rule, taxonomy: Taxonomy, where: str) -> None:
    known = {
        "problems": taxonomy.problems,
        "campaigns": taxonomy.campaigns,
        "kinds": tuple(taxonomy.kinds),
    }
    for key, labels in known.items():
        wanted = getattr(rule.when, key)
        for label in () if isinstance(wanted, str) else wanted:
            if label not in labels:
                raise ConfigError(
                    f"{where}: when.{key}: {label} is not in taxonomy.toml; correct it"
                )


def _check_example(router: Router, rule: Rule, example: Example, where: str) -> None:
    matter = Matter(
        kind=example.kind,
        problems=example.problems,
        campaigns=example.campaigns,
        urgency=example.urgency,
        channel=example.channel,
        hint=example.hint,
        text=example.text,
        area=router.directory.areas.get(example.area),
    )
    route = router.route(matter)
    if (route.lead, route.rule) != (example.expect, rule.name):
        raise ConfigError(
            f"{where}: example {example.text!r} goes to {route.lead} by rule {route.rule}, "
            f"not to {example.expect}; reorder the rules or correct the example"
        )
