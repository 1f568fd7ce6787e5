"""From a heard item to the row that is kept: cleaned, redacted words in clear, everything else sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from ingest.normalize import clean
from ingest.redact import redact
from store.errors import RejectedError
from store.model import MAX_TEXT, Contact, CoordType, Item, Place, item_uid
from store.vault import Box, Vault, sha256_hex


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
class Ready:
    """An item with its row, its photos' rows (without ``item_id``) and the time it counts as received."""

    item: Item
    row: dict[str, Any]
    media: tuple[dict[str, Any], ...]
    photos: tuple[dict[str, Any], ...]
    received_at: datetime


class Sealer:
    """Makes rows of items and items of rows."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault

    def ready(self, item: Item, at: datetime) -> Ready:
        """Raises RejectedError when nothing readable is left or the text is too long."""
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
        box = self.vault.seal(owner, content)
        received = item.posted_at if item.replayed and item.posted_at is not None else at
        row = {
            "channel": item.channel,
            "channel_id": item.channel_id,
            "revision": 1,
            "content_sha": sha256_hex(content)[:32],
            "title": redact(title),
            "text": redact(text),
            "author_key": self.author_key(item.channel, item.author),
            "address": redact(clean(place.address)),
            "lat": place.lat,
            "lon": place.lon,
            "coord_type": place.coord_type,
            "url": item.url,
            "media_count": len(item.media),
            "thread": item.thread,
            "replayed": item.replayed,
            "posted_at": item.posted_at,
            "wanted_at": item.wanted_at,
            "received_at": received,
            "sealed": box.sealed,
            "key": box.key,
        }
        return Ready(
            item, row, self._media(item, owner, box.key),
            self.photos(item.channel, owner, box.key, item.photos, after=len(item.media), at=at),
            received,
        )  # fmt: skip

    def author_key(self, channel: str, author: str) -> str:
        """The author's pseudonym within a channel, empty for nobody."""
        return self.vault.blind("author", f"{channel}|{author}" if author else "")

    def photos(
        self,
        channel: str,
        owner: str,
        key: bytes,
        refs: tuple[str, ...],
        *,
        after: int,
        at: datetime,
    ) -> tuple[dict[str, Any], ...]:
        """Rows of pictures still to be fetched, numbered on from ``after``."""
        return tuple(
            {
                "n": after + n,
                "channel": channel,
                "sealed": self.vault.seal(owner, ref.encode(), key=key).sealed,
                "state": "pending",
                "attempts": 0,
                "due_at": at,
                "created_at": at,
                "error": "",
            }
            for n, ref in enumerate(refs)
        )

    def _media(self, item: Item, owner: str, key: bytes) -> tuple[dict[str, Any], ...]:
        return tuple(
            {
                "n": n,
                "content_type": m.content_type,
                "width": m.width,
                "height": m.height,
                "sealed": self.vault.seal(owner, m.content, key=key).sealed,
            }
            for n, m in enumerate(item.media)
        )

    def open(self, row: Any, key: bytes | None = None) -> Item:
        """The item as its citizen sent it, from a row of ``items`` with a key (a part's is ``key``)."""
        uid = str(item_uid(row.channel, row.channel_id))
        box = Box(key or row.key, row.sealed)
        raw = msgspec.json.decode(self.vault.unseal(uid, box), type=Sealed)
        return Item(
            channel=row.channel,
            channel_id=row.channel_id,
            text=raw.text,
            title=raw.title,
            author=raw.author,
            contact=Contact(name=raw.name, phone=raw.phone, email=raw.email),
            posted_at=row.posted_at,
            url=row.url,
            place=Place(
                address=raw.address, lat=row.lat, lon=row.lon, coord_type=CoordType(row.coord_type)
            ),
            thread=row.thread,
            replayed=row.replayed,
        )
