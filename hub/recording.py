"""Recorded messages: JSON lines with ``id`` and ``text``, and maybe channel, author, title, time, place, media.

A message without a time gets the recording's own (the file's modification time), so that the same
file gives the same cases on every engine and in every run.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from pydantic import ValidationError

from ingest.media import clean_photo
from store.config import explain
from store.errors import ConfigError, RejectedError
from store.model import MAX_TEXT, Contact, Item, Media, Place
from store.vault import sha256_hex


class WireMessage(msgspec.Struct, frozen=True):
    """One line. Unknown keys are ignored: labelled sets can be replayed as they are."""

    id: str | int
    text: str
    channel: str = ""
    author: str = ""
    title: str = ""
    time: str | float | None = None
    place: str | dict[str, Any] | None = None
    media: tuple[str, ...] = ()
    contact: dict[str, str] = {}


_decoder = msgspec.json.Decoder(WireMessage)


@dataclass(frozen=True)
class Line:
    """One line of a recording, read or refused."""

    channel: str
    source_key: str
    raw: bytes
    item: Item | None
    error: RejectedError | None


def read_lines(path: Path, channel: str, zone: ZoneInfo) -> Iterator[Line]:
    """Every non-empty line; ConfigError when the file can not be opened."""
    try:
        recorded_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        with path.open("rb") as file:
            for raw in file:
                if raw.strip():
                    yield read_line(raw.strip(), path.parent, channel, zone, recorded_at)
    except OSError as error:
        msg = f"hub: can not read {path} ({error.strerror}); give a file of JSON lines"
        raise ConfigError(msg) from error


def read_line(raw: bytes, home: Path, channel: str, zone: ZoneInfo, recorded_at: datetime) -> Line:
    """One line; photos are looked for in ``home``."""
    source_key = f"line:{sha256_hex(raw)[:24]}"
    name = channel
    try:
        wire = _decoder.decode(raw)
        name = wire.channel or channel
        source_key = str(wire.id)[:200] or source_key
        if len(wire.text) > MAX_TEXT:
            msg = f"ingest: text has {len(wire.text)} characters, at most {MAX_TEXT} are read; split it"
            raise RejectedError(msg, reason="oversize")
        item = Item(
            channel=name[:40],
            channel_id=str(wire.id),
            text=wire.text,
            title=wire.title,
            author=wire.author,
            contact=Contact.model_validate(wire.contact),
            posted_at=_time(wire.time, zone) or recorded_at,
            place=_place(wire.place),
            media=tuple(_photo(m, home) for m in wire.media),
            replayed=True,
        )
        if not item.text.strip() and not item.title.strip():
            msg = "ingest: text is empty; send words"
            raise RejectedError(msg, reason="empty")
    except RejectedError as error:
        return Line(name[:40], source_key, raw, None, error)
    except ValidationError as error:
        return Line(name[:40], source_key, raw, None, RejectedError(explain(error, "recording")))
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, OverflowError) as error:
        return Line(name[:40], source_key, raw, None, RejectedError(f"ingest: recording: {error}"))
    return Line(item.channel, source_key, raw, item, None)


def _time(value: str | float | None, zone: ZoneInfo) -> datetime | None:
    if value is None or value == "":
        return None
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)  # noqa: PLR2004 - milliseconds
    at = datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _place(value: str | dict[str, Any] | None) -> Place:
    if isinstance(value, str):
        return Place(address=value[:300])
    return Place.model_validate(value or {})


def _photo(value: str, home: Path) -> Media:
    try:
        if value.startswith("data:"):
            return clean_photo(base64.b64decode(value.partition(",")[2], validate=True))
        return clean_photo((home / value).read_bytes())
    except (OSError, binascii.Error) as error:
        msg = f"ingest: recording: media: {error}; give a file beside the recording or a data: URL"
        raise RejectedError(msg, reason="media") from error
