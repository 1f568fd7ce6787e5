"""The fault harness: the real command in its own process, killed without mercy, judged by its stores."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from nursery import NOT_YET

ROOT = Path(__file__).parent.parent.parent
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
OFFICE = "urban_enforcement"
MASTER_KEY = "bW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW0="


@dataclass
class Department:
    """A department's system: what it was sent, and what it acted on once per webhook-id."""

    url: str = ""
    raw: list[str] = field(default_factory=list)
    acted: dict[str, dict[str, Any]] = field(default_factory=dict)


@pytest.fixture
def department() -> Iterator[Department]:
    told = Department()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            webhook_id = self.headers["webhook-id"]
            told.raw.append(webhook_id)
            told.acted.setdefault(webhook_id, body)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told.url = f"http://127.0.0.1:{server.server_port}/"
    yield told
    server.shutdown()
    server.server_close()


def write_recording(path: Path, count: int) -> Path:
    """``count`` messages with their own times, every text slightly different."""
    seed = (ROOT / "classify" / "corpus" / "seed.jsonl").read_text(encoding="utf-8")
    texts = [json.loads(line)["text"] for line in seed.splitlines()]
    pick = random.Random(7)
    with path.open("w", encoding="utf-8") as file:
        for n in range(count):
            day, hour, minute = pick.randint(1, 20), pick.randint(0, 23), pick.randint(0, 59)
            message = {
                "id": f"m{n}",
                "text": f"{pick.choice(texts)}（第{pick.randint(1, 900)}次反映）",
                "channel": pick.choice(["weibo", "forum", "app"]),
                "time": f"2026-11-{day:02d}T{hour:02d}:{minute:02d}:00+08:00",
            }
            file.write(json.dumps(message, ensure_ascii=False) + "\n")
    return path


class Started:
    """A process of the nursery."""

    def __init__(self, nursery: "Nursery", pid: int, said: Path) -> None:
        self._nursery, self._said = nursery, said
        self.pid = pid

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

    def wait(self, timeout: float = 60) -> int:
        """How it ended, negative for a signal."""
        until = time.monotonic() + timeout
        while (code := self._nursery.ask({"wait": self.pid})) == NOT_YET:
            if time.monotonic() > until:
                self.kill()
                raise TimeoutError(self.said("err")[-2000:])
            time.sleep(0.02)
        return code

    def said(self, where: str) -> str:
        return self._said.with_suffix(f".{where}").read_text(encoding="utf-8")


class Nursery:
    """Where commands are forked from (``nursery.py``)."""

    def __init__(self, home: Path) -> None:
        self._home, self._count = home, 0
        command = [sys.executable, str(Path(__file__).parent / "nursery.py")]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ask(self, order: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def start(self, args: Sequence[str], environment: dict[str, str]) -> Started:
        self._count += 1
        said = self._home / str(self._count)
        told = {where: str(said.with_suffix(f".{where}")) for where in ("out", "err")}
        pid = self.ask({"args": list(args), "env": environment, **told})
        return Started(self, pid, said)

    def close(self) -> None:
        self._process.communicate(timeout=30)


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("nursery"))
    yield made
    made.close()


@dataclass
class Command:
    """``minsheng`` with one configuration, data folder and pair of stores."""

    data: Path
    configs: Path
    environment: dict[str, str]
    nursery: Nursery

    def run(self, *args: str, crash_at: str = "") -> subprocess.CompletedProcess[str]:
        """To its end, or to the named place."""
        process = self.start(*args, **({"MINSHENG_CRASH_AT": crash_at} if crash_at else {}))
        code = process.wait()
        said = (process.said(where) for where in ("out", "err"))
        return subprocess.CompletedProcess(args, code, *said)

    def start(self, *args: str, **more: str) -> Started:
        return self.nursery.start(self.line(*args), self.environment | more)

    def fresh(self, *args: str) -> subprocess.CompletedProcess[str]:
        """As people start it, in an interpreter of its own."""
        line = [sys.executable, "-m", "hub", *self.line(*args)]
        environment = {**os.environ, **self.environment}
        return subprocess.run(
            line, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120
        )

    def line(self, *args: str) -> list[str]:
        return [*args, "--data", str(self.data), "--configs", str(self.configs)]


def make_command(
    home: Path, department: Department, models: Path, environment: dict[str, str], nursery: Nursery
) -> Command:
    configs = home / "configs"
    shutil.copytree(ROOT / "configs", configs)
    offices = (configs / "departments.toml").read_text(encoding="utf-8")
    line = f'id = "{OFFICE}"'
    offices = offices.replace(line, f'{line}\nwebhook = "{department.url}"')
    (configs / "departments.toml").write_text(offices, encoding="utf-8")
    settings = (configs / "hub.toml").read_text(encoding="utf-8")
    (configs / "hub.toml").write_text(
        settings + '\n[net]\nallow = ["127.0.0.0/8"]\n', encoding="utf-8"
    )
    data = home / "data"
    data.mkdir()
    shutil.copytree(models, data / "models")
    common = {
        "MINSHENG_WEBHOOK_SECRETS": json.dumps({OFFICE: SECRET}),
        "MINSHENG_CLASSIFY_BATCH": "40",
        "MINSHENG_MASTER_KEY": MASTER_KEY,
    }
    return Command(data, configs, common | environment, nursery)
