"""Limits how many uploads and downloads one user and all users together have on this worker."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Final

from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError

RETRY_AFTER_MS: Final = 1_000


class Transfers:
    """The transfers under way: at most `per_user` of one user, and `at_once` in total."""

    def __init__(self, per_user: int, at_once: int) -> None:
        self._per_user = per_user
        self._at_once = at_once
        self._counts: Counter[int] = Counter()

    def check(self, user_id: int) -> None:
        """Raises AppError(rate_limited, overloaded) if another transfer of the user would be too many."""
        if self._counts[user_id] >= self._per_user:
            raise AppError(errors.RATE_LIMITED, retry_after_ms=RETRY_AFTER_MS)
        if self._counts.total() >= self._at_once:
            raise AppError(errors.OVERLOADED, retry_after_ms=RETRY_AFTER_MS)

    @contextlib.contextmanager
    def counted(self, user_id: int) -> Iterator[None]:
        """Counts a transfer of the user until the block ends."""
        self._counts[user_id] += 1
        try:
            yield
        finally:
            self._counts[user_id] -= 1
            if not self._counts[user_id]:
                del self._counts[user_id]
