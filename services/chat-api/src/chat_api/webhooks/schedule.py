"""Says what an answer means, and when a change that a receiver didn't take is tried again."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final

from chat_api.outgoing.retry_after import retry_after_s

# The waiting times that Standard Webhooks recommends, 75.6 hours in all. Then the change is parked.
DELAYS_S: Final = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
# A part of each that is random, so that many don't come back at once.
JITTER: Final = 0.1
# A receiver may ask for no more, or one wrong header would end the deliveries.
RETRY_AFTER_MAX_S: Final = 3_600.0
_GONE: Final = 410
_ASKING: Final = (429, 503)


class Verdict(Enum):
    """What became of an attempt."""

    DELIVERED = "delivered"
    FAILED = "failed"
    # The receiver wants nothing more.
    GONE = "gone"


def verdict_of(status: int) -> Verdict:
    """What an answer's status says."""
    if 200 <= status < 300:
        return Verdict.DELIVERED
    return Verdict.GONE if status == _GONE else Verdict.FAILED


def delay_s(
    attempts: int, wanted_s: float = 0.0, chance: Callable[[], float] = random.random
) -> float | None:
    """How long to wait after so many failed attempts; None if there are no more.

    It isn't shorter than what the receiver asked for.
    """
    if attempts > len(DELAYS_S):
        return None
    jittered = DELAYS_S[attempts - 1] * (1 + JITTER * (2 * chance() - 1))
    return max(jittered, wanted_s)


def asked_s(status: int, headers: Mapping[str, str]) -> float:
    """For how long a receiver that is too busy asks for peace, up to RETRY_AFTER_MAX_S; 0 if it doesn't."""
    return (retry_after_s(headers, RETRY_AFTER_MAX_S) or 0.0) if status in _ASKING else 0.0
