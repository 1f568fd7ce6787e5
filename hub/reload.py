"""A running hub takes in what a city edits, as a whole and only when all of it is good.

The files are looked at every second and read together once none has changed for a second, so that no half
of a save counts. A good set is put into force between two decisions (``Turns.alone``); a bad one changes
nothing. What the classifier and the connectors were started with waits for a restart.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from hub.city import City
from store.errors import ConfigError

log = logging.getLogger(__name__)

ADOPTED = (
    "alerts.toml",
    "assessment.toml",
    "bulletins.toml",
    "charges.toml",
    "deadlines.toml",
    "departments.toml",
    "gazetteer.csv",
    "grouping.toml",
    "indicators.toml",
    "lifecycle.toml",
    "routing.toml",
    "supervision.toml",
    "targets.toml",
)
"""Files whose changes a running hub takes in."""

RESTART = (
    "canned.toml",
    "cues.toml",
    "hub.toml",
    "lexicon.txt",
    "taxonomy.toml",
    "topics.toml",
    "trends.toml",
)
"""Files a hub reads when it starts only."""

LABELS = "taxonomy.toml"
"""While this one waits for a restart the others wait with it: they name its labels."""

LOOK_S, QUIET_S = 1.0, 1.0
"""Between two looks, and without a change before a set counts as saved. Together with one look: under 5 s."""

COUNT_EVERY = 15
"""Looks between two counts of what can not be delivered."""

Marks = Mapping[str, object]
"""What tells versions of files apart, by name; a file that is missing has none."""


def marks_of(configs: Path) -> dict[str, object]:
    """Time, size and number on disk of each file."""
    found: dict[str, object] = {}
    for name in (*ADOPTED, *RESTART):
        try:
            told = (configs / name).stat()
        except OSError:
            continue
        found[name] = (told.st_mtime_ns, told.st_size, told.st_ino)
    return found


def digests_of(configs: Path) -> dict[str, object]:
    """A digest of what each file says."""
    found: dict[str, object] = {}
    for name in (*ADOPTED, *RESTART):
        try:
            content = (configs / name).read_bytes()
        except OSError:
            continue
        found[name] = hashlib.blake2b(content, digest_size=16).hexdigest()
    return found


def changed(before: Marks, after: Marks, names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of ``names`` that differ, came or went."""
    return tuple(name for name in names if before.get(name) != after.get(name))


class Rest:
    """Tells once when a set of files that changed has come to rest. Pure: ``now`` is in seconds of any clock."""

    def __init__(self, marks: Marks, quiet_s: float) -> None:
        self._marks = marks
        self._quiet_s = quiet_s
        self._since: float | None = None

    def ripe(self, marks: Marks, now: float) -> bool:
        """Whether these are to be read now."""
        if marks != self._marks:
            self._marks, self._since = marks, now
            return False
        if self._since is None or now - self._since < self._quiet_s:
            return False
        self._since = None
        return True


@dataclass(frozen=True)
class State:
    """How the files stand to what is in force. ``refused`` is the error's text, ``restart`` the files that wait."""

    refused: str = ""
    restart: tuple[str, ...] = ()
    stranded: Mapping[str, int] = field(default_factory=dict)

    def sentences(self, names: Mapping[str, str]) -> list[str]:
        """What people at the desk are told; ``names`` shows offices by id."""
        told = []
        if self.refused:
            told.append(f"配置文件有误，平台仍按上一份正确的配置运行：{self.refused}")
        if self.restart:
            more = "，其他配置文件的修改也等到那时" if LABELS in self.restart else ""
            told.append(f"{'、'.join(self.restart)} 已修改，重新启动平台后生效{more}。")
        for key, n in self.stranded.items():
            office = names.get(key.split("/")[0], key)
            told.append(
                f"{office}（{key}）已没有通知地址，{n} 条通知待发："
                "请在 departments.toml 中恢复地址，或改派并另行告知。"
            )
        return told


@dataclass
class Reloader:
    """Watches one folder. ``read`` gives the city its files describe or raises ConfigError.

    ``adopt`` puts a city into force and may raise ConfigError before it has changed anything;
    ``count`` gives what can not be delivered; ``tell`` hears of every change of ``state``.
    """

    configs: Path
    read: Callable[[], City]
    adopt: Callable[[City], Awaitable[None]]
    count: Callable[[], Awaitable[Mapping[str, int]]]
    tell: Callable[[State], None]
    city: City
    marks: Marks
    digests: Marks
    quiet_s: float = QUIET_S
    monotonic: Callable[[], float] = time.monotonic
    state: State = State()

    def __post_init__(self) -> None:
        self._rest = Rest(self.marks, self.quiet_s)
        self._start = self._in_force = self._seen = self.digests

    async def run(self, look_s: float = LOOK_S) -> None:
        """Look for ever."""
        turn = 0
        while True:
            await self.look()
            if turn % COUNT_EVERY == 0:
                self._show(replace(self.state, stranded=await self.count()))
            turn += 1
            await asyncio.sleep(look_s)

    async def look(self) -> None:
        """Compare the folder with what was last seen of it, and act on a set that has come to rest."""
        marks = await asyncio.to_thread(marks_of, self.configs)
        if not self._rest.ripe(marks, self.monotonic()):
            return
        digests, found = await asyncio.to_thread(self._read)
        if marks == await asyncio.to_thread(marks_of, self.configs):
            await self._judge(digests, found)

    def _read(self) -> tuple[Marks, City | str]:
        """What the files say, by digest and as a city or the reason why they are none."""
        digests = digests_of(self.configs)
        try:
            return digests, self.read()
        except ConfigError as error:
            return digests, str(error)
        except (OSError, ValueError, RecursionError) as error:
            return digests, f"config: {self.configs}: {error}; correct the file"

    async def _judge(self, digests: Marks, found: City | str) -> None:
        is_new, self._seen = digests != self._seen, digests
        if isinstance(found, str):
            self._refuse(found, is_new=is_new)
            return
        waits = changed(self._start, digests, RESTART)
        if is_new and waits:
            extra = {"event": "config_restart", "files": waits}
            log.warning("changed files wait for a restart", extra=extra)
        if LABELS not in waits and changed(self._in_force, digests, ADOPTED):
            try:
                await self._take(found, digests)
            except ConfigError as error:
                self._refuse(str(error), is_new=is_new)
                return
        if self.state.refused:
            log.info("configuration good again", extra={"event": "config_good"})
        self._show(replace(self.state, refused="", restart=waits))
        self._show(replace(self.state, stranded=await self.count()))

    async def _take(self, found: City, digests: Marks) -> None:
        """Put it into force, but for what only a restart takes in."""
        files = changed(self._in_force, digests, ADOPTED)
        city = replace(found, taxonomy=self.city.taxonomy, language=self.city.language)
        await self.adopt(city)
        self.city, self._in_force = city, digests
        log.info("configuration adopted", extra={"event": "config_adopted", "files": files})

    def _refuse(self, why: str, *, is_new: bool) -> None:
        if is_new:
            log.error("configuration refused: %s", why, extra={"event": "config_refused"})
        self._show(replace(self.state, refused=why))

    def _show(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self.tell(state)
