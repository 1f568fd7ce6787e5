"""Rows of the desk itself: who works on what, views, canned texts, internal notes, photos of results.

Cases are in ``store.tables_cases``; ``store.tables`` names every table for Core.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Column, Integer, LargeBinary
from sqlmodel import Field, SQLModel

from store.columns import SERIAL, big, moment, serial, words
from store.tables_cases import maybe_big


class ClaimRow(SQLModel, table=True):
    """认领: who works on a case, until ``until`` unless the lease is renewed; ``kept`` when it was asked for."""

    __tablename__ = "claims"
    case_id: int = big(primary_key=True)
    user: str
    kept: bool = False
    since: datetime = moment()
    until: datetime = moment()


class PresenceRow(SQLModel, table=True):
    """Who is at the desk, and which case they look at; ``idle`` when hand and key have rested."""

    __tablename__ = "presences"
    user: str = Field(primary_key=True)
    case_id: int | None = maybe_big()
    idle: bool = False
    at: datetime = moment()


class SavedViewRow(SQLModel, table=True):
    """A view of the queue somebody keeps: ``query`` is the address's own; ``shared`` with the whole desk."""

    __tablename__ = "saved_views"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: int | None = serial()
    owner: str
    name: str
    query: str = words()
    shared: bool = False
    position: int = 0
    at: datetime = moment()


class CannedTextRow(SQLModel, table=True):
    """常用语: a standing text for one ``purpose`` (a command's word, or ``note``); no owner: everybody's."""

    __tablename__ = "canned_texts"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: int | None = serial()
    purpose: str
    title: str
    text: str = words()
    owner: str = ""
    at: datetime = moment()


class CaseNoteRow(SQLModel, table=True):
    """内部备注: words for colleagues; never leaves the desk."""

    __tablename__ = "case_notes"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: int | None = serial()
    case_id: int = Field(sa_column=Column(SERIAL, nullable=False, index=True))
    actor: str
    text: str = words()
    at: datetime = moment()


class OrderPhotoRow(SQLModel, table=True):
    """A department's photo of a place, ``stage`` before or after; sealed under the founding item's key."""

    __tablename__ = "order_photos"
    order_id: int = big(primary_key=True)
    n: int = Field(primary_key=True)
    case_id: int = Field(sa_column=Column(SERIAL, nullable=False, index=True))
    stage: str
    content_type: str
    width: int
    height: int
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    actor: str
    at: datetime = moment()


class SearchDueRow(SQLModel, table=True):
    """An item whose words are not in the search index yet, or changed; see ``store.search``."""

    __tablename__ = "search_due"
    item_id: int = big(primary_key=True)


class SearchedRow(SQLModel, table=True):
    """An item that is in the search index. PostgreSQL keeps its terms here as numbers, SQLite in ``search_words``."""

    __tablename__ = "searched"
    item_id: int = big(primary_key=True)
    terms: Any = Field(
        default=None,
        sa_column=Column(ARRAY(Integer).with_variant(Integer, "sqlite"), nullable=True),
    )
