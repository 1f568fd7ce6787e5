"""What can be known to be wrong with the rules before they run: names, examples, rules never reached."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from router.cover import Cover, Known
from router.departments import Directory
from router.lines import Lines
from router.rules import HINT, Example, Matter, Router, Rule, Rules, When
from store.config import Taxonomy
from store.errors import ConfigError


@dataclass(frozen=True)
class World:
    """What rules may name: ``channels`` and ``points`` (who answers → territories) may be empty, for unknown.

    ``lines`` are of the rules' own file.
    """

    directory: Directory
    taxonomy: Taxonomy
    channels: Collection[str] = ()
    points: Mapping[str, Collection[str]] = field(default_factory=dict)
    lines: Lines = field(default_factory=Lines)

    def where(self, n: int, rule: Rule) -> str:
        """How a message about the n-th rule begins."""
        return f"config: routing.toml: {self.lines.say('rule', n)}rule {rule.name}"

    def known(self) -> dict[str, tuple[Collection[str], str]]:
        """Key of ``when`` → the values it may name, and the file that lists them."""
        return {
            "problems": (self.taxonomy.problems, "taxonomy.toml"),
            "campaigns": (self.taxonomy.campaigns, "taxonomy.toml"),
            "kinds": (tuple(self.taxonomy.kinds), "taxonomy.toml"),
            "urgencies": (tuple(self.taxonomy.urgencies), "taxonomy.toml"),
            "areas": (self.directory.areas, "departments.toml"),
            "hint": (self.directory.names, "departments.toml"),
            "channels": (self.channels, "hub.toml"),
            "points": (self.points, "the column point of gazetteer.csv"),
        }

    def values(self) -> Known:
        """What can occur at all, for finding rules that are never reached."""
        return Known(
            kinds=tuple(self.taxonomy.kinds),
            urgencies=tuple(self.taxonomy.urgencies),
            problems=self.taxonomy.problems,
            campaigns=self.taxonomy.campaigns,
            offices=tuple(self.directory.names),
        )


def check_rules(
    rules: Rules,
    directory: Directory,
    taxonomy: Taxonomy,
    *,
    text: str = "",
    channels: Collection[str] = (),
    points: Mapping[str, Collection[str]] | None = None,
) -> Router:
    """A router, or ConfigError naming file, line (where the file's ``text`` is given), rule and cure."""
    world = World(directory, taxonomy, channels, points or {}, Lines(text))
    router = Router(rules, directory)
    for n, rule in enumerate(rules.rule):
        for fault in _faults(rule, rules, world):
            raise ConfigError(f"{world.where(n, rule)}: {fault}")
    _check_reached(rules, world)
    for n, rule in enumerate(rules.rule):
        for example in rule.example:
            _check_example(router, rule, example, world.where(n, rule))
        if not rule.example:
            cure = "add a [[rule.example]] with what it is meant for"
            raise ConfigError(f"{world.where(n, rule)}: has no example; {cure}")
    return router


def _faults(rule: Rule, rules: Rules, world: World) -> Iterator[str]:
    if [other.name for other in rules.rule].count(rule.name) > 1:
        yield "name is used twice; rename one"
    yield from _offices(rule, world.directory)
    yield from _strangers(rule.when, world)
    yield from _never(rule.when, world)
    if not rule.support and (rule.joint or rule.support_deadline):
        key = "joint" if rule.joint else "support_deadline"
        yield f"{key}: there is no support; name who supports or remove {key}"


def _offices(rule: Rule, directory: Directory) -> Iterator[str]:
    for office in (rule.lead, *rule.support):
        if office != HINT and office not in directory.names:
            yield f"{office} is not in departments.toml; add it or correct it"
    for n, office in enumerate(rule.support):
        if office == rule.lead:
            yield f"support: {office} leads already; remove it from support"
        if office in rule.support[:n]:
            yield f"support: {office} is named twice; remove one"
        if office == HINT:
            yield f"support: {HINT} is for lead only; name the office"


def _strangers(when: When, world: World) -> Iterator[str]:
    for key, (labels, file) in world.known().items():
        wanted = getattr(when, key)
        if isinstance(wanted, str) or (not labels and key in {"channels", "points"}):
            continue
        for label in wanted:
            if label not in labels:
                yield f"when.{key}: {label} is not in {file}; correct it"


def _never(when: When, world: World) -> Iterator[str]:
    """Conditions that can not hold together."""
    if when.words and all(any(u in word for u in when.unless_words) for word in when.words):
        yield "when: every one of words has one of unless_words in it, so it never holds; change one"
    if when.areas and when.points and world.points:
        there = {area for point in when.points for area in world.points[point]}
        if not there & set(when.areas):
            yield "when: none of points lies in one of areas, so it never holds; correct one"


def _check_reached(rules: Rules, world: World) -> None:
    cover = Cover(rules.rule, world.values())
    seen: dict[frozenset[object], int] = {}
    for n, rule in enumerate(rules.rule):
        m = seen.setdefault(_meaning(rule.when), n)
        if rules.rule[m].lead != rule.lead:
            raise ConfigError(
                f"{world.where(n, rule)}: has the same when as {_told(rules, world, m)} and another "
                f"lead, {rule.lead}; join them or make them differ"
            )
        alone = cover.alone(n)
        takers = cover.together(n) if alone is None else (alone,)
        if takers:
            told = ", ".join(_told(rules, world, m) for m in takers)
            raise ConfigError(
                f"{world.where(n, rule)}: is never reached, as {told} before it take all it takes; "
                "move it up, or remove it"
            )


def _told(rules: Rules, world: World, n: int) -> str:
    line = world.lines.of("rule", n)
    return rules.rule[n].name + (f" (line {line})" if line else "")


def _meaning(when: When) -> frozenset[object]:
    """A condition apart from the order of its lists."""
    values = ((key, getattr(when, key)) for key in When.model_fields)
    return frozenset((k, frozenset(v) if isinstance(v, tuple) else v) for k, v in values)


def _check_example(router: Router, rule: Rule, example: Example, where: str) -> None:
    areas = router.directory.areas
    if example.area and example.area not in areas:
        raise ConfigError(
            f"{where}: example: area {example.area} is not in departments.toml; correct it"
        )
    matter = Matter(
        kind=example.kind,
        problems=example.problems,
        campaigns=example.campaigns,
        urgency=example.urgency,
        channel=example.channel,
        hint=example.hint,
        text=example.text,
        area=areas.get(example.area),
        point=example.point,
        at=example.at,
    )
    route = router.route(matter)
    if (route.lead, route.rule) != (example.expect, rule.name):
        raise ConfigError(
            f"{where}: example {example.text!r} goes to {route.lead} by rule {route.rule}, "
            f"not to {example.expect}; reorder the rules or correct the example"
        )
