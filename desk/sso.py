"""Who stands behind a request by somebody else's word: addresses of browsers, and gateways that log people in."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from desk.accounts import User
from desk.settings import HeaderConfig

log = logging.getLogger(__name__)

FORWARDED = "X-Forwarded-For"
Known = Callable[[str], Awaitable[User | None]]
"""The person a single sign-on calls so, or None."""


def within(address: str, networks: Sequence[str]) -> bool:
    """Whether a peer's address is in one of the networks; what is no address is in none."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    plain = getattr(found, "ipv4_mapped", None) or found
    return any(plain in ipaddress.ip_network(network) for network in networks)


def address_of(request: web.Request, proxies: Sequence[str]) -> str:
    """The browser's address: the last one in the chain that is no trusted proxy's."""
    chain = [part.strip() for part in ",".join(request.headers.getall(FORWARDED, [])).split(",")]
    address = request.remote or ""
    while within(address, proxies) and chain:
        address = chain.pop() or address
    return address if within(address, ("0.0.0.0/0", "::/0")) else ""


class Gateway:
    """A gateway in front of the hub names people in a header (``[accounts.header]``)."""

    def __init__(self, config: HeaderConfig, known: Known) -> None:
        self._config = config
        self._known = known

    async def person(self, request: web.Request) -> User | None:
        """Who the gateway says asks; HTTPForbidden when the header comes from anybody else."""
        values = request.headers.getall(self._config.name, [])
        if not values:
            return None
        if not within(request.remote or "", self._config.trusted):
            extra = {"event": "header_refused", "peer": request.remote or ""}
            log.warning("a header that names people came from a peer not trusted", extra=extra)
            raise web.HTTPForbidden(
                text="desk: this header is only believed from the gateway; leave it out"
            )
        return await self._known(values[0].strip()) if len(values) == 1 else None

    async def who(self, request: web.Request) -> str:
        """The person's name here; empty for nobody."""
        user = await self.person(request)
        return user.name if user is not None else ""
