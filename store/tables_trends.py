"""Rows of numbers and of what is made from them: roll-ups, topics, bursts, alerts, bulletins, targets.

A day is an integer, ``yyyymmdd`` of the city's calendar. ``ALL`` in a roll-up's column is the sum over it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Index, Integer, text
from sqlmodel import Field, SQLModel

from store.columns import SERIAL, big, moment, serial, words

ALL = "*"
"""The value of a roll-up's column that stands for all others together."""


def _maybe() -> int | None:
    made: int | None = Field(default=None, sa_column=Column(SERIAL, nullable=True))
    return made


class TallyDueRow(SQLModel, table=True):
    """An item or a case whose contribution to the roll-ups may have changed; written by triggers."""

    __tablename__ = "tally_due"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: int | None = serial()
    item_id: int | None = _maybe()
    case_id: int | None = _maybe()


class TalliedRow(SQLModel, table=True):
    """What an item contributes to ``item_days`` now. ``labels`` are its series, as ``|a|b|``; ``case_id`` 0: none."""

    __tablename__ = "tallied"
    __table_args__ = (Index("ix_tallied_day", "day", "item_id"),)
    item_id: int = big(primary_key=True)
    case_id: int = Field(sa_column=Column(SERIAL, nullable=False))
    day: int
    channel: str
    area: str
    labels: str
    author_key: str


class ItemDayRow(SQLModel, table=True):
    """Items of one series, area and channel on one day of their own."""

    __tablename__ = "item_days"
    __table_args__ = ({"sqlite_with_rowid": False},)
    label: str = Field(primary_key=True)
    area: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    day: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    n: int


class CaseTalliedRow(SQLModel, table=True):
    """What a case contributes to ``case_days`` now: JSON of ``[measure, department, area, day, n]``.

    ``first_day`` and ``last_day`` bound its days.
    """

    __tablename__ = "case_tallied"
    __table_args__ = (Index("ix_case_tallied_day", "last_day", "first_day"),)
    case_id: int = big(primary_key=True)
    first_day: int
    last_day: int
    parts: str = words("[]")


class CaseDayRow(SQLModel, table=True):
    """A measure of cases and work orders of one department and area on one day."""

    __tablename__ = "case_days"
    __table_args__ = ({"sqlite_with_rowid": False},)
    measure: str = Field(primary_key=True)
    department: str = Field(primary_key=True)
    area: str = Field(primary_key=True)
    day: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    n: int


class CountNoteRow(SQLModel, table=True):
    """What readers of numbers must know from ``day`` on: another taxonomy, many items that came late."""

    __tablename__ = "count_notes"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: int | None = serial()
    mark: str = Field(unique=True)
    kind: str
    day: int
    text: str = words()
    at: datetime = moment()


class TopicRow(SQLModel, table=True):
    """话题: something citizens speak of, without a label of its own. ``state``: found, watched (专题), hidden, merged.

    ``phrases`` is JSON, alternatives of words that must all be there; the series of a watched topic is ``topic:<id>``.
    ``told`` is JSON: how many in 7 and 28 days, where, by which channels, samples, why it moved.
    """

    __tablename__ = "topics"
    __table_args__ = (Index("ix_topics_state", "state"), {"sqlite_autoincrement": True})
    id: int | None = serial()
    name: str
    phrases: str = words("[]")
    state: str
    merged_into: int | None = _maybe()
    first_day: int = 0
    sentence: str = words()
    told: str = words("{}")
    score: float = 0.0
    actor: str
    at: datetime = moment()
    updated_at: datetime = moment()


class BurstRow(SQLModel, table=True):
    """突增: one series of one area that rose above what was expected, from ``start_day`` until ``last_day``."""

    __tablename__ = "bursts"
    __table_args__ = (
        Index("ix_bursts_series", "label", "area", "start_day", unique=True),
        Index("ix_bursts_day", "last_day"),
        {"sqlite_autoincrement": True},
    )
    id: int | None = serial()
    label: str
    area: str
    start_day: int
    last_day: int
    observed: float
    expected: float
    excess: float
    voices: int
    citizens: int
    why: str = words("{}")
    found_at: datetime = moment()
    told_at: datetime | None = moment(optional=True)


class AlertRow(SQLModel, table=True):
    """提醒: something one official is told once, by ``mark``; held until ``due_at``, then sent by ``endpoint``."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index(
            "ix_alerts_due",
            "due_at",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        {"sqlite_autoincrement": True},
    )
    id: int | None = serial()
    mark: str = Field(unique=True)
    official: str
    endpoint: str
    title: str = words()
    body: str = words()
    link: str = words()
    state: str
    attempts: int = 0
    due_at: datetime = moment()
    created_at: datetime = moment()
    ended_at: datetime | None = moment(optional=True)
    error: str = words()


class BulletinRow(SQLModel, table=True):
    """通报: a kind of bulletin for one period: frozen figures, editable text, and who signed it (签发).

    ``state``: draft, submitted, signed, withdrawn. ``figures`` and ``content`` are JSON; ``version`` guards edits.
    ``trail`` is JSON too: who did what to it, when and why, in order.
    """

    __tablename__ = "bulletins"
    __table_args__ = (
        Index("ix_bulletins_period", "kind", "period", "part", unique=True),
        {"sqlite_autoincrement": True},
    )
    id: int | None = serial()
    kind: str
    period: str
    part: int = 0
    number: str = ""
    title: str = words()
    state: str
    version: int = 1
    figures: str = words("[]")
    content: str = words("{}")
    as_of: datetime = moment()
    made_by: str
    made_at: datetime = moment()
    edited_by: str = ""
    edited_at: datetime | None = moment(optional=True)
    signed_by: str = ""
    signed_at: datetime | None = moment(optional=True)
    sent_at: datetime | None = moment(optional=True)
    trail: str = words("[]")


class TargetReportRow(SQLModel, table=True):
    """进展: what an owner reports of one target of the responsibility book; ``cases`` is JSON, its evidence."""

    __tablename__ = "target_reports"
    __table_args__ = (Index("ix_target_reports", "target", "id"), {"sqlite_autoincrement": True})
    id: int | None = serial()
    target: str
    value: float
    note: str = words()
    cases: str = words("[]")
    actor: str
    at: datetime = moment()
