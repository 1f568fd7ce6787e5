"""Admission (受理): the only door in. What it returned is durable, stored once, and on its way.

normalize → redact → seal → one transaction: duplicate check, number of the day, item row, journal
record. ``(channel, channel_id)`` is the identity: the same message again is a duplicate, the same
message with other words a new revision.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from ingest.sealing import Ready, Sealer
from ingest.together import Together
from store.db import Database, Tx, among
from store.dead import DeadLetters
from store.errors import RejectedError
from store.faults import crash_point
from store.model import MAX_PHOTOS, Heard, Item, ItemRef, Place, Record
from store.numbers import take_numbers
from store.outbox import Outbox, record
from store.search import forget, mark
from store.tables import T
from store.terms import Text
from store.vault import Box, Vault

EDITED = (
    "content_sha", "title", "text", "address", "lat", "lon", "coord_type", "url", "posted_at",
)  # fmt: skip

TOGETHER = 500
"""Most items that share one transaction because their callers came at the same time."""

SHORT = 2000
"""Characters of a single message that are cheaper to prepare at once than to hand to a thread."""

NOTE_EVERY = timedelta(seconds=30)
NEVER = datetime.min.replace(tzinfo=UTC)


class _Known(NamedTuple):
    id: int
    revision: int
    content_sha: str
    received_at: datetime
    gone_at: datetime | None


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
        self._sealer = Sealer(vault)
        self._outbox = outbox
        self._dead = dead
        self._zone = zone
        self._clock = clock
        self._observe = observe
        self._noted: dict[str, datetime] = {}
        self._together = Together(self._commit, most=TOGETHER)

    async def admit(
        self, items: Sequence[Item], *, received_at: datetime | None = None
    ) -> list[Heard]:
        """Store items for good; one answer each, in order.

        ``received_at`` (aware) is now unless the items are a recording's. Raises RejectedError
        before anything is stored when an item is empty or longer than ``MAX_TEXT``, TransientError
        when the database can not promise durability.
        """
        at = received_at or self._clock()
        if len(items) == 1 and len(items[0].text) < SHORT and not items[0].media:
            ready = [self._sealer.ready(items[0], at)]
        else:
            ready = await asyncio.to_thread(self._prepare_all, items, at)
        heard = await self._together.call(ready)
        crash_point("admit.after_commit")
        self._count(items, heard)
        return heard

    async def _commit(self, ready: list[Ready]) -> list[Heard]:
        async def work(tx: Tx) -> list[Heard]:
            heard = await self._admit(tx, ready)
            await self._seen(tx, [one.item for one in ready])
            crash_point("admit.before_commit")
            return heard

        return await self._db.write(work)

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

    def _prepare_all(self, items: Sequence[Item], at: datetime) -> list[Ready]:
        return [self._sealer.ready(item, at) for item in items]

    async def _admit(self, tx: Tx, ready: Sequence[Ready]) -> list[Heard]:
        known = await _known(tx, ready, is_sqlite=self._db.is_sqlite)
        fresh: dict[tuple[str, str], Ready] = {}
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
            await mark(tx, ids.values())
            media = [m | {"item_id": ids[i]} for i, one in fresh.items() for m in one.media]
            await tx.insert(T.media, media)
            await self._want(
                tx, [p | {"item_id": ids[i]} for i, one in fresh.items() for p in one.photos]
            )
            records = [_announce(item_id, 1) for item_id in ids.values()]
        heard: list[Heard] = []
        for one in ready:
            identity = (one.item.channel, one.item.channel_id)
            outcome = "admitted" if fresh.get(identity) is one else "duplicate"
            if identity in known:
                item_id, received = known[identity].id, known[identity].received_at
                if known[identity].gone_at is not None:
                    await _back(tx, item_id)
                if known[identity].content_sha != one.row["content_sha"]:
                    known[identity] = await self._revise(tx, known[identity], one)
                    records.append(_announce(item_id, known[identity].revision))
                    outcome = "revised"
            else:
                item_id, received = ids[identity], fresh[identity].received_at
            heard.append(Heard(item_id, outcome, received))
        await self._outbox.put(tx, "items", records)
        return heard

    async def _seen(self, tx: Tx, items: Sequence[Item]) -> None:
        """Now and then note on a channel's health line that it was heard."""
        now = self._clock()
        times: dict[str, list[datetime]] = {}
        for item in items:
            if not item.replayed:
                times.setdefault(item.channel, []).append(item.posted_at or now)
        due = {name for name in times if now - self._noted.get(name, NEVER) >= NOTE_EVERY}
        insert_ = sqlite_insert if self._db.is_sqlite else pg_insert
        for name in sorted(due):
            said = {"last_success_at": now, "newest_at": max(times[name])}
            await tx.run(
                insert_(T.sources)
                .values(name=name, **said)
                .on_conflict_do_update(index_elements=["name"], set_=said)
            )
            self._noted[name] = now

    async def _want(self, tx: Tx, photos: list[dict[str, Any]]) -> None:
        """Pictures to fetch, with the item's own commit."""
        await tx.insert(T.photos, photos)
        if photos:
            tx.touched.add("photos")

    async def _revise(self, tx: Tx, known: _Known, one: Ready) -> _Known:
        """The source's new words replace the old."""
        c = T.items.c
        old = (await tx.run(select(T.items).where(c.id == known.id))).one()
        if old.key is None:  # erased: what was forgotten stays forgotten
            return known._replace(content_sha=one.row["content_sha"])
        await self._replace(tx, old, one, content_sha=one.row["content_sha"])
        return known._replace(content_sha=one.row["content_sha"], revision=known.revision + 1)

    async def _replace(self, tx: Tx, old: Any, one: Ready, *, content_sha: str) -> None:
        """Keep the old words as a revision; the row carries the new ones, under the same key."""
        await forget(tx, Text(old.id, old.title, old.text, old.address))
        await mark(tx, [old.id])
        owner = str(one.item.uid)
        raw = self._vault.unseal(owner, Box(one.row["key"], one.row["sealed"]))
        content = self._vault.seal(owner, raw, key=old.key)
        await tx.run(
            insert(T.revisions).values(
                item_id=old.id,
                revision=old.revision,
                content_sha=old.content_sha,
                sealed=old.sealed,
                replaced_at=self._clock(),
            )
        )
        changed = {name: one.row[name] for name in EDITED} | {"content_sha": content_sha}
        await tx.run(
            update(T.items)
            .where(T.items.c.id == old.id)
            .values(**changed, sealed=content.sealed, revision=old.revision + 1)
        )
        await self._more_photos(tx, old, one.item)

    async def _more_photos(self, tx: Tx, old: Any, item: Item) -> None:
        """Fetch also the pictures an edit or a later message brought, as far as there is room."""
        if not item.photos:
            return
        c, owner = T.photos.c, str(item.uid)
        rows = (await tx.run(select(c.n, c.sealed).where(c.item_id == old.id))).all()
        had = {self._vault.unseal(owner, Box(old.key, row.sealed)).decode() for row in rows}
        after = max([old.media_count, *(row.n + 1 for row in rows)])
        fresh = tuple(ref for ref in dict.fromkeys(item.photos) if ref not in had)
        made = self._sealer.photos(
            item.channel, owner, old.key, fresh[: max(0, MAX_PHOTOS - after)],
            after=after, at=self._clock(),
        )  # fmt: skip
        await self._want(tx, [photo | {"item_id": old.id} for photo in made])

    async def amend(
        self,
        item_id: int,
        *,
        text: str = "",
        place: Place | None = None,
        photos: tuple[str, ...] = (),
    ) -> Heard:
        """Add what the citizen said later: more words, a place, pictures. Makes a new revision.

        The identity of the first wording stays, so its repetition by the source is still a duplicate, as
        is adding the same words and place twice.
        Raises RejectedError when the item is unknown or erased, or gets too long.
        """

        async def work(tx: Tx) -> Heard:
            old = (await tx.run(select(T.items).where(T.items.c.id == item_id))).first()
            if old is None or old.key is None:
                msg = "ingest: the message to amend is not there or was erased"
                raise RejectedError(msg, reason="unknown")
            item = self._sealer.open(old)
            more = {
                "text": f"{item.text}\n{text}" if text else item.text,
                "place": place or item.place,
                "photos": photos,
            }
            if _is_known(item, more) and not photos:
                return Heard(item_id, "duplicate", old.received_at)
            one = self._sealer.ready(item.model_copy(update=more), old.received_at)
            await self._replace(tx, old, one, content_sha=old.content_sha)
            await self._outbox.put(tx, "items", [_announce(item_id, old.revision + 1)])
            return Heard(item_id, "revised", old.received_at)

        return await self._db.write(work)

    async def gone(self, channel: str, channel_ids: Sequence[str]) -> None:
        """Mark items their source no longer shows; what was heard stays heard."""
        if not channel_ids:
            return
        c = T.items.c
        named = among(c.channel_id, channel_ids, is_sqlite=self._db.is_sqlite)

        async def work(tx: Tx) -> None:
            found = update(T.items).where(c.channel == channel, named, c.gone_at.is_(None))
            await tx.run(found.values(gone_at=self._clock()))
            tx.touched.add("desk")

        await self._db.write(work)


