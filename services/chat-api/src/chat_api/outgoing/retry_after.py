"""Reads for how long a server that is too busy asks for peace."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def retry_after_s(headers: Mapping[str, str], at_most_s: float, now: datetime | None = None) -> float | None:
    """The seconds that `Retry-After` has, or that are left until its date; None if it has neither.

    `headers` have their names in lower case. `now` is for tests.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:10]), at_most_s)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), at_most_s)
