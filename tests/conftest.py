"""Fixtures every room shares: real stores, a fixed clock, a small classifier, a hub over them.

Where a machine lacks Java, Maven, the PostgreSQL wheel or Chromium, the tests that need it skip and
say how to get it; with MINSHENG_REQUIRE_ALL=1 (CI) they fail instead.
"""

import asyncio
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings

from classify.artifact import model_name, save
from classify.classifier import Classifier
from classify.engine import Engines, ThreadEngine
from classify.examples import read
from classify.learning import _corpus as corpus
from classify.registry import Registry, taxonomy_key
from classify.train import fit
from hub.app import Hub
from hub.city import City, load_city
from hub.settings import Settings
from store.db import Database
from store.migrate import migrate
from store.outbox import Outbox
from store.vault import Vault

sys.path.insert(0, str(Path(__file__).parent))

from sharing import StartError, home_of, locked, once, serving

ROOT = Path(__file__).parent.parent
REQUIRE_ALL = os.environ.get("MINSHENG_REQUIRE_ALL") == "1"
MASTER = b"m" * 32
ROOM = 4 * 2**30
T = TypeVar("T")

settings.register_profile("house", derandomize=True, database=None, deadline=None)
settings.load_profile("house")


def pytest_configure() -> None:
    """Files of tests are in memory where there is room: no test pulls the plug, so none waits for a disk."""
    memory = Path("/dev/shm")  # noqa: S108 - pytest makes a folder of this user's own there
    free = shutil.disk_usage(memory).free if memory.is_dir() else 0
    if "TMPDIR" not in os.environ and free >= ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(memory)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first; the rest stays in its order."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def lacking(reason: str) -> None:
    """Skip, or fail where everything must run."""
    if REQUIRE_ALL:
        pytest.fail(f"required here: {reason}", pytrace=False)
    pytest.skip(reason)


class Clock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("MINSHENG_") and not name.startswith(
            ("MINSHENG_TEST_", "MINSHENG_REQUIRE_")
        ):
            monkeypatch.delenv(name)


def _serve(home: Path, script: str, *args: str) -> Iterator[str]:
    """Yield the address a server script prints; skip with its own reason."""
    command = [sys.executable, str(ROOT / "tests" / script), *args]
    with ExitStack() as stack:
        for left in (2, 1, 0):  # a busy machine may need a second try
            try:
                told = stack.enter_context(serving(home, script.partition("/")[0], command))
                break
            except StartError as error:
                if not left:
                    lacking(str(error))
        yield told


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder every process of this run knows."""
    return home_of(tmp_path_factory)


@pytest.fixture(scope="session")
def postgres_server(shared: Path) -> Iterator[str]:
    yield from _serve(shared, "postgres/server.py")


@pytest.fixture(scope="session")
def kafka_broker(shared: Path) -> Iterator[str]:
    """MINSHENG_TEST_KAFKA, else Apache Kafka, else the stand-in wheel (never in CI)."""
    outside = os.environ.get("MINSHENG_TEST_KAFKA")
    if outside:
        yield outside
    elif REQUIRE_ALL or (shutil.which("java") and shutil.which("mvn")):
        yield from _serve(shared, "kafka/broker.py")
    else:
        yield from _serve(shared, "kafka/broker.py", "--stand-in")


@pytest.fixture
def kafka_url(kafka_broker: str) -> str:
    """An own prefix on the broker, so that tests do not see each other's topics."""
    address, _, query = kafka_broker.partition("?")
    return f"{address}/t{secrets.token_hex(4)}" + (f"?{query}" if query else "")


def _in_thread(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine apart from the test's own loop, which may be running already."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work()).result()


async def _schema(url: str) -> None:
    """Bring an empty database up to date; tests get copies of it, which costs a tenth."""
    database = Database(url)
    await database.open()
    await migrate(database)
    await database.close()


READY = "SELECT 1 FROM pg_database WHERE datname = 'ready'"


async def _run(server: str, statement: str) -> list[Any]:
    import asyncpg

    admin = await asyncpg.connect(server)
    found = await admin.fetch(statement)
    await admin.close()
    return list(found)


def _named(server: str, name: str) -> str:
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str, shared: Path) -> str:
    """The name of a database with the schema and no rows."""
    with locked(shared / "ready.lock"):
        if not _in_thread(lambda: _run(postgres_server, READY)):
            _in_thread(lambda: _run(postgres_server, "CREATE DATABASE making"))
            _in_thread(lambda: _schema(_named(postgres_server, "making")))
            _in_thread(lambda: _run(postgres_server, "ALTER DATABASE making RENAME TO ready"))
    return "ready"


