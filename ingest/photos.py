"""Fetch the pictures, voices and videos messages refer to, apart from admission and before they expire.

A row of ``photos`` is written with its item; here it becomes a cleaned, sealed row of ``media``. What can
not be had yet is tried again for three days (as long as WeChat keeps media); what is gone or is no
picture is a reject like any other, and can be fed again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin

from sqlalchemy import delete, select, update

from ingest.jobs import due, later
from ingest.media import MAX_BYTES, clean_photo
from ingest.protocol import HasMedia
from store.db import Database, Tx
from store.dead import DeadLetters
from store.errors import RejectedError, TransientError
from store.faults import crash_point
from store.model import Media, item_uid
from store.ports import Http
from store.pulse import Pulse
from store.tables import T
from store.vault import Box, Vault

log = logging.getLogger(__name__)

GIVE_UP = timedelta(days=3)
BATCH = 20
HOPS = 3
OK = 200
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PASSING = frozenset({408, 425, 429})
KEPT = ("audio/", "video/")
"""Kinds that are kept as they came, sealed; everything else must be a picture."""


class Photos:
    """Fetches what is due. One a database at a time: the caller holds the lease.

    ``doors`` are the ways out of channels with manners of their own, ``sources`` the connectors that
    resolve references.
    """

    def __init__(
        self,
        *,
        db: Database,
        vault: Vault,
        dead: DeadLetters,
        http: Http,
        doors: Mapping[str, Http],
        sources: Mapping[str, HasMedia],
        clock: Callable[[], datetime],
        observe: Callable[[str, str, int], None],
    ) -> None:
        self._db = db
        self._vault = vault
        self._dead = dead
        self._http = http
        self._doors = doors
        self._sources = sources
        self._clock = clock
        self._observe = observe

    async def run(self) -> None:
        """Fetch for ever."""
        while True:
            heard = self._db.pulse.listen("photos")
            if not await self.run_once():
                await Pulse.wait(heard, 5.0)

    async def run_once(self) -> int:
        """Fetch what is due now; returns how many were tried."""
        rows = await due(self._db, T.photos, self._clock(), limit=BATCH)
        await asyncio.gather(*(self._fetch(row) for row in rows))
        return len(rows)

    async def _fetch(self, row: Any) -> None:
        c = T.items.c
        wanted = select(c.channel, c.channel_id, c.key).where(c.id == row.item_id)
        async with self._db.read() as conn:
            item = (await conn.execute(wanted)).first()
        if item is None or item.key is None:
            await self._forget(row)
            return
        owner = str(item_uid(item.channel, item.channel_id))
        try:
            ref = self._vault.unseal(owner, Box(item.key, row.sealed)).decode()
            content, content_type = await self._content(row.channel, ref)
            media = await asyncio.to_thread(_made_safe, content, content_type)
        except TransientError as error:
            await self._again(row, error)
            return
        except RejectedError as error:
            await self._bury(row, error)
            return
        crash_point("photos.before_store")
        await self._store(row, owner, item.key, media)

    async def _content(self, channel: str, ref: str) -> tuple[bytes, str]:
        """Plain addresses are fetched here, everything else by the channel's own connector."""
        if channel in self._sources and not ref.startswith(("http://", "https://")):
            return await self._sources[channel].media(ref)
        url, http = ref, self._doors.get(channel, self._http)
        for _ in range(HOPS):
            answer = await http.send("GET", url, max_bytes=MAX_BYTES)
            if answer.status not in REDIRECTS:
                break
            url = urljoin(url, answer.headers.get("location", ""))
        else:
            msg = "ingest: photo: redirected too often"
            raise RejectedError(msg, reason="photo_gone")
        if answer.status != OK:
            msg = f"ingest: photo: its server answered {answer.status}"
            if answer.status in PASSING or answer.status >= 500:  # noqa: PLR2004
                raise TransientError(msg, retry_after_s=answer.retry_after_s)
            raise RejectedError(msg, reason="photo_gone")
        return answer.body, answer.headers.get("content-type", "")

    async def _store(self, row: Any, owner: str, key: bytes, media: Media) -> None:
        sealed = self._vault.seal(owner, media.content, key=key).sealed
        made = {"item_id": row.item_id, "n": row.n, "content_type": media.content_type}
        made |= {"width": media.width, "height": media.height, "sealed": sealed}
        i = T.items.c

        async def work(tx: Tx) -> None:
            await tx.insert(T.media, [made], again="ignore")
            await tx.run(_this(row))
            counted = update(T.items).where(i.id == row.item_id)
            await tx.run(counted.values(media_count=i.media_count + 1))
            tx.touched.add("desk")

        await self._db.write(work)
        self._observe("photo", row.channel, 1)

    async def _forget(self, row: Any) -> None:
        async def work(tx: Tx) -> None:
            await tx.run(_this(row))

        await self._db.write(work)

    async def _again(self, row: Any, error: TransientError) -> None:
        now = self._clock()
        if now - row.created_at >= GIVE_UP:
            await self._bury(row, RejectedError(str(error), reason="photo_gone"))
            return
        values = {"attempts": row.attempts + 1, "error": str(error)[:300]}
        await self._settle(row, due_at=later(now, row.attempts, error.retry_after_s), **values)

    async def _bury(self, row: Any, error: RejectedError) -> None:
        log.warning(
            "photo refused",
            extra={"event": "photo_refused", "channel": row.channel, "reason": error.reason},
        )

        async def work(tx: Tx) -> None:
            await tx.run(_change(row).values(state="dead", error=str(error)[:300]))
            await self._dead.put(
                tx,
                stage="photos",
                source_key=f"{row.item_id}:{row.n}",
                reason=error.reason,
                error=str(error)[:500],
                content=b"",
            )

        await self._db.write(work)
        self._observe("dead", row.channel, 1)

    async def _settle(self, row: Any, **values: Any) -> None:
        async def work(tx: Tx) -> None:
            await tx.run(_change(row).values(**values))

        await self._db.write(work)


def _this(row: Any) -> Any:
    return delete(T.photos).where(T.photos.c.item_id == row.item_id, T.photos.c.n == row.n)


def _change(row: Any) -> Any:
    return update(T.photos).where(T.photos.c.item_id == row.item_id, T.photos.c.n == row.n)


def _made_safe(content: bytes, content_type: str) -> Media:
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    if kind.startswith(KEPT):
        if len(content) > MAX_BYTES:
            msg = f"ingest: {kind} has {len(content)} bytes, at most {MAX_BYTES} are kept"
            raise RejectedError(msg, reason="photo_size")
        return Media(content=content, content_type=kind)
    return clean_photo(content)
