"""The lifecycle of a case (GB/T 30428.8 立案、处置和结案) and of its work orders, as tables you can read.

Statuses are past participles, commands are verbs. What is in no table is not allowed: ``next_status`` and
``next_order_status`` raise WorkflowError (HTTP 409).
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


class OrderStatus(StrEnum):
    """Where one department's work order stands."""

    ASSIGNED = "assigned"
    SIGNED = "signed"
    HANDLED = "handled"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


class Verb(StrEnum):
    """What may be done to a case."""

    RECEIVE = "receive"
    FILE = "file"
    DECLINE = "decline"
    REFER = "refer"
    MERGE = "merge"
    UNMERGE = "unmerge"
    RELAPSE = "relapse"
    INSTRUCT = "instruct"
    DISPATCH = "dispatch"
    UNDO = "undo"
    RECALL = "recall"
    SIGN = "sign"
    RETURN_ORDER = "return_order"
    ASK_EXTENSION = "ask_extension"
    EXTEND = "extend"
    REFUSE_EXTENSION = "refuse_extension"
    ASK_SUSPENSION = "ask_suspension"
    SUSPEND = "suspend"
    REFUSE_SUSPENSION = "refuse_suspension"
    RESUME = "resume"
    HANDLE = "handle"
    VERIFY_PASS = "verify_pass"  # noqa: S105 - a command
    VERIFY_FAIL = "verify_fail"
    CLOSE = "close"
    REOPEN = "reopen"
    FOLLOW_UP = "follow_up"
    SUPERVISE = "supervise"
    LABEL = "label"
    SNOOZE = "snooze"
    WAKE = "wake"
    ASK = "ask"
    SPLIT = "split"


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
        CaseStatus.REFERRED: "已转12345热线",
        CaseStatus.MERGED: "已并案",
    }
)

ORDER_STATUS_NAMES = MappingProxyType(
    {
        OrderStatus.ASSIGNED: "待签收",
        OrderStatus.SIGNED: "办理中",
        OrderStatus.HANDLED: "已办结",
        OrderStatus.RETURNED: "已退单",
        OrderStatus.WITHDRAWN: "已收回",
    }
)

VERB_NAMES = MappingProxyType(
    {
        Verb.RECEIVE: "受理",
        Verb.FILE: "立案",
        Verb.DECLINE: "不予立案",
        Verb.REFER: "转12345热线",
        Verb.MERGE: "并案",
        Verb.UNMERGE: "取消并案",
        Verb.RELAPSE: "认定为反复出现",
        Verb.INSTRUCT: "领导交办",
        Verb.DISPATCH: "派遣",
        Verb.UNDO: "撤销",
        Verb.RECALL: "收回改派",
        Verb.SIGN: "签收",
        Verb.RETURN_ORDER: "退单",
        Verb.ASK_EXTENSION: "申请延期",
        Verb.EXTEND: "延期",
        Verb.REFUSE_EXTENSION: "不予延期",
        Verb.ASK_SUSPENSION: "申请挂账",
        Verb.SUSPEND: "挂账",
        Verb.REFUSE_SUSPENSION: "不予挂账",
        Verb.RESUME: "恢复处置",
        Verb.HANDLE: "处置完毕",
        Verb.VERIFY_PASS: "核查通过",
        Verb.VERIFY_FAIL: "核查不通过",
        Verb.CLOSE: "结案",
        Verb.REOPEN: "重新办理",
        Verb.FOLLOW_UP: "回访",
        Verb.SUPERVISE: "督办",
        Verb.LABEL: "改标签",
        Verb.SNOOZE: "暂缓",
        Verb.WAKE: "取消暂缓",
        Verb.ASK: "请市民补充",
        Verb.SPLIT: "拆分",
    }
)

_S, _O, _V = CaseStatus, OrderStatus, Verb

AT_DESK = (_S.RECEIVED, _S.FILED)
"""The desk must send it on."""

