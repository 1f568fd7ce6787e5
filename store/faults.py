"""Named places where a test may kill the process: ``MINSHENG_CRASH_AT=name:n`` dies at the n-th pass.

Costs one dictionary look-up where it is not set. ``docs/operations.md`` lists the names.
"""

from __future__ import annotations

import os

_name, _, _count = os.environ.get("MINSHENG_CRASH_AT", "").partition(":")
_left = {_name: int(_count or 1)} if _name else {}

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


def crash_point(name: str) -> None:
    """Exit at once, without clean-up, when ``MINSHENG_CRASH_AT`` says so."""
    if name in _left:
        _left[name] -= 1
        if _left[name] <= 0:
            os._exit(137)
