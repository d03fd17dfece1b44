"""Shares a worker's time: how many searches run at once, and how much of the time their checks take."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from typing import Final

from prometheus_client import Counter

from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError

RUNNING_MAX: Final = 2
WAITING_MAX: Final = 16
WAIT_S: Final = 1.0
RETRY_AFTER_MS: Final = 500
# Checks take a third of a worker's time, after the first few milliseconds.
REST_PER_WORK: Final = 2
FREE_S: Final = 0.01
SLICE_S: Final = 0.002
REFUSED = Counter("messenger_searches_refused", "Searches refused because too many were running")


class Turns:
    """Admits searches, and lets their checks run in slices with pauses in between."""

    def __init__(self) -> None:
        self._running = asyncio.Semaphore(RUNNING_MAX)
        self._waiting = 0
        # How much rest the checks owe, and when that was reckoned.
        self._debt_s = 0.0
        self._reckoned_at = 0.0

    @contextlib.asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """Waits until the search may run. Raises AppError(overloaded) if too many wait, or for too long."""
        if self._waiting >= WAITING_MAX:
            raise self._refusal()
        self._waiting += 1
        try:
            async with asyncio.timeout(WAIT_S):
                await self._running.acquire()
        except TimeoutError:
            raise self._refusal() from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._running.release()

    async def rest(self) -> None:
        """Lets others work: at once after little work, and longer after much."""
        self._reckon()
        await asyncio.sleep(max(0.0, self._debt_s - FREE_S * REST_PER_WORK))

    @contextlib.contextmanager
    def slice(self) -> Iterator[Slice]:
        """Counts the work of the block, which must not await."""
        now = time.monotonic()
        try:
            yield Slice(now + SLICE_S)
        finally:
            self._reckon()
            self._debt_s += (time.monotonic() - now) * (REST_PER_WORK + 1)

    def _reckon(self) -> None:
        now = time.monotonic()
        self._debt_s = max(0.0, self._debt_s - (now - self._reckoned_at))
        self._reckoned_at = now

    @staticmethod
    def _refusal() -> AppError:
        REFUSED.inc()
        return AppError(errors.OVERLOADED, retry_after_ms=RETRY_AFTER_MS)


class Slice:
    """A piece of work that should end soon."""

    def __init__(self, ends_at: float) -> None:
        self._ends_at = ends_at

    @property
    def is_over(self) -> bool:
        """Whether others should get their turn."""
        return time.monotonic() >= self._ends_at
