"""Weibo's error codes, and what each asks us to do.

Source: open.weibo.com/wiki/Error_code and the OAuth2 table beside it. Codes come as numbers or as strings, with any
HTTP status.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

from ingest.connectors.weibo.budget import next_day, next_hour
from store.errors import RejectedError


class Act(StrEnum):
    """What to do about a code; the value is the reason counted."""

    AGAIN = "again"
    HOUR = "hour"
    DAY = "day"
    RENEW = "token"
    BLOCKED = "blocked"
    PERMISSION = "permission"
    GONE = "gone"
    REPEATED = "repeated"
    REFUSED = "refused"


CODES = {
    **dict.fromkeys((10001, 10002, 10003, 10009, 10010, 10011, 21331), Act.AGAIN),
    **dict.fromkeys((10022, 10024), Act.HOUR),
    10023: Act.DAY,
    10006: Act.RENEW,
    **dict.fromkeys((10004, 10012, 10013, 21321, 21337), Act.BLOCKED),
    10014: Act.PERMISSION,
    **dict.fromkeys((20101, 20112), Act.GONE),
    20019: Act.REPEATED,
}
"""Code → act. Every other 213xx is about the token, everything else is refused."""

OAUTH = range(21300, 21400)
LOGIN = -100
"""What the mobile site says in ``ok`` when nobody is logged in."""

CURES = {
    Act.AGAIN: "it is asked again",
    Act.HOUR: "it is asked again in the next hour",
    Act.DAY: "it is asked again tomorrow",
    Act.RENEW: "authorise the app again and set access_token",
    Act.BLOCKED: "look at the app's state and its list of allowed addresses at open.weibo.com",
    Act.PERMISSION: "apply for this interface at open.weibo.com, or remove it from endpoints",
    Act.GONE: "the post was deleted or hidden",
    Act.REPEATED: "the same words were sent before",
    Act.REFUSED: "look the code up at open.weibo.com/wiki/Error_code",
}

MARGIN = timedelta(minutes=1)
"""How far Weibo's clock may be behind ours."""

EARLY = timedelta(minutes=10)
"""A day's limit met this soon after midnight is still yesterday's, by Weibo's clock."""


def _after_hour(now: datetime) -> datetime:
    return next_hour(now) + MARGIN


def _after_day(now: datetime) -> datetime:
    today = next_day(now) - timedelta(days=1)
    return now + EARLY if now - today < EARLY else next_day(now) + MARGIN


UNTIL: dict[Act, Callable[[datetime], datetime]] = {Act.HOUR: _after_hour, Act.DAY: _after_day}
"""When calls may be made again."""

SERVER_ERROR = 500


class ApiError(RejectedError):
    """Weibo answered with an error. ``act`` tells which kind, ``code`` its number."""

    def __init__(self, channel: str, path: str, code: int, act: Act) -> None:
        super().__init__(
            f"ingest: {channel}: {path} answered error {code}; {CURES[act]}", reason=act
        )
        self.code = code
        self.act = act


def act_of(code: int, status: int = 200) -> Act:
    """What a code asks for; one we do not know is worth another try only when the server broke."""
    if code in CODES:
        return CODES[code]
    if code in OAUTH or code == LOGIN:
        return Act.RENEW
    return Act.AGAIN if status >= SERVER_ERROR else Act.REFUSED


def code_of(document: object) -> int:
    """The error code of an answer, 0 when it is none."""
    if not isinstance(document, dict):
        return 0
    if document.get("ok") == LOGIN:
        return LOGIN
    code = document.get("error_code", 0)
    text = str(code) if isinstance(code, str | int) else ""
    if text.isascii() and text.isdecimal() and len(text) <= 9:  # noqa: PLR2004
        return int(text)
    return 0
