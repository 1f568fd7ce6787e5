"""What every page of the desk is wrapped in: who asks, from where, and what a browser may do with it.

Unsafe methods are refused unless the browser says the request comes from our own page
(``Sec-Fetch-Site``, or ``Origin`` where that is missing) and carries the login's token. The policy
allows scripts, styles and connections of our own origin only, nothing inline.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from desk.sessions import Session, Sessions
from store.errors import AuthError

COOKIE = "minsheng"
SESSION = web.RequestKey("session", Session)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
PUBLIC = ("/login", "/query", "/static/")
OURS = ("/desk", "/inbox", "/login", "/logout", "/query", "/static/")
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """The desk's middleware."""

    def __init__(self, sessions: Sessions, *, secure: bool) -> None:
        self._sessions = sessions
        self.cookie = f"__Host-{COOKIE}" if secure else COOKIE
        self.secure = secure

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """For ``web.Application.middlewares``; other rooms' paths pass untouched."""
        path = request.path
        if path != "/" and not path.startswith(OURS):
            return await handler(request)
        if request.method not in SAFE and not same_origin(request):
            raise web.HTTPForbidden(text="desk: this request does not come from our own page")
        if path.startswith("/query") and (known := request.cookies.get(self.cookie)):
            session = await self._sessions.find(known)  # staff keep their navigation
            if session is not None:
                request[SESSION] = session
        if path != "/" and not path.startswith(PUBLIC):
            session = await self._sessions.find(request.cookies.get(self.cookie, ""))
            if session is None:
                return self._ask(request)
            if request.method not in SAFE:
                await check_token(request, session)
            request[SESSION] = session
        return await _wrapped(request, handler)

    def _ask(self, request: web.Request) -> web.StreamResponse:
        if "/api/" in request.path or request.path.endswith("/events"):
            raise AuthError("desk: not logged in, or the login ended; log in again")
        raise web.HTTPFound("/login", headers=HEADERS)

    def set_cookie(self, response: web.StreamResponse, token: str) -> None:
        """Hand the login to the browser."""
        response.set_cookie(
            self.cookie,
            token,
            httponly=True,
            secure=self.secure,
            samesite="Lax",
            path="/",
            max_age=8 * 3600,
        )


async def _wrapped(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The handler's answer with the headers every page of ours carries."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        error.headers.update(HEADERS)
        raise
    if not response.prepared:
        response.headers.update(HEADERS)
        if not request.path.startswith("/static/"):
            response.headers["Cache-Control"] = "no-store"
    return response


def same_origin(request: web.Request) -> bool:
    """Whether the browser vouches that the request was made by a page of ours."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin", "")
    return bool(origin) and urlsplit(origin).netloc == request.host


async def check_token(request: web.Request, session: Session) -> None:
    """The login's token, in a header (scripts) or a field (forms)."""
    given = request.headers.get("X-Token", "")
    if not given and request.content_type in FORMS:
        given = str((await request.post()).get("token", ""))
    if not hmac.compare_digest(given.encode(), session.csrf.encode()):
        raise web.HTTPForbidden(text="desk: the page is out of date; load it again")
