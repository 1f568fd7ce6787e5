"""The body of a posted report: an urlencoded form, or multipart with pictures in parts ``media``."""

from __future__ import annotations

import asyncio

from aiohttp import BodyPartReader, web

from ingest.connectors.open311.read import MAX_FIELDS, form_of, refuse
from ingest.media import MAX_BYTES, clean_photo
from store.model import MAX_PHOTOS, Media

MAX_FORM = 200_000
"""Bytes of all fields together."""

_CHUNK = 65_536

Report = tuple[list[tuple[str, str]], tuple[Media, ...]]


async def take(request: web.Request) -> Report:
    """The fields and the cleaned pictures; RejectedError when the body is broken or too large."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise refuse("Content-Encoding: not taken; send the body plain")
    if request.content_type == "multipart/form-data":
        return await _multipart(request)
    if request.content_type != "application/x-www-form-urlencoded":
        raise refuse("Content-Type: not a form; send application/x-www-form-urlencoded")
    body = bytearray()
    async for chunk in request.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > MAX_FORM:
            raise refuse(f"body: more than {MAX_FORM} bytes; send less")
    return form_of(bytes(body)), ()


async def _multipart(request: web.Request) -> Report:
    fields, photos, size = list[tuple[str, str]](), list[Media](), 0
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or not part.name:
                continue
            if part.filename is None:
                value = await _whole(part, MAX_FORM - size)
                size += len(value)
                fields.append((part.name, value.decode("utf-8")))
            elif part.name in {"media", "media[]"}:
                photos += await _photo(part, room=MAX_PHOTOS - len(photos))
            if len(fields) > MAX_FIELDS:
                raise refuse(f"body: more than {MAX_FIELDS} fields; send less")
    except (ValueError, AssertionError, RuntimeError, LookupError) as error:
        raise refuse("body: the multipart form is broken or not UTF-8; encode it anew") from error
    return fields, tuple(photos)


async def _photo(part: BodyPartReader, *, room: int) -> list[Media]:
    """The cleaned picture; none for a file field that was left empty."""
    content = await _whole(part, MAX_BYTES)
    if not content:
        return []
    if not room:
        raise refuse(f"media: more than {MAX_PHOTOS} pictures; send fewer")
    return [await asyncio.to_thread(clean_photo, content)]


async def _whole(part: BodyPartReader, limit: int) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk(_CHUNK):
        content += chunk
        if len(content) > limit:
            raise refuse(f"body: a part has more than {limit} bytes; send less")
    return bytes(content)
