"""Formats the time of day for clients (RFC 3339, UTC, with a Z), and copes with clocks that are set back.

Durations must not be measured by it: use the monotonic clock.
"""

import time
from datetime import UTC, datetime
from typing import Final

# The Unix time at which the monotonic clock was 0, as this process saw it at its start.
_BEGINNING: Final = time.time() - time.monotonic()


def latest() -> float:
    """The Unix time, not affected if the clock was set back since this process started.

    It is for a moment that must be later than all moments before it, such as a revocation's.
    """
    return max(time.time(), _BEGINNING + time.monotonic())


def now_text() -> str:
    """The current time as text, to the millisecond."""
    return to_text(datetime.now(UTC))


def to_text(moment: datetime) -> str:
    """`moment` (timezone-aware) as text, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_unix(seconds: float) -> str:
    """A Unix time as text. Times after the year 9999 become the last one that can be written."""
    try:
        return to_text(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return to_text(datetime.max.replace(tzinfo=UTC))
