"""Every row that is kept of citizens' matters, one SQLModel class a table, and ``T``, which names all tables.

Cases and what is done about them are in ``store.tables_cases``, the desk's own rows in ``store.tables_desk``,
numbers and bulletins in ``store.tables_trends``, the machinery's in ``store.tables_hub``.

Rows are dumb: SQLModel does not validate table models, so what goes in was validated in
``store.model``. Primary keys are integers that grow with time (a random key costs eight times the
insert at a million rows): an item's id is ``yyyymmdd * 10_000_000 + number of the day``, a case
takes the id of its founding item, a work order the case's id and its sequence. They are therefore
the same on every engine and in every replay.

JSON columns hold text made by msgspec; times are aware and stored in UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, cast

from sqlalchemy import Column, Index, LargeBinary, Table, UniqueConstraint
from sqlmodel import Field, SQLModel

from store.columns import big, moment, serial, words
from store.tables_cases import (
    AssessmentRow,
    CaseItemRow,
    CaseKeyRow,
    CaseRow,
    CorrectionRow,
    EventRow,
    MergeRow,
    OrderRequestRow,
    OrderReturnRow,
    RatingRow,
    SupervisionRow,
    TaskRow,
    WorkOrderRow,
    maybe_big,
)
from store.tables_desk import (
    CannedTextRow,
    CaseNoteRow,
    ClaimRow,
    OrderPhotoRow,
    PresenceRow,
    SavedViewRow,
    SearchDueRow,
    SearchedRow,
)
from store.tables_hub import (
    AuditRow,
    DeadRow,
    DeliveryRow,
    DepartureRow,
    LeaseRow,
    LoginAddressRow,
    LogRow,
    OffsetRow,
    OutboxRow,
    SessionRow,
    SourceRow,
    UserRow,
)
from store.tables_trends import (
    AlertRow,
    BulletinRow,
    BurstRow,
    CaseDayRow,
    CaseTalliedRow,
    CountNoteRow,
    ItemDayRow,
    TalliedRow,
    TallyDueRow,
    TargetReportRow,
    TopicRow,
)


class CounterRow(SQLModel, table=True):
    """Last number given out on one day of the city's calendar."""

    __tablename__ = "counters"
    day: str = Field(primary_key=True)
    n: int


class ItemRow(SQLModel, table=True):
    """诉求: what admission kept of one message. ``text`` is redacted; the rest is in ``sealed``.

    ``wanted_at`` is the day a leader's instruction (领导交办) sets. ``part_of`` is the item whose message held this
    one's matter too (拆分); the part's ``key`` is sealed under that item's, so both are erased at once.
    """

    __tablename__ = "items"
    __table_args__ = (UniqueConstraint("channel", "channel_id"),)
    id: int = big(primary_key=True)
    channel: str
    channel_id: str
    revision: int = 1
    content_sha: str
    title: str = words()
    text: str = words()
    author_key: str = ""
    address: str = ""
    lat: float | None = None
    lon: float | None = None
    coord_type: str = "wgs84"
    url: str = words()
    media_count: int = 0
    thread: str = ""
    replayed: bool = False
    posted_at: datetime | None = moment(optional=True)
    received_at: datetime = moment()
    gone_at: datetime | None = moment(optional=True)
    wanted_at: datetime | None = moment(optional=True)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    key: bytes | None = Field(sa_column=Column(LargeBinary, nullable=True))
    part_of: int | None = maybe_big()


class RevisionRow(SQLModel, table=True):
    """An earlier wording of an item that its author edited at the source."""

    __tablename__ = "item_revisions"
    item_id: int = big(primary_key=True)
    revision: int = Field(primary_key=True)
    content_sha: str
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    replaced_at: datetime = moment()


class MediaRow(SQLModel, table=True):
    """A photo of an item; the bytes are sealed under the item's key."""

    __tablename__ = "media"
    item_id: int = big(primary_key=True)
    n: int = Field(primary_key=True)
    content_type: str
    width: int
    height: int
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class PhotoRow(SQLModel, table=True):
    """A picture, voice or video of an item still to be fetched; ``sealed`` holds where."""

    __tablename__ = "photos"
    __table_args__ = (Index("ix_photos_due", "state", "due_at"),)
    item_id: int = big(primary_key=True)
    n: int = Field(primary_key=True)
    channel: str
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    state: str
    attempts: int = 0
    due_at: datetime = moment()
    created_at: datetime = moment()
    error: str = words()


class AnswerRow(SQLModel, table=True):
    """Something to tell the citizen of an item in their own channel; ``mark`` makes it once."""

    __tablename__ = "answers"
    __table_args__ = (
        UniqueConstraint("item_id", "mark"),
        Index("ix_answers_due", "state", "due_at"),
        {"sqlite_autoincrement": True},
    )
    id: int | None = serial()
    item_id: int = big()
    mark: str
    channel: str
    stage: str
    text: str = words()
    state: str
    attempts: int = 0
    due_at: datetime = moment()
    created_at: datetime = moment()
    ended_at: datetime | None = moment(optional=True)
    error: str = words()


