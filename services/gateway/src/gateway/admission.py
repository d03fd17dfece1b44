"""Owns how many sockets may be coming in: a few are let in at a time, some wait, the rest are sent away."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from gateway.metrics import TURNED_AWAY
from messenger_shared import errors
from messenger_shared.errors import AppError

PATIENCE_S: Final = 5.0
RETRY_AFTER_MS: Final = (1_000, 5_000)


class Admission:
    """A place for each socket while it costs the most: until its user's conversations are live here.

    So a storm of reconnects takes the time that it takes, instead of taking all others' time.
    """

    def __init__(self, at_once: int, waiting: int) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._waiting = 0
        self._max_waiting = waiting
        self._closed = False

    def close(self) -> None:
        """Nobody comes in any more; who waits is turned away."""
        self._closed = True

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Holds a place; raises AppError(unavailable) when too many wait, or when it takes too long."""
        if self._closed or self._waiting >= self._max_waiting:
            raise _turned_away()
        self._waiting += 1
        try:
            await self._acquire()
        except TimeoutError:
            raise _turned_away() from None
        finally:
            self._waiting -= 1
        try:
            if self._closed:
                raise _turned_away()
            yield
        finally:
            self._places.release()

    async def _acquire(self) -> None:
        if not self._places.locked():
            # At once, so that no timer is needed.
            await self._places.acquire()
            return
        async with asyncio.timeout(PATIENCE_S):
            await self._places.acquire()


def _turned_away() -> AppError:
    """Each with another time to come back, so that they don't come back together."""
    TURNED_AWAY.inc()
    return AppError(errors.UNAVAILABLE, retry_after_ms=random.randint(*RETRY_AFTER_MS))
