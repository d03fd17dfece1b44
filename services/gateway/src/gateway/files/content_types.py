"""Finds what a file is by the start of its content. What its uploader says proves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

import puremagic

UNKNOWN: Final = "application/octet-stream"
TEXT: Final = "text/plain"
# What browsers show as pictures, without scripts and other documents in them.
_PICTURES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif")
# The last bytes of the start may be a part of a character.
_CUT: Final = 3


class ContentType(NamedTuple):
    """A media type, and the kind of file: image, audio, video or file."""

    mime: str
    kind: str


def content_type(head: bytes, name: str) -> ContentType:
    """The type of the content that begins with `head`. The name decides where the content allows several."""
    mime = _by_magic(head, name) or (TEXT if _is_text(head) else UNKNOWN)
    main = mime.partition("/")[0]
    if mime in _PICTURES:
        return ContentType(mime, "image")
    return ContentType(mime, main if main in ("audio", "video") else "file")


def is_accepted(mime: str, accepted: Sequence[str]) -> bool:
    """Whether the type fits one of the patterns, such as `image/*`. Without patterns, all do."""
    return not accepted or any(fnmatchcase(mime, pattern) for pattern in accepted)


def _by_magic(head: bytes, name: str) -> str | None:
    try:
        found = puremagic.magic_string(head, name)
    except (puremagic.PureError, ValueError):
        return None
    return next((match.mime_type.lower() for match in found if "/" in match.mime_type), None)


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    for cut in range(_CUT + 1):
        try:
            head[: len(head) - cut].decode()
        except UnicodeDecodeError:
            continue
        return True
    return False
