"""What a command on a case carries, as its page sends it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from desk.pages import Note, storable
from router.deciding import Labels
from router.parts import Part
from store.config import Taxonomy
from store.errors import RejectedError
from store.model import MAX_TEXT

Number = Annotated[int, msgspec.Meta(ge=0, lt=10**18)]


class LabelsBody(msgspec.Struct, forbid_unknown_fields=True):
    """Labels a person chose."""

    kind: str
    problems: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    urgency: str = "normal"


class PartBody(msgspec.Struct, forbid_unknown_fields=True):
    """One matter of a message (拆分); ``words`` tell it."""

    kind: str
    words: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
    problems: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    urgency: str = "normal"
    department: str = ""


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """What a command may need; ``version`` is the case's as the person saw it."""

    version: Number
    note: Note = ""
    text: Note = ""
    department: str = ""
    labels: LabelsBody | None = None
    support: tuple[str, ...] | None = None
    joint: bool | None = None
    reason: str = ""
    wanted_at: datetime | None = None
    until: datetime | None = None
    other: Number | str = 0
    parts: tuple[PartBody, ...] = ()


class Aside(msgspec.Struct, forbid_unknown_fields=True):
    """What changes no case: notes and claims need no version."""

    version: Number = 0
    note: Note = ""
    text: Note = ""


class PlanBody(msgspec.Struct, forbid_unknown_fields=True):
    """Labels to plan by."""

    labels: LabelsBody


def labels_of(body: LabelsBody | PartBody, taxonomy: Taxonomy) -> Labels:
    """The labels chosen; RejectedError names one the taxonomy does not have."""
    known: dict[str, set[str]] = {
        "kind": set(taxonomy.kinds),
        "urgency": set(taxonomy.urgencies),
        "problems": set(taxonomy.problems),
        "campaigns": set(taxonomy.campaigns),
    }
    for field, allowed in known.items():
        value = getattr(body, field)
        for label in (value,) if isinstance(value, str) else value:
            if label not in allowed:
                msg = f"desk: labels.{field}: {label[:40]} is not in the taxonomy; choose another"
                raise RejectedError(msg, reason="label")
    return Labels(body.kind, body.problems, body.campaigns, body.urgency)


def part_of(body: PartBody, words: str, taxonomy: Taxonomy) -> Part:
    """The part with its words as they may be kept; RejectedError as ``labels_of``."""
    return Part(labels_of(body, taxonomy), storable(words), body.department)


def number_of(text: int | str) -> int:
    """The number of a case, sent as a number or as text; RejectedError when it is neither."""
    if isinstance(text, int):
        return text
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):  # noqa: PLR2004 - a database's width
        msg = "desk: not the number of a case; send it as it came"
        raise RejectedError(msg, reason="case")
    return int(text)


def aware(at: datetime | None, field: str, reason: str) -> datetime:
    """A time with its zone; RejectedError when it is missing or has none."""
    if at is None or at.tzinfo is None:
        msg = f"desk: {field}: missing or without a zone; write it like 2026-11-24T10:00:00+08:00"
        raise RejectedError(msg, reason=reason)
    return at
