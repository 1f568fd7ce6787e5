"""What the app API answers, as structs: the handlers encode them and its document describes them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec


class Receipted(msgspec.Struct, frozen=True):
    """A message that is kept. ``receipt`` is number and code; ``received_at`` when it was first heard."""

    receipt: str
    outcome: str
    received_at: str


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why something was not taken: room, field, cure; ``reason`` is a short code."""

    error: str
    reason: str = ""


class Rating(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a citizen says of the result (评价): whether it is solved, and apart from that whether they are content."""

    solved: Literal["solved", "partly", "unsolved"]
    satisfied: Literal["satisfied", "fair", "dissatisfied", "none"] = "none"
    note: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class Rated(msgspec.Struct, frozen=True):
    """The word was kept; the last one holds."""

    solved: str
    satisfied: str


class Standing(msgspec.Struct, frozen=True):
    """Where a message stands; ``status`` is its case's, ``received`` before there is one."""

    case_no: str | None
    status: str
    department: str
    received_at: str | None
    dispatched_at: str | None
    due_at: str | None
    promise_at: str | None
    closed_at: str | None
