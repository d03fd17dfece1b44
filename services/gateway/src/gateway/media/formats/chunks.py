"""Drops the metadata of PNG and WebP files, which both consist of chunks: texts, Exif, XMP, times, others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.media.formats.parts import CUT, Malformed, Parts, check_frames

_PNG_START: Final = b"\x89PNG\r\n\x1a\n"
# The picture, how its colours are meant, its resolution, and the frames of an animation.
_PNG_KEPT: Final = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP mDCV cLLI sBIT bKGD hIST pHYs acTL fcTL fdAT".split()
)
_PNG_FRAME_BYTES: Final = 12
_WEBP_KEPT: Final = frozenset((b"VP8X", b"ICCP", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L"))
_WEBP_FRAME_KEPT: Final = frozenset((b"ALPH", b"VP8 ", b"VP8L"))
_WEBP_HEAD_BYTES: Final = 12
_FRAME_HEAD_BYTES: Final = 16
# The flags in the head of a WebP file that say that there are Exif and XMP.
_METADATA_FLAGS: Final = 0x08 | 0x04


def clean_png(data: bytes) -> Parts:
    """The chunks that are kept. Raises Malformed if there is no end, or too many frames."""
    if not data.startswith(_PNG_START):
        raise Malformed("it is no PNG file")
    view, at, frames, kept = memoryview(data), len(_PNG_START), 0, Parts([_PNG_START])
    while True:
        end = at + _PNG_FRAME_BYTES + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            raise Malformed(CUT)
        name = data[at + 4 : at + 8]
        if name in _PNG_KEPT:
            kept.append(view[at:end])
        if name == b"fcTL":
            check_frames(frames := frames + 1)
        if name == b"IEND":
            return kept
        at = end


def clean_webp(data: bytes) -> Parts:
    """The chunks that are kept. Raises Malformed if one of them is cut, or there are too many frames."""
    if not (data.startswith(b"RIFF") and data[8:_WEBP_HEAD_BYTES] == b"WEBP"):
        raise Malformed("it is no WebP file")
    end, frames, kept = 8 + int.from_bytes(data[4:8], "little"), 0, Parts()
    if end > len(data):
        raise Malformed(CUT)
    for name, content in _chunks(memoryview(data)[_WEBP_HEAD_BYTES:end]):
        if name not in _WEBP_KEPT:
            continue
        if name == b"VP8X":
            content = memoryview(bytes((content[0] & ~_METADATA_FLAGS,)) + bytes(content[1:]))
        if name == b"ANMF":
            check_frames(frames := frames + 1)
            content = _frame(content)
        kept += _chunk(name, content)
    size = 4 + sum(map(len, kept))
    return [b"RIFF", size.to_bytes(4, "little"), b"WEBP", *kept]


def _frame(content: memoryview) -> memoryview:
    kept = Parts([content[:_FRAME_HEAD_BYTES]])
    for name, inner in _chunks(content[_FRAME_HEAD_BYTES:]):
        if name in _WEBP_FRAME_KEPT:
            kept += _chunk(name, inner)
    return memoryview(b"".join(kept))


def _chunks(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    at = 0
    while at < len(view):
        end = at + 8 + int.from_bytes(view[at + 4 : at + 8], "little")
        if end > len(view):
            raise Malformed(CUT)
        yield bytes(view[at : at + 4]), view[at + 8 : end]
        # Each begins at an even place.
        at = end + end % 2


def _chunk(name: bytes, content: memoryview) -> Parts:
    return [name, len(content).to_bytes(4, "little"), content, b"\0" * (len(content) % 2)]
