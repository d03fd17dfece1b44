"""Waiting times between attempts."""

from __future__ import annotations

import random

_FIRST_S = 0.2
_MAX_S = 10.0


class BackOff:
    """Doubles the waiting time with each attempt. Half of it is random, so that clients spread."""

    def __init__(self) -> None:
        self._attempts = 0

    def reset(self) -> None:
        """Begins anew after a success."""
        self._attempts = 0

    def next(self, at_least_s: float | None = None) -> float:
        """Returns the seconds to wait, not less than what the server asked for."""
        limit_s: float = min(_MAX_S, _FIRST_S * 2 ** min(self._attempts, 10))
        self._attempts += 1
        return max(at_least_s or 0.0, limit_s * (0.5 + random.random() / 2))
