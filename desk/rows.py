"""Rows of the database as JSON for a browser."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

_labels = msgspec.json.Decoder(list[str])


def plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """JSON-ready: ids as text (they outgrow a browser's integers), times as ISO 8601."""
    return {
        key: value.isoformat()
        if isinstance(value, datetime)
        else str(value)
        if key.endswith(("id", "_from", "_into", "_of")) and isinstance(value, int)
        else value
        for key, value in row.items()
    }


def labelled(row: Mapping[Any, Any]) -> dict[str, Any]:
    """``plain``, with problems and campaigns as lists."""
    shown = plain(row)
    for axis in ("problems", "campaigns"):
        if axis in row:
            shown[axis] = _labels.decode(row[axis])
    return shown
