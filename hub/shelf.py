"""The saved models as the administrator's page lists and changes them; ``Models.follow`` does the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from classify.artifact import Card, read_card
from classify.registry import Registry
from store.config import Taxonomy
from store.errors import ConfigError


class ModelShelf:
    """Implements ``desk.admin.Shelf`` over one folder; only models that know the taxonomy are on it."""

    def __init__(self, home: Path, taxonomy: Taxonomy) -> None:
        self._home = home
        self._registry = Registry(home, taxonomy)

    async def rows(self) -> Sequence[dict[str, Any]]:
        return await asyncio.to_thread(self._rows)

    def _rows(self) -> list[dict[str, Any]]:
        section = self._registry.read()
        states = {section.shadow: "shadow", section.in_use: "in_use"}
        cards = sorted(self._cards(), key=lambda card: card.created_at, reverse=True)
        return [
            {
                "name": card.name,
                "created_at": card.created_at,
                "examples": card.examples,
                "state": states.get(card.name, ""),
                "measures": card.held_out,
            }
            for card in cards
        ]

    def _cards(self) -> list[Card]:
        found = []
        for path in self._home.glob("*/card.json"):
            with suppress(ConfigError):
                card = read_card(path.parent)
                if card.taxonomy == self._registry.key:
                    found.append(card)
        return found

    async def use(self, name: str) -> None:
        await asyncio.to_thread(self._known, name)
        await asyncio.to_thread(self._registry.promote, name)

    async def roll_back(self) -> str:
        return await asyncio.to_thread(self._registry.rollback)

    async def shadow(self, name: str) -> None:
        if name:
            await asyncio.to_thread(self._known, name)
        await asyncio.to_thread(self._registry.try_out, name)

    def _known(self, name: str) -> None:
        """ConfigError unless there is such a model for this taxonomy."""
        if name not in {card.name for card in self._cards()}:
            msg = "classify: there is no such model of this taxonomy; choose one of the list"
            raise ConfigError(msg)
