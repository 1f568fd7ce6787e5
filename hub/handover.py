"""Hand a recording to the hub that already owns an embedded database: SQLite has one writer.

The running hub leaves its address and a random token in ``<data>/hub.json`` (mode 0600). Batches go
there over loopback and are repeated until they are answered, also across a restart of that hub.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from aiohttp import web

from hub.app import Hub
from hub.http import GuardedHttp
from hub.recording import Line, read_line
from hub.replay import Replay, feed, patiently
from store.db import Database
from store.errors import AuthError, RejectedError, TransientError
from store.lock import is_held

LOOPBACK = ("127.0.0.0/8", "::1/128")
PATIENCE = 150


def running_hub(data: Path) -> bool:
    """Whether another process owns the embedded database of ``data``."""
    lock = data / "minsheng.db.lock"
    return lock.exists() and is_held(lock)


class Handover:
    """The running hub's side."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._token = secrets.token_urlsafe(32)

    def mount(self, application: web.Application) -> None:
        """Add the one internal route."""
        application.router.add_post("/internal/recording", self.receive)

    def announce(self, url: str) -> None:
        """Say where we are to whoever may read the data folder."""
        path = self._hub.data / "hub.json"
        path.unlink(missing_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "w", encoding="ascii") as file:
            json.dump({"url": url, "token": self._token}, file)

    async def receive(self, request: web.Request) -> web.Response:
        """Admit a batch of recorded lines."""
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            msg = "hub: not the token of this data folder"
            raise AuthError(msg)
        head, _, body = (await request.read()).partition(b"\n")
        told = json.loads(head)
        at = datetime.fromtimestamp(told["recorded_at"], UTC)
        home, zone = Path(told["home"]), self._hub.zone
        lines = [
            read_line(raw, home, told["channel"], zone, at) for raw in body.split(b"\n") if raw
        ]
        return web.json_response(await feed(self._hub.admission, lines))


async def hand_over(
    hub: Hub, data: Path, path: Path, channel: str, *, progress: Callable[[str, int], None]
) -> dict[str, int]:
    """Feed ``path`` to the running hub and wait until it has settled; returns the counts."""
    db = Database(hub.settings.database_url or f"sqlite:///{data / 'minsheng.db'}", exclusive=False)
    await db.open()
    http = GuardedHttp(LOOPBACK)
    head = {
        "recorded_at": path.stat().st_mtime,  # noqa: ASYNC240 - once
        "home": str(path.parent.resolve()),
        "channel": channel,
    }

    async def send(lines: Sequence[Line]) -> Counter[str]:
        body = b"\n".join([json.dumps(head).encode(), *(line.raw for line in lines)])
        return await patiently(lambda: _post(http, data, body), tries=PATIENCE)

    try:
        return await Replay(send, db, progress=progress).run(path, channel, hub.zone)
    finally:
        await http.close()
        await db.close()


async def _post(http: GuardedHttp, data: Path, body: bytes) -> Counter[str]:
    try:
        told = json.loads(await asyncio.to_thread((data / "hub.json").read_text))
    except (OSError, ValueError) as error:
        msg = "hub: the running hub has not said where it is yet"
        raise TransientError(msg) from error
    headers = {"authorization": f"Bearer {told['token']}"}
    answer = await http.send(
        "POST", f"{told['url']}/internal/recording", headers=headers, body=body
    )
    if answer.status in {401, 429, 500, 503}:  # a restart changes the token: read it again
        raise TransientError(f"hub: the running hub answered {answer.status}")
    if answer.status != 200:  # noqa: PLR2004
        raise RejectedError(f"hub: the running hub refused the batch ({answer.status})")
    return Counter(msgspec.json.decode(answer.body, type=dict[str, int]))
