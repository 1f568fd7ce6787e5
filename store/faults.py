"""Named places where a test may kill the process: ``MINSHENG_CRASH_AT=name:n`` dies at the n-th pass.

Costs one dictionary look-up where it is not set. ``docs/operations.md`` lists the names.
"""

from __future__ import annotations

import os

_left: dict[str, int] = {}

CRASH_POINTS = (
    "admit.before_commit",
    "admit.after_commit",
    "consume.before_prepare",
    "consume.before_apply",
    "consume.before_commit",
    "consume.after_commit",
    "relay.before_append",
    "relay.after_append",
    "deliver.before_send",
    "deliver.after_send",
    "poll.before_cursor",
    "photos.before_store",
    "answers.after_send",
)


def arm(where: str) -> None:
    """Let the process die at ``where``, written as the variable is; empty for nowhere."""
    name, _, count = where.partition(":")
    if name:
        _left[name] = int(count or 1)


def crash_point(name: str) -> None:
    """Exit at once, without clean-up, when ``MINSHENG_CRASH_AT`` says so."""
    if name in _left:
        _left[name] -= 1
        if _left[name] <= 0:
            os._exit(137)


arm(os.environ.get("MINSHENG_CRASH_AT", ""))
