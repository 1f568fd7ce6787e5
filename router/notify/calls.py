"""Whether a call back is an office's own: Standard Webhooks 1.0, in the other direction. No input or output."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
from pydantic import ValidationError

from router.deadlines import Limit, Unit
from router.notify.webhook import sign
from store.errors import AuthError, RejectedError
from store.vault import sha256_hex

TOLERANCE_S = 300
LONGEST_ID = 200
LONGEST_NOTE = 1000
YEARS = (2000, 2999)


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body: what the office did or why not, and when by its own clock.

    ``reason`` codes a return; ``amount`` and ``unit`` say how much more time is asked for.
    """

    note: str = ""
    at: datetime | None = None
    reason: str = ""
    amount: float = 0.0
    unit: Unit = Unit.WORK_DAYS

    @property
    def limit(self) -> Limit | None:
        """The time asked for, if any; RejectedError when it is no amount."""
        return asked_limit(self.amount, self.unit)


def asked_limit(amount: float, unit: Unit) -> Limit | None:
    """An amount of time somebody asks for; None for nothing, RejectedError for what is no amount."""
    if amount == 0:
        return None
    try:
        return Limit(amount=amount, unit=unit)
    except ValidationError as error:
        msg = f"router: amount: {amount:g} is no time to ask for; write a number of days or hours"
        raise RejectedError(msg, reason="limit") from error


@dataclass(frozen=True, slots=True)
class Call:
    """A genuine call. ``offices`` are all whose secret signed it; ``mark`` names it in a case's history."""

    offices: frozenset[str]
    mark: str


def verify(
    headers: Mapping[str, str], body: bytes, *, secrets: Mapping[str, str], now: datetime
) -> Call:
    """The call these headers sign; AuthError when stale, malformed or signed by nobody known."""
    webhook_id = headers.get("webhook-id", "")
    stamp = headers.get("webhook-timestamp", "")
    if not 0 < len(webhook_id) <= LONGEST_ID or not (stamp.isascii() and stamp.isdecimal()):
        raise AuthError("router: call: webhook-id or webhook-timestamp is missing; send both")
    if len(stamp) > len("9999999999") or abs(now.timestamp() - int(stamp)) > TOLERANCE_S:
        raise AuthError("router: call: webhook-timestamp is over 5 minutes off; set your clock")
    given = [one for one in headers.get("webhook-signature", "").split() if _is_signature(one)]
    offices = frozenset(
        office
        for office, secret in secrets.items()
        if _signed(sign(secret, webhook_id, int(stamp), body), given)
    )
    if not offices:
        raise AuthError("router: call: the signature fits no office; sign with your own secret")
    return Call(offices, f"call:{sha256_hex(webhook_id.encode())[:16]}")


def read_report(body: bytes) -> Report:
    """The body of a call; RejectedError names the field."""
    try:
        report = msgspec.json.decode(body or b"{}", type=Report)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = (
            f'router: call: body: {error}; send {{"note": "…", "at": "2026-11-24T10:00:00+08:00"}}'
        )
        raise RejectedError(msg) from error
    if report.at is not None and report.at.tzinfo is None:
        msg = "router: call: at: no time zone; write it like 2026-11-24T10:00:00+08:00"
        raise RejectedError(msg)
    if report.at is not None and not YEARS[0] <= report.at.year <= YEARS[1]:
        raise RejectedError(
            f"router: call: at: the year {report.at.year} can not be meant; correct it"
        )
    return report


def asked_days(text: str) -> Limit | None:
    """The working days of a form's field; RejectedError for what is no number."""
    try:
        return asked_limit(float(text), Unit.WORK_DAYS)
    except ValueError as error:
        msg = "router: amount: no number; write working days"
        raise RejectedError(msg, reason="limit") from error


def _signed(expected: str, given: list[str]) -> bool:
    return any([hmac.compare_digest(expected, one) for one in given])  # noqa: C419 - no early end


def _is_signature(text: str) -> bool:
    """``v1,`` and base64 of 32 bytes."""
    version, _, value = text.partition(",")
    try:
        return version == "v1" and len(base64.b64decode(value, validate=True)) == 32  # noqa: PLR2004
    except (binascii.Error, ValueError):
        return False