@pytest.fixture
def make_postgres(postgres_server: str) -> Iterator[Callable[[str], str]]:
    """Make a database as a copy of another; it is gone after the test."""
    made: list[str] = []

    def make(template: str) -> str:
        made.append(f"t{secrets.token_hex(6)}")
        _in_thread(
            lambda: _run(
                postgres_server,
                f"CREATE DATABASE {made[-1]} TEMPLATE {template} STRATEGY FILE_COPY",
            )
        )
        return _named(postgres_server, made[-1])

    yield make
    for name in made:
        _in_thread(lambda: _run(postgres_server, f"DROP DATABASE {name} WITH (FORCE)"))  # noqa: B023 - runs at once


@pytest.fixture
def postgres_url(make_postgres: Callable[[str], str], postgres_template: str) -> str:
    """A database of its own, with the schema and no rows."""
    return make_postgres(postgres_template)


@pytest.fixture(scope="session")
def sqlite_template(shared: Path) -> Path:
    """A file with the schema and no rows."""

    def make() -> str:
        path = shared / "ready.db"
        _in_thread(lambda: _schema(f"sqlite:///{path}"))
        return str(path)

    return Path(once(shared, "sqlite", make))


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """A file of its own, with the schema and no rows."""
    path = tmp_path / "minsheng.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=BOTH)
def db_url(request: pytest.FixtureRequest) -> str:
    """Both databases, with the schema and no rows."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Both databases, with nothing in them."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("make_postgres")("template1"))


@pytest.fixture
async def db(db_url: str) -> AsyncIterator[Database]:
    """An open, migrated database of each kind."""
    database = Database(db_url)
    await database.open()
    await migrate(database)
    yield database
    await database.close()


@pytest.fixture
def vault() -> Vault:
    return Vault(MASTER)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox(embedded=True)


@pytest.fixture(scope="session")
def city() -> City:
    return load_city(ROOT / "configs")


@pytest.fixture(scope="session")
def classifier(city: City) -> Classifier:
    """Trained once a session from the first seed messages only, so that it is there in a second."""
    seed = ROOT / "classify" / "corpus" / "seed.jsonl"
    examples = read([seed], city.taxonomy)
    made = fit(examples, city.taxonomy, city.language, name="0123456789ab")
    made.auto_min = 0.2  # so few messages never make it sure; the tests need both decisions
    return made


@pytest.fixture(scope="session")
def trained(shared: Path) -> Path:
    """The model of the whole corpus, trained once a run as a user trains it; takes most of a minute."""

    def make() -> str:
        home, configs = shared / "trained", str(ROOT / "configs")
        command = [sys.executable, "-m", "hub", "train", "--data", str(home), "--configs", configs]
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        return str(home / "models")

    return Path(once(shared, "whole", make))


@pytest.fixture(scope="session")
def models(shared: Path, classifier: Classifier, city: City) -> Path:
    """The small classifier in the place of the whole corpus's, for commands in their own process."""

    def make() -> str:
        home, key = shared / "small" / "models", taxonomy_key(city.taxonomy)
        base = model_name(corpus(), city.language, city.taxonomy)
        save(home, classifier, base=base, taxonomy=key, sources=(), labels={}, held_out={})
        Registry(home, city.taxonomy).promote(classifier.name)
        return str(home)

    return Path(once(shared, "small", make))


MakeHub = Callable[..., Hub]


@pytest.fixture
def make_hub(city: City, classifier: Classifier, tmp_path: Path, clock: Clock) -> MakeHub:
    """A hub over given URLs with a fixed clock and the session's classifier; not open yet.

    Nothing is held for undoing unless ``undo_s`` is given: the clock would have to be moved.
    """

    def make(database_url: str, journal_url: str = "", **more: Any) -> Hub:
        at_once = city.lifecycle.model_copy(update={"undo_s": more.pop("undo_s", 0)})
        values = {"database_url": database_url, "journal_url": journal_url, **more}
        settings = Settings.model_validate(values)
        hub = Hub(settings, replace(city, lifecycle=at_once), tmp_path, clock=clock)
        hub.models.engines = Engines(ThreadEngine(classifier))
        return hub

    return make
