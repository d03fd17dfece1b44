"""Empties the metadata of an AVIF file: Exif, XMP, texts of the user. No box changes its place or its length.

Boxes refer to places in the file by number, so what goes is overwritten, and its box becomes a `free` one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from gateway.media.formats.parts import CUT, Malformed, Parts

# What the file has at its top, and what is in the box of its tracks.
_KEPT: Final = frozenset((b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip"))
_NESTED: Final = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf"))
_DROPPED: Final = frozenset((b"udta", b"uuid", b"meta", b"free", b"skip"))
# Pixels, and how a picture consists of others. All other items are metadata.
_PICTURE_ITEMS: Final = frozenset((b"av01", b"grid", b"iden", b"iovl", b"tmap"))
# An Exif block without entries: where its head begins, the head, and no entries.
_EMPTY_EXIF: Final = bytes(4) + b"II*\0\x08\0\0\0" + bytes(6)
_IN_FILE: Final = 0
_IN_BOX: Final = 1
_MOST_ITEMS: Final = 10_000


class _Box(NamedTuple):
    """A box: its type, where it begins, where its content begins, where it ends."""

    name: bytes
    at: int
    content: int
    end: int


def clean(data: bytes) -> Parts:
    """The file with its metadata emptied. Raises Malformed if a box or a place is outside of the file."""
    out, boxes = bytearray(data), list(_boxes(data, 0, len(data)))
    if not any(box.name == b"moov" for box in boxes):
        # All pixels are items. In an animation, tables of samples refer to them too.
        for box in boxes:
            if box.name == b"mdat":
                out[box.content : box.end] = bytes(box.end - box.content)
    for box in boxes:
        if box.name == b"meta":
            _empty_items(out, data, box)
    for box in boxes:
        if box.name == b"moov":
            _empty_tracks(out, data, box)
        elif box.name not in _KEPT or box.name in (b"free", b"skip"):
            _free(out, box)
    return [bytes(out)]


def _boxes(data: bytes, at: int, end: int) -> Iterator[_Box]:
    while at < end:
        size, content = int.from_bytes(data[at : at + 4], "big"), at + 8
        if size == 1:
            size, content = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        box_end = end if size == 0 else at + size
        if box_end > end or box_end < content:
            raise Malformed(CUT)
        yield _Box(data[at + 4 : at + 8], at, content, box_end)
        at = box_end


def _free(out: bytearray, box: _Box) -> None:
    out[box.at + 4 : box.at + 8] = b"free"
    out[box.content : box.end] = bytes(box.end - box.content)


def _empty_tracks(out: bytearray, data: bytes, parent: _Box) -> None:
    for box in _boxes(data, parent.content, parent.end):
        if box.name in _DROPPED:
            _free(out, box)
        elif box.name in _NESTED:
            _empty_tracks(out, data, box)


def _empty_items(out: bytearray, data: bytes, meta: _Box) -> None:
    """Puts the items of the picture back into the file, and empties the others.

    A `meta` box has its version and flags before the boxes in it.
    """
    inner = {box.name: box for box in _boxes(data, meta.content + 4, meta.end)}
    if not {b"iinf", b"iloc"} <= inner.keys():
        return
    kinds = dict(_kinds(data, inner[b"iinf"]))
    places = list(_places(data, inner[b"iloc"]))
    for number, method, start, length in places:
        if kinds.get(number) in _PICTURE_ITEMS and method == _IN_FILE:
            end = start + length if length else len(data)
            out[start:end] = data[start:end]
    idat = inner.get(b"idat")
    for number, method, start, length in places:
        kind = kinds.get(number, b"")
        if kind in _PICTURE_ITEMS:
            continue
        if method == _IN_BOX and idat is not None:
            start += idat.content
        elif method != _IN_FILE:
            raise Malformed("its metadata is in an unknown place")
        end = start + length if length else len(data)
        if end > len(data):
            raise Malformed(CUT)
        out[start:end] = _empty(kind, end - start)


def _empty(kind: bytes, length: int) -> bytes:
    if kind == b"Exif" and length >= len(_EMPTY_EXIF):
        return _EMPTY_EXIF + bytes(length - len(_EMPTY_EXIF))
    return b" " * length


def _kinds(data: bytes, iinf: _Box) -> Iterator[tuple[int, bytes]]:
    """The numbers and types of all items."""
    first = iinf.content + (6 if data[iinf.content] == 0 else 8)
    for box in _boxes(data, first, iinf.end):
        # Older versions have no types, and are of no AVIF file.
        wide = 4 if data[box.content] == 3 else 2
        at = box.content + 4
        yield int.from_bytes(data[at : at + wide], "big"), data[at + wide + 2 : at + wide + 6]


def _places(data: bytes, iloc: _Box) -> Iterator[tuple[int, int, int, int]]:
    """Where the content of each item is: its number, the method, where it begins, how long it is."""
    at = iloc.content

    def number(width: int) -> int:
        nonlocal at
        if at + width > iloc.end:
            raise Malformed(CUT)
        at += width
        return int.from_bytes(data[at - width : at], "big")

    version, _ = number(1), number(3)
    sizes = number(2)
    offset_bytes, length_bytes, base_bytes, index_bytes = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    wide = 2 if version < 2 else 4
    for _ in range(min(number(wide), _MOST_ITEMS)):
        item = number(wide)
        method = number(2) & 15 if version else _IN_FILE
        number(2)
        base = number(base_bytes)
        for _ in range(number(2)):
            number(index_bytes if version else 0)
            offset = number(offset_bytes)
            yield item, method, base + offset, number(length_bytes)
