"""What a connector stored about itself comes back as it was, or anew: reading a source twice is harmless."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

T = TypeVar("T")


def remembered(stored: str, kind: type[T], anew: Callable[[], T]) -> T:
    """``stored`` JSON as ``kind``; ``anew()`` when it is empty or can not be read any more."""
    try:
        return msgspec.json.decode(stored, type=kind) if stored else anew()
    except (msgspec.DecodeError, UnicodeError):
        return anew()
