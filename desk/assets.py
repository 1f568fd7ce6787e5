"""The scripts and styles that ``desk/web`` builds, by the name of their page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

BUILT = Path(__file__).parent / "static" / "dist"
BASE = "/static/dist/"


@dataclass(frozen=True)
class Assets:
    """What a page loads, as addresses; empty when nothing was built."""

    script: str = ""
    styles: tuple[str, ...] = ()


def assets(page: str, built: Path = BUILT) -> Assets:
    """The files of ``page`` as Vite's manifest names them; none until ``make web`` has run."""
    manifest = built / ".vite" / "manifest.json"
    return _read(page, manifest, manifest.stat().st_mtime_ns) if manifest.exists() else Assets()


@lru_cache(maxsize=16)
def _read(page: str, manifest: Path, _changed: int) -> Assets:
    chunks = json.loads(manifest.read_text(encoding="utf-8"))
    entry = chunks.get(f"src/{page}.tsx") or chunks.get(f"src/{page}.ts")
    if entry is None:
        return Assets()
    needed = [*(chunks[name] for name in entry.get("imports", ())), entry]
    styles = dict.fromkeys(BASE + one for chunk in needed for one in chunk.get("css", ()))
    return Assets(BASE + entry["file"], tuple(styles))
