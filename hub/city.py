"""Everything a city edits in ``configs/``, read and checked together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from classify.cues import Language, read_language
from classify.places import Gazetteer, read_gazetteer
from router.deadlines import Deadlines
from router.departments import Directory
from router.indicators import Assessment
from router.lifecycle import Lifecycle
from router.matters import Grouping
from router.rules import Router, Rules, check_rules
from router.spots import Name, Spots
from store.config import Taxonomy, load
from store.errors import ConfigError


@dataclass(frozen=True)
class City:
    """Everything a city edits, read and checked."""

    taxonomy: Taxonomy
    directory: Directory
    router: Router
    deadlines: Deadlines
    language: Language
    gazetteer: Gazetteer
    grouping: Grouping
    lifecycle: Lifecycle
    assessment: Assessment

    def spots(self) -> Spots:
        """The places of the gazetteer, as grouping reads them."""
        return Spots(
            {
                word: Name(entry.name, str(entry.kind))
                for entry in self.gazetteer.entries
                for word in (entry.name, *entry.aliases)
            }
        )


def load_city(configs: Path) -> City:
    """Read every file of ``configs/``; ConfigError names file, key and cure."""
    taxonomy = load(configs / "taxonomy.toml", Taxonomy)
    directory = load(configs / "departments.toml", Directory)
    rules = load(configs / "routing.toml", Rules)
    router = check_rules(rules, directory, taxonomy)
    deadlines = load(configs / "deadlines.toml", Deadlines)
    for problem in deadlines.problem:
        if problem not in taxonomy.problems:
            msg = f"config: deadlines.toml: problem.{problem} is not in taxonomy.toml; correct it"
            raise ConfigError(msg)
    gazetteer = read_gazetteer(configs / "gazetteer.csv")
    for area in sorted(gazetteer.areas - set(directory.areas)):
        msg = f"config: gazetteer.csv: area {area} is not in departments.toml; add it or correct it"
        raise ConfigError(msg)
    grouping = load(configs / "grouping.toml", Grouping)
    for problem in [*grouping.problem, *(matter.problem for matter in grouping.matter)]:
        if problem not in taxonomy.problems:
            msg = f"config: grouping.toml: problem {problem} is not in taxonomy.toml; correct it"
            raise ConfigError(msg)
    lifecycle = load(configs / "lifecycle.toml", Lifecycle)
    language = read_language(configs)
    assessment = load(configs / "assessment.toml", Assessment)
    return City(
        taxonomy,
        directory,
        router,
        deadlines,
        language,
        gazetteer,
        grouping,
        lifecycle,
        assessment,
    )
