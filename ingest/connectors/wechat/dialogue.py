"""The guided dialogue with one citizen: pure, from where it stands and a message to what is done and said.

A text is an item at once. What is missing is asked for once an item; a location, a picture, a voice or a
bare place within half an hour is added to it. A receipt number or 进度 is answered with the status. The
reply to a message is kept, so that WeChat's retry of it gets the very same one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import msgspec

from ingest.connectors.wechat import words
from ingest.connectors.wechat.messages import Message

AMENDABLE = timedelta(minutes=30)
"""So long after an item what follows belongs to it."""

KEPT_REPLIES = 8
KEPT_ITEMS = 20

TEXTS = {
    "welcome": "您好，感谢关注！请用文字描述您遇到的城市问题（地点、情况），也可发送照片和位置，我们会及时受理。",
    "received": "您好，您反映的问题已受理，受理号：{receipt}。发送受理号或“进度”可查询办理情况。",
    "ask_more": "为便于尽快核实处理，请发送位置或补充地点、照片。",
    "ask_words": "请再用文字简要说明地点和情况，便于尽快核实处理。",
    "amended": "已补充到您反映的问题（受理号：{receipt}），感谢您的配合。",
    "status": "{status}",
    "no_item": "暂未查到您反映的问题。请直接用文字描述地点和情况，我们会及时受理。",
    "no_receipt": "未查到该受理号，请核对后完整发送（含数字后的12位字母和数字）。",
    "thanks": "感谢您的理解与支持！您反映的问题我们会持续跟进，发送“进度”可随时查询。",
    "unsupported": "暂不支持这类消息，请发送文字、照片、语音、视频或位置。",
}
"""What citizens read. ``{receipt}`` and ``{status}`` are filled in once known."""


class Action(StrEnum):
    """What the gateway must do before it answers."""

    NOTHING = "nothing"
    ADMIT = "admit"
    AMEND = "amend"
    STATUS = "status"
    RECEIPT = "receipt"


class Topic(msgspec.Struct, frozen=True):
    """The citizen's newest item: since when, what is known of it, whether it was asked for more."""

    item_id: int
    receipt: str
    at: datetime
    has_words: bool
    has_place: bool
    has_photo: bool


class State(msgspec.Struct, frozen=True):
    """Where a conversation stands. Holds no words of the citizen and no openid.

    ``topic`` is the newest item, ``items`` the numbers of the latest ones, ``said`` the latest replies
    by message.
    """

    topic: Topic | None = None
    items: tuple[int, ...] = ()
    said: tuple[tuple[str, str], ...] = ()

    def reply_to(self, key: str) -> str | None:
        """What was said to this message before; None when it is new."""
        return next((reply for known, reply in self.said if known == key), None)

    def heard(self, item_id: int, receipt: str) -> State:
        """The same with the number its newest item got."""
        if self.topic is None:
            return self
        topic = msgspec.structs.replace(self.topic, item_id=item_id, receipt=receipt)
        items = (*(known for known in self.items if known != item_id), item_id)[-KEPT_ITEMS:]
        return msgspec.structs.replace(self, topic=topic, items=items)

    def replied(self, key: str, reply: str) -> State:
        """The same with what was said to a message."""
        said = (*self.said, (key, reply))[-KEPT_REPLIES:]
        return msgspec.structs.replace(self, said=said)


class Turn(msgspec.Struct, frozen=True):
    """One step. ``reply`` is empty when nothing is said; ``about`` is the item of STATUS and AMEND, or the
    receipt of RECEIPT."""

    state: State
    action: Action
    reply: str = ""
    about: str = ""


class Conversations(Protocol):
    """Keeps conversations of one account by openid, which it never stores itself."""

    async def get(self, author: str) -> State:
        """Where it stands; a new one when there was none. Raises TransientError."""
        ...

    async def put(self, author: str, state: State, at: datetime) -> None:
        """Keep it; ``at`` is when the citizen last wrote. Raises TransientError."""
        ...


