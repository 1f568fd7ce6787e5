"""WeChat's XML messages to typed ones, and text replies back (接收普通消息, 被动回复).

Source: developers.weixin.qq.com, "Receiving messages", "Receiving events", "Passive replies". XML is UTF-8,
at most 64 KiB, without DTD or entities. ``Location_X`` is the latitude, in GCJ-02.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from xml.etree.ElementTree import ParseError

import msgspec
from defusedxml import DefusedXmlException, ElementTree  # type: ignore[import-untyped]

from store.errors import RejectedError

MAX_BODY = 65_536
"""Bytes of one callback that are read."""

MAX_REPLY_CHARS = 600
MAX_REPLY_BYTES = 2048

KINDS = ("text", "image", "voice", "video", "shortvideo", "location", "link", "event")
WITH_MEDIA = ("image", "voice", "video", "shortvideo")

_RULES = {
    "FromUserName": re.compile(r"[\w-]{1,100}", re.ASCII),
    "ToUserName": re.compile(r"[\w@.-]{1,100}", re.ASCII),
    "CreateTime": re.compile(r"[0-9]{1,10}"),
    "MsgId": re.compile(r"[0-9]{1,20}"),
    "MediaId": re.compile(r"[\w=+/.-]{1,200}", re.ASCII),
    "Event": re.compile(r"\w{1,60}", re.ASCII),
}


class Message(msgspec.Struct, frozen=True):
    """One message or event of a citizen. ``at`` is when WeChat got it; ``msg_id`` is empty for events.

    ``text`` holds the words of a text, what a voice was heard to say, or a link's title and description.
    """

    kind: str
    author: str
    to: str
    at: datetime
    msg_id: str = ""
    text: str = ""
    media_id: str = ""
    lat: float = 0.0
    lon: float = 0.0
    label: str = ""
    url: str = ""
    event: str = ""
    event_key: str = ""

    @property
    def key(self) -> str:
        """What a retry repeats, among the messages of its author."""
        return self.msg_id or f"{self.event}:{int(self.at.timestamp())}"


def fields(channel: str, body: bytes) -> dict[str, str]:
    """The children of ``<xml>``; RejectedError when the body is no such XML."""
    if len(body) > MAX_BODY:
        msg = f"ingest: {channel}: body has {len(body)} bytes, at most {MAX_BODY} are read"
        raise RejectedError(msg, reason="oversize")
    try:
        root = ElementTree.fromstring(body.decode(), forbid_dtd=True)
    except DefusedXmlException as error:
        msg = f"ingest: {channel}: body has a DTD or entities; WeChat sends none"
        raise RejectedError(msg, reason="dtd") from error
    except (ParseError, ValueError, LookupError) as error:
        raise _malformed(channel, "body", "is not UTF-8 XML") from error
    if root.tag != "xml":
        raise _malformed(channel, "body", "is not <xml>")
    return {child.tag: child.text or "" for child in root}


def read(channel: str, body: bytes) -> Message:
    """One plain callback; RejectedError names the field that is wrong."""
    return read_fields(channel, fields(channel, body))


def read_fields(channel: str, got: Mapping[str, str]) -> Message:
    """The message of these fields; RejectedError names the field that is wrong."""
    kind = got.get("MsgType", "").strip()
    if kind not in KINDS:
        raise _malformed(channel, "MsgType", "is none that is known")
    needed = ["FromUserName", "ToUserName", "CreateTime"]
    needed += ["Event"] if kind == "event" else ["MsgId"]
    needed += ["MediaId"] if kind in WITH_MEDIA else []
    good = {name: _checked(channel, got, name) for name in needed}
    lat, lon = _place(channel, got) if kind == "location" else (0.0, 0.0)
    return Message(
        kind=kind,
        author=good["FromUserName"],
        to=good["ToUserName"],
        at=datetime.fromtimestamp(int(good["CreateTime"]), UTC),
        msg_id=good.get("MsgId", ""),
        text=_words(kind, got),
        media_id=good.get("MediaId", ""),
        lat=lat,
        lon=lon,
        label=got.get("Label", "").strip(),
        url=got.get("Url", "").strip() if kind == "link" else "",
        event=good.get("Event", ""),
        event_key=got.get("EventKey", "").strip() if kind == "event" else "",
    )


def _words(kind: str, got: Mapping[str, str]) -> str:
    names = {"text": ("Content",), "voice": ("Recognition",), "link": ("Title", "Description")}
    words = (got.get(name, "").strip() for name in names.get(kind, ()))
    return "\n".join(word for word in words if word)


def _checked(channel: str, got: Mapping[str, str], name: str) -> str:
    value = got.get(name, "").strip()
    if not _RULES[name].fullmatch(value):
        raise _malformed(channel, name, "is missing or malformed")
    return value


def _place(channel: str, got: Mapping[str, str]) -> tuple[float, float]:
    found = []
    for name, most in (("Location_X", 90.0), ("Location_Y", 180.0)):
        text = got.get(name, "").strip()
        if not re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,20})?", text) or abs(float(text)) > most:
            raise _malformed(channel, name, "is not in degrees")
        found.append(float(text))
    return found[0], found[1]


def _malformed(channel: str, name: str, what: str) -> RejectedError:
    return RejectedError(
        f"ingest: {channel}: {name} {what}; see the platform's page on receiving messages"
    )


def clip(text: str) -> str:
    """At most 600 characters and 2048 bytes of UTF-8, cut between characters."""
    if len(text) <= MAX_REPLY_CHARS and len(text.encode()) <= MAX_REPLY_BYTES:
        return text
    room = MAX_REPLY_BYTES - len("…".encode())
    return text[: MAX_REPLY_CHARS - 1].encode()[:room].decode(errors="ignore") + "…"


def build_reply(message: Message, text: str, at: datetime) -> bytes:
    """A text reply to ``message``: names swapped, words clipped."""
    return (
        f"<xml><ToUserName>{_cdata(message.author)}</ToUserName>"
        f"<FromUserName>{_cdata(message.to)}</FromUserName>"
        f"<CreateTime>{int(at.timestamp())}</CreateTime>"
        f"<MsgType>{_cdata('text')}</MsgType>"
        f"<Content>{_cdata(clip(text))}</Content></xml>"
    ).encode()


def build_envelope(encrypted: str, signature: str, timestamp: str, nonce: str) -> bytes:
    """An encrypted reply around what ``Cipher.seal`` made."""
    return (
        f"<xml><Encrypt>{_cdata(encrypted)}</Encrypt><MsgSignature>{_cdata(signature)}</MsgSignature>"
        f"<TimeStamp>{timestamp}</TimeStamp><Nonce>{_cdata(nonce)}</Nonce></xml>"
    ).encode()


def _cdata(text: str) -> str:
    whole = text.replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{whole}]]>"
