"""Import a hotline's or another office's list: look at how its columns were understood, then take it in.

The file waits in this process's memory between the two steps, for a quarter of an hour and for the
person who sent it only; nothing of it is written before it is confirmed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from desk.accounts import User
from desk.pages import Pages, require
from ingest.admit import Admission
from ingest.connectors.lists import Lists
from ingest.connectors.lists.chinese import refusal, said
from ingest.connectors.lists.headers import SYNONYMS
from ingest.connectors.lists.imports import import_file
from ingest.protocol import Payload
from store.audit import audit
from store.db import Database
from store.errors import RejectedError
from store.vault import sha256_hex

KEPT = timedelta(minutes=15)
MOST = 100_000_000
"""Bytes of all files that wait to be confirmed; the oldest make room."""


@dataclass(frozen=True)
class _Waiting:
    user: str
    channel: str
    payload: Payload
    until: datetime


class Imports:
    """``lists`` are the configured lists by channel."""

    def __init__(
        self,
        db: Database,
        pages: Pages,
        admission: Admission,
        lists: Mapping[str, Lists],
        *,
        names: Mapping[str, str],
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._pages = pages
        self._admission = admission
        self._lists = lists
        self._names = names
        self._clock = clock
        self._waiting: dict[str, _Waiting] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/desk/import", self._form),
            web.post("/desk/import", self._preview),
            web.post("/desk/import/confirm", self._confirm),
        ]

    async def _form(self, request: web.Request) -> web.Response:
        require(request, User.may_dispatch)
        return self._show(request)

    async def _preview(self, request: web.Request) -> web.Response:
        user = require(request, User.may_dispatch)
        posted = await request.post()
        channel, file = str(posted.get("channel", "")), posted.get("file")
        if channel not in self._lists or not isinstance(file, web.FileField):
            return self._show(request, error="请选择渠道和文件", status=422)
        body = await asyncio.to_thread(file.file.read)
        payload = Payload(body, file.content_type, file.filename[:100])
        try:
            preview = await asyncio.to_thread(self._lists[channel].preview, payload)
        except RejectedError as error:
            return self._show(request, error=refusal(error), status=422)
        key = self._keep(user.name, channel, payload)
        return self._show(request, preview=preview, key=key, channel=channel, file=payload.url)

    def _keep(self, user: str, channel: str, payload: Payload) -> str:
        now = self._clock()
        self._waiting = {k: w for k, w in self._waiting.items() if now < w.until}
        key = sha256_hex(f"{user}|{channel}|{sha256_hex(payload.body)}".encode())
        self._waiting[key] = _Waiting(user, channel, payload, now + KEPT)
        while sum(len(w.payload.body) for w in self._waiting.values()) > MOST:
            del self._waiting[next(iter(self._waiting))]
        return key

    async def _confirm(self, request: web.Request) -> web.Response:
        user = require(request, User.may_dispatch)
        key = str((await request.post()).get("key", ""))
        waiting = self._waiting.get(key)
        if waiting is None or waiting.user != user.name or self._clock() >= waiting.until:
            return self._show(request, error="预览已过期，请重新选择文件", status=422)
        lists = self._lists[waiting.channel]
        result = await import_file(self._admission, lists, waiting.payload)
        self._waiting.pop(key, None)
        counts = f"new {result.new}, revised {result.revised}, duplicate {result.duplicate}, bad {result.bad}"
        await audit(
            self._db,
            actor=user.name,
            act="import",
            target=waiting.channel,
            note=counts,
            at=self._clock(),
        )
        report = result.report_csv.decode("utf-8-sig") if result.bad else ""
        return self._show(request, result=result, report=report)

    def _show(self, request: web.Request, *, status: int = 200, **values: Any) -> web.Response:
        empty = {"preview": None, "key": "", "channel": "", "file": "", "result": None}
        empty |= {"report": "", "error": ""}
        return self._pages.render(
            "import.html",
            request,
            status=status,
            channels={name: self._names.get(name, name) for name in self._lists},
            labels={name: words[0] for name, words in SYNONYMS.items()},
            said=said,
            **(empty | values),
        )