class ConversationRow(SQLModel, table=True):
    """Where the guided dialogue with one citizen of one channel stands."""

    __tablename__ = "conversations"
    channel: str = Field(primary_key=True)
    author_key: str = Field(primary_key=True)
    item_id: int = big()
    state: str = words()
    updated_at: datetime = moment()


class VerdictRow(SQLModel, table=True):
    """研判: the newest verdict on an item."""

    __tablename__ = "verdicts"
    item_id: int = big(primary_key=True)
    revision: int
    model: str
    kind: str
    problems: str = words("[]")
    campaigns: str = words("[]")
    urgency: str
    decision: str
    dept_hint: str = ""
    trust: float
    teach: float = 0.0
    confidence: str = words("{}")
    reasons: str = words("[]")
    area: str = ""
    point: str = words()
    placed: float = 0.0
    at: datetime = moment()


class ShadowRow(SQLModel, table=True):
    """What a model on trial said of an item, beside the verdict of the one in use; acted on by nobody."""

    __tablename__ = "shadow_verdicts"
    __table_args__ = (Index("ix_shadow_verdicts_model", "model", "at"),)
    item_id: int = big(primary_key=True)
    model: str = Field(primary_key=True)
    beside: str
    kind: str
    problems: str = words("[]")
    campaigns: str = words("[]")
    decision: str
    agrees: bool
    at: datetime = moment()


def table_of(row: type[SQLModel]) -> Table:
    """The SQLAlchemy table of a row class, for Core statements in bulk."""
    return cast("Table", cast("Any", row).__table__)


class T:
    """The tables by short name, for Core statements."""

    counters: ClassVar[Table] = table_of(CounterRow)
    items: ClassVar[Table] = table_of(ItemRow)
    revisions: ClassVar[Table] = table_of(RevisionRow)
    media: ClassVar[Table] = table_of(MediaRow)
    photos: ClassVar[Table] = table_of(PhotoRow)
    answers: ClassVar[Table] = table_of(AnswerRow)
    conversations: ClassVar[Table] = table_of(ConversationRow)
    verdicts: ClassVar[Table] = table_of(VerdictRow)
    shadow_verdicts: ClassVar[Table] = table_of(ShadowRow)
    cases: ClassVar[Table] = table_of(CaseRow)
    case_items: ClassVar[Table] = table_of(CaseItemRow)
    case_keys: ClassVar[Table] = table_of(CaseKeyRow)
    work_orders: ClassVar[Table] = table_of(WorkOrderRow)
    events: ClassVar[Table] = table_of(EventRow)
    corrections: ClassVar[Table] = table_of(CorrectionRow)
    merges: ClassVar[Table] = table_of(MergeRow)
    requests: ClassVar[Table] = table_of(OrderRequestRow)
    returns: ClassVar[Table] = table_of(OrderReturnRow)
    ratings: ClassVar[Table] = table_of(RatingRow)
    supervisions: ClassVar[Table] = table_of(SupervisionRow)
    tasks: ClassVar[Table] = table_of(TaskRow)
    assessments: ClassVar[Table] = table_of(AssessmentRow)
    claims: ClassVar[Table] = table_of(ClaimRow)
    presences: ClassVar[Table] = table_of(PresenceRow)
    saved_views: ClassVar[Table] = table_of(SavedViewRow)
    canned_texts: ClassVar[Table] = table_of(CannedTextRow)
    case_notes: ClassVar[Table] = table_of(CaseNoteRow)
    order_photos: ClassVar[Table] = table_of(OrderPhotoRow)
    search_due: ClassVar[Table] = table_of(SearchDueRow)
    searched: ClassVar[Table] = table_of(SearchedRow)
    tally_due: ClassVar[Table] = table_of(TallyDueRow)
    tallied: ClassVar[Table] = table_of(TalliedRow)
    item_days: ClassVar[Table] = table_of(ItemDayRow)
    case_tallied: ClassVar[Table] = table_of(CaseTalliedRow)
    case_days: ClassVar[Table] = table_of(CaseDayRow)
    count_notes: ClassVar[Table] = table_of(CountNoteRow)
    topics: ClassVar[Table] = table_of(TopicRow)
    bursts: ClassVar[Table] = table_of(BurstRow)
    alerts: ClassVar[Table] = table_of(AlertRow)
    bulletins: ClassVar[Table] = table_of(BulletinRow)
    target_reports: ClassVar[Table] = table_of(TargetReportRow)
    log: ClassVar[Table] = table_of(LogRow)
    offsets: ClassVar[Table] = table_of(OffsetRow)
    outbox: ClassVar[Table] = table_of(OutboxRow)
    deliveries: ClassVar[Table] = table_of(DeliveryRow)
    dead: ClassVar[Table] = table_of(DeadRow)
    sources: ClassVar[Table] = table_of(SourceRow)
    leases: ClassVar[Table] = table_of(LeaseRow)
    users: ClassVar[Table] = table_of(UserRow)
    sessions: ClassVar[Table] = table_of(SessionRow)
    login_addresses: ClassVar[Table] = table_of(LoginAddressRow)
    departures: ClassVar[Table] = table_of(DepartureRow)
    audit: ClassVar[Table] = table_of(AuditRow)
