"""A small picture, as somebody might have taken it."""

from __future__ import annotations

import io

from PIL import Image


def picture() -> bytes:
    """A JPEG of 64 × 48 pixels."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (90, 120, 90)).save(out, "JPEG")
    return out.getvalue()
