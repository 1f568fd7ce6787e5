"""Rows of cases and of all that is done about them: orders, history, requests, supervision, assessment.

What citizens said is in ``store.tables``, which also names every table for Core.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Index, text
from sqlmodel import Field, SQLModel

from store.columns import SERIAL, big, moment, serial, words


def maybe_big() -> int | None:
    """A number that refers to another row, or none."""
    made: int | None = Field(default=None, sa_column=Column(SERIAL, nullable=True))
    return made


OPEN = "status IN ('received', 'filed', 'dispatched', 'handling', 'handled', 'suspended')"
"""Cases somebody owes something; a query must say it in these words, or the index is not used."""


class CaseRow(SQLModel, table=True):
    """案件: one matter the city answers for. ``version`` guards every change.

    ``wanted_at`` is the day a leader set; ``promise_at`` what citizens were told; ``stage_due_at`` when
    the desk's present step must be over; ``notices`` how many were told to offices; ``final`` that the
    desk's word was the last: no more returns; ``alike`` that an open case may be the same matter;
    ``snoozed_until`` keeps it out of the waiting queue (暂缓),
    clocks run on; ``split_from`` is the case whose message held this matter too (拆分).
    """

    __tablename__ = "cases"
    __table_args__ = (
        Index("ix_cases_queue", "status", "id"),
        Index(
            "ix_cases_stage_due",
            "stage_due_at",
            sqlite_where=text("stage_due_at IS NOT NULL"),
            postgresql_where=text("stage_due_at IS NOT NULL"),
        ),
        Index(
            "ix_cases_snoozed",
            "snoozed_until",
            sqlite_where=text("snoozed_until IS NOT NULL"),
            postgresql_where=text("snoozed_until IS NOT NULL"),
        ),
        Index(
            "ix_cases_split",
            "split_from",
            sqlite_where=text("split_from IS NOT NULL"),
            postgresql_where=text("split_from IS NOT NULL"),
        ),
        Index(
            "ix_cases_joined",
            "merged_into",
            sqlite_where=text("merged_into IS NOT NULL"),
            postgresql_where=text("merged_into IS NOT NULL"),
        ),
        Index(
            "ix_cases_open", "status", "snoozed_until", "decision", "alike", "returns", "suggested", "kind",
            "stage_due_at", "due_at", "area", sqlite_where=text(OPEN), postgresql_where=text(OPEN),
        ),
    )  # fmt: skip
    id: int = big(primary_key=True)
    case_no: str
    status: str
    version: int = 1
    channel: str
    kind: str
    problems: str = words("[]")
    campaigns: str = words("[]")
    urgency: str
    decision: str
    confidence: float
    department: str
    suggested: str
    rule: str
    area: str = ""
    point: str = words()
    teach: float = 0.0
    summary: str = words()
    items: int = 1
    decision_seq: int = 0
    notices: int = 0
    joint: bool = False
    alike: bool = False
    final: bool = False
    returns: int = 0
    reworks: int = 0
    reopens: int = 0
    merged_into: int | None = maybe_big()
    relapse_of: int | None = maybe_big()
    split_from: int | None = maybe_big()
    received_at: datetime = moment()
    filed_at: datetime | None = moment(optional=True)
    dispatched_at: datetime | None = moment(optional=True)
    signed_at: datetime | None = moment(optional=True)
    handled_at: datetime | None = moment(optional=True)
    verified_at: datetime | None = moment(optional=True)
    closed_at: datetime | None = moment(optional=True)
    due_at: datetime | None = moment(optional=True)
    wanted_at: datetime | None = moment(optional=True)
    promise_at: datetime | None = moment(optional=True)
    stage_due_at: datetime | None = moment(optional=True)
    snoozed_until: datetime | None = moment(optional=True)
    replayed: bool = False


class CaseItemRow(SQLModel, table=True):
    """Which citizens' items a case answers; the first is its founder."""

    __tablename__ = "case_items"
    item_id: int = big(primary_key=True)
    case_id: int = Field(sa_column=Column(SERIAL, nullable=False, index=True))


class CaseKeyRow(SQLModel, table=True):
    """What a case may be found by as the same matter (并案): place, words, author, link; see ``router.grouping``."""

    __tablename__ = "case_keys"
    key: str = Field(primary_key=True)
    case_id: int = big(primary_key=True)


class MergeRow(SQLModel, table=True):
    """并案: one case joined to another, until it is undone."""

    __tablename__ = "merges"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: int | None = serial()
    case_id: int = Field(sa_column=Column(SERIAL, nullable=False, index=True))
    into_id: int = Field(sa_column=Column(SERIAL, nullable=False, index=True))
    before: str
    actor: str
    at: datetime = moment()
    undone_at: datetime | None = moment(optional=True)
    undone_by: str = ""


class WorkOrderRow(SQLModel, table=True):
    """工单: one case for one department.

    ``clock`` keeps limit, pauses and extensions (``router.clocking``), ``due_at`` what follows from them;
    ``leaves_at`` is when the dispatch can no longer be undone and the department sees it; ``watch_at`` when
    supervision must look at it next, none when nobody owes anything.
    """

    __tablename__ = "work_orders"
    __table_args__ = (
        Index("ix_work_orders_inbox", "department", "status", "id"),
        Index(
            "ix_work_orders_watch",
            "watch_at",
            sqlite_where=text("watch_at IS NOT NULL"),
            postgresql_where=text("watch_at IS NOT NULL"),
        ),
    )
    id: int = big(primary_key=True)
    case_id: int = Field(sa_column=Column(SERIAL, nullable=False, index=True))
    department: str
    lead: bool
    status: str
    seq: int
    rule: str = ""
    clock: str = words()
    extensions: int = 0
    reworks: int = 0
    due_at: datetime = moment()
    sign_due_at: datetime | None = moment(optional=True)
    dispatched_at: datetime = moment()
    leaves_at: datetime | None = moment(optional=True)
    signed_at: datetime | None = moment(optional=True)
    handled_at: datetime | None = moment(optional=True)
    ended_at: datetime | None = moment(optional=True)
    watch_at: datetime | None = moment(optional=True)


