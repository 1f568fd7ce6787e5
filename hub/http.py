"""The one door to httpx: every call the hub makes to somebody else.

Never follows redirects, never reads proxies from the environment, caps the answer, keeps a total
deadline besides httpx's own, and connects only to the address it checked: private networks are
refused unless ``net.allow`` names them. One client a host (bulkhead); a client that hit the deadline is
replaced, because a cancelled httpx call can leak its connection for ever (httpcore issue 1093).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Mapping, Sequence

import httpx

from store.errors import RejectedError, TransientError
from store.ports import Answer

TOTAL_S = 25.0
AGENT = "Mozilla/5.0 (compatible; minsheng/0.1)"
"""How we introduce ourselves; the product token is also our name in robots.txt."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class GuardedHttp:
    """Implements ``store.ports.Http``."""

    def __init__(self, allow: Sequence[str] = (), *, total_s: float = TOTAL_S) -> None:
        self._allow = [ipaddress.ip_network(network) for network in allow]
        self._total_s = total_s
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def close(self) -> None:
        """Close every client."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        max_bytes: int = 5_000_000,
    ) -> Answer:
        target = httpx.URL(url)
        address = await self._resolve(
            target.host, target.port or (443 if target.scheme == "https" else 80)
        )
        client = self._client(target.host)
        try:
            async with asyncio.timeout(self._total_s):
                return await _exchange(
                    client, method, target, address, dict(headers or {}), body, max_bytes
                )
        except TimeoutError as error:
            await self._replace(target.host, client)
            raise TransientError(
                f"http: {target.host} did not answer within {self._total_s:g} s"
            ) from error
        except httpx.PoolTimeout as error:
            await self._replace(target.host, client)
            raise TransientError(f"http: no free connection to {target.host}") from error
        except httpx.HTTPError as error:
            raise TransientError(f"http: {target.host}: {type(error).__name__}") from error

    async def _resolve(self, host: str, port: int) -> str:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise TransientError(f"http: {host} can not be resolved") from error
        addresses = [ipaddress.ip_address(info[4][0]) for info in found]
        for address in addresses:
            if not self._may_call(address):
                msg = f"http: {host} is in a private network ({address}); add it to net.allow if that is meant"
                raise RejectedError(msg, reason="private_network")
        return str(addresses[0])

    def _may_call(self, address: Address) -> bool:
        inner = getattr(address, "ipv4_mapped", None) or address
        if any(inner.version == net.version and inner in net for net in self._allow):
            return True
        nat64 = inner.version == 6 and inner in ipaddress.ip_network("64:ff9b::/96")  # noqa: PLR2004
        return bool(inner.is_global and not inner.is_multicast and not nat64)

    def _client(self, host: str) -> httpx.AsyncClient:
        if host not in self._clients:
            self._clients[host] = httpx.AsyncClient(
                timeout=httpx.Timeout(10.0),
                limits=httpx.Limits(max_connections=10, max_keepalive_connections=4),
                follow_redirects=False,
                trust_env=False,
                headers={"user-agent": AGENT},
            )
        return self._clients[host]

    async def _replace(self, host: str, client: httpx.AsyncClient) -> None:
        if self._clients.get(host) is client:
            del self._clients[host]
        await client.aclose()


async def _exchange(
    client: httpx.AsyncClient,
    method: str,
    target: httpx.URL,
    address: str,
    headers: dict[str, str],
    body: bytes,
    max_bytes: int,
) -> Answer:
    """One request to the checked address, under the name it was asked for."""
    headers.setdefault("host", target.netloc.decode())
    request = client.build_request(
        method,
        target.copy_with(host=address),
        headers=headers,
        content=body or None,
        extensions={"sni_hostname": target.host},
    )
    response = await client.send(request, stream=True)
    try:
        content = bytearray()
        async for chunk in response.aiter_bytes():
            content += chunk
            if max_bytes < len(content):
                msg = f"http: {target.host} sent more than {max_bytes} bytes"
                raise RejectedError(msg, reason="answer_size")
    finally:
        await response.aclose()
    lowered = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, bytes(content), lowered)
