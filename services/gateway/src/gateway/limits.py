"""Owns the allowances: so many a second, with a burst of two seconds' worth, per socket or per user."""

from __future__ import annotations

from typing import Final

BURST_S: Final = 2
MAX_USERS: Final = 50_000


class Bucket:
    """Counts down with each `take` and fills with time; a rate of 0 never runs dry."""

    __slots__ = ("_at", "_most", "_rate", "_tokens")

    def __init__(self, rate: float, now: float, burst_s: float = BURST_S) -> None:
        self._rate = rate
        self._most = rate * burst_s
        self._tokens = self._most
        self._at = now

    def take(self, now: float) -> int:
        """0 when one was there, else the milliseconds until one will be."""
        rate = self._rate
        if not rate:
            return 0
        self._tokens = min(self._most, self._tokens + (now - self._at) * rate)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0
        return int((1 - self._tokens) / rate * 1000) + 1


class Allowances:
    """What each user may still do, whatever socket or door he does it through; also after he was away."""

    def __init__(self, rate: float, burst_s: float = BURST_S) -> None:
        self._rate = rate
        self._burst_s = burst_s
        self._buckets: dict[int, Bucket] = {}

    def of(self, user_id: int, now: float) -> Bucket:
        """The user's bucket; at the bound, who was away longest begins anew."""
        bucket = self._buckets.pop(user_id, None) or Bucket(self._rate, now, self._burst_s)
        if len(self._buckets) >= MAX_USERS:
            del self._buckets[next(iter(self._buckets))]
        self._buckets[user_id] = bucket
        return bucket
