"""Owns the name of every Redis key that isn't presence's own; a literal one elsewhere is a mistake."""

from typing import Final

# User -> the moment up to which what was issued to him counts no more; a sorted set.
REVOKED: Final = "revoked"


def ticket(digest: str) -> str:
    """A ticket for one socket, by its hash: who may come in by it. Gone when it is used, or too old."""
    return f"ticket:{digest}"
