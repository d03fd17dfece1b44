"""Owns how time is written on the wire: RFC 3339 in UTC with a Z."""

from datetime import UTC, datetime


def now_text() -> str:
    """The present, to the millisecond."""
    return to_text(datetime.now(UTC))


def to_text(moment: datetime) -> str:
    """`moment` (aware) to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_unix(seconds: float) -> str:
    """The moment that many `seconds` after 1970; the last one that can be written, if it is later."""
    try:
        return to_text(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return to_text(datetime.max.replace(tzinfo=UTC))
