"""Owns how time is written on the wire: RFC 3339 in UTC with a Z."""

from datetime import UTC, datetime


def now_text() -> str:
    """The present, to the millisecond."""
    return to_text(datetime.now(UTC))


def to_text(moment: datetime) -> str:
    """`moment` (aware) to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
