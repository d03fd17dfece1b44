"""Owns the token bucket: so many a second, with a burst of two seconds' worth."""

from __future__ import annotations

BURST_S = 2


class Bucket:
    """Counts down with each `take` and fills with time; a rate of 0 never runs dry."""

    __slots__ = ("_at", "_rate", "_tokens")

    def __init__(self, rate: int, now: float) -> None:
        self._rate = rate
        self._tokens = float(rate * BURST_S)
        self._at = now

    def take(self, now: float) -> int:
        """0 when one was there, else the milliseconds until one will be."""
        rate = self._rate
        if not rate:
            return 0
        self._tokens = min(rate * BURST_S, self._tokens + (now - self._at) * rate)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0
        return int((1 - self._tokens) / rate * 1000) + 1
