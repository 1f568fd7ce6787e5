"""The body of a posted report: an urlencoded form, or multipart with pictures in parts ``media``."""

from __future__ import annotations

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from ingest.connectors.open311.read import MAX_FIELDS, form_of, refuse
from ingest.media import MAX_BYTES
from store.model import MAX_PHOTOS

MAX_FORM = 200_000
"""Bytes of all fields together."""

MAX_MEDIA = 20_000_000
"""Bytes of all pictures together."""

_CHUNK = 65_536

Report = tuple[list[tuple[str, str]], list[bytes]]


async def take(request: web.Request) -> Report:
    """The fields and the pictures as they came; RejectedError when the body is broken or too large."""
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
    return form_of(bytes(body)), []


async def _multipart(request: web.Request) -> Report:
    fields, photos = list[tuple[str, str]](), list[bytes]()
    text, room = MAX_FORM, MAX_MEDIA
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or not part.name:
                continue
            if part.filename is None:
                value = await _whole(part, text)
                text -= len(value)
                fields.append((part.name, value.decode("utf-8")))
            elif part.name in {"media", "media[]"}:
                photos.append(await _whole(part, min(room, MAX_BYTES)))
                room -= len(photos[-1])
            if len(fields) > MAX_FIELDS or len(photos) > MAX_PHOTOS:
                raise refuse(
                    f"body: more than {MAX_FIELDS} fields or {MAX_PHOTOS} pictures; send less"
                )
    except (ValueError, AssertionError, RuntimeError, LookupError, HttpProcessingError) as error:
        raise refuse("body: the multipart form is broken or not UTF-8; encode it anew") from error
    return fields, [content for content in photos if content]


async def _whole(part: BodyPartReader, limit: int) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk(_CHUNK):
        content += chunk
        if len(content) > limit:
            raise refuse(f"body: a part has more than {limit} bytes; send less")
    return bytes(content)
