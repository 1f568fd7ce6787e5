"""The files of ``configs/`` as the administrator's page edits them: checked as a whole, replaced at one stroke.

``hub.toml`` is not among them: it says whom the hub trusts, and may hold keys.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from desk.admin import Saved
from hub.app import Hub
from hub.city import City, load_city
from hub.reload import ADOPTED, RESTART
from router.dryrun import Moves, compare, past
from store.config import read_text
from store.errors import ConfigError, ConflictError, RejectedError

EDITED = tuple(name for name in (*ADOPTED, *RESTART) if name != "hub.toml")
TRIED = ("departments.toml", "routing.toml")
"""Files of which it can be said what they would move without judging anything anew."""

FORMER = "former-configs"
"""Folder under ``--data`` of the versions that were replaced."""


class Editing:
    """Implements ``desk.admin.Files`` over one folder."""

    names = EDITED

    def __init__(self, hub: Hub, configs: Path, channels: Collection[str]) -> None:
        self._hub = hub
        self._configs = configs
        self._channels = channels
        self._turn = asyncio.Lock()

    def waits(self, name: str) -> bool:
        return name in RESTART

    def tries(self, name: str) -> bool:
        return name in TRIED

    async def read(self, name: str) -> tuple[str, str]:
        return await asyncio.to_thread(self._read, name)

    def _read(self, name: str) -> tuple[str, str]:
        path = self._configs / name
        mark = _mark(path)  # before the text: a change between the two is a conflict later
        return (read_text(path) if path.exists() else ""), mark

    async def check(self, name: str, text: str) -> str:
        try:
            await asyncio.to_thread(self._city, name, text)
        except ConfigError as error:
            return str(error)
        return ""

    def _city(self, name: str, text: str) -> City:
        """What all files say with this one replaced; ConfigError names the file by its own place."""
        with _copied(self._configs) as folder:
            (folder / name).write_text(text, encoding="utf-8")
            try:
                return load_city(folder, channels=self._channels)
            except ConfigError as error:
                raise ConfigError(str(error).replace(str(folder), str(self._configs))) from error
            except (OSError, ValueError, RecursionError) as error:
                msg = f"config: {self._configs / name}: {error}; correct the file"
                raise ConfigError(msg) from error

    async def try_out(self, name: str, text: str, days: int) -> Mapping[str, Any]:
        hub, old = self._hub, self._hub.city
        new = await asyncio.to_thread(self._city, name, text)
        moves = Moves()
        since = hub.clock() - timedelta(days=days)
        async for page in past(hub.db, old.directory, since=since, zone=hub.zone):
            count = partial(
                compare, old.router, new.router, page, deadlines=old.deadlines, into=moves
            )
            await asyncio.to_thread(count)
        return moves.as_dict()

    async def save(self, name: str, text: str, mark: str) -> Saved:
        async with self._turn:
            try:
                return await asyncio.to_thread(self._save, name, text, mark)
            except OSError as error:
                msg = f"hub: {self._configs / name} can not be replaced ({error.strerror}); edit it on the server"
                raise RejectedError(msg, reason="readonly") from error

    def _save(self, name: str, text: str, mark: str) -> Saved:
        path = (self._configs / name).resolve()
        before = _mark(path)
        if before != mark:
            msg = f"hub: {name} was changed meanwhile; compare with what it says now"
            raise ConflictError(msg)
        kept = self._keep(path)
        replace(path, text.encode())
        return Saved(before, _mark(path), kept)

    def _keep(self, path: Path) -> str:
        """Copy the former version away; its name there."""
        if not path.exists():
            return "-"
        folder = self._hub.data / FORMER
        folder.mkdir(parents=True, exist_ok=True)
        kept = f"{path.name}.{self._hub.clock():%Y%m%dT%H%M%S}.{_mark(path)[:8]}"
        shutil.copy2(path, folder / kept)
        return kept


def replace(path: Path, content: bytes) -> None:
    """Write beside and rename, so that a reader sees the whole of one version; durable on return."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _copied(configs: Path) -> Iterator[Path]:
    """A folder with the same files, for as long as it is looked at."""
    with tempfile.TemporaryDirectory(prefix="minsheng-") as name:
        folder = Path(name)
        for file in EDITED:
            if (configs / file).exists():
                shutil.copyfile(configs / file, folder / file)
        yield folder


def _mark(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return hashlib.sha256(b"").hexdigest()