async def admit_each(admission: Admission, items: Sequence[Item]) -> list[Heard | RejectedError]:
    """Admit all at once; when one is refused, one by one, so that it costs its neighbours nothing."""
    try:
        return [*await admission.admit(items)] if items else []
    except RejectedError as error:
        if len(items) == 1:
            return [error]
        return [answer for item in items for answer in await admit_each(admission, [item])]


async def _known(
    tx: Tx, ready: Sequence[Ready], *, is_sqlite: bool
) -> dict[tuple[str, str], _Known]:
    """What is stored already of these identities."""
    c = T.items.c
    wanted: dict[str, list[str]] = {}
    for one in ready:
        wanted.setdefault(one.item.channel, []).append(one.item.channel_id)
    known: dict[tuple[str, str], _Known] = {}
    for channel, names in wanted.items():
        rows = await tx.run(
            select(c.channel_id, c.id, c.revision, c.content_sha, c.received_at, c.gone_at).where(
                c.channel == channel, among(c.channel_id, names, is_sqlite=is_sqlite)
            )
        )
        known |= {(channel, row[0]): _Known(*row[1:]) for row in rows}
    return known


def _is_known(item: Item, more: dict[str, Any]) -> bool:
    """Whether the item ends with the added words already, at the same place: the addition was repeated."""
    added = str(more["text"]).removeprefix(item.text)
    return item.text.endswith(added) and more["place"] == item.place


async def _back(tx: Tx, item_id: int) -> None:
    """A post that had vanished is shown again."""
    await tx.run(update(T.items).where(T.items.c.id == item_id).values(gone_at=None))


def _announce(item_id: int, revision: int) -> Record:
    return record(f"{item_id}:{revision}", str(item_id), ItemRef(item_id, revision))