HasPlace = Callable[[str], bool]


def step(state: State, message: Message, has_place: HasPlace) -> Turn:
    """Decide. ``has_place`` tells whether a text names a place of the city."""
    if message.kind == "event":
        return _event(state, message)
    if message.kind == "text" and (turn := _command(state, message.text)):
        return turn
    if state.topic is not None and _belongs(state.topic, message, has_place):
        return _amend(state, state.topic, message, has_place)
    return _admit(state, message, has_place)


def admit(state: State, message: Message, has_place: HasPlace) -> Turn:
    """The step when the item to amend is no more: what was said becomes an item of its own."""
    return _admit(state, message, has_place)


def _event(state: State, message: Message) -> Turn:
    name = message.event.lower()
    if name == "unsubscribe":
        return Turn(State(), Action.NOTHING)
    if name in {"subscribe", "scan"}:
        return Turn(state, Action.NOTHING, TEXTS["welcome"])
    if name == "click" and words.is_progress(message.event_key):
        return _newest(state)
    return Turn(state, Action.NOTHING, TEXTS["welcome"] if name == "click" else "")


def _command(state: State, text: str) -> Turn | None:
    """A text that asks or thanks and reports nothing."""
    if receipt := words.receipt(text):
        return _by_receipt(state, *receipt)
    if words.is_progress(text):
        return _newest(state)
    if words.is_unsupported(text):
        return Turn(state, Action.NOTHING, TEXTS["unsupported"])
    if words.is_wordless(text) or (state.topic is not None and words.is_thanks(text)):
        return Turn(state, Action.NOTHING, TEXTS["thanks" if state.topic else "no_item"])
    return None


def _by_receipt(state: State, number: str, code: str) -> Turn:
    """Whoever has the code may ask; without it only the citizen's own numbers are answered."""
    if code:
        return Turn(state, Action.RECEIPT, TEXTS["status"], f"{number}-{code}")
    if int(number) in state.items:
        return Turn(state, Action.STATUS, TEXTS["status"], number)
    return Turn(state, Action.NOTHING, TEXTS["no_receipt"])


def _newest(state: State) -> Turn:
    if state.topic is None:
        return Turn(state, Action.NOTHING, TEXTS["no_item"])
    return Turn(state, Action.STATUS, TEXTS["status"], str(state.topic.item_id))


def _belongs(topic: Topic, message: Message, has_place: HasPlace) -> bool:
    if message.at - topic.at > AMENDABLE or message.kind == "link":
        return False
    if message.kind != "text":
        return True
    return not topic.has_words or words.is_place_only(message.text, has_place)


def _amend(state: State, topic: Topic, message: Message, has_place: HasPlace) -> Turn:
    known = _known(message, has_place)
    more = msgspec.structs.replace(
        topic,
        has_words=topic.has_words or known.has_words,
        has_place=topic.has_place or known.has_place,
        has_photo=topic.has_photo or known.has_photo,
    )
    following = msgspec.structs.replace(state, topic=more)
    return Turn(following, Action.AMEND, TEXTS["amended"], str(topic.item_id))


def _admit(state: State, message: Message, has_place: HasPlace) -> Turn:
    topic = _known(message, has_place)
    parts = [TEXTS["received"]]
    if not topic.has_words:
        parts.append(TEXTS["ask_words"])
    elif not topic.has_place and not topic.has_photo:
        parts.append(TEXTS["ask_more"])
    following = msgspec.structs.replace(state, topic=topic)
    return Turn(following, Action.ADMIT, "".join(parts))


def _known(message: Message, has_place: HasPlace) -> Topic:
    """What one message by itself tells."""
    return Topic(
        item_id=0,
        receipt="",
        at=message.at,
        has_words=bool(message.text.strip()),
        has_place=message.kind == "location" or (bool(message.text) and has_place(message.text)),
        has_photo=message.kind in {"image", "video", "shortvideo"},
    )
