"""What the cleaning of all formats of pictures has in common: parts of files, and how it fails."""

from __future__ import annotations

from typing import Final

# A longer animation costs its viewers too much. A minute with 30 frames a second is allowed.
MAX_FRAMES: Final = 2_000
CUT: Final = "it ends too early"

Parts = list[bytes | memoryview]


class Malformed(Exception):
    """The content isn't what it claims to be, ends too early, or exceeds a limit. The text says which."""


def check_frames(count: int) -> None:
    """Raises Malformed if an animation has too many frames."""
    if count > MAX_FRAMES:
        raise Malformed("it has too many frames")
