"""The HTTP door for channels that call us. It answers 2xx only after the commit is durable.

Keys are compared in constant time; a client is slowed by a token bucket (429 with Retry-After), and
so is everybody while too much waits to be classified (503): nothing accepted is ever dropped.
"""

from __future__ import annotations

import asyncio
import hmac
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import BodyPartReader, web

from ingest.admit import Admission
from ingest.bucket import Bucket
from ingest.connectors.app import App
from ingest.media import MAX_BYTES, clean_photo
from ingest.protocol import Payload
from store.errors import AuthError, RejectedError, TransientError
from store.model import Heard, Item, Media

MAX_PHOTOS = 9
MAX_ITEM = 200_000


class Gateway:
    """Routes of the app API. ``status_of`` answers a receipt; ``pressure`` is seconds to wait, or 0."""

    def __init__(
        self,
        *,
        admission: Admission,
        app: App,
        keys: Mapping[str, str],
        status_of: Callable[[str], Awaitable[dict[str, Any] | None]],
        pressure: Callable[[], float] = lambda: 0.0,
        rate: float = 50.0,
        burst: float = 200.0,
    ) -> None:
        self._admission = admission
        self._app = app
        self._keys = dict(keys)
        self._status_of = status_of
        self._pressure = pressure
        self._bucket = Bucket(rate, burst)

    def routes(self) -> list[web.RouteDef]:
        """What ``hub.web`` mounts."""
        return [
            web.post("/api/v1/items", self.submit),
            web.post("/api/v1/items/batch", self.submit_batch),
            web.get("/api/v1/items/{receipt}", self.status),
        ]

    async def submit(self, request: web.Request) -> web.Response:
        """One message, with or without photos."""
        client = self._client(request)
        self._admit_pressure(client)
        idempotency_key = request.headers.get("Idempotency-Key", "")[:100]
        try:
            if request.content_type == "multipart/form-data":
                body, media = await _multipart(request)
            else:
                body, media = await _body(request, MAX_ITEM), ()
            item = self._app.read_one(
                body, client=client, idempotency_key=idempotency_key, media=media
            )
        except RejectedError as error:
            return _refusal(error)
        return await self._answer_one(item)

    async def _answer_one(self, item: Item) -> web.Response:
        try:
            heard = (await self._admission.admit([item]))[0]
        except RejectedError as error:
            return _refusal(error)
        told = self._told(heard, item)
        return web.json_response(told, status=201 if heard.outcome == "admitted" else 200)

    async def submit_batch(self, request: web.Request) -> web.Response:
        """Up to 500 messages; each gets its own answer, in order."""
        client = self._client(request)
        self._admit_pressure(client)
        try:
            raws = self._app.split(await _body(request, 5_000_000))
        except RejectedError as error:
            return _refusal(error)
        answers: list[dict[str, Any]] = []
        items: list[tuple[int, Item]] = []
        for n, raw in enumerate(raws):
            try:
                item = self._app.read_one(bytes(raw), client=client)
                items.append((n, item))
                answers.append({})
            except RejectedError as error:
                answers.append({"error": str(error)})
        for n, answer in await self._admit_all(items):
            answers[n] = answer
        return web.json_response({"items": answers})

    async def _admit_all(self, items: list[tuple[int, Item]]) -> list[tuple[int, dict[str, Any]]]:
        if not items:
            return []
        try:
            heard = await self._admission.admit([item for _, item in items])
            return [(n, self._told(h, item)) for (n, item), h in zip(items, heard, strict=True)]
        except RejectedError:
            return [(n, await self._admit_one(item)) for n, item in items]

    async def _admit_one(self, item: Item) -> dict[str, Any]:
        try:
            return self._told((await self._admission.admit([item]))[0], item)
        except RejectedError as error:
            return {"error": str(error)}

    async def status(self, request: web.Request) -> web.Response:
        """Where a message stands; wrong and unknown receipts look the same."""
        self._client(request)
        found = await self._status_of(request.match_info["receipt"])
        if found is None:
            return web.json_response({"error": "ingest: app: no such receipt"}, status=404)
        return web.json_response(found)

    def _told(self, heard: Heard, item: Item) -> dict[str, Any]:
        receipt = self._admission.receipt(heard.item_id, item)
        return {"receipt": receipt, "outcome": heard.outcome, "received_at": heard.at.isoformat()}

    def parse(self, payload: Payload) -> object:
        """Read a kept reject again."""
        return self._app.parse(payload)

    def _client(self, request: web.Request) -> str:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        found = ""
        for client, key in self._keys.items():
            if hmac.compare_digest(key.encode(), given):
                found = client
        if not found:
            msg = "ingest: app: no valid key; send Authorization: Bearer KEY of a client in connectors.app.keys"
            raise AuthError(msg)
        return found

    def _admit_pressure(self, client: str) -> None:
        wait = self._bucket.take(client)
        if wait:
            raise _TooManyError(wait)
        wait = self._pressure()
        if wait:
            msg = "ingest: the hub is catching up; send this again later"
            raise TransientError(msg, retry_after_s=wait)


class _TooManyError(TransientError):
    status = 429

    def __init__(self, wait: float) -> None:
        super().__init__(
            "ingest: app: too many requests of this client", retry_after_s=math.ceil(wait)
        )


async def _body(request: web.Request, limit: int) -> bytes:
    if request.headers.get("Content-Encoding", "identity") != "identity":
        msg = "ingest: app: Content-Encoding is not taken; send the body plain"
        raise RejectedError(msg, reason="encoding")
    if request.content_length is not None and limit < request.content_length:
        msg = f"ingest: app: body has {request.content_length} bytes, at most {limit}; split it"
        raise RejectedError(msg, reason="oversize")
    body = await request.read()
    if limit < len(body):
        msg = f"ingest: app: body has {len(body)} bytes, at most {limit}; split it"
        raise RejectedError(msg, reason="oversize")
    return body


async def _multipart(request: web.Request) -> tuple[bytes, tuple[Media, ...]]:
    body, photos = b"", list[Media]()
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            if part.name == "item":
                body = await _part(part, MAX_ITEM, "item")
            elif part.name == "photo":
                if len(photos) >= MAX_PHOTOS:
                    msg = f"ingest: app: photo: more than {MAX_PHOTOS}; send fewer"
                    raise RejectedError(msg, reason="photo_count")
                content = await _part(part, MAX_BYTES, "photo")
                photos.append(await asyncio.to_thread(clean_photo, content))
    except (ValueError, AssertionError, RuntimeError) as error:
        msg = "ingest: app: the multipart body is broken; send parts item and photo"
        raise RejectedError(msg) from error
    if not body:
        msg = "ingest: app: part item is missing; send the message's JSON in it"
        raise RejectedError(msg)
    return body, tuple(photos)


async def _part(part: BodyPartReader, limit: int, name: str) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk(65_536):
        content += chunk
        if limit < len(content):
            msg = f"ingest: app: {name}: more than {limit} bytes; send less"
            raise RejectedError(msg, reason="oversize")
    return bytes(content)


def _refusal(error: RejectedError) -> web.Response:
    status = 413 if error.reason in {"oversize", "photo_size", "photo_pixels"} else 422
    return web.json_response({"error": str(error), "reason": error.reason}, status=status)
