"""Bounds how many sockets may be opening at once: some more wait, the rest get 503."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from gateway.metrics import REFUSED
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError

MAX_WAIT_S: Final = 5.0
RETRY_AFTER_MS: Final = (1_000, 5_000)


class Admission:
    """Gives a socket a slot while it costs the most: until its user's conversations are live here.

    A storm of reconnects then takes longer itself, instead of slowing down everybody else.
    """

    def __init__(self, max_opening: int, max_waiting: int) -> None:
        self._slots = asyncio.Semaphore(max_opening)
        self._waiting = 0
        self._max_waiting = max_waiting
        self._closed = False

    def close(self) -> None:
        """Refuses all new sockets, and those that wait."""
        self._closed = True

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Holds a slot. Raises AppError(unavailable) if closed, if too many wait, or after MAX_WAIT_S."""
        if self._closed or self._waiting >= self._max_waiting:
            raise _refusal()
        self._waiting += 1
        try:
            await self._acquire()
        except TimeoutError:
            raise _refusal() from None
        finally:
            self._waiting -= 1
        try:
            if self._closed:
                raise _refusal()
            yield
        finally:
            self._slots.release()

    async def _acquire(self) -> None:
        if not self._slots.locked():
            # This returns at once, so the socket needs no timer.
            await self._slots.acquire()
            return
        async with asyncio.timeout(MAX_WAIT_S):
            await self._slots.acquire()


def _refusal() -> AppError:
    """Counts the refusal. The time to retry is random, so that refused clients don't come back together."""
    REFUSED.inc()
    return AppError(errors.UNAVAILABLE, retry_after_ms=random.randint(*RETRY_AFTER_MS))
