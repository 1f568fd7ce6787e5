"""Names that every holder reads anew: one object for all, whose content changes at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


class Names(Mapping[str, str]):
    """What ids are called on screen, as the configuration in force says."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def adopt(self, names: Mapping[str, str]) -> None:
        """From now on these."""
        self._names = names

    def __getitem__(self, key: str) -> str:
        return self._names[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
