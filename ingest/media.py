"""Photos as citizens send them, made safe: bounded, re-encoded, stripped of metadata."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

from store.errors import RejectedError
from store.model import Media

MAX_BYTES = 10_000_000
MAX_PIXELS = 40_000_000
MAX_SIDE = 2560
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


def clean_photo(content: bytes, *, side: int = MAX_SIDE) -> Media:
    """Decode, turn upright, shrink to ``side`` pixels, encode as JPEG without metadata.

    Heavy: call it off the event loop. Raises RejectedError for anything else than a JPEG, PNG,
    WebP or GIF (of which the first picture is kept) of at most 10 MB and 40 megapixels; the size is
    read before any pixel is.
    """
    if len(content) > MAX_BYTES:
        msg = f"ingest: photo has {len(content)} bytes, at most {MAX_BYTES}; send a smaller one"
        raise RejectedError(msg, reason="photo_size")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=FORMATS)
            width, height = image.size
            if width * height > MAX_PIXELS:
                msg = f"ingest: photo has {width}×{height} pixels, at most {MAX_PIXELS}; send a smaller one"
                raise RejectedError(msg, reason="photo_pixels")
            image.draft("RGB", (side, side))
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        ValueError,
        SyntaxError,
    ) as error:
        msg = "ingest: photo is not a readable JPEG, PNG, WebP or GIF; send one of these"
        raise RejectedError(msg, reason="photo_format") from error
    upright.thumbnail((side, side))
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=85)
    return Media(
        content=out.getvalue(),
        content_type="image/jpeg",
        width=upright.width,
        height=upright.height,
    )
