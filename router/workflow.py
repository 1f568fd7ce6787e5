"""The lifecycle of a case (GB/T 30428.8 立案、处置和结案) as a table you can read.

Statuses are past participles, commands are verbs. What is not in ``TRANSITIONS`` is not allowed:
``next_status`` raises WorkflowError (HTTP 409).
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType

from store.errors import WorkflowError


class CaseStatus(StrEnum):
    """Where a case stands."""

    RECEIVED = "received"
    FILED = "filed"
    DISPATCHED = "dispatched"
    HANDLING = "handling"
    HANDLED = "handled"
    SUSPENDED = "suspended"
    CLOSED = "closed"
    DECLINED = "declined"
    REFERRED = "referred"
    MERGED = "merged"


class Verb(StrEnum):
    """What may be done to a case."""

    RECEIVE = "receive"
    FILE = "file"
    DECLINE = "decline"
    REFER = "refer"
    MERGE = "merge"
    DISPATCH = "dispatch"
    RETURN_ORDER = "return_order"
    SIGN = "sign"
    EXTEND = "extend"
    SUSPEND = "suspend"
    RESUME = "resume"
    HANDLE = "handle"
    VERIFY_PASS = "verify_pass"  # noqa: S105 - a command
    VERIFY_FAIL = "verify_fail"
    CLOSE = "close"
    REOPEN = "reopen"


STATUS_NAMES = MappingProxyType(
    {
        CaseStatus.RECEIVED: "已受理",
        CaseStatus.FILED: "已立案",
        CaseStatus.DISPATCHED: "已派遣",
        CaseStatus.HANDLING: "处置中",
        CaseStatus.HANDLED: "已处置",
        CaseStatus.SUSPENDED: "挂账",
        CaseStatus.CLOSED: "已结案",
        CaseStatus.DECLINED: "不予立案",
        CaseStatus.REFERRED: "已转12345",
        CaseStatus.MERGED: "已并案",
    }
)

VERB_NAMES = MappingProxyType(
    {
        Verb.RECEIVE: "受理",
        Verb.FILE: "立案",
        Verb.DECLINE: "不予立案",
        Verb.REFER: "转12345",
        Verb.MERGE: "并案",
        Verb.DISPATCH: "派遣",
        Verb.RETURN_ORDER: "退单",
        Verb.SIGN: "签收",
        Verb.EXTEND: "延期",
        Verb.SUSPEND: "挂账",
        Verb.RESUME: "恢复处置",
        Verb.HANDLE: "处置完毕",
        Verb.VERIFY_PASS: "核查通过",
        Verb.VERIFY_FAIL: "核查不通过",
        Verb.CLOSE: "结案",
        Verb.REOPEN: "重开",
    }
)

_S, _V = CaseStatus, Verb

TRANSITIONS: MappingProxyType[tuple[CaseStatus, Verb], CaseStatus] = MappingProxyType(
    {
        (_S.RECEIVED, _V.FILE): _S.FILED,
        (_S.RECEIVED, _V.DECLINE): _S.DECLINED,
        (_S.RECEIVED, _V.REFER): _S.REFERRED,
        (_S.RECEIVED, _V.MERGE): _S.MERGED,
        (_S.FILED, _V.DISPATCH): _S.DISPATCHED,
        (_S.FILED, _V.DECLINE): _S.DECLINED,
        (_S.FILED, _V.REFER): _S.REFERRED,
        (_S.FILED, _V.MERGE): _S.MERGED,
        (_S.DISPATCHED, _V.RETURN_ORDER): _S.FILED,
        (_S.DISPATCHED, _V.SIGN): _S.HANDLING,
        (_S.DISPATCHED, _V.EXTEND): _S.DISPATCHED,
        (_S.HANDLING, _V.RETURN_ORDER): _S.FILED,
        (_S.HANDLING, _V.EXTEND): _S.HANDLING,
        (_S.HANDLING, _V.SUSPEND): _S.SUSPENDED,
        (_S.HANDLING, _V.HANDLE): _S.HANDLED,
        (_S.SUSPENDED, _V.RESUME): _S.HANDLING,
        (_S.HANDLED, _V.VERIFY_PASS): _S.HANDLED,
        (_S.HANDLED, _V.VERIFY_FAIL): _S.HANDLING,
        (_S.HANDLED, _V.CLOSE): _S.CLOSED,
        (_S.CLOSED, _V.REOPEN): _S.HANDLING,
        (_S.DECLINED, _V.REOPEN): _S.RECEIVED,
        (_S.REFERRED, _V.REOPEN): _S.RECEIVED,
    }
)

FINAL = frozenset({_S.CLOSED, _S.DECLINED, _S.REFERRED, _S.MERGED})
"""Statuses in which nobody owes anything any more."""


def next_status(status: CaseStatus, verb: Verb) -> CaseStatus:
    """Where ``verb`` leads from ``status``; raises WorkflowError when the table has no such entry."""
    try:
        return TRANSITIONS[status, verb]
    except KeyError as error:
        raise WorkflowError(verb, status) from error
