"""What servers ask for by `Retry-After`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from chat_api.outgoing.retry_after import retry_after_s

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MAX_S = 3_600.0


def test_it_is_seconds_or_a_date_and_has_a_bound() -> None:
    later = NOW + timedelta(seconds=90)
    for text, seconds in (
        ("30", 30.0),
        (" 30 ", 30.0),
        (format_datetime(later, usegmt=True), 90.0),
        # Of an unknown zone.
        (format_datetime(later.replace(tzinfo=None)), 90.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
        ("9" * 400, MAX_S),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_S),
        *((nonsense, None) for nonsense in ("", "-1", "soon", "٣", "1.5", "1e9", "Thu, 99 Foo 2026")),
    ):
        assert retry_after_s({"retry-after": text}, MAX_S, NOW) == seconds, text
    assert retry_after_s({}, MAX_S) is None
