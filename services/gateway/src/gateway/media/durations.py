"""Reads how long audio and video last."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

from tinytag import TinyTag, TinyTagException

# A longer one is a wrong number in the file.
MAX_MS: Final = 7 * 86_400_000


def duration_ms(path: Path) -> int | None:
    """The duration in ms; None if the file doesn't tell it, or tells nonsense. Raises OSError."""
    try:
        with path.open("rb") as file:
            seconds = TinyTag.get(file_obj=file, tags=False).duration
    except (TinyTagException, ValueError, ArithmeticError, LookupError):
        return None
    if seconds is None or not math.isfinite(seconds):
        return None
    duration = round(seconds * 1_000)
    return duration if 0 < duration <= MAX_MS else None
