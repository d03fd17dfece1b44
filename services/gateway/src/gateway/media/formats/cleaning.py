"""Drops everything from a picture's file that isn't needed to show it, without touching its pixels.

What is kept is listed, so what nobody thought of goes too. What stands behind the end of the picture goes as
well: it isn't part of the picture, and may be another file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gateway.media.formats import avif_boxes, chunks, gif_blocks, jpeg_segments
from gateway.media.formats.parts import CUT, Malformed, Parts

_CLEAN: Final[dict[str, Callable[[bytes], Parts | None]]] = {
    "image/jpeg": jpeg_segments.clean,
    "image/png": chunks.clean_png,
    "image/webp": chunks.clean_webp,
    "image/gif": gif_blocks.clean,
    "image/avif": avif_boxes.clean,
}


def without_metadata(mime: str, data: bytes) -> Parts | None:
    """The parts of the file that are kept. None if only a new encoding can clean it. Raises Malformed."""
    if mime not in _CLEAN:
        raise Malformed("it is of no type that is shown as a picture")
    try:
        return _CLEAN[mime](data)
    except IndexError:
        raise Malformed(CUT) from None
