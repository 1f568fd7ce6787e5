"""Admission (受理): the only door in. What it returned is durable, stored once, and on its way.

normalize → redact → seal → one transaction: duplicate check, number of the day, item row, journal
record. ``(channel, channel_id)`` is the identity: the same message again is a duplicate, the same
message with other words a new revision.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import insert, select, update

from ingest.normalize import clean
from ingest.redact import redact
from store.db import Database, Tx, among
from store.dead import DeadLetters
from store.errors import RejectedError
from store.faults import crash_point
from store.model import MAX_TEXT, Heard, Item, ItemRef, Record
from store.numbers import take_numbers
from store.outbox import Outbox, record
from store.tables import T
from store.vault import Box, Vault, sha256_hex

EDITED = (
    "content_sha", "title", "text", "address", "lat", "lon", "coord_type", "url", "posted_at",
)  # fmt: skip


class Sealed(msgspec.Struct, frozen=True):
    """What is kept of an item under its own key: the original words and who said them."""

    title: str
    text: str
    author: str
    name: str
    phone: str
    email: str
    address: str


@dataclass(frozen=True)
class _Ready:
    item: Item
    row: dict[str, Any]
    media: tuple[dict[str, Any], ...]
    received_at: datetime


class _Known(NamedTuple):
    id: int
    revision: int
    content_sha: str
    received_at: datetime


class Admission:
    """Admits items in batches. ``observe(event, channel, count)`` feeds the metrics."""

    def __init__(
        self,
        *,
        db: Database,
        vault: Vault,
        outbox: Outbox,
        dead: DeadLetters,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
        observe: Callable[[str, str, int], None],
    ) -> None:
        self._db = db
        self._vault = vault
        self._outbox = outbox
        self._dead = dead
        self._zone = zone
        self._clock = clock
        self._observe = observe

    async def admit(
        self, items: Sequence[Item], *, received_at: datetime | None = None
    ) -> list[Heard]:
        """Store items for good; one answer each, in order.

        ``received_at`` (aware) is now unless the items are a recording's. Raises RejectedError
        before anything is stored when an item is empty or longer than ``MAX_TEXT``, TransientError
        when the database can not promise durability.
        """
        at = received_at or self._clock()
        ready = await asyncio.to_thread(self._prepare_all, items, at)

        async def work(tx: Tx) -> list[Heard]:
            heard = await self._admit(tx, ready)
            crash_point("admit.before_commit")
            return heard

        heard = await self._db.write(work)
        crash_point("admit.after_commit")
        self._count(items, heard)
        return heard

    async def reject(
        self, channel: str, source_key: str, content: bytes, error: RejectedError
    ) -> None:
        """Keep what could not be admitted, sealed, with the reason."""

        async def work(tx: Tx) -> None:
            await self._dead.put(
                tx,
                stage=f"ingest.{channel}",
                source_key=source_key[:200],
                reason=error.reason,
                error=str(error)[:500],
                content=content,
            )

        await self._db.write(work)
        self._observe("dead", channel, 1)

    def receipt(self, item_id: int, item: Item) -> str:
        """The citizen's receipt: the number and a code derived from the item's identity."""
        return f"{item_id}-{self._vault.code('receipt', str(item.uid))}"

    def _count(self, items: Sequence[Item], heard: Sequence[Heard]) -> None:
        counts = Counter((h.outcome, i.channel) for h, i in zip(heard, items, strict=True))
        for (outcome, channel), count in counts.items():
            self._observe(outcome, channel, count)

    def _prepare_all(self, items: Sequence[Item], at: datetime) -> list[_Ready]:
        return [self._prepare(item, at) for item in items]

    def _prepare(self, item: Item, at: datetime) -> _Ready:
        if len(item.text) > MAX_TEXT:
            msg = f"ingest: text has {len(item.text)} characters, at most {MAX_TEXT} are read; split it"
            raise RejectedError(msg, reason="oversize")
        text, title = clean(item.text), clean(item.title)
        if not text and not title:
            msg = "ingest: text is empty once invisible characters are removed; send words"
            raise RejectedError(msg, reason="empty")
        place = item.place
        raw = Sealed(
            item.title, item.text, item.author, item.contact.name, item.contact.phone,
            item.contact.email, place.address,
        )  # fmt: skip
        content = msgspec.json.encode(raw)
        owner = str(item.uid)
        box = self._vault.seal(owner, content)
        received = item.posted_at if item.replayed and item.posted_at is not None else at
        row = {
            "channel": item.channel,
            "channel_id": item.channel_id,
            "revision": 1,
            "content_sha": sha256_hex(content)[:32],
            "title": redact(title),
            "text": redact(text),
            "author_key": self._vault.blind(
                "author", f"{item.channel}|{item.author}" if item.author else ""
            ),
            "address": redact(clean(place.address)),
            "lat": place.lat,
            "lon": place.lon,
            "coord_type": place.coord_type,
            "url": item.url,
            "media_count": len(item.media),
            "replayed": item.replayed,
            "posted_at": item.posted_at,
            "received_at": received,
            "sealed": box.sealed,
            "key": box.key,
        }
        media = self._seal_media(item, owner, box.key)
        return _Ready(item, row, media, received)

    def _seal_media(self, item: Item, owner: str, key: bytes) -> tuple[dict[str, Any], ...]:
        return tuple(
            {
                "n": n,
                "content_type": m.content_type,
                "width": m.width,
                "height": m.height,
                "sealed": self._vault.seal(owner, m.content, key=key).sealed,
            }
            for n, m in enumerate(item.media)
        )

    async def _admit(self, tx: Tx, ready: Sequence[_Ready]) -> list[Heard]:
        known = await _known(tx, ready, is_sqlite=self._db.is_sqlite)
        fresh: dict[tuple[str, str], _Ready] = {}
        for one in ready:
            identity = (one.item.channel, one.item.channel_id)
            if identity not in known and identity not in fresh:
                fresh[identity] = one
        days = [one.received_at.astimezone(self._zone).strftime("%Y%m%d") for one in fresh.values()]
        ids = dict(
            zip(fresh, await take_numbers(tx, days, is_sqlite=self._db.is_sqlite), strict=True)
        )
        records: list[Record] = []
        if fresh:
            rows = [one.row | {"id": ids[identity]} for identity, one in fresh.items()]
            await tx.insert(T.items, rows)
            photos = [m | {"item_id": ids[i]} for i, one in fresh.items() for m in one.media]
            await tx.insert(T.media, photos)
            records = [_announce(item_id, 1) for item_id in ids.values()]
        heard: list[Heard] = []
        for one in ready:
            identity = (one.item.channel, one.item.channel_id)
            outcome = "admitted" if fresh.get(identity) is one else "duplicate"
            if identity in known:
                item_id, received = known[identity].id, known[identity].received_at
                if known[identity].content_sha != one.row["content_sha"]:
                    known[identity] = await self._revise(tx, known[identity], one)
                    records.append(_announce(item_id, known[identity].revision))
                    outcome = "revised"
            else:
                item_id, received = ids[identity], fresh[identity].received_at
            heard.append(Heard(item_id, outcome, received))
        await self._outbox.put(tx, "items", records)
        return heard

    async def _revise(self, tx: Tx, known: _Known, one: _Ready) -> _Known:
        """Keep the old words as a revision; the row carries the new ones, under the same key."""
        c = T.items.c
        old = (await tx.run(select(c.content_sha, c.sealed, c.key).where(c.id == known.id))).one()
        if old.key is None:  # erased: what was forgotten stays forgotten
            return known._replace(content_sha=one.row["content_sha"])
        owner = str(one.item.uid)
        raw = self._vault.unseal(owner, Box(one.row["key"], one.row["sealed"]))
        content = self._vault.seal(owner, raw, key=old.key)
        await tx.run(
            insert(T.revisions).values(
                item_id=known.id,
                revision=known.revision,
                content_sha=old.content_sha,
                sealed=old.sealed,
                replaced_at=self._clock(),
            )
        )
        changed = {name: one.row[name] for name in EDITED}
        following = known._replace(content_sha=one.row["content_sha"], revision=known.revision + 1)
        await tx.run(
            update(T.items)
            .where(c.id == known.id)
            .values(**changed, sealed=content.sealed, revision=following.revision)
        )
        return following


async def _known(
    tx: Tx, ready: Sequence[_Ready], *, is_sqlite: bool
) -> dict[tuple[str, str], _Known]:
    """What is stored already of these identities."""
    c = T.items.c
    wanted: dict[str, list[str]] = {}
    for one in ready:
        wanted.setdefault(one.item.channel, []).append(one.item.channel_id)
    known: dict[tuple[str, str], _Known] = {}
    for channel, names in wanted.items():
        rows = await tx.run(
            select(c.channel_id, c.id, c.revision, c.content_sha, c.received_at).where(
                c.channel == channel, among(c.channel_id, names, is_sqlite=is_sqlite)
            )
        )
        known |= {(channel, row[0]): _Known(row[1], row[2], row[3], row[4]) for row in rows}
    return known


def _announce(item_id: int, revision: int) -> Record:
    return record(f"{item_id}:{revision}", str(item_id), ItemRef(item_id, revision))
