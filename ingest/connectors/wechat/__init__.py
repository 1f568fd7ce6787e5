"""A WeChat official account (公众号): citizens write to it, and are answered there.

``WeChat`` reads one callback's XML and makes the server calls; ``gateway`` is the callback's address,
``dialogue`` decides what to say. Source: developers.weixin.qq.com, official accounts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import ValidationError

from ingest.connectors.wechat.api import Api
from ingest.connectors.wechat.config import FACTS, WeChatConfig
from ingest.connectors.wechat.crypto import Cipher
from ingest.connectors.wechat.errors import WINDOW, explain
from ingest.connectors.wechat.messages import Message, clip, fields, read_fields
from ingest.protocol import Parsed, Payload, Told
from store.config import explain as explain_config
from store.errors import RejectedError
from store.model import CoordType, Item, Place
from store.ports import Http
from store.vault import sha256_hex

__all__ = ["WeChat", "WeChatConfig"]

WINDOW_OPEN = timedelta(hours=48)
"""A citizen may be sent customer messages this long after having written."""

MARKS = {
    "image": "【图片】",
    "voice": "【语音】",
    "video": "【视频】",
    "shortvideo": "【视频】",
    "location": "【位置】",
    "link": "【链接】",
}
"""What stands for the words of a message that has none."""

LIMITS = {"thing": 20, "character_string": 32, "phrase": 5, "const": 20}
"""Characters a template's field takes, by the name it starts with."""


class WeChat:
    """One official account."""

    kind: ClassVar[str] = "wechat"
    in_public: ClassVar[bool] = False

    def __init__(
        self, channel: str, config: WeChatConfig, http: Http, *, clock: Callable[[], datetime]
    ) -> None:
        self.channel = channel
        self.speaks = True
        self.config = config
        self.api = Api(channel, config, http, clock)
        self.cipher = Cipher(
            channel,
            config.app_id,
            config.aes_key.get_secret_value(),
            config.previous_aes_key.get_secret_value(),
        )
        self._clock = clock

    def parse(self, payload: Payload) -> Parsed:
        """One callback, plain or encrypted as it was kept: an item, or nothing for an event."""
        got = fields(self.channel, payload.body)
        if "MsgType" not in got and "Encrypt" in got:
            got = fields(self.channel, self.cipher.open(got["Encrypt"])[0])
        item = self.item(read_fields(self.channel, got))
        return Parsed([item] if item else [])

    def item(self, message: Message) -> Item | None:
        """The message as an item; None when nothing is said in it (an event, an empty text)."""
        text = words_of(message)
        if message.kind == "event" or not text.strip():
            return None
        try:
            return Item(
                channel=self.channel,
                channel_id=message.msg_id,
                text=text,
                author=message.author,
                posted_at=message.at,
                url=message.url[:1000] if message.url.startswith(("http://", "https://")) else "",
                place=place_of(message) or Place(),
                photos=photos_of(message),
            )
        except ValidationError as error:
            said = explain_config(error, self.channel).replace("config:", "ingest:")
            raise RejectedError(said) from error

    async def media(self, ref: str) -> tuple[bytes, str]:
        """Content and content type of ``wechat:MEDIA_ID``. Raises TransientError or RejectedError."""
        kind, _, media_id = ref.partition(":")
        if kind != self.kind or not media_id:
            msg = f"ingest: {self.channel}: media: not a reference of this channel"
            raise RejectedError(msg, reason="gone")
        return await self.api.media(media_id)

    async def answer(self, told: Told) -> None:
        """Within 48 hours of the citizen's last message a customer message, else the template.

        Raises RejectedError (reason ``window`` or ``quota``) when neither may be sent.
        """
        if self._clock() - told.heard_at < WINDOW_OPEN:
            try:
                await self.api.send_text(told.author, clip(told.text))
            except RejectedError as error:
                if error.reason not in {"window", "quota"} or not self.config.template_id:
                    raise
            else:
                return
        elif not self.config.template_id:
            raise explain(self.channel, min(WINDOW))
        await self._send_template(told)

    async def _send_template(self, told: Told) -> None:
        facts = dict.fromkeys(FACTS, "") | told.facts
        facts |= {"receipt": told.receipt, "stage": told.stage, "text": told.text}
        data = {
            key: _fit(key, words.format_map(facts))
            for key, words in self.config.template_fields.items()
        }
        identity = f"{told.channel_id}|{told.stage}|{told.text}"
        await self.api.send_template(told.author, data, sha256_hex(identity.encode())[:32])


def words_of(message: Message) -> str:
    """What is kept as the words of a message."""
    mark = MARKS.get(message.kind, "")
    if message.kind == "location":
        return mark + message.label
    return message.text or mark


def photos_of(message: Message) -> tuple[str, ...]:
    """References to what must be fetched from WeChat within three days."""
    return (f"wechat:{message.media_id}",) if message.media_id else ()


def place_of(message: Message) -> Place | None:
    """Where a location message points to."""
    if message.kind != "location":
        return None
    return Place(
        address=message.label[:300], lat=message.lat, lon=message.lon, coord_type=CoordType.GCJ02
    )


def _fit(key: str, value: str) -> str:
    most = next((n for name, n in LIMITS.items() if key.startswith(name)), 200)
    return value if len(value) <= most else value[: most - 1] + "…"
