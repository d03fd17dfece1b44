"""Drops the metadata of a GIF file: comments, texts, XMP and all other applications' blocks."""

from __future__ import annotations

from typing import Final

from gateway.media.formats.parts import CUT, Malformed, Parts, check_frames

_STARTS: Final = (b"GIF87a", b"GIF89a")
_HEAD_BYTES: Final = 13
_IMAGE_BYTES: Final = 10
_END: Final = 0x3B
_IMAGE: Final = 0x2C
_EXTENSION: Final = 0x21
_CONTROL: Final = 0xF9
_APPLICATION: Final = 0xFF
_APPLICATION_BYTES: Final = 11
# How often an animation repeats is in its application block's first block of three bytes.
_LOOPS: Final = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_LOOP_BYTES: Final = 3
_COLOURS: Final = b"ICCRGBG1012"


def clean(data: bytes) -> Parts:
    """The blocks that are kept. Raises Malformed if there is no end, or too many frames."""
    if not data.startswith(_STARTS):
        raise Malformed("it is no GIF file")
    at, frames = _HEAD_BYTES + _table_bytes(data[10]), 0
    view = memoryview(data)
    kept = Parts([view[:at]])
    while (kind := data[at]) != _END:
        if kind == _IMAGE:
            check_frames(frames := frames + 1)
            # Behind the colours is one byte more, then the pixels.
            end = _blocks_end(data, at + _IMAGE_BYTES + _table_bytes(data[at + 9]) + 1)
            kept.append(view[at:end])
        elif kind == _EXTENSION:
            end = _blocks_end(data, at + 2)
            kept += _kept(data[at:end])
        elif kind == 0:
            # Some programs write an empty block too many.
            end = at + 1
        else:
            raise Malformed("it has a block of an unknown kind")
        at = end
    return [*kept, bytes((_END,))]


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 0x07) + 1) if flags & 0x80 else 0


def _blocks_end(data: bytes, at: int) -> int:
    """Where the blocks that begin at `at` end: each begins with its length, and the last one is empty."""
    while length := data[at]:
        at += length + 1
    if at >= len(data):
        raise Malformed(CUT)
    return at + 1


def _kept(extension: bytes) -> Parts:
    if extension[1] == _CONTROL:
        return [extension]
    if extension[1] != _APPLICATION or extension[2] != _APPLICATION_BYTES:
        return []
    at = 3 + _APPLICATION_BYTES
    name = extension[3:at]
    if name in _LOOPS and extension[at] == _LOOP_BYTES:
        return [extension[: at + _LOOP_BYTES + 1], b"\0"]
    return [extension] if name == _COLOURS else []
