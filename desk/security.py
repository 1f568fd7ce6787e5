"""What every page of the desk is wrapped in: who asks, from where, and what a browser may do with it.

Unsafe methods are refused unless the browser says the request comes from our own page
(``Sec-Fetch-Site``, or ``Origin`` where that is missing) and carries the login's token. The policy
allows scripts, styles and connections of our own origin only, nothing inline.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Collection
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.http import HttpProcessingError

from desk.receiving import bounded, is_script, read_form, told
from desk.sessions import KEPT, LONGEST, Session, Sessions
from desk.sso import Gateway
from store.errors import AuthError, RejectedError

COOKIE = "minsheng"
GATEWAY = "gateway"
"""How a login began that a trusted gateway vouches for."""

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
OURS = ("/account", "/desk", "/inbox", "/login", "/logout", "/query", "/report/", "/static/")
UNFINISHED = ("/account", "/logout")
"""Where somebody may go who has to set up a second factor first."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
REFUSED = 400
"""The lowest status of a refusal."""


class Guard:
    """The desk's middleware. ``required`` are roles that need a second factor with their password."""

    def __init__(
        self,
        sessions: Sessions,
        *,
        secure: bool,
        required: Collection[str] = (),
        gateway: Gateway | None = None,
    ) -> None:
        self._sessions = sessions
        self._required = frozenset(required)
        self._gateway = gateway
        self.cookie = named(COOKIE, secure=secure)
        self.secure = secure

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """For ``web.Application.middlewares``; other rooms' paths pass untouched."""
        if request.path != "/" and not request.path.startswith(OURS):
            return await handler(request)
        try:
            return await self._guarded(bounded(request), handler)
        except (HttpProcessingError, web.RequestPayloadError) as error:
            msg = "desk: body: not what its headers say; send it plain"
            raise RejectedError(msg, reason="malformed") from error
        except web.HTTPException as error:
            raise (
                told(error) if error.status >= REFUSED and is_script(request) else error
            ) from None

    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The answer of a room that is the desk's."""
        path = request.path
        if request.method not in SAFE:
            check_origin(request)
            await read_form(request)
        if path.startswith("/query") and request.cookies.get(self.cookie):
            session = await self.session(request)  # staff keep their navigation
            if session is not None:
                request[SESSION] = session
        if path != "/" and not path.startswith(PUBLIC):
            session = await self.session(request)
            if session is None:
                return self._ask(request)
            if request.method not in SAFE:
                await check_token(request, session)
            self._check_factor(request, session)
            request[SESSION] = session
        return await handler(request)

    async def session(self, request: web.Request) -> Session | None:
        """The login of a request; a gateway's login holds only while the gateway names the same person."""
        session = await self._sessions.find(request.cookies.get(self.cookie, ""))
        if self._gateway is None:
            return session
        name = await self._gateway.who(request)
        if session is not None and (name or session.via == GATEWAY):
            return session if name == session.user.name else None
        return session

    def _check_factor(self, request: web.Request, session: Session) -> None:
        """Lead who lacks a required second factor to where it is set up; AuthError for scripts."""
        done = session.factor or session.via != "password"
        if done or session.user.role not in self._required or request.path.startswith(UNFINISHED):
            return
        if is_script(request):
            raise AuthError(
                "desk: your role needs a second factor; set it up at /account", known=True
            )
        raise web.HTTPFound("/account")

    def _ask(self, request: web.Request) -> web.StreamResponse:
        if is_script(request):
            raise AuthError("desk: not logged in, or the login ended; log in again")
        raise web.HTTPFound("/login")

    def set_cookie(self, response: web.StreamResponse, token: str) -> None:
        """Hand the login to the browser. The cookie outlives it, so that a page knows whose it was."""
        response.set_cookie(
            self.cookie,
            token,
            httponly=True,
            secure=self.secure,
            samesite="Lax",
            path="/",
            max_age=int((LONGEST + KEPT).total_seconds()),
        )


def named(cookie: str, *, secure: bool) -> str:
    """The cookie's name; over https browsers hold it to this host (RFC 6265bis, 4.1.3.2)."""
    return f"__Host-{cookie}" if secure else cookie


async def dress(request: web.Request, response: web.StreamResponse) -> None:
    """For ``on_response_prepare``: every answer carries the policy, refusals and streams too."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if not request.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")


def check_origin(request: web.Request) -> None:
    """AuthError unless the browser vouches that a page of ours made the request."""
    if not same_origin(request):
        msg = "desk: this request does not come from our own page; open the page and try again"
        raise AuthError(msg, known=True)


def same_origin(request: web.Request) -> bool:
    """Whether the browser vouches that the request was made by a page of ours."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    try:
        origin = urlsplit(request.headers.get("Origin", "")).netloc
    except ValueError:
        return False
    return bool(origin) and origin == request.host


async def check_token(request: web.Request, session: Session) -> None:
    """The login's token, in a header (scripts) or a field (forms)."""
    given = request.headers.get("X-Token", "")
    if not given and not is_script(request):
        given = str((await request.post()).get("token", ""))
    if not hmac.compare_digest(given.encode(errors="replace"), session.csrf.encode()):
        raise AuthError("desk: the page is out of date; load it again", known=True)
