"""What the processes of one test run share: what is made once, and servers one of them starts.

Under pytest-xdist every worker has session fixtures of its own. Files in a folder that all workers
know, and locks the system lets go when a process dies, make each expensive thing once a run.
"""

import fcntl
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import pytest


def home_of(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder all workers of this run know."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@contextmanager
def locked(path: Path) -> Iterator[IO[str]]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def once(home: Path, name: str, make: Callable[[], Any]) -> Any:
    """What ``make`` returns, something JSON holds; the others wait for the first that asks."""
    made = home / f"{name}.json"
    with locked(home / f"{name}.lock"):
        if not made.exists():
            made.write_text(json.dumps(make()), encoding="utf-8")
        return json.loads(made.read_text(encoding="utf-8"))


class StartError(Exception):
    """The server ended before it was ready; its own last words say why."""


@contextmanager
def serving(home: Path, name: str, command: Sequence[str]) -> Iterator[str]:
    """What the server says after ``ready``: the first to come starts it, the last to leave stops it.

    Whoever uses it holds a shared lock; who can have that lock alone is the last.
    """
    lock, known = home / f"{name}.lock", home / f"{name}.server"
    with (home / f"{name}.users").open("a") as users:
        with locked(lock):
            fcntl.flock(users, fcntl.LOCK_SH)
            if not known.exists():
                known.write_text(json.dumps(_start(home / name, command)), encoding="utf-8")
            pid, told = json.loads(known.read_text(encoding="utf-8"))
        try:
            yield told
        finally:
            with locked(lock), suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                known.unlink()
                _stop(pid)


def _start(log: Path, command: Sequence[str]) -> tuple[int, str]:
    """Start it apart from this process, which may end before it; its number and what it says."""
    out, err = log.with_suffix(".out"), log.with_suffix(".err")
    new = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    files = [(os.POSIX_SPAWN_OPEN, n, str(path), new, 0o600) for n, path in ((1, out), (2, err))]
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=files)
    while True:
        lines = out.read_text(encoding="utf-8").splitlines(keepends=True) if out.exists() else []
        ready = [line for line in lines if line.startswith("ready ") and line.endswith("\n")]
        if ready:
            return pid, ready[0].removeprefix("ready ").strip()
        if os.waitpid(pid, os.WNOHANG)[0]:
            said = err.read_text(encoding="utf-8").strip().splitlines()
            raise StartError(said[-1] if said else f"{command[1]} did not start")
        time.sleep(0.05)


def _stop(pid: int) -> None:
    """Tell it to end, and wait for it where it is this process's own child."""
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
