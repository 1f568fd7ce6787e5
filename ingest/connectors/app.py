"""The city's own app and any program that speaks JSON: our submission API, version 1.

``POST /api/v1/items`` takes one message (JSON, or multipart with a part ``item`` and parts ``photo``),
``POST /api/v1/items/batch`` up to 500 as ``{"items": […]}``, ``GET /api/v1/items/{receipt}`` tells where it
stands. Each client has a key (``Authorization: Bearer …``). A message carries the client's own ``id``,
or the request an ``Idempotency-Key``: repeating either gives the same receipt.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec
from pydantic import ValidationError

from ingest.protocol import Failure, Parsed, Payload
from store.config import explain
from store.errors import RejectedError
from store.model import Contact, CoordType, Item, Media, Place
from store.vault import sha256_hex

MAX_BATCH = 500


class WirePlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where it is; ``coord_type`` says whose coordinates: wgs84, gcj02 or bd09."""

    address: str = ""
    lat: float | None = None
    lon: float | None = None
    coord_type: CoordType = CoordType.WGS84


class WireContact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may be called back; sealed at once."""

    name: str = ""
    phone: str = ""
    email: str = ""


class WireItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message as a client sends it."""

    text: str
    id: str = ""
    title: str = ""
    author: str = ""
    contact: WireContact = WireContact()
    place: WirePlace = WirePlace()
    time: datetime | None = None


class WireBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Several messages; each is read on its own, so that one bad one spoils no other."""

    items: list[msgspec.Raw]


_item = msgspec.json.Decoder(WireItem)
_batch = msgspec.json.Decoder(WireBatch)


class App:
    """Reads the API's bodies. ``client`` is part of each identity: clients can not touch each other's."""

    kind: ClassVar[str] = "app"

    def __init__(self, channel: str = "app") -> None:
        self.channel = channel

    def parse(self, payload: Payload) -> Parsed:
        """Read a batch body; messages that can not be read come back as failures."""
        items: list[Item] = []
        failures: list[Failure] = []
        for n, raw in enumerate(self.split(payload.body)):
            try:
                items.append(self.read_one(bytes(raw), client=payload.url))
            except RejectedError as error:
                failures.append(
                    Failure(
                        f"{payload.url}:{n}:{sha256_hex(bytes(raw))[:16]}", bytes(raw), str(error)
                    )
                )
        return Parsed(items, failures)

    @staticmethod
    def split(body: bytes) -> list[msgspec.Raw]:
        """The raw messages of a batch; RejectedError when it is none or too long."""
        try:
            batch = _batch.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            msg = f'ingest: app: body: {error}; send {{"items": [{{"text": …}}]}}'
            raise RejectedError(msg) from error
        if not 0 < len(batch.items) <= MAX_BATCH:
            msg = f"ingest: app: items: {len(batch.items)} in one request, 1 to {MAX_BATCH} are taken; split it"
            raise RejectedError(msg, reason="oversize")
        return batch.items

    def read_one(
        self, body: bytes, *, client: str, idempotency_key: str = "", media: tuple[Media, ...] = ()
    ) -> Item:
        """One message; RejectedError names the field and the cure."""
        try:
            wire = _item.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            msg = f"ingest: app: {error}; see docs/connectors.md"
            raise RejectedError(msg) from error
        own_id = wire.id or idempotency_key
        if not own_id:
            msg = "ingest: app: id: missing; send the message's own id or an Idempotency-Key header"
            raise RejectedError(msg, reason="no_id")
        try:
            return Item(
                channel=self.channel,
                channel_id=f"{client}:{own_id}",
                text=wire.text,
                title=wire.title,
                author=wire.author,
                contact=Contact(
                    name=wire.contact.name, phone=wire.contact.phone, email=wire.contact.email
                ),
                posted_at=wire.time,
                place=Place(
                    address=wire.place.address,
                    lat=wire.place.lat,
                    lon=wire.place.lon,
                    coord_type=wire.place.coord_type,
                ),
                media=media,
            )
        except ValidationError as error:
            raise RejectedError(explain(error, "app").replace("config:", "ingest:")) from error
