"""One HTTP server: the gateway's routes, the desk's pages, health and metrics."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from hub.app import Hub
from hub.doors import add_doors
from store.errors import AuthError, ConflictError, RejectedError, TransientError

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MAX_BODY = 100_000_000
HIGH_WATER = 50_000
"""Records waiting to be classified above which clients are asked to come back."""

CATCH_UP_S = 10.0

REFUSED = "config: refused, the last good one is in use; the log and minsheng check say why\n"


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn the hub's errors into answers; anything else is a 500 that says nothing."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except TransientError as error:
        wait = str(int(error.retry_after_s or 5))
        status = getattr(error, "status", 503)
        return _json({"error": str(error)}, status, {"Retry-After": wait})
    except RejectedError as error:
        return _json({"error": str(error), "reason": error.reason}, 422)
    except ConflictError as error:
        return _json({"error": str(error), "reason": error.reason}, 409)
    except AuthError as error:
        return _json({"error": str(error)}, 403 if error.known else 401)
    except ConnectionError:
        raise
    except Exception:
        log.exception("request failed", extra={"event": "request_failed", "method": request.method})
        return _json({"error": "hub: something failed here; it is in the log"}, 500)


def _json(body: dict[str, Any], status: int, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(body, status=status, headers=headers)


def build(
    hub: Hub, *, mounts: tuple[Callable[[web.Application], None], ...] = ()
) -> web.Application:
    """The application; ``mounts`` add the desk."""
    application = web.Application(client_max_size=MAX_BODY, middlewares=[errors])
    pages = _Health(hub)
    application.add_routes(
        [
            web.get("/healthz", pages.healthz),
            web.get("/readyz", pages.readyz),
            web.get("/metrics", pages.metrics),
        ]
    )
    add_doors(application, hub, pages.pressure)
    application.add_routes(hub.routing.callbacks().routes())
    for mount in mounts:
        mount(application)
    return application


class _Health:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def healthz(self, _request: web.Request) -> web.Response:
        """The process answers; a second line while the files of ``configs/`` are not what it works by."""
        reloader = self._hub.reloader
        refused = reloader is not None and reloader.state.refused
        return web.Response(text=f"ok\n{REFUSED if refused else ''}")

    async def readyz(self, _request: web.Request) -> web.Response:
        """Every loop runs and every store answers."""
        loops = self._hub.runner.alive()
        good = self._hub.ready and all(loops.values())
        body = json.dumps({"ready": good, "loops": loops})
        return web.Response(text=body, status=200 if good else 503, content_type="application/json")

    async def metrics(self, _request: web.Request) -> web.Response:
        """Prometheus text."""
        body = self._hub.telemetry.render()
        return web.Response(
            body=body, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )

    def pressure(self) -> float:
        """Seconds a client should wait while the hub catches up; 0 normally."""
        return CATCH_UP_S if self._hub.backlog > HIGH_WATER else 0.0
