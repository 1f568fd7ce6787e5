"""A folder files are dropped into: each is taken when it has stopped growing, then moved away."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ingest.connectors.lists.sheet import MAX_BYTES
from store.errors import TransientError
from store.vault import sha256_hex

_HIDDEN = (".", "~$", "~")
_UNFINISHED = (
    ".part",
    ".partial",
    ".tmp",
    ".crdownload",
    ".download",
    ".filepart",
    ".swp",
    ".lock",
)
DONE = "done"
FAILED = "failed"
REPORT = ".errors.csv"


@dataclass(frozen=True)
class Dropped:
    """One file: its name, content, and the first 16 digits of the content's SHA-256."""

    name: str
    body: bytes
    digest: str


class Folder:
    """One drop folder. Files named like temporary ones, links and folders are left alone."""

    def __init__(self, channel: str, path: Path) -> None:
        self._channel = channel
        self._path = path
        self._looks: dict[str, tuple[int, int]] = {}

    def ready(self) -> list[str]:
        """Names, oldest first, whose size and time are what they were at the last look.

        Raises TransientError when the folder can not be listed.
        """
        try:
            found = [p for p in self._path.iterdir() if _is_list(p)]
            looks = {p.name: (p.stat().st_mtime_ns, p.stat().st_size) for p in found}
        except OSError as error:
            raise self._unwell(error) from error
        stable = [name for name, look in looks.items() if self._looks.get(name) == look]
        self._looks = looks
        return sorted(stable, key=lambda name: (looks[name], name))

    def take(self, name: str) -> Dropped | None:
        """Read one, at most one byte more than is allowed; None when it is gone meanwhile."""
        try:
            with (self._path / name).open("rb") as file:
                body = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unwell(error) from error
        return Dropped(name, body, sha256_hex(body)[:16])

    def settle(self, file: Dropped, found: bytes, *, is_good: bool) -> None:
        """Move it to ``done/`` or ``failed/``, with the report of its bad rows beside it."""
        target = self._path / (DONE if is_good else FAILED)
        try:
            target.mkdir(exist_ok=True)
            place = target / file.name
            if place.exists():
                place = target / f"{place.stem}.{file.digest}{place.suffix}"
            if found:
                place.with_name(place.name + REPORT).write_bytes(found)
            (self._path / file.name).replace(place)
        except OSError as error:
            raise self._unwell(error) from error
        self._looks.pop(file.name, None)

    def _unwell(self, error: OSError) -> TransientError:
        what = f"the folder can not be used ({type(error).__name__})"
        cure = "check folder in hub.toml and that the hub may write there"
        return TransientError(f"ingest: {self._channel}: {what}; {cure}")


def _is_list(path: Path) -> bool:
    name = path.name.lower()
    if name.startswith(_HIDDEN) or name.endswith(_UNFINISHED):
        return False
    return path.is_file() and not path.is_symlink()
