"""The fault harness: the real command in its own process, killed without mercy, judged by its stores."""

import json
import os
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

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


@dataclass
class Command:
    """``minsheng`` with one configuration, data folder and pair of stores."""

    data: Path
    configs: Path
    environment: dict[str, str]

    def run(
        self, *args: str, crash_at: str = "", timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **self.environment}
        if crash_at:
            environment["MINSHENG_CRASH_AT"] = crash_at
        return subprocess.run(
            self.line(*args), env=environment, capture_output=True, text=True, timeout=timeout
        )

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **self.environment}
        quiet = subprocess.DEVNULL
        return subprocess.Popen(self.line(*args), env=environment, stdout=quiet, stderr=quiet)

    def line(self, *args: str) -> list[str]:
        command = [sys.executable, "-m", "hub", *args]
        return [*command, "--data", str(self.data), "--configs", str(self.configs)]


def make_command(
    home: Path, department: Department, models: Path, environment: dict[str, str]
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
    return Command(data, configs, common | environment)
