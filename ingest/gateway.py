"""The HTTP door for channels that call us. It answers 2xx only after the commit is durable.

Keys are compared in constant time; a client is slowed by a token bucket (429 with Retry-After), and
so is everybody while too much waits to be classified (503): nothing accepted is ever dropped.
Instead of sending its key a client may sign with it (``ingest.signed``); the ``webhook-id`` then stands
for the Idempotency-Key.
"""

from __future__ import annotations

import asyncio
import hmac
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from ingest.admit import Admission, admit_each
from ingest.bucket import Bucket
from ingest.connectors.app import App
from ingest.media import MAX_BYTES, clean_photo
from ingest.shapes import Rated, Rating, Receipted, Refusal
from ingest.signed import is_signed, signer
from store.errors import AuthError, RejectedError, TransientError
from store.model import Heard, Item, Media

NO_RECEIPT = "ingest: app: no such receipt; send the one you were given"
MAX_PHOTOS = 9
MAX_ITEM = 200_000
MAX_BATCH_BODY = 5_000_000
_KINDS = frozenset({"application/json", "multipart/form-data"})
_STATUS = {"oversize": 413, "photo_size": 413, "photo_pixels": 413, "content_type": 415}


class Gateway:
    """Routes of the app API. ``status_of`` answers a receipt; ``pressure`` is seconds to wait, or 0.

    ``rated`` keeps a citizen's word for a receipt and says whether there is such a receipt.
    """

    def __init__(
        self,
        *,
        admission: Admission,
        app: App,
        keys: Mapping[str, str],
        status_of: Callable[[str], Awaitable[dict[str, Any] | None]],
        rated: Callable[[str, Rating], Awaitable[bool]],
        pressure: Callable[[], float] = lambda: 0.0,
        rate: float = 50.0,
        burst: float = 200.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._admission = admission
        self._app = app
        self._keys = dict(keys)
        self._status_of = status_of
        self._rated = rated
        self._pressure = pressure
        self._bucket = Bucket(rate, burst)
        self._now = now

    def routes(self) -> list[web.RouteDef]:
        """What ``hub.web`` mounts."""
        return [
            web.post("/api/v1/items", self.submit),
            _only("/api/v1/items", "POST"),
            web.post("/api/v1/items/batch", self.submit_batch),
            _only("/api/v1/items/batch", "POST"),
            web.get("/api/v1/items/{receipt}", self.status),
            _only("/api/v1/items/{receipt}", "GET, HEAD"),
            web.post("/api/v1/items/{receipt}/rating", self.rate),
            _only("/api/v1/items/{receipt}/rating", "POST"),
            web.route("*", "/api/v1/{tail:.*}", _nowhere),
        ]

    async def submit(self, request: web.Request) -> web.Response:
        """One message, with or without photos."""
        try:
            client, signed = await self._enter(request, MAX_ITEM)
            if request.content_type == "multipart/form-data":
                body, media = await _multipart(request)
            else:
                body, media = signed or await _body(request, MAX_ITEM), ()
            item = self._app.read_one(
                body, client=client, idempotency_key=_named(request), media=media
            )
        except RejectedError as error:
            return _refusal(error)
        return await self._answer_one(item)

    async def _enter(self, request: web.Request, limit: int) -> tuple[str, bytes]:
        """The client, and the body when that had to be read to know it."""
        kind = request.content_type if "Content-Type" in request.headers else "application/json"
        signed = is_signed(request.headers)
        taken = {"application/json"} if signed or limit > MAX_ITEM else _KINDS
        body = b""
        if signed and kind in taken:
            body = await _body(request, limit)
        client = self._client(request, body)
        self._admit_pressure(client)
        if kind not in taken:
            msg = f"ingest: app: Content-Type is not taken here; send {' or '.join(sorted(taken))}"
            raise RejectedError(msg, reason="content_type")
        return client, body

    async def _answer_one(self, item: Item) -> web.Response:
        try:
            heard = (await self._admission.admit([item]))[0]
        except RejectedError as error:
            return _refusal(error)
        return _json(self._told(heard, item), 201 if heard.outcome == "admitted" else 200)

    async def submit_batch(self, request: web.Request) -> web.Response:
        """Up to 500 messages; each gets its own answer, in order."""
        try:
            client, signed = await self._enter(request, MAX_BATCH_BODY)
            raws = self._app.split(signed or await _body(request, MAX_BATCH_BODY))
        except RejectedError as error:
            return _refusal(error)
        answers: list[Receipted | Refusal | None] = []
        items: list[tuple[int, Item]] = []
        for n, raw in enumerate(raws):
            try:
                item = self._app.read_one(bytes(raw), client=client)
                items.append((n, item))
                answers.append(None)
            except RejectedError as error:
                answers.append(Refusal(str(error), error.reason))
        heard = await admit_each(self._admission, [item for _, item in items])
        for (n, item), one in zip(items, heard, strict=True):
            answers[n] = self._answer_of(item, one)
        return _json({"items": answers}, 200)

    def _answer_of(self, item: Item, heard: Heard | RejectedError) -> Receipted | Refusal:
        if isinstance(heard, RejectedError):
            return Refusal(str(heard), heard.reason)
        return self._told(heard, item)

    async def status(self, request: web.Request) -> web.Response:
        """Where a message stands; wrong and unknown receipts look the same."""
        self._client(request, b"")
        found = await self._status_of(request.match_info["receipt"])
        if found is None:
            return _json(Refusal(NO_RECEIPT), 404)
        return _json(found, 200)

    async def rate(self, request: web.Request) -> web.Response:
        """What the citizen says of the result; ConflictError (409) while the case is not closed."""
        try:
            _, signed = await self._enter(request, MAX_ITEM)
            body = signed or await _body(request, MAX_ITEM)
            rating = msgspec.json.decode(body, type=Rating)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            msg = f'ingest: app: rating: {error}; send {{"solved": "solved", "satisfied": "satisfied"}}'
            return _refusal(RejectedError(msg))
        except RejectedError as error:
            return _refusal(error)
        if not await self._rated(request.match_info["receipt"], rating):
            return _json(Refusal(NO_RECEIPT), 404)
        return _json(Rated(rating.solved, rating.satisfied), 200)

    def _told(self, heard: Heard, item: Item) -> Receipted:
        receipt = self._admission.receipt(heard.item_id, item)
        return Receipted(receipt, heard.outcome, heard.at.isoformat())

    def _client(self, request: web.Request, body: bytes) -> str:
        if is_signed(request.headers):
            return signer(request.headers, body, self._keys, self._now())
        said = request.headers.get("Authorization", "").removeprefix("Bearer ")
        given = said.encode("utf-8", "surrogateescape")
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
    body = bytearray()
    async for chunk in request.content.iter_chunked(65_536):
        body += chunk
        if limit < len(body):
            msg = f"ingest: app: body has more than {limit} bytes; split it"
            raise RejectedError(msg, reason="oversize")
    return bytes(body)


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
    except (ValueError, AssertionError, RuntimeError, LookupError, HttpProcessingError) as error:
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


def _named(request: web.Request) -> str:
    """The name the request gives its message."""
    header = "webhook-id" if is_signed(request.headers) else "Idempotency-Key"
    return request.headers.get(header, "")[:100]


def _json(body: Any, status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    kind = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    return web.Response(body=msgspec.json.encode(body), status=status, headers=kind)


def _refusal(error: RejectedError) -> web.Response:
    return _json(Refusal(str(error), error.reason), _STATUS.get(error.reason, 422))


def _only(path: str, allowed: str) -> web.RouteDef:
    """What answers every other method of a path."""

    async def refuse(_request: web.Request) -> web.Response:
        told = Refusal(f"ingest: app: this method is not taken here; send {allowed}")
        return _json(told, 405, {"Allow": allowed})

    return web.route("*", path, refuse)


async def _nowhere(_request: web.Request) -> web.Response:
    return _json(Refusal("ingest: app: no such path; see /api/openapi.json"), 404)
