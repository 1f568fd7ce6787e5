"""Where verdicts are computed: off the event loop, and by default in a process of its own.

A text that hangs or kills the process takes nobody with it: the process is replaced, the batch
fails, and the consumer finds the culprit record by record.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any, Protocol

from threadpoolctl import threadpool_limits

from classify.artifact import load
from classify.classifier import Classifier
from classify.tokens import Tokenizer
from store.understood import verdict_columns

PATIENCE_S = 30.0
"""Longest time a batch may take before its process is replaced."""

Columns = dict[str, Any]

_loaded: Classifier | None = None


class Engine(Protocol):
    """Turns texts into the columns of their verdicts."""

    name: str

    async def ready(self) -> None:
        """Wait until the first batch can be judged at once."""

    async def judge(self, texts: Sequence[str]) -> list[Columns]:
        """One row of columns a text, in order."""
        ...

    def close(self) -> None:
        """Give the thread or process back."""


@dataclass
class Engines:
    """The engine in use and the one on trial; both may be replaced while the hub runs."""

    in_use: Engine
    shadow: Engine | None = None

    def close(self) -> None:
        """Close both."""
        self.in_use.close()
        if self.shadow is not None:
            self.shadow.close()


class ThreadEngine:
    """In a thread: for tests and small tools, which bring their own classifier."""

    def __init__(self, classifier: Classifier) -> None:
        self.name = classifier.name
        self._classifier = classifier
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="classify")

    async def ready(self) -> None:
        """It was given a loaded classifier."""

    async def judge(self, texts: Sequence[str]) -> list[Columns]:
        loop = asyncio.get_running_loop()
        verdicts = await loop.run_in_executor(self._pool, self._classifier.predict, texts)
        return [verdict_columns(verdict) for verdict in verdicts]

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class ProcessEngine:
    """In a process that loads the saved model from ``folder``."""

    def __init__(self, folder: Path, words: Sequence[str]) -> None:
        self.name = folder.name
        self._folder = folder
        self._words = tuple(words)
        self._pool = self._start()

    def _start(self) -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(
            1,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(self._folder, self._words, os.getpid()),
        )
        with _deaf():
            pool.submit(_work, [])  # start loading now, not with the first batch
        return pool

    async def ready(self) -> None:
        await self.judge([])

    async def judge(self, texts: Sequence[str]) -> list[Columns]:
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._pool, _work, list(texts))
        try:
            return await asyncio.wait_for(work, PATIENCE_S)
        except (BrokenProcessPool, TimeoutError) as error:
            _kill(self._pool)
            self._pool = self._start()
            msg = f"classify: a batch of {len(texts)} texts stopped its process"
            raise RuntimeError(msg) from error

    def close(self) -> None:
        _kill(self._pool)


@contextmanager
def _deaf() -> Iterator[None]:
    """A process begun meanwhile never hears Ctrl-C, from its first instruction on."""
    resource_tracker.ensure_running()  # begun later it would let the signal through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(folder: Path, words: tuple[str, ...], parent: int) -> None:
    global _loaded  # noqa: PLW0603 - one model a worker process
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both; the hub ends this one
    threadpool_limits(1)  # a few dozen numbers a text are not worth a second core's waiting
    _loaded = load(folder, Tokenizer(words))


def _die_with(parent: int) -> None:
    """A hub that was killed takes its worker along within half a second."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def _work(texts: list[str]) -> list[Columns]:
    if _loaded is None:
        msg = "classify: the worker process has no model"
        raise RuntimeError(msg)
    return [verdict_columns(verdict) for verdict in _loaded.predict(texts)]


def _kill(pool: Executor) -> None:
    for process in list(getattr(pool, "_processes", None) or {}).copy():
        getattr(pool, "_processes")[process].kill()  # noqa: B009 - the executor offers no other way
    pool.shutdown(wait=False, cancel_futures=True)
