"""Rows the hub's own machinery keeps: journal, offsets, outbox, deliveries, rejects, sources, leases, logins.

What citizens said and what becomes of it is in ``store.tables``, which also names every table for Core.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from store.columns import big, moment, serial, words


class LogRow(SQLModel, table=True):
    """The embedded journal. AUTOINCREMENT: an offset is never used twice."""

    __tablename__ = "log"
    __table_args__ = (
        UniqueConstraint("topic", "record_id"),
        {"sqlite_autoincrement": True},
    )
    id: int | None = serial()
    topic: str
    record_id: str
    key: str
    payload: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = moment()


class OffsetRow(SQLModel, table=True):
    """How far a group has come in one partition; moves by compare-and-set with its effects."""

    __tablename__ = "offsets"
    consumers: str = Field(primary_key=True)
    topic: str = Field(primary_key=True)
    part: int = Field(primary_key=True)
    next_offset: int = big()
    starts: int = 0


class OutboxRow(SQLModel, table=True):
    """A record on its way to a journal outside this database; deleted once acknowledged."""

    __tablename__ = "outbox"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: int | None = serial()
    topic: str
    record_id: str
    key: str
    payload: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = moment()


class DeliveryRow(SQLModel, table=True):
    """A notice on its way to a department's system. ``id`` is the webhook-id."""

    __tablename__ = "deliveries"
    __table_args__ = (Index("ix_deliveries_due", "state", "due_at"), {"sqlite_autoincrement": True})
    id: int | None = serial()
    webhook_id: str = Field(unique=True)
    case_id: int = big()
    order_id: int = big()
    department: str
    seq: int
    change: str
    state: str
    attempts: int = 0
    due_at: datetime = moment()
    created_at: datetime = moment()
    ended_at: datetime | None = moment(optional=True)
    error: str = words()


class DeadRow(SQLModel, table=True):
    """A reject, kept sealed with its reason until somebody replays or dismisses it."""

    __tablename__ = "dead"
    __table_args__ = (UniqueConstraint("stage", "source_key"), {"sqlite_autoincrement": True})
    id: int | None = serial()
    stage: str
    source_key: str
    reason: str
    error: str = words()
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    key: bytes | None = Field(sa_column=Column(LargeBinary, nullable=True))
    attempts: int = 1
    state: str = "dead"
    at: datetime = moment()


class SourceRow(SQLModel, table=True):
    """Where a source stands: cursor, what its connector saved, health.

    ``failures`` and ``empty`` count polls in a row; ``alert`` is for a person to look into.
    """

    __tablename__ = "sources"
    name: str = Field(primary_key=True)
    cursor: str = words()
    saved: str = words()
    last_success_at: datetime | None = moment(optional=True)
    last_error_at: datetime | None = moment(optional=True)
    last_error: str = words()
    heard: int = 0
    failures: int = 0
    empty: int = 0
    alert: str = words()
    warning: str = words()
    budget: int | None = None
    budget_left: int | None = None
    newest_at: datetime | None = moment(optional=True)
    next_at: datetime | None = moment(optional=True)
    swept_at: datetime | None = moment(optional=True)


class LeaseRow(SQLModel, table=True):
    """Who may run a singleton loop now; ``epoch`` fences a holder that slept through its term."""

    __tablename__ = "leases"
    name: str = Field(primary_key=True)
    owner: str
    epoch: int
    expires_at: datetime = moment()


class UserRow(SQLModel, table=True):
    """A person who may log in. ``scope`` is whose work they see: a department or a subdistrict.

    ``totp`` is the sealed secret of their second factor and ``totp_step`` the last step it was used in;
    ``external`` who they are to a single sign-on; ``settings`` what they chose for their screen, as JSON;
    ``recovery`` the SHA-256 of each one-time code that is left, as JSON.
    """

    __tablename__ = "users"
    name: str = Field(primary_key=True)
    display: str
    role: str
    scope: str = ""
    password: str
    failures: int = 0
    locked_until: datetime | None = moment(optional=True)
    active: bool = True
    totp: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    totp_step: int = 0
    external: str = ""
    settings: str = words("{}")
    recovery: str = words("[]")


class SessionRow(SQLModel, table=True):
    """A login: only the SHA-256 of its token is kept. ``via`` is how its person proved who they are."""

    __tablename__ = "sessions"
    token_sha: str = Field(primary_key=True)
    user: str
    csrf: str
    created_at: datetime = moment()
    seen_at: datetime = moment()
    ends_at: datetime = moment()
    via: str = "password"
    address: str = ""


class LoginAddressRow(SQLModel, table=True):
    """Failed logins from one address since ``since``."""

    __tablename__ = "login_addresses"
    address: str = Field(primary_key=True)
    failures: int = 0
    since: datetime = moment()
    locked_until: datetime | None = moment(optional=True)


class DepartureRow(SQLModel, table=True):
    """Somebody sent to a single sign-on: the SHA-256 of the state they must come back with, once."""

    __tablename__ = "departures"
    state_sha: str = Field(primary_key=True)
    ends_at: datetime = moment()


class AuditRow(SQLModel, table=True):
    """Who looked at or changed what, when and why; appended, never edited."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_actor", "actor", "id"), {"sqlite_autoincrement": True})
    id: int | None = serial()
    actor: str
    act: str
    target: str
    note: str = words()
    at: datetime = moment()
