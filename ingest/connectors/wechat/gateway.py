"""The callback's address of one official account: verify, keep, answer within five seconds.

WeChat waits 5 seconds and tries three times; an answer ends its tries. A message is answered once it is
durable and never before. What takes longer than ``DEADLINE_S``, or while the database refuses, is answered 503, which
lets WeChat try again; what was begun goes on, and the next try finds it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

from aiohttp import web

from ingest.admit import Admission
from ingest.connectors.wechat import WeChat, photos_of, place_of, words_of
from ingest.connectors.wechat.callback import Seen, Signed, check, check_echo, open_body, reply_to
from ingest.connectors.wechat.dialogue import (
    TEXTS,
    Action,
    Conversations,
    HasPlace,
    State,
    Turn,
    admit,
    step,
)
from ingest.connectors.wechat.messages import MAX_BODY, Message, read
from store.errors import AuthError, RejectedError, TransientError
from store.vault import sha256_hex

log = logging.getLogger(__name__)

DEADLINE_S = 4.0
"""WeChat gives up after 5."""

SUCCESS = "success"


@dataclass(frozen=True)
class Status:
    """Where a message stands, in Chinese: by its number, or by number and code (None when wrong)."""

    of: Callable[[int], Awaitable[str]]
    by_receipt: Callable[[str], Awaitable[str | None]]


class WeChatGateway:
    """Routes of one account. ``close`` waits for what is still being made durable."""

    def __init__(
        self,
        *,
        account: WeChat,
        admission: Admission,
        conversations: Conversations,
        has_place: HasPlace,
        status: Status,
        clock: Callable[[], datetime],
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._account = account
        self._admission = admission
        self._conversations = conversations
        self._has_place = has_place
        self._status = status
        self._clock = clock
        self._deadline_s = deadline_s
        self._seen = Seen()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._late: set[asyncio.Task[_Heard]] = set()

    def routes(self) -> Sequence[web.RouteDef]:
        """What ``hub.web`` mounts."""
        path = f"/wechat/{self._account.channel}"
        return [web.get(path, self.verify), web.post(path, self.callback)]

    async def close(self) -> None:
        """Wait until everything that was begun is done; cancel the caller to give up."""
        while self._late:
            await asyncio.wait(self._late)

    async def verify(self, request: web.Request) -> web.Response:
        """WeChat's question whether the address is ours."""
        try:
            return web.Response(text=check_echo(self._account, request.query, self._clock()))
        except AuthError as error:
            return self._refuse(error)

    async def callback(self, request: web.Request) -> web.Response:
        """One message or event."""
        body = await _body(request)
        if body is None:
            return web.Response(status=413)
        try:
            signed = check(self._account, request.query, body, self._clock())
        except AuthError as error:
            return self._refuse(error)
        return await self._in_time(signed, body)

    async def _in_time(self, signed: Signed, body: bytes) -> web.Response:
        """The answer once it is durable. What takes too long goes on; WeChat's retry joins it."""
        work = asyncio.create_task(self._hear(signed, body))
        self._late.add(work)
        work.add_done_callback(self._late.discard)
        done, _ = await asyncio.wait({work}, timeout=self._deadline_s)
        if not done:
            log.warning("callback is late", extra=self._extra("callback_late", "not durable yet"))
            work.add_done_callback(self._note_end)
            return web.Response(status=503)
        try:
            heard = work.result()
        except AuthError as error:
            return self._refuse(error)
        except TransientError as error:
            log.warning("callback put off", extra=self._extra("callback_put_off", str(error)))
            return web.Response(status=503)
        return heard.response(self._account, self._clock())

    def _note_end(self, work: asyncio.Task[_Heard]) -> None:
        """Say how a late one failed, which nobody waits for any more; WeChat's retry begins anew."""
        error = None if work.cancelled() else work.exception()
        if error is not None:
            cause = self._extra("callback_late", type(error).__name__)
            log.warning("late callback failed", extra=cause)

    async def _hear(self, signed: Signed, body: bytes) -> _Heard:
        """Keep one authentic callback for good and find the reply. Raises AuthError, TransientError."""
        xml, key, message = body, -1, None
        try:
            xml, key = open_body(self._account, signed, body)
            message = read(self._account.channel, xml)
            self._check_fresh(signed, f"{message.author}|{message.key}")
            return _Heard(message, await self._converse(message), key)
        except RejectedError as error:
            identity = sha256_hex(xml)[:32]
            if message is None:
                self._check_fresh(signed, identity)
            source_key = message.msg_id if message is not None else ""
            channel = self._account.channel
            await self._admission.reject(channel, source_key or identity, xml, error)
            return _Heard(None, "", key)

    def _check_fresh(self, signed: Signed, identity: str) -> None:
        if not self._seen.is_fresh(signed, identity, self._clock()):
            msg = f"ingest: {self._account.channel}: nonce refused; this query was used already"
            raise AuthError(msg, known=True)

    async def _converse(self, message: Message) -> str:
        """One step of the dialogue, one message of a citizen at a time."""
        async with self._locks.setdefault(message.author, asyncio.Lock()):
            state = await self._conversations.get(message.author)
            before = state.reply_to(message.key)
            if before is not None:
                return before
            turn = step(state, message, self._has_place)
            following, reply = await self._act(turn, message)
            await self._conversations.put(
                message.author, following.replied(message.key, reply), self._clock()
            )
            return reply

    async def _act(self, turn: Turn, message: Message) -> tuple[State, str]:
        actions: dict[Action, Callable[[Turn, Message], Awaitable[tuple[State, str]]]] = {
            Action.NOTHING: self._say,
            Action.ADMIT: self._admit,
            Action.AMEND: self._amend,
            Action.STATUS: self._tell_status,
            Action.RECEIPT: self._tell_receipt,
        }
        return await actions[turn.action](turn, message)

    async def _say(self, turn: Turn, _message: Message) -> tuple[State, str]:
        return turn.state, turn.reply

    async def _admit(self, turn: Turn, message: Message) -> tuple[State, str]:
        item = self._account.item(message)
        if item is None:
            return turn.state, TEXTS["no_item"]
        heard = (await self._admission.admit([item]))[0]
        receipt = self._admission.receipt(heard.item_id, item)
        return turn.state.heard(heard.item_id, receipt), turn.reply.format(receipt=receipt)

    async def _amend(self, turn: Turn, message: Message) -> tuple[State, str]:
        """Add to the newest item; when that is no more or full, an item of its own."""
        words = "" if message.kind in {"location", "image"} else words_of(message)
        try:
            await self._admission.amend(
                int(turn.about), text=words, place=place_of(message), photos=photos_of(message)
            )
        except RejectedError:
            return await self._admit(admit(turn.state, message, self._has_place), message)
        topic = turn.state.topic
        return turn.state, turn.reply.format(receipt=topic.receipt if topic else turn.about)

    async def _tell_status(self, turn: Turn, _message: Message) -> tuple[State, str]:
        return turn.state, turn.reply.format(status=await self._status.of(int(turn.about)))

    async def _tell_receipt(self, turn: Turn, _message: Message) -> tuple[State, str]:
        status = await self._status.by_receipt(turn.about)
        reply = TEXTS["no_receipt"] if status is None else turn.reply.format(status=status)
        return turn.state, reply

    def _refuse(self, error: AuthError) -> web.Response:
        log.warning("callback refused", extra=self._extra("callback_refused", str(error)))
        return web.Response(status=403)

    def _extra(self, event: str, cause: str) -> dict[str, Any]:
        return {"event": event, "channel": self._account.channel, "cause": cause}


@dataclass(frozen=True)
class _Heard:
    """What became of a callback: the message (None when it was kept as a reject) and the reply to it."""

    message: Message | None
    reply: str
    key: int

    def response(self, account: WeChat, now: datetime) -> web.Response:
        """What WeChat is answered."""
        if self.message is None or not self.reply:
            return web.Response(text=SUCCESS)
        body = reply_to(account, self.message, self.reply, self.key, now)
        return web.Response(body=body, content_type="application/xml", charset="utf-8")


async def _body(request: web.Request) -> bytes | None:
    """The body, None when it is longer than WeChat's ever are."""
    body = bytearray()
    async for chunk in request.content.iter_chunked(16_384):
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)
