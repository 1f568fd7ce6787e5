"""What the app API answers, as structs: the handlers encode them and its document describes them."""

from __future__ import annotations

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


class Standing(msgspec.Struct, frozen=True):
    """Where a message stands; ``status`` is its case's, ``received`` before there is one."""

    case_no: str | None
    status: str
    department: str
    received_at: str | None
    dispatched_at: str | None
    due_at: str | None
    closed_at: str | None
