"""Names every Redis key except presence's own. No other module may contain a literal key name."""

from typing import Final

# A sorted set: user id -> the Unix time up to which tokens issued to that user are revoked.
REVOKED: Final = "revoked"


def ticket(digest: str) -> str:
    """The identity behind a one-time ticket, by the ticket's hash. Deleted on use; expires by itself."""
    return f"ticket:{digest}"
