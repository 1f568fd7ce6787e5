"""How an answer leaves: in the format the path asks for, errors included."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
from aiohttp import web

from ingest.connectors.open311.wire import CONTENT_TYPES, Problem, Root, content_type, document
from store.errors import AuthError, RejectedError, TransientError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Work = Callable[[web.Request, str], Awaitable[web.Response]]
"""What makes an answer in a format."""

_STATUS = {"not_found": 404}
"""HTTP status by the reason of a RejectedError; 400 for every other."""


class TooManyError(TransientError):
    """A client that asks faster than its bucket fills (HTTP 429)."""

    status = 429


def answer(
    fmt: str,
    root: Root,
    content: msgspec.Struct | Sequence[msgspec.Struct],
    *,
    status: int = 200,
    bare: bool = False,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """The response that carries a document."""
    told = {"Content-Type": content_type(fmt, bare=bare), **(headers or {})}
    return web.Response(body=document(fmt, root, content), status=status, headers=told)


def problem(
    fmt: str, status: int, says: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """The response that carries one error."""
    return answer(fmt, "errors", [Problem(status, says)], status=status, headers=headers)


def speaking(work: Work) -> Handler:
    """A handler whose errors are answered in its own format; an unknown format is 404, in XML."""

    async def handle(request: web.Request) -> web.StreamResponse:
        fmt = request.match_info.get("fmt", "xml")
        if fmt not in CONTENT_TYPES:
            return problem(
                "xml", 404, "ingest: open311: no such format; end the path in .xml or .json"
            )
        try:
            return await work(request, fmt)
        except RejectedError as error:
            return problem(fmt, _STATUS.get(error.reason, 400), str(error))
        except AuthError as error:
            return problem(fmt, 403, str(error))
        except TransientError as error:
            wait = {"Retry-After": str(math.ceil(error.retry_after_s or 5))}
            return problem(fmt, getattr(error, "status", 503), str(error), wait)

    return handle


def only(allowed: Sequence[str]) -> Work:
    """What answers every other method of a path."""

    async def refuse(_request: web.Request, fmt: str) -> web.Response:
        listed = ", ".join(allowed)
        says = f"ingest: open311: this method is not taken here; send {listed}"
        return problem(fmt, 405, says, {"Allow": listed})

    return refuse


async def nowhere(request: web.Request, _fmt: str) -> web.Response:
    """What answers a path that is none of the specification's."""
    fmt = "json" if request.path.endswith(".json") else "xml"
    return problem(fmt, 404, "ingest: open311: no such resource; see /open311/v2/discovery.xml")
