"""Cleans the names of files, which clients show and browsers save under."""

from __future__ import annotations

import re
from typing import Final

# Controls, and what changes the direction of text: with that, a name can look like one of another type.
_MISLEADING: Final = re.compile(r"[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean_file_name(name: str) -> str:
    """The name without characters that nobody sees and that make it look like another one."""
    return _MISLEADING.sub("", name)