class EventRow(SQLModel, table=True):
    """One command that changed a case; appended, never edited.

    ``version`` is the case's after it, ``reason`` a code, ``note`` words; ``undo`` what undoing puts back.
    """

    __tablename__ = "events"
    id: int | None = serial()
    case_id: int = Field(sa_column=Column(SERIAL, nullable=False, index=True))
    order_id: int | None = maybe_big()
    version: int = 0
    verb: str
    before: str
    after: str
    actor: str
    reason: str = ""
    note: str = words()
    undo: str = words()
    at: datetime = moment()


class CorrectionRow(SQLModel, table=True):
    """A person's labels for an item, apart from the model's: what learning may use.

    ``predicted`` is what ``model`` had said (kind, problems, campaigns, urgency) when the person decided.
    """

    __tablename__ = "corrections"
    item_id: int = big(primary_key=True)
    confirmed: bool
    kind: str
    problems: str = words("[]")
    campaigns: str = words("[]")
    urgency: str
    department: str
    actor: str
    model: str
    predicted: str = words("{}")
    at: datetime = moment()


class OrderRequestRow(SQLModel, table=True):
    """申请: a department asks for more time (延期) or to let the case stand (挂账); the desk answers."""

    __tablename__ = "order_requests"
    __table_args__ = (Index("ix_order_requests_state", "state"), {"sqlite_autoincrement": True})
    id: int | None = serial()
    case_id: int = big()
    order_id: int = Field(sa_column=Column(SERIAL, nullable=False, index=True))
    what: str
    note: str = words()
    amount: float = 0.0
    unit: str = ""
    state: str
    asked_by: str
    asked_at: datetime = moment()
    answered_by: str = ""
    answered_at: datetime | None = moment(optional=True)
    answer: str = words()


class OrderReturnRow(SQLModel, table=True):
    """退单: a department says it is not its work. ``state`` is open until the desk dispatches again:
    to another office accepts it, to the same one refuses it. ``rule`` had sent it there; ``proposed`` is the
    office that should have it, in the view of who returns it (转办).
    """

    __tablename__ = "order_returns"
    __table_args__ = (Index("ix_order_returns_state", "state"), {"sqlite_autoincrement": True})
    id: int | None = serial()
    case_id: int = Field(sa_column=Column(SERIAL, nullable=False, index=True))
    order_id: int = big()
    department: str
    rule: str
    reason: str
    note: str = words()
    proposed: str = words()
    state: str
    actor: str
    at: datetime = moment()
    judged_by: str = ""
    judged_at: datetime | None = moment(optional=True)


class RatingRow(SQLModel, table=True):
    """回访: what the citizen of one item says of the result. ``via`` is how it was asked."""

    __tablename__ = "ratings"
    item_id: int = big(primary_key=True)
    case_id: int = Field(sa_column=Column(SERIAL, nullable=False, index=True))
    solved: str
    satisfied: str
    note: str = words()
    via: str
    actor: str
    at: datetime = moment()


class SupervisionRow(SQLModel, table=True):
    """督办: one dated, numbered step of the ladder, its addressee, and the reply. ``mark`` makes it once."""

    __tablename__ = "supervisions"
    __table_args__ = (
        Index("ix_supervisions_state", "state", "reply_by"),
        {"sqlite_autoincrement": True},
    )
    id: int | None = serial()
    mark: str = Field(unique=True)
    number: str
    level: str
    case_id: int = Field(sa_column=Column(SERIAL, nullable=False, index=True))
    order_id: int | None = maybe_big()
    department: str
    addressee: str
    copied_to: str = words("[]")
    title: str = words()
    body: str = words()
    state: str
    actor: str
    at: datetime = moment()
    reply_by: datetime | None = moment(optional=True)
    reply: str = words()
    replied_by: str = ""
    replied_at: datetime | None = moment(optional=True)


class TaskRow(SQLModel, table=True):
    """Something a person of ``role`` must look into, shown until done. ``mark`` makes it once."""

    __tablename__ = "tasks"
    __table_args__ = (Index("ix_tasks_open", "done_at", "role"), {"sqlite_autoincrement": True})
    id: int | None = serial()
    mark: str = Field(unique=True)
    kind: str
    role: str
    case_id: int | None = maybe_big()
    order_id: int | None = maybe_big()
    note: str = words()
    at: datetime = moment()
    done_at: datetime | None = moment(optional=True)
    done_by: str = ""


class AssessmentRow(SQLModel, table=True):
    """考核: one indicator of one office in one month, as it was frozen."""

    __tablename__ = "assessments"
    month: str = Field(primary_key=True)
    by: str = Field(primary_key=True)
    unit: str = Field(primary_key=True)
    indicator: str = Field(primary_key=True)
    numerator: float
    denominator: float
    formula: str = words()
    frozen_at: datetime = moment()
