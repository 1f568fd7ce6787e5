"""Everything a city edits in ``configs/``, read and checked together."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classify.cues import Language, read_language
from classify.places import Gazetteer, PlaceKind, read_gazetteer
from desk.canned import Standing, Standings
from desk.reports.settings import BulletinSettings
from router.charges import Charges, Spot, load_charges
from router.deadlines import Deadlines
from router.departments import Directory, load_directory
from router.indicators import Assessment
from router.ladder import Ladder, check_ladder
from router.lifecycle import Lifecycle
from router.lines import Lines
from router.matters import Grouping
from router.rulecheck import check_rules
from router.rules import Router, Rules
from router.spots import Name, Spots
from router.territory import Claim, check_places
from router.trends.catalogue import Catalogue
from router.trends.maps import read_map
from router.trends.officials import Alerts
from router.trends.settings import TrendSettings
from router.trends.targets import Around, Targets, load_targets
from router.trends.topics import Topics, load_topics
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
    charges: Charges
    lifecycle: Lifecycle
    assessment: Assessment
    ladder: Ladder
    canned: tuple[Standing, ...]
    catalogue: Catalogue
    trends: TrendSettings
    bulletins: BulletinSettings
    alerts: Alerts
    geojson: dict[str, Any] | None
    topics: Topics
    targets: Targets

    def fine_places(self) -> dict[str, str]:
        """Every name finer than an area, with the area's name: what a paper for the public does not print."""
        names = self.directory.names
        coarse = {PlaceKind.SUBDISTRICT, PlaceKind.TOWNSHIP}
        return {
            word: names.get(entry.area, "")
            for entry in self.gazetteer.entries
            if entry.kind not in coarse
            for word in (entry.name, *entry.aliases)
        }

    def spots(self) -> Spots:
        """The places of the gazetteer, as grouping reads them."""
        return Spots(
            {
                word: Name(entry.name, str(entry.kind))
                for entry in self.gazetteer.entries
                for word in (entry.name, *entry.aliases)
            }
        )


@dataclass(frozen=True)
class Files:
    """Where each file is: in one folder, but for those tried out before they are saved."""

    configs: Path
    routing: Path | None = None
    departments: Path | None = None
    taxonomy: Path | None = None

    def path(self, name: str) -> Path:
        """The file to read for ``name`` (without its ending)."""
        return getattr(self, name, None) or self.configs / f"{name}.toml"


def load_city(configs: Path | Files, *, channels: Collection[str] = ()) -> City:
    """Read every file of ``configs/``; ConfigError names file, key and cure.

    ``channels`` are those that rules may name; empty: any.
    """
    files = configs if isinstance(configs, Files) else Files(configs)
    taxonomy = load(files.path("taxonomy"), Taxonomy)
    gazetteer = read_gazetteer(files.configs / "gazetteer.csv")
    directory = _directory(files.path("departments"), gazetteer)
    router = _router(files.path("routing"), directory, taxonomy, gazetteer, channels)
    spots = {entry.name: Spot(entry.area, entry.point) for entry in gazetteer.entries}
    deadlines = load(files.path("deadlines"), Deadlines)
    grouping = load(files.path("grouping"), Grouping)
    _check_problems(taxonomy, deadlines, grouping)
    alerts = _alerts(files.path("alerts"), taxonomy, directory)
    catalogue = load(files.path("indicators"), Catalogue)
    labels = (*taxonomy.problems, *taxonomy.campaigns)
    topics = load_topics(files.path("topics"), labels, spots.keys())
    around = Around(taxonomy, topics, directory, catalogue)
    return City(
        taxonomy=taxonomy,
        directory=directory,
        router=router,
        deadlines=deadlines,
        language=read_language(files.configs),
        gazetteer=gazetteer,
        grouping=grouping,
        charges=load_charges(files.path("charges"), directory, spots),
        lifecycle=load(files.path("lifecycle"), Lifecycle),
        assessment=load(files.path("assessment"), Assessment),
        ladder=_ladder(files.path("supervision"), directory),
        canned=load(files.path("canned"), Standings).canned,
        catalogue=catalogue,
        trends=(trends := _trends(files.path("trends"), directory)),
        geojson=_map(files.configs, trends, directory),
        bulletins=_bulletins(files, alerts),
        alerts=alerts,
        topics=topics,
        targets=load_targets(files.path("targets"), around),
    )


def _check_problems(taxonomy: Taxonomy, deadlines: Deadlines, grouping: Grouping) -> None:
    named = [("deadlines", problem) for problem in deadlines.problem]
    named += [("grouping", problem) for problem in grouping.problem]
    named += [("grouping", matter.problem) for matter in grouping.matter]
    for file, problem in named:
        if problem not in taxonomy.problems:
            msg = f"config: {file}.toml: problem {problem} is not in taxonomy.toml; correct it"
            raise ConfigError(msg)


def _directory(path: Path, gazetteer: Gazetteer) -> Directory:
    directory = load_directory(path)
    for area in sorted(gazetteer.areas - set(directory.areas)):
        msg = f"config: gazetteer.csv: area {area} is not in departments.toml; add it or correct it"
        raise ConfigError(msg)
    check_places(directory, _claims(gazetteer), Lines(path.read_text(encoding="utf-8")))
    return directory


def _trends(path: Path, directory: Directory) -> TrendSettings:
    settings = load(path, TrendSettings)
    for area in settings.strangers(directory.areas):
        msg = f"config: trends.toml: tile.area {area} is not in departments.toml; add it or correct it"
        raise ConfigError(msg)
    return settings


def _map(configs: Path, trends: TrendSettings, directory: Directory) -> dict[str, Any] | None:
    if not trends.geojson:
        return None
    names = {area.id: area.name for area in directory.area}
    return read_map(configs / trends.geojson, names)


def _alerts(path: Path, taxonomy: Taxonomy, directory: Directory) -> Alerts:
    alerts = load(path, Alerts) if path.exists() else Alerts()
    labels = {*taxonomy.problems, *taxonomy.campaigns}
    for official, key, value in alerts.strangers(labels, directory.areas):
        file = "taxonomy.toml" if key == "labels" else "departments.toml"
        msg = (
            f"config: alerts.toml: {official}.{key}: {value} is not in {file}; correct or remove it"
        )
        raise ConfigError(msg)
    return alerts


def _bulletins(files: Files, alerts: Alerts) -> BulletinSettings:
    path = files.path("bulletins")
    settings = load(path, BulletinSettings) if path.exists() else BulletinSettings()
    for kind, name in settings.strangers(alerts.by_id):
        msg = f"config: bulletins.toml: {kind}.recipients: {name} is not in alerts.toml; add it there or remove it"
        raise ConfigError(msg)
    return settings


def _ladder(path: Path, directory: Directory) -> Ladder:
    ladder = load(path, Ladder)
    check_ladder(ladder, directory.names)
    return ladder


def _claims(gazetteer: Gazetteer) -> Iterator[Claim]:
    """Every name and nickname with the territory its row gives it to."""
    for entry in gazetteer.entries:
        for word in (entry.name, *entry.aliases):
            yield Claim(word, entry.area, entry.line)


def _router(
    path: Path,
    directory: Directory,
    taxonomy: Taxonomy,
    gazetteer: Gazetteer,
    channels: Collection[str],
) -> Router:
    rules = load(path, Rules)
    points: dict[str, set[str]] = {}
    for entry in gazetteer.entries:
        if entry.point and entry.area:
            points.setdefault(entry.point, set()).add(entry.area)
    text = path.read_text(encoding="utf-8")
    return check_rules(rules, directory, taxonomy, text=text, channels=channels, points=points)