AWAITED = (*AT_DESK, _S.HANDLED)
"""The next step is the desk's, so the desk may put it off (暂缓) or ask the citizen."""

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
        (_S.DISPATCHED, _V.ASK_EXTENSION): _S.DISPATCHED,
        (_S.DISPATCHED, _V.EXTEND): _S.DISPATCHED,
        (_S.DISPATCHED, _V.REFUSE_EXTENSION): _S.DISPATCHED,
        (_S.DISPATCHED, _V.MERGE): _S.MERGED,
        (_S.DISPATCHED, _V.RECALL): _S.FILED,
        (_S.HANDLING, _V.RETURN_ORDER): _S.FILED,
        (_S.HANDLING, _V.ASK_EXTENSION): _S.HANDLING,
        (_S.HANDLING, _V.EXTEND): _S.HANDLING,
        (_S.HANDLING, _V.REFUSE_EXTENSION): _S.HANDLING,
        (_S.HANDLING, _V.ASK_SUSPENSION): _S.HANDLING,
        (_S.HANDLING, _V.SUSPEND): _S.SUSPENDED,
        (_S.HANDLING, _V.REFUSE_SUSPENSION): _S.HANDLING,
        (_S.HANDLING, _V.HANDLE): _S.HANDLED,
        (_S.HANDLING, _V.RECALL): _S.FILED,
        (_S.SUSPENDED, _V.RESUME): _S.HANDLING,
        (_S.HANDLED, _V.VERIFY_PASS): _S.HANDLED,
        (_S.HANDLED, _V.VERIFY_FAIL): _S.HANDLING,
        (_S.HANDLED, _V.CLOSE): _S.CLOSED,
        (_S.CLOSED, _V.REOPEN): _S.HANDLING,
        (_S.CLOSED, _V.FOLLOW_UP): _S.CLOSED,
        (_S.DECLINED, _V.REOPEN): _S.RECEIVED,
        (_S.REFERRED, _V.REOPEN): _S.RECEIVED,
        (_S.MERGED, _V.UNMERGE): _S.RECEIVED,
        **{(s, v): s for s in AT_DESK for v in (_V.LABEL, _V.SPLIT)},
        **{(s, v): s for s in AWAITED for v in (_V.SNOOZE, _V.WAKE, _V.ASK)},
        **{(s, _V.SUPERVISE): s for s in (_S.DISPATCHED, _S.HANDLING)},
        **{(s, _V.RELAPSE): s for s in _S if s is not _S.MERGED},
        **{(s, _V.INSTRUCT): s for s in (_S.RECEIVED, _S.FILED, _S.DISPATCHED, _S.HANDLING)},
    }
)
"""What the case's lead and the desk may do. A supporting department's orders move by ``ORDER_TRANSITIONS`` alone."""

ORDER_TRANSITIONS: MappingProxyType[tuple[OrderStatus, Verb], OrderStatus] = MappingProxyType(
    {
        (_O.ASSIGNED, _V.SIGN): _O.SIGNED,
        (_O.ASSIGNED, _V.RETURN_ORDER): _O.RETURNED,
        (_O.ASSIGNED, _V.ASK_EXTENSION): _O.ASSIGNED,
        (_O.SIGNED, _V.RETURN_ORDER): _O.RETURNED,
        (_O.SIGNED, _V.ASK_EXTENSION): _O.SIGNED,
        (_O.SIGNED, _V.ASK_SUSPENSION): _O.SIGNED,
        (_O.SIGNED, _V.HANDLE): _O.HANDLED,
        (_O.HANDLED, _V.VERIFY_FAIL): _O.SIGNED,
        (_O.HANDLED, _V.REOPEN): _O.SIGNED,
    }
)

OPEN_ORDER = (_O.ASSIGNED, _O.SIGNED)
"""A department owes something."""

UNDOABLE = frozenset({_V.DISPATCH, _V.DECLINE, _V.REFER, _V.CLOSE, _V.LABEL, _V.ASK, _V.SPLIT})
"""The last command of a person that the same person may undo within the window (``lifecycle.toml``)."""

FINAL = frozenset({_S.CLOSED, _S.DECLINED, _S.REFERRED, _S.MERGED})
"""Statuses in which nobody owes anything any more."""


def next_status(status: CaseStatus, verb: Verb) -> CaseStatus:
    """Where ``verb`` leads from ``status``; raises WorkflowError when the table has no such entry."""
    try:
        return TRANSITIONS[status, verb]
    except KeyError as error:
        raise WorkflowError(verb, status) from error


def next_order_status(status: OrderStatus, verb: Verb) -> OrderStatus:
    """Where ``verb`` leads a work order; raises WorkflowError when the table has no such entry."""
    try:
        return ORDER_TRANSITIONS[status, verb]
    except KeyError as error:
        raise WorkflowError(verb, status) from error
