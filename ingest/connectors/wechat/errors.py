"""What WeChat's error codes ask for (全局返回码).

WeChat answers HTTP 200 always; ``errcode`` says what happened. A code that is not listed is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from store.errors import RejectedError, TransientError

OPERATOR_S = 600.0
"""Seconds to wait for what a person must set right."""

TOKEN = frozenset({40001, 40014, 42001})
"""The access token is no longer good: get another, once."""

WINDOW = frozenset({45015, 45047})
"""The citizen wrote too long ago, or was answered too often since."""


@dataclass(frozen=True)
class Meaning:
    """``reason`` is for counters; ``wait_s`` is None when trying again is useless."""

    reason: str
    cure: str
    wait_s: float | None = None


MEANINGS: dict[int, Meaning] = {
    -1: Meaning("busy", "WeChat is busy, it is asked again", 5.0),
    40001: Meaning("token", "the access token is renewed", 30.0),
    40014: Meaning("token", "the access token is renewed", 30.0),
    42001: Meaning("token", "the access token is renewed", 30.0),
    41001: Meaning("token", "the access token is renewed", 30.0),
    40013: Meaning("app_id", "check app_id", OPERATOR_S),
    40125: Meaning("app_secret", "check app_secret", OPERATOR_S),
    40164: Meaning("egress", "add the hub's address to the account's IP allow-list", OPERATOR_S),
    61004: Meaning("egress", "add the hub's address to the account's IP allow-list", OPERATOR_S),
    40003: Meaning("gone", "this citizen is unknown to the account"),
    40007: Meaning("gone", "media are kept for three days only"),
    43004: Meaning("gone", "this citizen no longer follows the account"),
    45009: Meaning("quota", "the day's calls are used up; clear_quota or wait", 3600.0),
    45011: Meaning("rate", "too many calls in this minute", 60.0),
    45015: Meaning("window", "the citizen wrote more than 48 hours ago; set template_id"),
    45047: Meaning("quota", "five answers since the citizen wrote are the most; set template_id"),
    48001: Meaning("refused", "the account has no right to this call; have it verified"),
    48004: Meaning("refused", "WeChat has banned this call; see the account's notices"),
    50002: Meaning("refused", "WeChat has limited this citizen or account"),
}
"""errcode → what to do."""


def explain(channel: str, code: int, egress: str = "") -> TransientError | RejectedError:
    """The error to raise for ``code``."""
    meaning = MEANINGS.get(code)
    if meaning is None:
        msg = f"ingest: {channel}: WeChat answered {code}; look it up in its list of return codes"
        return RejectedError(msg, reason="refused")
    cure = f"{meaning.cure} ({egress})" if egress and meaning.reason == "egress" else meaning.cure
    msg = f"ingest: {channel}: WeChat answered {code}; {cure}"
    if meaning.wait_s is None:
        return RejectedError(msg, reason=meaning.reason)
    return TransientError(msg, retry_after_s=meaning.wait_s)
