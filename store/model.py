"""The words every room shares: what a citizen said, what it means, what must be done.

Values only: frozen, no input or output, no library of ours below. ``Item`` is pydantic because it
is built from wire data and must be validated; what flows inside in bulk is msgspec, which encodes
and decodes ten times as fast.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum

import msgspec
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

MAX_TEXT = 10_000
"""Characters of one message that are read; longer ones are rejected to ``dead``."""

MAX_PHOTOS = 9
"""Pictures kept of one message; a source's further ones are left out."""

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:minsheng")
"""Root of every derived identifier (RFC 9562 version 5), so that a retry names the same thing."""


class Kind(StrEnum):
    """What the citizen wants (诉求类型)."""

    COMPLAINT = "complaint"
    REQUEST = "request"
    INQUIRY = "inquiry"
    PRAISE = "praise"
    CHATTER = "chatter"

    @property
    def is_actionable(self) -> bool:
        """Complaints and requests are routed to an office; the others are not."""
        return self in {Kind.COMPLAINT, Kind.REQUEST}


class Urgency(StrEnum):
    """How soon somebody must move (紧急程度)."""

    NORMAL = "normal"
    URGENT = "urgent"
    EMERGENCY = "emergency"


class Decision(StrEnum):
    """Whether the verdict may be acted on without a dispatcher."""

    AUTO = "auto"
    DESK = "desk"


class CoordType(StrEnum):
    """Datum of a coordinate pair: GPS, Chinese maps and phones, Baidu."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


class Place(BaseModel):
    """Where it is, as far as the citizen said (地点)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: str = Field(default="", max_length=300)
    lat: float | None = Field(default=None, ge=-90, le=90)
    lon: float | None = Field(default=None, ge=-180, le=180)
    coord_type: CoordType = CoordType.WGS84


class Contact(BaseModel):
    """How to reach the reporter (投诉人); sealed at rest, shown only after a reasoned reveal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="", max_length=50)
    phone: str = Field(default="", max_length=30)
    email: str = Field(default="", max_length=200)


class Media(BaseModel):
    """One cleaned photo (re-encoded, without metadata), or a voice or video as it came (size 0 × 0)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content: bytes
    content_type: str
    width: int = 0
    height: int = 0


class Item(BaseModel):
    """One message of one citizen (诉求), as a connector heard it, before admission.

    ``(channel, channel_id)`` identifies it for ever: admitting it twice stores it once. ``channel``
    is the connector's configured name; ``channel_id`` the source's own stable id; ``thread`` the
    ``channel_id`` of the post this one answers, if any. ``photos`` are addresses of pictures, voices or
    videos still to be fetched (``https://…``, or ``kind:id`` for the connector to resolve). ``wanted_at`` is the
    day a leader's instruction (领导交办) sets.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: str = Field(min_length=1, max_length=40)
    channel_id: str = Field(min_length=1, max_length=200)
    text: str = Field(min_length=1)
    title: str = Field(default="", max_length=500)
    author: str = Field(default="", max_length=200)
    contact: Contact = Contact()
    posted_at: AwareDatetime | None = None
    url: str = Field(default="", max_length=1000)
    place: Place = Place()
    media: tuple[Media, ...] = ()
    photos: tuple[str, ...] = Field(default=(), max_length=MAX_PHOTOS)
    thread: str = Field(default="", max_length=200)
    wanted_at: AwareDatetime | None = None
    replayed: bool = False

    @field_validator("channel_id", "url", "thread")
    @classmethod
    def _printable(cls, value: str) -> str:
        if not value.isprintable():
            msg = "contains control characters; leave them out"
            raise ValueError(msg)
        return value

    @property
    def uid(self) -> uuid.UUID:
        """The item's identity on every machine and in every run."""
        return item_uid(self.channel, self.channel_id)


class Reason(msgspec.Struct, frozen=True):
    """A span ``text[start:end]`` that carried ``label`` with ``weight`` (log-odds)."""

    label: str
    start: int
    end: int
    weight: float


class Verdict(msgspec.Struct, frozen=True):
    """What one text means (研判): labels, how sure, why, and whether a person must look.

    ``confidence`` maps every label of the taxonomy to a calibrated probability in [0, 1]; ``trust`` is the
    estimated chance that the whole verdict is right; ``teach`` says how much a person's labels for it
    would teach, from 0 up.
    """

    kind: Kind
    problems: tuple[str, ...]
    campaigns: tuple[str, ...]
    urgency: Urgency
    decision: Decision
    confidence: dict[str, float]
    reasons: tuple[Reason, ...]
    model: str
    dept_hint: str = ""
    trust: float = 0.0
    teach: float = 0.0


class Record(msgspec.Struct, frozen=True):
    """One entry of the journal: ``key`` orders, ``id`` is constant over retries."""

    id: str
    key: str
    payload: bytes


class Sequenced(msgspec.Struct, frozen=True):
    """A record with its position in one partition of a topic."""

    offset: int
    record: Record


def item_uid(channel: str, channel_id: str) -> uuid.UUID:
    """Derive the item's UUIDv5 from its source identity."""
    return uuid.uuid5(NAMESPACE, f"item|{channel}|{channel_id}")


def dispatch_uid(case_id: int, department: str, decision_seq: int) -> uuid.UUID:
    """Derive the constant ``webhook-id`` of one dispatch decision."""
    return uuid.uuid5(NAMESPACE, f"dispatch|{case_id}|{department}|{decision_seq}")


class ItemRef(msgspec.Struct, frozen=True):
    """Payload of topics ``items`` and ``verdicts``: text never travels, only its address."""

    item_id: int
    revision: int


class NoticeRef(msgspec.Struct, frozen=True):
    """Payload of topic ``notices``: which work order changed for which department.

    ``seq`` grows with each notice of a case; ``leaves_at`` (seconds since 1970) is before when nothing may leave.
    """

    order_id: int
    department: str
    change: str
    seq: int
    leaves_at: float = 0.0


class DeadRef(msgspec.Struct, frozen=True):
    """Payload of topic ``dead``: the address of a kept reject."""

    dead_id: int
    stage: str
    reason: str


TOPICS = ("items", "verdicts", "notices", "dead")
"""Every topic of the journal."""


class Heard(msgspec.Struct, frozen=True):
    """What admission did with one item: its number, what became of it, when it came."""

    item_id: int
    outcome: str
    at: datetime
