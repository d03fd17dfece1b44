"""Token buckets, per socket or per user: a rate per second, with a burst of two seconds' worth."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

BURST_S: Final = 2
MAX_BUCKETS: Final = 50_000


class TokenBucket:
    """Each `take` removes tokens, time adds them. A rate of 0 means no limit."""

    __slots__ = ("_at", "_capacity", "_rate", "_tokens")

    def __init__(self, rate: float, now: float, burst_s: float = BURST_S) -> None:
        self._rate = rate
        self._capacity = rate * burst_s
        self._tokens = self._capacity
        self._at = now

    def take(self, now: float, number: int = 1) -> int:
        """Takes `number` tokens and returns 0; returns the milliseconds to wait if there aren't enough.

        `number` must not exceed the bucket's capacity, or it is never granted.
        """
        rate = self._rate
        if not rate:
            return 0
        self._tokens = min(self._capacity, self._tokens + (now - self._at) * rate)
        self._at = now
        if self._tokens >= number:
            self._tokens -= number
            return 0
        return int((number - self._tokens) / rate * 1000) + 1

    def put_back(self) -> None:
        """Undoes a `take` of one token."""
        self._tokens = min(self._capacity, self._tokens + 1)


def take_from_all(buckets: Sequence[TokenBucket], now: float) -> int:
    """Takes a token from each bucket if all have one, else from none. Returns as TokenBucket.take."""
    waits_ms = [bucket.take(now) for bucket in buckets]
    if any(waits_ms):
        # Otherwise somebody who asks often would empty each bucket as soon as it has a token, and would never
        # find one in all of them.
        for bucket, wait_ms in zip(buckets, waits_ms, strict=True):
            if not wait_ms:
                bucket.put_back()
    return max(waits_ms)


class TokenBuckets:
    """One bucket per key, such as a user for all their sockets. It outlives a disconnection."""

    def __init__(self, rate: float, burst_s: float = BURST_S) -> None:
        self._rate = rate
        self._burst_s = burst_s
        self._buckets: dict[Hashable, TokenBucket] = {}

    def of(self, key: Hashable, now: float) -> TokenBucket:
        """The key's bucket. At MAX_BUCKETS the least recently used one is dropped; it starts full again."""
        bucket = self._buckets.pop(key, None) or TokenBucket(self._rate, now, self._burst_s)
        if len(self._buckets) >= MAX_BUCKETS:
            del self._buckets[next(iter(self._buckets))]
        self._buckets[key] = bucket
        return bucket
