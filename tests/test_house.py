"""The house keeps its own rules: sizes, doors, documented settings, clean migrations."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from hub.cli import parser
from hub.settings import Settings
from hub.telemetry import GAUGES, METRICS
from ingest.connectors import BUILTIN
from router.workflow import Verb
from store.faults import CRASH_POINTS
from store.migrate import config

ROOT = Path(__file__).parent.parent
ROOMS = ("hub", "desk", "ingest", "classify", "router", "store")
SOURCES = [p for room in ROOMS for p in (ROOT / room).rglob("*.py") if "versions" not in p.parts]
DOCS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]


def test_files_can_be_read_at_one_sitting() -> None:
    long = {
        p.name: n for p in SOURCES if (n := len(p.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}


def test_functions_are_short() -> None:
    long = [
        f"{path.name}:{node.name}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name not in {"__init__", "parser"}
        and node.end_lineno - node.lineno > 48
    ]
    assert long == []


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in DOCS["configuration.md"]


@pytest.mark.parametrize("name", sorted({m for m, _ in [*METRICS.values(), *GAUGES.values()]}))
def test_metric_is_documented(name: str) -> None:
    assert f"`{name}`" in DOCS["operations.md"]


@pytest.mark.parametrize("name", CRASH_POINTS)
def test_crash_point_is_documented_and_used(name: str) -> None:
    assert f"`{name}`" in DOCS["operations.md"]
    assert any(f'crash_point("{name}")' in p.read_text(encoding="utf-8") for p in SOURCES)


@pytest.mark.parametrize("kind", BUILTIN)
def test_connector_is_documented(kind: type) -> None:
    assert f"| `{kind.kind}` |" in DOCS["connectors.md"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("verb", sorted(Verb))
def test_verb_is_in_the_glossary(verb: Verb) -> None:
    assert f"`{verb}`" in DOCS["glossary.md"]


@pytest.mark.parametrize("readme", READMES, ids=lambda p: p.name)
def test_readme_commands_parse(readme: Path) -> None:
    text = readme.read_text(encoding="utf-8")
    lines = [
        line.strip()
        for block in re.findall(r"```(?:sh)?\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
    ]
    commands = [line for line in lines if line.startswith("minsheng ")]
    assert commands
    for line in commands:
        parser().parse_args(line.split(" #")[0].split("|")[0].split()[1:])
    targets = set(
        re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for line in lines:
        if line.startswith("make "):
            assert line.split(" #")[0].split()[1] in targets, line


@pytest.mark.parametrize("readme", READMES, ids=lambda p: p.name)
def test_readme_links_exist(readme: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", readme.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_no_registry_host_or_machine_path_anywhere() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\n")
    words = (
        "files.pythonhosted",
        "pypi.org",
        "registry.npmjs",
        "repo.maven",
        "deb.debian",
        "/root/",
        "/work/",
    )
    for name in listed:
        path = ROOT / name
        if path.suffix in {".png", ""} or not path.is_file() or path == Path(__file__):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        assert not [w for w in words if w in text], name


def test_schema_and_tables_agree(tmp_path: Path) -> None:
    from alembic import command

    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}")
    with engine.begin() as conn:
        cfg = config()
        cfg.attributes["connection"] = conn
        command.upgrade(cfg, "head")
    with engine.connect() as conn:
        cfg = config()
        cfg.attributes["connection"] = conn
        command.check(cfg)
    engine.dispose()


def test_import_contracts_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
