"""What the pages of a forum hold, whether they came as HTML or as the mobile plug-in's JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from store.errors import RejectedError


class Refusal(StrEnum):
    """Why a site showed a message instead of what was asked for."""

    GONE = "gone"
    NO_BOARD = "no_board"
    RSS_OFF = "rss_off"
    CLOSED = "closed"
    BUSY = "busy"
    DENIED = "denied"
    OTHER = "message"
    LAYOUT = "layout"


CURES = {
    Refusal.GONE: "the thread is deleted or waits for its moderator; nothing to do",
    Refusal.NO_BOARD: "there is no such board; correct boards",
    Refusal.RSS_OFF: "the site offers no RSS; nothing to do",
    Refusal.CLOSED: "the site is closed for now; it is asked again",
    Refusal.BUSY: "the site's database is down; it is asked again",
    Refusal.DENIED: "guests may not read this; ask the operator to open the board, or remove it from boards",
    Refusal.OTHER: "the site answered with a message of its own; open the page in a browser",
    Refusal.LAYOUT: "the page is none of Discuz!'s; compare ingest/connectors/discuz/pages.py with the site",
}

WORDS = (
    ("版块不存在", Refusal.NO_BOARD),
    ("Specified forum not found", Refusal.NO_BOARD),
    ("RSS Disabled", Refusal.RSS_OFF),
    ("暂时关闭", Refusal.CLOSED),
    ("站点关闭", Refusal.CLOSED),
    ("Database Error", Refusal.BUSY),
    ("不存在或已被删除", Refusal.GONE),
    ("没有权限", Refusal.DENIED),
    ("无权", Refusal.DENIED),
    ("尚未登录", Refusal.DENIED),
    ("需要登录", Refusal.DENIED),
    ("阅读权限", Refusal.DENIED),
    ("密码", Refusal.DENIED),
)
"""Words of a message and what they mean; the first that is found decides."""


class RefusedError(RejectedError):
    """A page that is no content; ``kind`` says why."""

    def __init__(self, channel: str, kind: Refusal) -> None:
        super().__init__(f"ingest: {channel}: {CURES[kind]}", reason=str(kind))
        self.kind = kind


def meaning(message: str) -> Refusal:
    """What a site's message is about."""
    return next((kind for words, kind in WORDS if words in message), Refusal.OTHER)


@dataclass(frozen=True)
class Row:
    """One thread in a board's list. ``stamp`` is its last reply in minutes since 1970, None when the list
    tells it only roughly ("3 小时前"); ``created`` likewise, but lists name only its day."""

    tid: int
    sticky: bool
    stamp: int | None
    created: int | None
    replies: int


@dataclass(frozen=True)
class Listing:
    """One list page; ``pages`` is how many the site says there are."""

    rows: tuple[Row, ...]
    pages: int


@dataclass(frozen=True)
class Post:
    """One post as read. ``text`` may be empty (a smiley, a picture); ``blocked``: a moderator hid it;
    ``broken`` says why it could not be read, and ``raw`` is what could not."""

    pid: int
    author: str = ""
    posted_at: datetime | None = None
    text: str = ""
    photos: tuple[str, ...] = ()
    blocked: bool = False
    broken: str = ""
    raw: str = ""


@dataclass(frozen=True)
class Thread:
    """One page of a thread. ``tid`` and ``first`` (the pid of the first post) are 0 where it does not tell."""

    tid: int
    title: str
    page: int
    pages: int
    posts: tuple[Post, ...]

    @property
    def first(self) -> int:
        """The pid of the first post, 0 on later pages."""
        return self.posts[0].pid if self.page == 1 and self.posts else 0
