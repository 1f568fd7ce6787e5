"""Tell a citizen something, under the post or comment they wrote.

Source: open.weibo.com/wiki/2/comments/create, open.weibo.com/wiki/2/comments/reply.
"""

from __future__ import annotations

from datetime import datetime

from ingest.connectors.weibo.budget import Budget, next_day
from ingest.connectors.weibo.client import Client
from ingest.connectors.weibo.codes import Act, ApiError
from ingest.connectors.weibo.config import WeiboConfig
from ingest.protocol import Told
from store.errors import RejectedError, TransientError

MAX_COMMENT = 140
REPAIR_S = 3600.0
"""Pause while a person has to renew the token or unblock the app."""


async def reply(
    channel: str, config: WeiboConfig, client: Client, budget: Budget, told: Told, now: datetime
) -> None:
    """One call. Words that were sent before count as sent. Raises TransientError when no call is left or the
    token is dead, ApiError when the post is gone, RejectedError when replies are switched off."""
    if not config.reply:
        msg = f"ingest: {channel}: replies are switched off; set reply and operator_ip"
        raise RejectedError(msg, reason="unanswerable")
    is_comment = told.channel_id.startswith("c")
    post = told.thread if is_comment else told.channel_id
    comment = told.channel_id.removeprefix("c") if is_comment else ""
    if not post.isdecimal() or (is_comment and not comment.isdecimal()):
        msg = f"ingest: {channel}: the post commented on is unknown; answer by another way"
        raise RejectedError(msg, reason="unanswerable")
    if not budget.may_reply(now):
        wait_s = budget.blocked_s(now) or (next_day(now) - now).total_seconds()
        msg = (
            f"ingest: {channel}: no call is left for replies; it is sent when there are some again"
        )
        raise TransientError(msg, retry_after_s=wait_s)
    form: dict[str, str | int] = {
        "id": post,
        "comment": cut(told.text),
        "comment_ori": 0,
        "rip": str(config.operator_ip),
    }
    try:
        if is_comment:
            await client.post("comments/reply", {**form, "cid": comment})
        else:
            await client.post("comments/create", form)
    except ApiError as error:
        if error.act in {Act.RENEW, Act.BLOCKED}:
            raise TransientError(str(error), retry_after_s=REPAIR_S) from error
        if error.act is not Act.REPEATED:
            raise


def cut(text: str) -> str:
    """At most 140 characters."""
    return text if len(text) <= MAX_COMMENT else text[: MAX_COMMENT - 1] + "…"
