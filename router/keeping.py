"""Follows ``verdicts``: keeps the keys by which a case may be found again as the same matter (并案)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from router.grouping import Finder
from store.db import Tx
from store.model import ItemRef, Record
from store.tables import T

_ref = msgspec.json.Decoder(ItemRef)

PACE = 250
"""Messages a second at most: keys cost more than a verdict, and in a rush nobody is looking at them yet."""


def item_ids(records: Sequence[Record]) -> list[int]:
    """The items these records name, ascending, each once."""
    return sorted({_ref.decode(record.payload).item_id for record in records})


class KeyWorker:
    """Handler of topic ``verdicts`` beside the router: a case takes the number of its founding item, so its
    keys can be written whether or not it is filed yet."""

    group = "grouping"
    topic = "verdicts"

    def __init__(self, finder: Finder) -> None:
        self._finder = finder

    async def prepare(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        await asyncio.sleep(len(records) / PACE)
        ids = item_ids(records)
        return [
            {"key": key, "case_id": facts.id}
            for facts in await self._finder.facts(ids)
            for key in self._finder.keys_of(facts)
        ]

    async def apply(self, tx: Tx, rows: list[dict[str, Any]]) -> None:
        """Keys of an earlier wording stay: they only bring one more candidate to be compared."""
        await tx.insert(T.case_keys, rows, again="ignore")
