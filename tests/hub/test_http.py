"""The door out: nothing private by surprise, no redirects, no endless answers."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from hub.http import GuardedHttp
from store.errors import RejectedError, TransientError

PRIVATE = [
    "http://127.0.0.1/", "http://localhost/", "http://2130706433/", "http://0x7f.1/", "http://[::1]/",
    "http://[::ffff:127.0.0.1]/", "http://10.0.0.1/", "http://192.168.1.1/", "http://172.16.0.1/",
    "http://169.254.169.254/latest/", "http://100.64.0.1/", "http://[fe80::1]/", "http://0.0.0.0/",
    "http://[64:ff9b::7f00:1]/", "http://user@127.0.0.1/",
]  # fmt: skip


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    async def big(_request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 200_000)

    async def away(_request: web.Request) -> web.Response:
        raise web.HTTPFound("http://169.254.169.254/")

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b"x")
            await asyncio.sleep(0.1)
        return response

    async def echo(request: web.Request) -> web.Response:
        return web.Response(
            text=request.headers["Host"], headers={"X-Seen": request.headers.get("X-A", "")}
        )

    application = web.Application()
    for name, handler in (("big", big), ("away", away), ("drip", drip), ("echo", echo)):
        application.router.add_get(f"/{name}", handler)
    async with TestServer(application) as made:
        yield made


@pytest.mark.parametrize("url", PRIVATE)
async def test_private_addresses_are_refused_however_written(url: str) -> None:
    http = GuardedHttp()
    with pytest.raises(RejectedError, match=r"net\.allow"):
        await http.send("GET", url)
    await http.close()


async def test_allowed_network_is_called_under_its_own_name(server: TestServer) -> None:
    http = GuardedHttp(["127.0.0.0/8"])
    answer = await http.send("GET", f"http://localhost:{server.port}/echo", headers={"x-a": "b"})
    assert (answer.status, answer.body, answer.headers["x-seen"]) == (
        200,
        f"localhost:{server.port}".encode(),
        "b",
    )
    await http.close()


async def test_redirect_is_not_followed(server: TestServer) -> None:
    http = GuardedHttp(["127.0.0.0/8"])
    assert (await http.send("GET", str(server.make_url("/away")))).status == 302
    await http.close()


async def test_too_large_answer_is_cut_off(server: TestServer) -> None:
    http = GuardedHttp(["127.0.0.0/8"])
    with pytest.raises(RejectedError, match="more than 1000 bytes"):
        await http.send("GET", str(server.make_url("/big")), max_bytes=1000)
    await http.close()


async def test_dripping_answer_meets_the_total_deadline_and_the_door_still_works(
    server: TestServer,
) -> None:
    http = GuardedHttp(["127.0.0.0/8"], total_s=0.5)
    with pytest.raises(TransientError, match="did not answer within"):
        await http.send("GET", str(server.make_url("/drip")))
    assert (await http.send("GET", str(server.make_url("/echo")))).status == 200
    await http.close()


async def test_nobody_there_is_transient() -> None:
    http = GuardedHttp(["127.0.0.0/8"])
    with pytest.raises(TransientError):
        await http.send("GET", "http://127.0.0.1:1/")
    with pytest.raises(TransientError, match="resolved"):
        await http.send("GET", "http://no-such-host.invalid/")
    await http.close()
