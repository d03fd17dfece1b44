"""Drops the metadata of a JPEG file: Exif, XMP, IPTC, comments, inner thumbnails, what follows its end."""

from __future__ import annotations

import re
from typing import Final

from gateway.media.formats.parts import CUT, Malformed, Parts

_START: Final = b"\xff\xd8"
_SCAN: Final = 0xDA
_END: Final = 0xD9
# Heads of frames, Huffman and arithmetic tables; quantization tables, restarts, scans.
_PICTURE: Final = frozenset({*range(0xC0, 0xD0), 0xDB, 0xDD, _SCAN} - {0xC8})
# Application data and comments, of which some are kept, and what no reader knows.
_OTHER: Final = frozenset({*range(0xDE, 0xFF), 0xDC, 0xC8})
_JFIF: Final = b"JFIF\0"
_JFIF_BYTES: Final = 14
_ADOBE: Final = b"Adobe"
_ADOBE_BYTES: Final = 12
_COLOURS: Final = b"ICC_PROFILE\0"
# In a scan, FF is followed by 0, by a restart marker, or by another FF, unless the scan ends.
_SCAN_END: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


def clean(data: bytes) -> Parts | None:
    """The parts of the file that are kept; None for a file that isn't quite as the standard says."""
    if not data.startswith(_START):
        return None
    view, at, kept = memoryview(data), len(_START), Parts([_START])
    while True:
        if data[at] != 0xFF:
            return None
        while (marker := data[at + 1]) == 0xFF:
            at += 1
        if marker == _END:
            return [*kept, data[at : at + 2]]
        if marker not in _PICTURE and marker not in _OTHER:
            return None
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end > len(data) or end < at + 4:
            raise Malformed(CUT)
        kept += [view[at:end]] if marker in _PICTURE else _kept(marker, data[at + 4 : end])
        at = end
        if marker == _SCAN:
            at = _scan_end(data, end)
            kept.append(view[end:at])


def _scan_end(data: bytes, at: int) -> int:
    found = _SCAN_END.search(data, at)
    if found is None:
        raise Malformed(CUT)
    return found.start()


def _kept(marker: int, content: bytes) -> Parts:
    """What is kept of application data: resolution, how colours are stored, and the colour profile."""
    if marker == 0xE0 and content.startswith(_JFIF) and len(content) >= _JFIF_BYTES:
        # The last two bytes are the size of a thumbnail.
        return _segment(marker, content[: _JFIF_BYTES - 2] + b"\0\0")
    if marker == 0xEE and content.startswith(_ADOBE) and len(content) >= _ADOBE_BYTES:
        return _segment(marker, content[:_ADOBE_BYTES])
    if marker == 0xE2 and content.startswith(_COLOURS):
        return _segment(marker, content)
    return []


def _segment(marker: int, content: bytes) -> Parts:
    return [bytes((0xFF, marker)), (len(content) + 2).to_bytes(2, "big"), content]
